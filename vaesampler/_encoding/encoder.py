"""`TableEncoder`: encode the cells of a table as the rows that VAEs see, and decode them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.blocks import BLOCKS, Block, CategoryBlock
from vaesampler._encoding.bounds import Support
from vaesampler._encoding.layout import Layout
from vaesampler._encoding.numeric_block import NumericBlock
from vaesampler._encoding.rows import EncodedRows, LazyRows, TableCells
from vaesampler._table.containers import Container
from vaesampler._table.named_features import (
    CategoricalFeatures,
    InheritedFeatures,
    OrdinalFeatures,
)
from vaesampler._table.one_hot import read_new_table
from vaesampler._table.schema import FeatureSchema

# The rows of larger tables are encoded when they are needed.
MOST_CELLS_IN_MEMORY = 5_000_000


@dataclass(frozen=True, eq=False)
class TableEncoder:
    """Encode cells as the float32 rows that VAEs see, and decode them.

    `layout` describes the slots of an encoded row. Decoded cells have the decimals and levels
    of their columns, and lie within the support of a class.
    """

    schema: FeatureSchema
    numeric: NumericBlock
    categories: tuple[CategoryBlock, ...]

    @classmethod
    def of(cls, schema: FeatureSchema) -> Self:
        """Return the encoder of tables with this schema."""
        return cls(schema, NumericBlock.of(schema), tuple(kind.of(schema) for kind in BLOCKS))

    @cached_property
    def layout(self) -> Layout:
        """Description of the slots of an encoded row."""
        return Layout(
            len(self.numeric.columns),
            self.numeric.n_flags,
            tuple(block.part for block in self.categories),
            self.numeric.silenced,
        )

    def rows(self, cells: TableCells) -> EncodedRows:
        """Return the encoded rows of a table: in memory, or lazy if it is large."""
        rows = LazyRows(cells, self.encode)
        is_small = len(cells) * self.layout.width <= MOST_CELLS_IN_MEMORY
        return rows.in_memory(np.arange(len(cells))) if is_small else rows

    def rows_of(self, container: Container) -> LazyRows:
        """Return the encoded rows of another table with the same columns.

        Raises
        ------
        ValueError
            If a row cannot be encoded; see `read_new_table`.
        """
        columns = read_new_table(self.schema.columns, container.columns())
        values = container.numbers()
        if values is None:
            return LazyRows(TableCells(np.column_stack(list(columns))), self.encode)
        for _ in columns:
            pass  # raises if a row cannot be encoded
        return LazyRows(TableCells(values, self.schema.read_values), self.encode)

    def encode(
        self, cells: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float32]:  # (n_rows, n_columns) to (n_rows, width)
        """Encode cells."""
        encoded = np.zeros((len(cells), self.layout.width), dtype=np.float32)
        for block, slots in self._blocks():
            block.encode(_cells_of(block, cells), encoded[:, slots])
        return encoded

    def encode_drawn(
        self, drawn: npt.NDArray[np.float32], cells: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float32]:  # (n_rows, width), (n_rows, n_columns) to (n_rows, width)
        """Encode cells, given the rows that they were decoded from."""
        encoded = np.zeros((len(cells), self.layout.width), dtype=np.float32)
        for block, slots in self._blocks():
            block.encode_drawn(drawn[:, slots], _cells_of(block, cells), encoded[:, slots])
        return encoded

    def decode(
        self, rows: npt.NDArray[np.float32], support: Support, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:  # (n_rows, width) to (n_rows, n_columns)
        """Decode rows into cells within the support of a class; inherited ones are 0."""
        cells = None
        for block, slots in self._blocks():
            decoded = block.decode(rows[:, slots], support, rng)
            if len(block.columns) == len(self.schema.columns):
                return decoded
            if cells is None:
                cells = np.zeros((len(rows), len(self.schema.columns)))
            cells[:, block.column_indices] = decoded
        assert cells is not None
        return cells

    def _blocks(self) -> Iterator[tuple[Block, slice]]:
        """Yield each block that has columns, and its slots."""
        start = 0
        blocks: tuple[Block, ...] = (self.numeric, *self.categories)
        for block in blocks:
            if block.columns:
                yield block, slice(start, start + block.width)
            start += block.width


def _cells_of(block: Block, cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the columns of the block; a block of all columns needs no copy."""
    has_all = len(block.columns) == cells.shape[1]
    return cells if has_all else cells[:, block.column_indices]


def read_cells(
    container: Container,
    categorical_features: CategoricalFeatures = "auto",
    ordinal_features: OrdinalFeatures | None = None,
    inherited_features: InheritedFeatures | None = None,
) -> tuple[FeatureSchema, TableCells]:
    """Infer the schema of a table, and read its cells."""
    named = categorical_features, ordinal_features, inherited_features
    values = container.numbers()
    if values is not None:
        schema = FeatureSchema.infer(container.columns(), container.keys, *named)
        return schema, TableCells(values, schema.read_values)
    columns = list(container.columns())
    schema = FeatureSchema.infer(columns, container.keys, *named)
    matrix = np.empty((container.n_rows, len(columns)))
    for index, (column, cells) in enumerate(zip(schema.columns, columns, strict=True)):
        matrix[:, index] = column.read(cells)
    return schema, TableCells(matrix)
