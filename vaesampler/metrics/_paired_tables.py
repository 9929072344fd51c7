"""`PairedTables`: real and synthetic rows, read so that cells and rows can be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import Cells, alike, comparable_floats
from vaesampler._table.columns import LevelColumn
from vaesampler._table.containers import Container, FrameContainer
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler._table.notations import NUMBERS
from vaesampler._table.reading import read_table
from vaesampler._table.schema import FeatureSchema
from vaesampler.metrics._points import level_blocks, number_blocks

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class PairedTables:
    """Tables with the same columns, the real rows first.

    A cell is one float64: a value; or, in a column of categories, the index of its level in a
    list that all tables share. NaN is a missing cell.
    """

    names: tuple[str, ...]  # of the columns
    is_category: npt.NDArray[np.bool_]  # (n_columns,)
    cells: tuple[npt.NDArray[np.float64], ...]  # of each table, (n_rows, n_columns)

    @classmethod
    def read(
        cls, tables: Mapping[str, Any], categorical_features: CategoricalFeatures = "auto"
    ) -> Self:
        """Read tables of any kind. The keys are their names in error messages.

        Raises
        ------
        TypeError, ValueError
            If one is not a table, is empty, cannot be read, or has other columns than the
            first one.
        """
        containers = {name: read_table(X, name) for name, X in tables.items()}
        (first, real), *others = containers.items()
        for name, container in others:
            check_same_names(first, real, name, container)
        columns = list(zip(*map(_read_columns, containers, containers.values()), strict=True))
        # The schema's means and deviations, which are not used here, may overflow.
        with np.errstate(over="ignore", invalid="ignore"):
            schema = FeatureSchema.infer(
                map(_cells_to_infer_from, columns), real.keys, categorical_features
            )
        is_category = np.array(
            [
                isinstance(column, LevelColumn) and column.are_categories
                for column in schema.columns
            ]
        )
        cells = tuple(np.empty((one.n_rows, len(columns))) for one in containers.values())
        for index, (column, of_tables) in enumerate(zip(schema.columns, columns, strict=True)):
            _check_same_kind(column.name, is_category[index], list(containers), of_tables)
            converted = alike(of_tables)
            if is_category[index]:
                values_of_tables = _level_indices(column.levels, converted)
            else:
                values_of_tables = comparable_floats(converted)
            for table, values in zip(cells, values_of_tables, strict=True):
                table[:, index] = values + 0.0  # turns -0.0 into 0.0
        return cls(tuple(column.name for column in schema.columns), is_category, cells)

    @classmethod
    def read_pair(
        cls,
        X_real: Any,
        X_synthetic: Any,
        categorical_features: CategoricalFeatures,
        max_samples: int | None,
        rng: np.random.Generator,
    ) -> Self:
        """Read two tables, and keep at most `max_samples` rows of each.

        Raises
        ------
        TypeError, ValueError
            As `read` and `limited` do.
        """
        tables = cls.read({"X_real": X_real, "X_synthetic": X_synthetic}, categorical_features)
        return tables.limited(max_samples, rng)

    @classmethod
    def read_with_holdout(
        cls,
        name: str,
        X_real: Any,
        X_synthetic: Any,
        X_holdout: Any,
        categorical_features: CategoricalFeatures,
    ) -> Self:
        """Read real and synthetic rows, and new real rows unless `X_holdout` is None.

        `name` is that of the real rows in error messages.

        Raises
        ------
        TypeError, ValueError
            As `read` does, or if there is 1 real row and none is held out.
        """
        tables = {name: X_real, "X_synthetic": X_synthetic}
        if X_holdout is not None:
            tables["X_holdout"] = X_holdout
        read = cls.read(tables, categorical_features)
        if X_holdout is None and len(read.cells[0]) < 2:
            raise ValueError(
                f"{name} must have at least 2 rows where none are held out; found 1. Pass "
                "X_holdout, or more rows."
            )
        return read

    def limited(self, max_samples: int | None, rng: np.random.Generator) -> Self:
        """Return the tables with at most `max_samples` rows each, chosen at random.

        Raises
        ------
        ValueError
            If `max_samples` is neither None nor a whole number of at least 2.
        """
        check_limit("max_samples", max_samples)
        cells = tuple(subsample(table, max_samples, rng) for table in self.cells)
        return replace(self, cells=cells)

    def select(
        self,
        tables: Sequence[int],
        row_indices: Sequence[npt.NDArray[np.intp]],  # of each table selected, (n_selected,)
    ) -> Self:
        """Return some rows of some of the tables."""
        cells = tuple(
            self.cells[table][indices]
            for table, indices in zip(tables, row_indices, strict=True)
        )
        return replace(self, cells=cells)

    def without_holdout(self) -> Self:
        """Return the real and the synthetic rows only."""
        return replace(self, cells=self.cells[:2])

    @cached_property
    def matrices(self) -> tuple[npt.NDArray[np.float64], ...]:  # of each table, (n_rows, width)
        """Rows as points, between which distances are Euclidean.

        A value counts in robust deviations from the median of the real rows, logarithmically
        in the tails. Two different categories are one deviation apart, as are a missing cell
        and an average value.
        """
        blocks = [
            (level_blocks if is_category else number_blocks)(
                [table[:, index] for table in self.cells]
            )
            for index, is_category in enumerate(self.is_category)
        ]
        return tuple(np.hstack(of_table) for of_table in zip(*blocks, strict=True))


def subsample(
    rows: npt.NDArray[Scalar], max_samples: int | None, rng: np.random.Generator
) -> npt.NDArray[Scalar]:  # (n_rows, ...) to (at most max_samples, ...)
    """Return at most `max_samples` rows, chosen at random and in their order."""
    if max_samples is None or len(rows) <= max_samples:
        return rows
    return rows[np.sort(rng.choice(len(rows), max_samples, replace=False))]


def check_limit(name: str, limit: int | None) -> None:
    """Check the parameter `name`, a maximum number of rows or columns.

    Raises
    ------
    ValueError
        If it is neither None nor a whole number of at least 2.
    """
    is_whole = isinstance(limit, Integral) and not isinstance(limit, bool)
    if limit is not None and not (is_whole and limit >= 2):
        raise ValueError(
            f"{name} must be None or a whole number of at least 2; found {limit!r}."
        )


def check_same_names(first: str, real: Container, other: str, container: Container) -> None:
    """Check that two tables, named `first` and `other`, have the same columns.

    Raises
    ------
    ValueError
        If they have not.
    """
    # An array has no names of its own, and may be what a sampler made of a frame.
    both_named = all(isinstance(one, FrameContainer) for one in (real, container))
    names, other_names = real.names, container.names
    if len(names) == len(other_names) and (not both_named or names == other_names):
        return
    different = [
        f"{found!r} instead of {expected!r}"
        for expected, found in zip(names, other_names, strict=False)
        if expected != found
    ]
    raise ValueError(
        f"{other} must have the same columns as {first}, in the same order; found "
        f"{len(other_names)} columns for {len(names)}"
        + (f", {', '.join(different[:3])}" if both_named and different else "")
        + ". Leave the labels out of both, and pass the columns that the sampler was given."
    )


def _read_columns(name: str, container: Container) -> list[Cells]:
    try:
        return list(container.columns())
    except ValueError as error:  # which names the column, but not the table
        raise ValueError(f"{name} cannot be read. {error}") from error


def _cells_to_infer_from(of_tables: tuple[Cells, ...]) -> Cells:
    """Return the real cells or, if all are missing, missing cells of another table's type."""
    real = of_tables[0]
    for cells in of_tables:
        if not cells.is_missing.all():
            return real if cells is real else _all_missing(len(real.values), cells)
    return real


