"""`Bounds`: the lowest and highest number that each column may get."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from vaesampler._table.schema import FeatureSchema

# How far beyond the rows of a class its drawn rows may lie, in mean gaps between them.
MARGIN_GAPS = 3


@dataclass(frozen=True)
class Bounds:
    """The lowest and highest number that each column may get, off its spikes."""

    lowest: np.ndarray  # (n_columns,)
    highest: np.ndarray  # (n_columns,)

    @classmethod
    def empty(cls, schema: FeatureSchema) -> Self:
        """Return the range of no rows."""
        n_columns = len(schema.columns)
        return cls(np.full(n_columns, np.inf), np.full(n_columns, -np.inf))

    @classmethod
    def off_spikes(cls, schema: FeatureSchema) -> Self:
        """Return the range of the whole table."""
        lowest, highest = zip(
            *(column.range_off_spikes for column in schema.columns), strict=True
        )
        return cls(np.array(lowest), np.array(highest))

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
