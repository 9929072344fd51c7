"""`ComparableTables`: real and synthetic rows read alike, and made comparable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any, Self

import numpy as np

from vaesampler._table.cells import TIME_UNITS, Cells
from vaesampler._table.columns import Column
from vaesampler._table.containers import Container, FrameContainer
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler._table.reading import read_table
from vaesampler._table.schema import FeatureSchema
from vaesampler.metrics._points import _level_blocks, _number_blocks


@dataclass(frozen=True)
class ComparableTables:
    """Tables of the same columns, the real rows first.

    A cell is one float64: its number or, in a column of categories, the number of its level,
    which all tables share; NaN where it is missing.
    """

    schema: FeatureSchema  # of the real rows
    is_category: np.ndarray  # (n_columns,)
    cells: tuple[np.ndarray, ...]  # of each table, (n_rows, n_columns)

    @classmethod
    def read(
        cls, tables: Mapping[str, Any], categorical_features: CategoricalFeatures = "auto"
    ) -> Self:
        """Read tables of any kind, by what they are called in messages.

        Raises
        ------
        TypeError, ValueError
            If one is no table, is empty, holds cells that cannot be read, or has other columns
            than the first one.
        """
        containers = {what: read_table(X, what) for what, X in tables.items()}
        (first, real), *others = containers.items()
        for what, container in others:
            _check_same_names(first, real, what, container)
        columns = [_read_columns(what, container) for what, container in containers.items()]
        # The schema's own mean and deviation, of which no use is made here, may overflow.
        with np.errstate(over="ignore", invalid="ignore"):
            schema = FeatureSchema.infer(
                map(_kind_giver, zip(*columns, strict=True)), real.names, categorical_features
            )
        is_category = np.array(
            [column.has_levels and column.levels.dtype.kind == "O" for column in schema.columns]
        )
        cells = tuple(
            np.empty((one.n_rows, len(schema.columns))) for one in containers.values()
        )
        for number, of_tables in enumerate(zip(*columns, strict=True)):
            column = schema.columns[number]
            _check_same_kind(column, is_category[number], list(containers), of_tables)
            if is_category[number]:
                read = _number_levels(column.levels, of_tables)
            else:
                read = [values.astype(np.float64) for values, *_ in of_tables]
            for table, values in zip(cells, read, strict=True):
                table[:, number] = values + 0.0  # which makes -0.0 a 0
        return cls(schema, is_category, cells)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.schema.columns)

    def limited(self, max_samples: int | None, rng: np.random.Generator) -> Self:
        """Return at most so many rows of each table, picked at random.

        Raises
        ------
        ValueError
            If `max_samples` is no whole number of at least 2, nor None.
        """
        check_limit("max_samples", max_samples)
        return type(self)(
            self.schema,
            self.is_category,
            tuple(subsample(table, max_samples, rng) for table in self.cells),
        )

    def select(
        self, tables: Sequence[int], rows: Sequence[np.ndarray | slice] | None = None
    ) -> Self:
        """Return some of the tables, or some of the rows of each of them."""
        chosen = rows or [slice(None)] * len(tables)
        return type(self)(
            self.schema,
            self.is_category,
            tuple(
                self.cells[table][of_table]
                for table, of_table in zip(tables, chosen, strict=True)
            ),
        )

    @cached_property
    def matrices(self) -> tuple[np.ndarray, ...]:  # of each table, (n_rows, width)
        """The rows of each table as points, whose distance says how much they differ.

        A number is measured in deviations from the middle of the real rows' numbers, robust
        ones; far out it counts by its logarithm, lest the tail of one column decide. Two
        categories that differ are one deviation apart, as are a missing and an average cell.
        """
        blocks = [
            (_level_blocks if is_category else _number_blocks)(
                [table[:, number] for table in self.cells]
            )
            for number, is_category in enumerate(self.is_category)
        ]
        return tuple(np.hstack(of_table) for of_table in zip(*blocks, strict=True))


def subsample(
    rows: np.ndarray, max_samples: int | None, rng: np.random.Generator
) -> np.ndarray:  # (n_rows, ...) to (at most max_samples, ...)
    """Return at most so many rows, picked at random."""
    if max_samples is None or len(rows) <= max_samples:
        return rows
    return rows[np.sort(rng.choice(len(rows), max_samples, replace=False))]


def check_limit(name: str, limit: int | None) -> None:
    """Check the most rows or columns that a parameter says are to be looked at.

    Raises
    ------
    ValueError
        If it is no whole number of at least 2, nor None.
    """
    is_whole = isinstance(limit, Integral) and not isinstance(limit, bool)
    if limit is not None and not (is_whole and limit >= 2):
        raise ValueError(
            f"{name} must be None or a whole number of at least 2; found {limit!r}."
        )


def _check_same_names(first: str, real: Container, what: str, other: Container) -> None:
    # An array has no names of its own, and may be what a sampler made of a frame.
    both_named = all(isinstance(one, FrameContainer) for one in (real, other))
    if len(real.names) == len(other.names) and (not both_named or real.names == other.names):
        return
    different = [
        f"{theirs!r} instead of {ours!r}"
        for ours, theirs in zip(real.names, other.names, strict=False)
        if ours != theirs
    ]
    raise ValueError(
        f"{what} must have the same columns as {first}, in the same order; found "
        f"{len(other.names)} columns for {len(real.names)}"
        + (f", {', '.join(different[:3])}" if both_named and different else "")
        + ". Leave the labels out of both, and pass the columns that the sampler was given."
    )


def _read_columns(what: str, container: Container) -> list[Cells]:
    try:
        return [_in_microseconds(cells) for cells in container.columns()]
    except ValueError as error:  # which names the column, but not the table
        raise ValueError(f"{what} cannot be read. {error}") from error


def _in_microseconds(cells: Cells) -> Cells:
    """Return times in a unit that does not depend on the table."""
    if cells.time_unit is None:
        return cells
    values = cells.values * TIME_UNITS[cells.time_unit]
    return Cells(values, False, "times, in microseconds", "us")


def _kind_giver(of_tables: tuple[Cells, ...]) -> Cells:
    """Return the cells that tell what a column is: the real ones, if any is there."""
    for cells in of_tables:
        if not all(_is_missing(cells)):
            return cells if cells is of_tables[0] else _all_missing(of_tables[0], cells)
    return of_tables[0]


def _all_missing(cells: Cells, like: Cells) -> Cells:
    is_object = like.values.dtype.kind == "O"
    missing: Any = None if is_object else np.nan
    values = np.full(len(cells.values), missing, dtype=object if is_object else np.float64)
    return Cells(values, like.is_categorical)


def _is_missing(cells: Cells) -> list[bool]:  # of each row
    if cells.values.dtype.kind == "O":
        return [cell is None for cell in cells.values]
    missing: list[bool] = np.isnan(cells.values).tolist()
    return missing


def _number_levels(levels: np.ndarray, of_tables: tuple[Cells, ...]) -> list[np.ndarray]:
    """Give the levels numbers: first the real rows', then those that only others have."""
    number_of = {level: number for number, level in enumerate(levels.tolist())}
    return [
        np.array(
            [
                np.nan if missing else number_of.setdefault(level, len(number_of))
                for level, missing in zip(
                    cells.values.tolist(), _is_missing(cells), strict=True
                )
            ],
            dtype=np.float64,
        )
        for cells in of_tables
    ]


def _check_same_kind(
    column: Column, is_category: bool, tables: list[str], of_tables: tuple[Cells, ...]
) -> None:
    kinds = {what: _cell_kind(cells) for what, cells in zip(tables, of_tables, strict=True)}
    known = [(what, kind) for what, kind in kinds.items() if kind is not None]
    for what, kind in known[1:]:
        first, of_first = known[0]
        # A category may be written in numbers by whoever has no truth values.
        are_numbers = is_category and {kind, of_first} == {"numbers", "truth values"}
        if kind != of_first and not are_numbers:
            raise ValueError(
                f"Column {column.name!r} holds {of_first} in {first}, and {kind} in {what}. "
                "Convert it in one of them, or leave it out of both."
            )


def _cell_kind(cells: Cells) -> str | None:
    """Return what the cells are, in words; None if all are missing."""
    if cells.values.dtype.kind != "O":
        if np.isnan(cells.values).all():
            return None
        return "numbers" if cells.time_unit is None else "times"
    example = next((cell for cell in cells.values if cell is not None), None)
    if example is None:
        return None
    if isinstance(example, str | bytes):
        return "text" if isinstance(example, str) else "bytes"
    return "truth values" if isinstance(example, bool | np.bool_) else "numbers"