def _all_missing(n_rows: int, like: Cells) -> Cells:
    if like.are_numbers:
        return Cells(np.full(n_rows, np.nan), NUMBERS, is_categorical=like.is_categorical)
    return Cells(np.full(n_rows, None, dtype=object), is_categorical=like.is_categorical)


def _level_indices(
    levels: npt.NDArray[np.object_],  # (n_levels,), of the real rows
    of_tables: Sequence[Cells],
) -> list[npt.NDArray[np.float64]]:  # of each table, (n_rows,)
    """Return the index of each cell's level; levels that real rows lack come last."""
    index_of = {level: index for index, level in enumerate(levels.tolist())}
    return [
        np.array(
            [
                np.nan if is_missing else index_of.setdefault(level, len(index_of))
                for level, is_missing in zip(
                    cells.values.tolist(), cells.is_missing.tolist(), strict=True
                )
            ],
            dtype=np.float64,
        )
        for cells in of_tables
    ]


def _check_same_kind(
    column: str, is_category: bool, tables: list[str], of_tables: tuple[Cells, ...]
) -> None:
    kinds = [(table, _cell_kind(cells)) for table, cells in zip(tables, of_tables, strict=True)]
    known = [(table, kind) for table, kind in kinds if kind is not None]
    for table, kind in known[1:]:
        first, first_kind = known[0]
        # A library without truth values writes categories as numbers.
        are_alike = is_category and {kind, first_kind} == {"numbers", "truth values"}
        if kind != first_kind and not are_alike:
            raise ValueError(
                f"Column {column!r} holds {first_kind} in {first}, and {kind} in {table}. "
                "Convert it in one of them, or leave it out of both."
            )


def _cell_kind(cells: Cells) -> str | None:
    """Describe the cells for error messages; return None if all are missing."""
    if cells.is_missing.all():
        return None
    if cells.notation is not None:
        return cells.notation.name
    example = cells.observed[0]
    if isinstance(example, str | bytes):
        return "text" if isinstance(example, str) else "bytes"
    return "truth values" if isinstance(example, bool | np.bool_) else "numbers"
