"""`FeatureSchema`: the only authority on what the columns of a table are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self, TypeAlias

import numpy as np

from vaesampler._table.cells import Cells
from vaesampler._table.columns import Column, Kind
from vaesampler._table.layout import Slots

# "auto", or a mask, indices or names of columns.
CategoricalFeatures: TypeAlias = (
    str | Sequence[bool] | Sequence[int] | Sequence[str] | np.ndarray
)


@dataclass(frozen=True)
class FeatureSchema:
    """The columns of a table, in order, and their places in an encoded row."""

    columns: tuple[Column, ...]

    @classmethod
    def infer(
        cls,
        columns: Iterable[Cells],
        names: Sequence[str],
        categorical_features: CategoricalFeatures = "auto",
    ) -> Self:
        """Tell each column's kind from its cells.

        Raises
        ------
        ValueError
            If `categorical_features` does not fit the columns.
        """
        chosen = _resolve_categorical(categorical_features, names)
        return cls(
            tuple(
                Column.infer(name, cells, cells.is_categorical if chosen is None else flag)
                for name, cells, flag in zip(
                    names, columns, chosen or [False] * len(names), strict=True
                )
            )
        )

    def numbers_of(self, *kinds: Kind) -> np.ndarray:  # (n_columns_of_these_kinds,)
        """Return the numbers of the columns of some kinds."""
        return _numbers(column.kind in kinds for column in self.columns)

    @cached_property
    def columns_by_decimals(self) -> dict[int, np.ndarray]:
        """The numbers of the columns with so many decimals, for each number of decimals."""
        found = {column.decimals for column in self.columns if column.decimals is not None}
        return {
            decimals: _numbers(column.decimals == decimals for column in self.columns)
            for decimals in sorted(found)
        }

    def read_numbers(self, numbers: np.ndarray) -> np.ndarray:  # (n_rows, n_columns)
        """Turn rows of a table that holds nothing but numbers into cells."""
        cells = numbers.astype(np.float64)
        for number, column in enumerate(self.columns):
            if column.has_levels:
                cells[:, number] = column.read(numbers[:, number])
        return cells

    @cached_property
    def normal(self) -> np.ndarray:  # (n_normal,)
        """The numbers of the columns that have a slot for a number.

        Constant columns are among them: theirs holds 0.
        """
        return self.numbers_of("continuous", "integer", "discrete", "constant")

    @cached_property
    def has_numbers(self) -> bool:
        """Whether a column holds numbers of more than two values."""
        return len(self.numbers_of("continuous", "integer", "discrete")) > 0

    @cached_property
    def missing(self) -> np.ndarray:  # (n_missing_flags,)
        """The numbers of the columns with a flag for missing numbers."""
        return _numbers(
            column.has_missing
            and column.kind not in ("binary", "categorical")
            and (column.kind != "constant" or len(column.levels) > 0)
            for column in self.columns
        )

    @cached_property
    def has_missing_numbers(self) -> bool:
        """Whether a cell may be missing in a column that has a slot for a number."""
        return any(self.columns[number].has_missing for number in self.normal)

    @cached_property
    def spikes(self) -> tuple[np.ndarray, np.ndarray]:  # (n_spikes,) twice
        """The numbers of the columns with spikes, one for each spike; and the values."""
        pairs = [
            (number, value)
            for number, column in enumerate(self.columns)
            for value in column.spikes
        ]
        return (
            np.array([number for number, _ in pairs], dtype=np.intp),
            np.array([value for _, value in pairs], dtype=np.float64),
        )

    def without_spikes(self, cells: np.ndarray) -> np.ndarray:  # (n_rows, n_columns)
        """Return cells with the numbers that sit at a spike left out, as if missing."""
        spiked, values = self.spikes
        if len(spiked) == 0:
            return cells
        rest = cells.copy()
        for number, value in zip(spiked, values, strict=True):
            rest[cells[:, number] == value, number] = np.nan
        return rest

    @cached_property
    def binary(self) -> np.ndarray:  # (n_binary,)
        """The numbers of the columns with a slot that is 0 or 1."""
        return _numbers(
            column.kind == "binary" and not column.has_missing for column in self.columns
        )

    @cached_property
    def groups(self) -> np.ndarray:  # (n_groups,)
        """The numbers of the columns with a group of slots."""
        return _numbers(
            column.kind == "categorical" or (column.kind == "binary" and column.has_missing)
            for column in self.columns
        )

    @cached_property
    def slots(self) -> Slots:
        """What stands where in an encoded row."""
        spiked, _ = self.spikes
        place_of = {number: place for place, number in enumerate(self.normal.tolist())}
        flagged = [*self.missing.tolist(), *spiked.tolist()]
        n_normal = len(self.normal)
        silenced = [(flag, place_of[number]) for flag, number in enumerate(flagged)]
        # Flags of one column are asked in order: is it missing? at the first spike? ...
        silenced += [
            (flag, n_normal + later)
            for flag, number in enumerate(flagged)
            for later in range(flag + 1, len(flagged))
            if flagged[later] == number
        ]
        sizes = tuple(
            self.columns[number].n_levels_apart + self.columns[number].has_missing
            for number in self.groups
        )
        return Slots(n_normal, len(flagged), len(self.binary), sizes, tuple(silenced))

    def __str__(self) -> str:
        width = max(len(column.name) for column in self.columns)
        return "\n".join(
            f"{column.name:<{width}}  {column.kind:<11}  {column.reason}"
            for column in self.columns
        )


def column_names(feature_names: Iterable[object] | None, n_columns: int) -> list[str]:
    """Return the user's names, or "column 0", "column 1", ... where there are none."""
    if feature_names is not None:
        return [str(name) for name in feature_names]
    return [f"column {number}" for number in range(n_columns)]


def _resolve_categorical(
    categorical_features: CategoricalFeatures, names: Sequence[str]
) -> list[bool] | None:
    """Return for each column whether it was named, or None for "auto"."""
    if isinstance(categorical_features, str):
        if categorical_features == "auto":
            return None
        raise ValueError(
            "categorical_features must be 'auto', a mask, or a list of indices or names; "
            f"found {categorical_features!r}."
        )
    wanted = np.asarray(categorical_features)
    if wanted.ndim != 1:
        raise ValueError(
            "categorical_features must be 'auto', a mask, or a list of indices or names; "
            f"found an array of {wanted.ndim} dimensions."
        )
    if wanted.dtype.kind == "b":
        if len(wanted) != len(names):
            raise ValueError(
                f"A mask in categorical_features must have one value a column; found "
                f"{len(wanted)} values for {len(names)} columns."
            )
        return [bool(flag) for flag in wanted]
    chosen = [False] * len(names)
    for entry in wanted.tolist():
        if isinstance(entry, str):
            if entry not in names:
                raise ValueError(
                    f"categorical_features names the column {entry!r}, which X does not "
                    f"have; its columns are {_shorten(names)}."
                )
            chosen[names.index(entry)] = True
        elif isinstance(entry, int) and -len(names) <= entry < len(names):
            chosen[entry] = True
        else:
            raise ValueError(
                f"categorical_features holds {entry!r}; a column's name, or an index from "
                f"{-len(names)} to {len(names) - 1}, is required."
            )
    return chosen


def _numbers(flags: Iterable[bool]) -> np.ndarray:
    return np.flatnonzero(np.fromiter(flags, bool))


def _shorten(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return shown if len(names) <= 8 else f"{shown}, ... ({len(names)} in all)"
