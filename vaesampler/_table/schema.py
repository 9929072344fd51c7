"""`FeatureSchema`: the only authority on what the columns of a table are."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Self

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import Cells
from vaesampler._table.columns import Column, NumericColumn
from vaesampler._table.inference import infer_column
from vaesampler._table.named_features import (
    CategoricalFeatures,
    OrdinalFeatures,
    order_of_dtype,
    resolve_categorical,
    resolve_ordinal,
)


@dataclass(frozen=True, repr=False)
class FeatureSchema:
    """The columns of a table, in order."""

    columns: tuple[Column, ...]

    @classmethod
    def infer(
        cls,
        columns: Iterable[Cells],
        names: Sequence[str],
        categorical_features: CategoricalFeatures = "auto",
        ordinal_features: OrdinalFeatures | None = None,
    ) -> Self:
        """Infer each column's kind from its cells.

        Raises
        ------
        ValueError
            If `categorical_features` or `ordinal_features` do not fit the columns.
        """
        named = resolve_categorical(categorical_features, names)
        orders = resolve_ordinal(ordinal_features, names)
        found = []
        for index, (name, cells) in enumerate(zip(names, columns, strict=True)):
            is_named = named is not None and named[index]
            order = orders.get(index)
            if index in orders and is_named:
                raise ValueError(
                    f"Column {name!r} is named in categorical_features and in "
                    "ordinal_features. Leave it out of one of them."
                )
            if order is None and (index in orders or (cells.is_ordered and not is_named)):
                order = order_of_dtype(name, cells)
            is_categorical = cells.is_categorical if named is None else is_named
            found.append(infer_column(name, cells, is_categorical=is_categorical, order=order))
        return cls(tuple(found))

    def indices_of(self, *kinds: type[Column]) -> npt.NDArray[np.intp]:
        """Return the indices of the columns of some kinds."""
        return self.indices_where(isinstance(column, kinds) for column in self.columns)

    @cached_property
    def has_numeric(self) -> bool:
        """Whether a column is numeric."""
        return any(isinstance(column, NumericColumn) for column in self.columns)

    @staticmethod
    def indices_where(flags: Iterable[bool]) -> npt.NDArray[np.intp]:
        """Return the indices of the columns whose flag is true."""
        return np.flatnonzero(np.fromiter(flags, bool))

    @cached_property
    def columns_by_decimals(self) -> dict[int, npt.NDArray[np.intp]]:
        """Indices of the columns with a known number of decimals, by this number."""
        decimals = [
            column.decimals if isinstance(column, NumericColumn) else None
            for column in self.columns
        ]
        return {
            known: self.indices_where(number == known for number in decimals)
            for known in sorted({number for number in decimals if number is not None})
        }

    def read_values(self, values: npt.NDArray) -> npt.NDArray[np.float64]:
        """Turn rows (n_rows, n_columns) of a table of numbers into cells."""
        cells = values.astype(np.float64)
        for index, column in enumerate(self.columns):
            if column.has_levels:
                cells[:, index] = column.read(values[:, index])
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


def column_names(feature_names: Iterable[object] | None, n_columns: int) -> list[str]:
    """Return the user's names, or "column 0", "column 1", ... where there are none."""
    if feature_names is not None:
        return [str(name) for name in feature_names]
    return [f"column {number}" for number in range(n_columns)]
