"""`TableEncoder`: the cells of a table to the rows that the VAEs see, and back."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from vaesampler._encoding.blocks import BLOCKS, Block, CategoryBlock, NumericBlock
from vaesampler._encoding.bounds import Support
from vaesampler._encoding.layout import Layout
from vaesampler._encoding.rows import EncodedRows, LazyRows, TableCells
from vaesampler._table.containers import Container
from vaesampler._table.named_features import CategoricalFeatures, OrdinalFeatures
from vaesampler._table.schema import FeatureSchema

# Larger tables are encoded lazily: rows are encoded when they are needed.
MOST_CELLS_IN_MEMORY = 5_000_000


@dataclass(frozen=True, eq=False)
class TableEncoder:
    """Turn the cells of rows into the float32 rows that the VAEs see, and back.

    `layout` says which slot holds what. Decoded rows have the decimals and levels of each
    column, and lie in the support of a class.
    """

    schema: FeatureSchema
    numeric: NumericBlock
    categories: tuple[CategoryBlock, ...]

    @classmethod
    def of(cls, schema: FeatureSchema) -> Self:
        """Return the encoder of the tables of a schema."""
        return cls(schema, NumericBlock.of(schema), tuple(kind.of(schema) for kind in BLOCKS))

    @cached_property
    def layout(self) -> Layout:
        """The slots of an encoded row."""
        return Layout(
            len(self.numeric.columns),
            self.numeric.n_flags,
            tuple(block.part for block in self.categories),
            self.numeric.silenced,
        )

    def rows(self, cells: TableCells) -> EncodedRows:
        """Return the encoded rows of a table, in memory unless it is large or sparse."""
        rows = LazyRows(cells, self.encode)
        is_small = len(cells) * self.layout.width <= MOST_CELLS_IN_MEMORY
        if is_small and not sparse.issparse(cells.matrix):
            return rows.in_memory(np.arange(len(cells)))
        return rows

    def rows_of(self, container: Container) -> EncodedRows:
        """Return the rows of another table of the same columns.

        Raises
        ------
        ValueError
            If a cell cannot be encoded; see `Column.read_new`.
        """
        columns = zip(self.schema.columns, container.columns(), strict=True)
        values = container.numbers()
        if values is None:
            matrix = np.column_stack([column.read_new(cells) for column, cells in columns])
            return LazyRows(TableCells(matrix), self.encode)
        for column, cells in columns:
            column.read_new(cells)  # which checks it
        return LazyRows(TableCells(values, self.schema.read_values), self.encode)

    def encode(self, cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """Encode cells (n_rows, n_columns) as rows (n_rows, width)."""
        encoded = np.zeros((len(cells), self.layout.width), dtype=np.float32)
        for block, slots in self._blocks():
            # All columns are taken without a copy.
            is_whole = len(block.columns) == cells.shape[1]
            own = cells if is_whole else cells[:, block.column_indices]
            block.encode(own, encoded[:, slots])
        return encoded

    def decode(
        self, rows: npt.NDArray[np.float32], support: Support, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        """Decode rows (n_rows, width), drawn for a class, into cells (n_rows, n_columns)."""
        cells = None
        for block, slots in self._blocks():
            decoded = block.decode(rows[:, slots], support, rng)
            if len(block.columns) == len(self.schema.columns):
                return decoded
            if cells is None:
                cells = np.empty((len(rows), len(self.schema.columns)))
            cells[:, block.column_indices] = decoded
        assert cells is not None
        return cells

    def _blocks(self) -> Iterator[tuple[Block, slice]]:
        """Yield the blocks that have columns, with their slots."""
        start = 0
        blocks: tuple[Block, ...] = (self.numeric, *self.categories)
        for block in blocks:
            if block.columns:
                yield block, slice(start, start + block.width)
            start += block.width


def read_cells(
    container: Container,
    categorical_features: CategoricalFeatures = "auto",
    ordinal_features: OrdinalFeatures | None = None,
) -> tuple[FeatureSchema, TableCells]:
    """Infer the schema of a table, and read its cells."""
    named = categorical_features, ordinal_features
    values = container.numbers()
    if values is not None:
        schema = FeatureSchema.infer(container.columns(), container.names, *named)
        return schema, TableCells(values, schema.read_values)
    columns = list(container.columns())
    schema = FeatureSchema.infer(columns, container.names, *named)
    matrix = np.empty((container.n_rows, len(columns)))
    for index, (column, cells) in enumerate(zip(schema.columns, columns, strict=True)):
        matrix[:, index] = column.read(cells.values)
    return schema, TableCells(matrix)
