"""`TableEncoder`: the cells of a table to the rows that the VAEs see, and back."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from vaesampler._columns import MOST_LEVELS_APART
from vaesampler._containers import Container, SparseContainer
from vaesampler._rows import DenseRows, EncodedRows, SparseRows
from vaesampler._schema import CategoricalFeatures, FeatureSchema

# How far beyond the rows of a class its drawn rows may lie, in mean gaps between them.
MARGIN_GAPS = 3
# A sparse table is looked at in blocks of about so many cells.
_SPARSE_BLOCK_CELLS = 2_000_000


@dataclass(frozen=True)
class Bounds:
    """The lowest and highest number that each column may get, off its spikes."""

    lowest: np.ndarray  # (n_columns,)
    highest: np.ndarray  # (n_columns,)

    @classmethod
    def of(cls, cells: np.ndarray) -> Self:  # (n_rows, n_columns)
        """Return the range of some rows; of a column without numbers, an empty one."""
        return cls(
            np.fmin.reduce(cells, axis=0, initial=np.inf),
            np.fmax.reduce(cells, axis=0, initial=-np.inf),
        )

    def joined(self, other: Self) -> Self:
        """Return the range of the rows of both."""
        return type(self)(
            np.fmin(self.lowest, other.lowest), np.fmax(self.highest, other.highest)
        )

    def or_else(self, other: Self) -> Self:
        """Return this range and, of the columns without numbers, the other one."""
        is_seen = self.lowest <= self.highest
        return type(self)(
            np.where(is_seen, self.lowest, other.lowest),
            np.where(is_seen, self.highest, other.highest),
        )

    def widened(self, n_rows: int, table: Self, schema: FeatureSchema) -> Self:
        """Return the range of a class that was seen in `n_rows` rows, within the table's.

        A few rows seldom show the ends of a class: if they are spread evenly, it goes on for
        about the mean gap between them on either side. Were drawn rows held within what was
        seen, those of a class of ten rows would pile up there. A column that the class has
        no numbers in has the table's range.
        """
        is_seen = self.lowest <= self.highest
        low, high = self.or_else(table).lowest, self.or_else(table).highest
        margin = np.zeros(len(low))
        margin[is_seen] = MARGIN_GAPS * (high - low)[is_seen] / max(n_rows - 1, 1)
        # Bounds have no more decimals than the numbers that they hold.
        for decimals, columns in schema.columns_by_decimals.items():
            unit = 10.0**-decimals
            margin[columns] = unit * np.floor(margin[columns] / unit)
            low[columns] = np.round(low[columns] - margin[columns], decimals)
            high[columns] = np.round(high[columns] + margin[columns], decimals)
            margin[columns] = 0
        return type(self)(
            (low - margin).clip(table.lowest), (high + margin).clip(max=table.highest)
        )


class TableEncoder:
    """Turn the cells of rows into the float32 rows that the VAEs see, and back.

    Numbers are standardized over all rows; what else stands in an encoded row is said by
    `Slots`. Decoded rows keep the nature of each column (the number of decimals, levels and
    repeated values that were seen) and stay within or near what was observed of their
    class, and within what was observed of the table.
    """

    schema_: FeatureSchema
    mean_: np.ndarray  # (n_normal,)
    scale_: np.ndarray  # (n_normal,)
    binary_mean_: np.ndarray  # (n_binary,)
    binary_scale_: np.ndarray  # (n_binary,)
    bounds_: dict[Hashable, Bounds]
    # By class, then by column: the levels that share a slot, as often as the class has them.
    rare_levels_: dict[Hashable, dict[int, np.ndarray]]

    def fit_transform(
        self, container: Container, y: np.ndarray, categorical_features: CategoricalFeatures
    ) -> EncodedRows:
        """Learn the columns' kinds and scales and each class's bounds; return all rows."""
        if isinstance(container, SparseContainer):
            return self._fit_sparse(container, y, categorical_features)
        columns = list(container.columns())
        self.schema_ = FeatureSchema.infer(columns, container.names, categorical_features)
        cells = np.empty((container.n_rows, len(columns)))
        for number, (column, values) in enumerate(
            zip(self.schema_.columns, columns, strict=True)
        ):
            cells[:, number] = column.read(values.values)
        del columns
        self._learn_scales(StandardScaler(), cells)
        self._learn_classes([cells], y)
        return DenseRows(self.transform(cells))

    def _fit_sparse(
        self,
        container: SparseContainer,
        y: np.ndarray,
        categorical_features: CategoricalFeatures,
    ) -> EncodedRows:
        self.schema_ = FeatureSchema.infer(
            container.columns(), container.names, categorical_features
        )
        matrix = sparse.csr_array(container.matrix)
        self._learn_scales(StandardScaler(with_mean=False), matrix)
        n_rows, n_columns = matrix.shape
        size = max(1, _SPARSE_BLOCK_CELLS // n_columns)
        blocks = (matrix[start : start + size] for start in range(0, n_rows, size))
        self._learn_classes((self.schema_.read_numbers(block.toarray()) for block in blocks), y)
        return SparseRows(matrix, self._encode_numbers)

    def _encode_numbers(self, numbers: np.ndarray) -> np.ndarray:
        return self.transform(self.schema_.read_numbers(numbers))

    def _learn_scales(self, scaler: StandardScaler, numbers: Any) -> None:
        normal = self.schema_.normal
        self.mean_, self.scale_ = np.zeros(len(normal)), np.ones(len(normal))
        # A constant column's level is its first one, which is 0.
        varies = ~np.isin(normal, self.schema_.numbers_of("constant"))
        if varies.any():
            scaler.fit(numbers[:, normal[varies]])
            self.mean_[varies], self.scale_[varies] = scaler.mean_, scaler.scale_

    def _learn_classes(self, blocks: Iterable[np.ndarray], y: np.ndarray) -> None:
        """Learn each class's bounds and rare levels from the cells, block by block."""
        labels = np.unique(y).tolist()
        ranges = dict.fromkeys(labels, Bounds.of(np.empty((0, len(self.schema_.columns)))))
        off_spikes = dict(ranges)
        rare: dict[Hashable, dict[int, list[np.ndarray]]] = {label: {} for label in labels}
        crowded = [
            number
            for number in self.schema_.groups.tolist()
            if len(self.schema_.columns[number].levels) > MOST_LEVELS_APART
        ]
        start = 0
        n_ones = np.zeros(len(self.schema_.binary))
        for cells in blocks:
            n_ones += cells[:, self.schema_.binary].sum(axis=0)
            block_labels = y[start : start + len(cells)]
            start += len(cells)
            for label in labels:
                rows = cells[block_labels == label]
                off_spikes[label] = off_spikes[label].joined(
                    Bounds.of(self.schema_.without_spikes(rows))
                )
                ranges[label] = ranges[label].joined(Bounds.of(rows))
                for number in crowded:
                    found = rows[rows[:, number] >= MOST_LEVELS_APART - 1, number]
                    rare[label].setdefault(number, []).append(found)
        self.binary_mean_ = n_ones / len(y)
        self.binary_scale_ = np.sqrt(self.binary_mean_ * (1 - self.binary_mean_))
        table = reduce(Bounds.joined, off_spikes.values())
        self.bounds_ = {}
        for label in labels:
            # A class that is found at spikes only stays there.
            seen = off_spikes[label].or_else(ranges[label])
            n_rows = int((y == label).sum())
            self.bounds_[label] = seen.widened(n_rows, table.joined(seen), self.schema_)
        self.rare_levels_ = {
            label: {number: np.concatenate(found) for number, found in by_column.items()}
            for label, by_column in rare.items()
        }

    def transform(self, cells: np.ndarray) -> np.ndarray:  # (n_rows, n_columns) to (.., width)
        """Encode cells as float32."""
        schema, slots = self.schema_, self.schema_.slots
        encoded = np.zeros((len(cells), slots.width), dtype=np.float32)
        encoded[:, slots.normal] = (cells[:, schema.normal] - self.mean_) / self.scale_
        encoded[np.isnan(encoded)] = 0  # where a number is missing
        spiked, values = schema.spikes
        n_missing = len(schema.missing)
        flags = encoded[:, slots.flags]
        flags[:, :n_missing] = np.isnan(cells[:, schema.missing])
        flags[:, n_missing:] = cells[:, spiked] == values
        encoded[:, slots.binary] = (
            cells[:, schema.binary] - self.binary_mean_
        ) / self.binary_scale_
        start = slots.groups.start
        row_numbers = np.arange(len(cells))
        for number, size in zip(schema.groups, slots.group_sizes, strict=True):
            column = schema.columns[number]
            places = np.minimum(cells[:, number], column.n_levels_apart - 1)
            places = np.nan_to_num(places, nan=size - 1).astype(np.intp)
            encoded[row_numbers, start + places] = 1
            start += size
        return encoded

    def inverse_transform(
        self, matrix: np.ndarray, label: Hashable, rng: np.random.Generator
    ) -> np.ndarray:  # (n_rows, width) to (n_rows, n_columns)
        """Decode rows drawn for class `label` into cells."""
        schema, slots = self.schema_, self.schema_.slots
        cells = np.zeros((len(matrix), len(schema.columns)))
        cells[:, schema.normal] = matrix[:, slots.normal] * self.scale_ + self.mean_
        for decimals, columns in schema.columns_by_decimals.items():
            cells[:, columns] = np.round(cells[:, columns], decimals)
        bounds = self.bounds_[label]
        np.clip(cells, bounds.lowest, bounds.highest, out=cells)
        for number in schema.numbers_of("discrete"):
            column = schema.columns[number]
            cells[:, number] = _nearest(column.levels_off_spikes, cells[:, number])
        for number in schema.numbers_of("constant"):
            cells[:, number] = 0 if len(schema.columns[number].levels) > 0 else np.nan
        flags = matrix[:, slots.flags] > 0.5
        spiked, values = schema.spikes
        n_missing = len(schema.missing)
        # The flags asked first come last, since they have the last word.
        for place in reversed(range(len(spiked))):
            cells[flags[:, n_missing + place], spiked[place]] = values[place]
        for place, number in enumerate(schema.missing):
            cells[flags[:, place], number] = np.nan
        is_one = matrix[:, slots.binary] > 0.5
        cells[:, schema.binary] = is_one.astype(np.float64).clip(
            bounds.lowest[schema.binary], bounds.highest[schema.binary]
        )
        start = slots.groups.start
        for number, size in zip(schema.groups, slots.group_sizes, strict=True):
            places = matrix[:, start : start + size].argmax(axis=1)
            cells[:, number] = self._levels(number, places, label, rng)
            start += size
        return cells

    def _levels(
        self, number: int, places: np.ndarray, label: Hashable, rng: np.random.Generator
    ) -> np.ndarray:  # (n_rows,) to (n_rows,)
        column = self.schema_.columns[number]
        levels = places.astype(np.float64)
        if column.has_missing:
            levels[places == column.n_levels_apart] = np.nan
        if len(column.levels) > MOST_LEVELS_APART:
            is_rare = places == MOST_LEVELS_APART - 1
            known = self.rare_levels_[label][number]
            if len(known) == 0:  # in this class; any of the table's will do
                known = np.arange(MOST_LEVELS_APART - 1, len(column.levels))
            levels[is_rare] = rng.choice(known, is_rare.sum())
        return levels


def _nearest(values: np.ndarray, cells: np.ndarray) -> np.ndarray:  # (n_rows,) to (n_rows,)
    """Return, for each cell, the nearest of the sorted values."""
    midpoints = values[:-1] / 2 + values[1:] / 2
    nearest: np.ndarray = values[np.searchsorted(midpoints, cells)]
    return nearest
