"""`FeatureSchema`: the columns of a table."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import Cells
from vaesampler._table.columns import Column, InheritedColumn, NumericColumn
from vaesampler._table.grid import Grid
from vaesampler._table.inference import infer_column
from vaesampler._table.named_features import (
    CategoricalFeatures,
    InheritedFeatures,
    OrdinalFeatures,
    order_of_dtype,
    resolve_categorical,
    resolve_inherited,
    resolve_ordinal,
)
from vaesampler._table.notations import NUMBERS
from vaesampler._table.one_hot import group_one_hot


@dataclass(frozen=True, repr=False)
class FeatureSchema:
    """The columns of a table: what each was taken for, and why.

    Print it, or show it in a notebook.

    Attributes
    ----------
    columns : tuple of Column
        The columns in order, each with its `name`, its `kind` ("continuous", "integer",
        "discrete", "binary", "indicator", "ordinal", "categorical", "constant" or
        "inherited"), the `reason` why it has this kind, and whether it `has_missing` cells.

    Examples
    --------
    >>> import pandas as pd
    >>> from vaesampler import VAEOversampler
    >>> X = pd.DataFrame({"visits": range(40), "plan": ["yearly", "monthly"] * 20})
    >>> sampler = VAEOversampler(random_state=0).fit(X, [0] * 30 + [1] * 10)
    >>> print(sampler.schema_)
    visits  integer      every value is a whole number
    plan    binary       text, categories or truth values, 2 levels
    """

    columns: tuple[Column, ...]

    @classmethod
    def infer(
        cls,
        columns: Iterable[Cells],
        names: Sequence[Hashable],
        categorical_features: CategoricalFeatures = "auto",
        ordinal_features: OrdinalFeatures | None = None,
        inherited_features: InheritedFeatures | None = None,
    ) -> Self:
        """Infer the kind of each column from its cells.

        `names` are those by which the other arguments may name the columns: `Container.keys`.

        Raises
        ------
        ValueError
            If an argument does not match the columns, or two of them name the same one.
        """
        named = resolve_categorical(categorical_features, names)
        orders = resolve_ordinal(ordinal_features, names)
        inherited = resolve_inherited(inherited_features, names)
        each = _infer_each(columns, names, named, orders, inherited)
        return cls(tuple(group_one_hot(each)))

    def inheriting_from(self, row_indices: npt.NDArray[np.intp]) -> Self:
        """Return the schema whose inherited columns keep the cells of these rows only."""
        columns = (
            InheritedColumn.of(column.name, row_indices)
            if isinstance(column, InheritedColumn)
            else column
            for column in self.columns
        )
        return replace(self, columns=tuple(columns))

    @cached_property
    def inherited(self) -> dict[int, InheritedColumn]:
        """The inherited columns, by index."""
        return {
            index: column
            for index, column in enumerate(self.columns)
            if isinstance(column, InheritedColumn)
        }

    def indices_of(self, *kinds: type[Column]) -> npt.NDArray[np.intp]:
        """Return the indices of the columns of these kinds."""
        return self.indices_where(isinstance(column, kinds) for column in self.columns)

    @cached_property
    def has_numeric(self) -> bool:
        """Whether at least one column is numeric."""
        return any(isinstance(column, NumericColumn) for column in self.columns)

    @staticmethod
    def indices_where(flags: Iterable[bool]) -> npt.NDArray[np.intp]:
        """Return the indices of the true flags."""
        return np.flatnonzero(np.fromiter(flags, bool))

    @cached_property
    def spikes(self) -> list[tuple[int, float]]:
        """The spikes of all columns, each with the index of its column."""
        return [
            (index, spike)
            for index, column in enumerate(self.columns)
            if isinstance(column, NumericColumn)
            for spike in column.spikes
        ]

    @cached_property
    def columns_by_decimals(self) -> dict[int, npt.NDArray[np.intp]]:
        """Number of decimals to the indices of the columns that have it, and no longer step."""
        found: dict[int, list[int]] = {}
        for index, column in enumerate(self.columns):
            grid = column.grid if isinstance(column, NumericColumn) else None
            if grid is not None and grid.decimals is not None and grid.step == 1:
                found.setdefault(grid.decimals, []).append(index)
        return {
            decimals: np.array(indices, dtype=np.intp)
            for decimals, indices in sorted(found.items())
        }

    @cached_property
    def grids_with_steps(self) -> dict[int, Grid]:
        """Index of each column whose values are multiples of more than their last decimal."""
        return {
            index: column.grid
            for index, column in enumerate(self.columns)
            if isinstance(column, NumericColumn) and column.grid.step > 1
        }

    def read_values(
        self, values: npt.NDArray[Any]
    ) -> npt.NDArray[np.float64]:  # (n_rows, n_columns), both
        """Turn rows of a numeric array into cells."""
        cells = values.astype(np.float64)
        for index, column in enumerate(self.columns):
            if not column.is_plain:
                cells[:, index] = column.read(Cells(values[:, index], NUMBERS))
        return cells

    def __repr__(self) -> str:
        counts = Counter(column.kind for column in self.columns)
        kinds = ", ".join(f"{n} {kind}" for kind, n in counts.items())
        return f"FeatureSchema({len(self.columns)} columns: {kinds})"

    def __str__(self) -> str:
        width = max(len(column.name) for column in self.columns)
        return "\n".join(
            f"{column.name:<{width}}  {column.kind:<11}  {column.reason}"
            for column in self.columns
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align: left'>{escape(column.name)}</th>"
            f"<td style='text-align: left'>{column.kind}</td>"
            f"<td style='text-align: left'>{escape(column.reason)}</td></tr>"
            for column in self.columns
        )
        return (
            "<table><thead><tr><th></th><th style='text-align: left'>kind</th>"
            f"<th style='text-align: left'>why</th></tr></thead><tbody>{rows}</tbody></table>"
        )


def _infer_each(
    columns: Iterable[Cells],
    names: Sequence[Hashable],
    named: Sequence[bool] | None,
    orders: Mapping[int, Sequence[object] | None],
    inherited: Collection[int],
) -> Iterator[tuple[Column, Cells]]:
    """Infer the kind of each column by itself; yield the column and its cells."""
    for index, (name, cells) in enumerate(zip(map(str, names), columns, strict=True)):
        is_named = named is not None and named[index]
        order = orders.get(index)
        if index in inherited:
            if index in orders or is_named:
                raise ValueError(
                    f"Column {name!r} is named in inherited_features, hence not learned, and "
                    "in categorical_features or ordinal_features. Leave it out of one."
                )
            yield InheritedColumn.of(name, np.arange(len(cells.values))), cells
            continue
        if index in orders and is_named:
            raise ValueError(
                f"Column {name!r} is named in categorical_features and in "
                "ordinal_features. Leave it out of one of them."
            )
        if order is not None and cells.notation is not None:
            order = [cells.notation.number(level) for level in order]
        elif order is None and (index in orders or (cells.is_ordered and not is_named)):
            order = order_of_dtype(name, cells)
        is_categorical = cells.is_categorical if named is None else is_named
        yield infer_column(name, cells, is_categorical=is_categorical, order=order), cells
