"""`TableEncoder`: the cells of a table to the rows that the VAEs see, and back."""

from collections.abc import Hashable, Iterable

import numpy as np
from scipy import sparse

from vaesampler._encoding.bounds import Bounds
from vaesampler._encoding.rows import EncodedRows, LazyRows, TableCells
from vaesampler._encoding.scaling import compress, expand, midpoints_between
from vaesampler._table.columns import MOST_LEVELS_APART
from vaesampler._table.containers import Container
from vaesampler._table.schema import CategoricalFeatures, FeatureSchema

# A larger table is encoded row by row, as its rows are asked for.
MOST_CELLS_IN_MEMORY = 5_000_000


class TableEncoder:
    """Turn the cells of rows into the float32 rows that the VAEs see, and back.

    Numbers are standardized over all rows; what else stands in an encoded row is said by
    `Slots`. Decoded rows keep the nature of each column (the number of decimals, levels and
    repeated values that were seen) and stay within or near what was observed of their
    class, and within what was observed of the table.
    """

    schema_: FeatureSchema
    mean_: np.ndarray  # (n_columns,)
    scale_: np.ndarray  # (n_columns,)
    bounds_: dict[Hashable, Bounds]
    # By class, then by column: the levels that share a slot, as often as the class has them.
    rare_levels_: dict[Hashable, dict[int, np.ndarray]]

    def fit_transform(
        self,
        container: Container,
        y: np.ndarray,
        labels: Iterable[Hashable],
        categorical_features: CategoricalFeatures,
    ) -> EncodedRows:
        """Learn the columns' kinds and scales and the bounds of some classes; return all rows.

        Only rows of the classes in `labels` can be decoded.
        """
        cells = self._read(container, categorical_features)
        self.mean_ = np.array([column.mean for column in self.schema_.columns])
        self.scale_ = np.array([column.deviation for column in self.schema_.columns])
        self.bounds_, self.rare_levels_ = {}, {}
        for label in labels:
            self._learn_class(label, cells, np.flatnonzero(y == label))
        rows = LazyRows(cells, self.transform)
        is_small = len(cells) * self.schema_.slots.width <= MOST_CELLS_IN_MEMORY
        if is_small and not sparse.issparse(cells.matrix):
            return rows.in_memory(np.arange(len(cells)))
        return rows

    def encode(self, container: Container) -> EncodedRows:
        """Return the rows of another table of the same columns.

        Raises
        ------
        ValueError
            If a cell cannot be encoded; see `Column.read_new`.
        """
        columns = zip(self.schema_.columns, container.columns(), strict=True)
        numbers = container.numbers()
        if numbers is None:
            matrix = np.column_stack([column.read_new(cells) for column, cells in columns])
            return LazyRows(TableCells(matrix), self.transform)
        for column, cells in columns:
            column.read_new(cells)  # which checks it
        return LazyRows(TableCells(numbers, self.schema_.read_numbers), self.transform)

    def _read(
        self, container: Container, categorical_features: CategoricalFeatures
    ) -> TableCells:
        numbers = container.numbers()
        if numbers is not None:
            self.schema_ = FeatureSchema.infer(
                container.columns(), container.names, categorical_features
            )
            return TableCells(numbers, self.schema_.read_numbers)
        columns = list(container.columns())
        self.schema_ = FeatureSchema.infer(columns, container.names, categorical_features)
        matrix = np.empty((container.n_rows, len(columns)))
        for number, (column, values) in enumerate(
            zip(self.schema_.columns, columns, strict=True)
        ):
            matrix[:, number] = column.read(values.values)
        return TableCells(matrix)

    def _learn_class(self, label: Hashable, cells: TableCells, numbers: np.ndarray) -> None:
        off_spikes, everywhere = Bounds.empty(self.schema_), Bounds.empty(self.schema_)
        rare: dict[int, list[np.ndarray]] = {
            number: []
            for number in self.schema_.groups.tolist()
            if len(self.schema_.columns[number].levels) > MOST_LEVELS_APART
        }
        for block in cells.blocks(numbers):
            everywhere = everywhere.joined(Bounds.of(block))
            off_spikes = off_spikes.joined(Bounds.of(self.schema_.without_spikes(block)))
            for number, found in rare.items():
                found.append(block[block[:, number] >= MOST_LEVELS_APART - 1, number])
        # A class that is found at spikes only stays there.
        seen = off_spikes.or_else(everywhere)
        table = Bounds.off_spikes(self.schema_).joined(seen)
        self.bounds_[label] = seen.widened(len(numbers), table, self.schema_)
        self.rare_levels_[label] = {
            number: np.concatenate(found) for number, found in rare.items()
        }

    def transform(self, cells: np.ndarray) -> np.ndarray:  # (n_rows, n_columns) to (.., width)
        """Encode cells as float32."""
        schema, slots = self.schema_, self.schema_.slots
        encoded = np.zeros((len(cells), slots.width), dtype=np.float32)
        normal, binary = (_of_columns(cells, which) for which in (schema.normal, schema.binary))
        encoded[:, slots.normal] = self._standardized(normal, schema.normal)
        if schema.has_missing_numbers:
            np.nan_to_num(encoded, copy=False)
        spiked, values = schema.spikes
        n_missing = len(schema.missing)
        flags = encoded[:, slots.flags]
        flags[:, :n_missing] = np.isnan(cells[:, schema.missing])
        flags[:, n_missing:] = cells[:, spiked] == values
        encoded[:, slots.binary] = self._standardized(binary, schema.binary)
        start = slots.groups.start
        row_numbers = np.arange(len(cells))
        for number, size in zip(schema.groups, slots.group_sizes, strict=True):
            column = schema.columns[number]
            places = np.minimum(cells[:, number], column.n_levels_apart - 1)
            places = np.nan_to_num(places, nan=size - 1).astype(np.intp)
            encoded[row_numbers, start + places] = 1
            start += size
        return encoded

    def _standardized(self, numbers: np.ndarray, columns: np.ndarray | int) -> np.ndarray:
        standardized: np.ndarray = numbers - self.mean_[columns]
        standardized /= self.scale_[columns]
        return compress(standardized)

    def levels_by_slot(self) -> dict[int, np.ndarray]:  # of (n_levels,) each
        """Return the encoded numbers of each discrete column, ascending, by its slot."""
        schema = self.schema_
        return {
            slot: self._standardized(schema.columns[number].levels_off_spikes, number)
            for slot, number in enumerate(schema.normal.tolist())
            if schema.columns[number].kind == "discrete"
        }

    def inverse_transform(
        self, matrix: np.ndarray, label: Hashable, rng: np.random.Generator
    ) -> np.ndarray:  # (n_rows, width) to (n_rows, n_columns)
        """Decode rows drawn for class `label` into cells."""
        schema, slots = self.schema_, self.schema_.slots
        bounds = self.bounds_[label]
        numbers = expand(matrix[:, slots.normal].astype(np.float64))
        numbers *= self.scale_[schema.normal]
        numbers += self.mean_[schema.normal]
        cells: np.ndarray = numbers
        if len(schema.normal) < len(schema.columns):
            cells = np.zeros((len(matrix), len(schema.columns)))
            cells[:, schema.normal] = numbers
        for decimals, columns in schema.columns_by_decimals.items():
            cells[:, columns] = np.round(cells[:, columns], decimals)
        np.maximum(cells, bounds.lowest, out=cells)
        np.minimum(cells, bounds.highest, out=cells)
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


def _of_columns(cells: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return some columns, given by ascending numbers; all of them without a copy."""
    return cells if len(columns) == cells.shape[1] else cells[:, columns]


def _nearest(values: np.ndarray, cells: np.ndarray) -> np.ndarray:  # (n_rows,) to (n_rows,)
    """Return, for each cell, the nearest of the sorted values."""
    nearest: np.ndarray = values[np.searchsorted(midpoints_between(values), cells)]
    return nearest
