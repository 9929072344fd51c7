"""`ClassUnits`: the numbers of a class in deviations of the class, not of the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from vaesampler._encoding.rows import DenseRows, EncodedRows
from vaesampler._encoding.scaling import compress, expand
from vaesampler._table.layout import Slots

# A class's deviations are told from this many of its rows, spread over it.
MAX_ROWS_FOR_UNITS = 1_000
# As if so many rows more had told that a class deviates as the table does.
N_ROWS_FOR_TABLE = 2
# What deviates by less, in deviations of the table, does not vary.
NEGLIGIBLE_DEVIATION = 1e-6


@dataclass(frozen=True)
class ClassUnits:
    """Mean and deviation of the numbers of each of some classes.

    In a column with a long tail, all of a class may lie within a hundredth of the table's
    deviation. A VAE that measures its errors in the table's would blur the class there.
    """

    slots: Slots
    center: np.ndarray  # (n_classes, n_normal)
    deviation: np.ndarray  # (n_classes, n_normal)

    @classmethod
    def fit(cls, classes: Sequence[EncodedRows], slots: Slots) -> Self:
        """Learn from the encoded rows of each class, of which numbers that count."""
        found = [
            _mean_and_deviation(rows.spread(MAX_ROWS_FOR_UNITS), slots) for rows in classes
        ]
        center, deviation = np.array(found, dtype=np.float32).swapaxes(0, 1)
        return cls(slots, center, deviation)

    def of(self, number: int) -> Self:
        """Return those of one class."""
        chosen = slice(number, number + 1)
        return type(self)(self.slots, self.center[chosen], self.deviation[chosen])

    def standardize(self, rows: np.ndarray, classes: np.ndarray | int = 0) -> np.ndarray:
        """Return encoded rows in units of their classes, given by number."""
        standardized = rows.copy()
        numbers = standardized[:, self.slots.normal]
        numbers -= self.center[classes]
        numbers /= self.deviation[classes]
        compress(numbers)
        if self.slots.n_flags > 0:
            numbers[self.slots.is_silenced(rows)] = 0
        return standardized

    def restore(self, rows: np.ndarray) -> np.ndarray:
        """Return rows of the only class as they are encoded."""
        restored = rows.copy()
        numbers = restored[:, self.slots.normal]
        expand(numbers)
        numbers *= self.deviation[0]
        numbers += self.center[0]
        return restored


@dataclass(frozen=True)
class RowsInClassUnits(EncodedRows):
    """Rows, each in the units of its class, standardized when they are asked for."""

    rows: EncodedRows
    units: ClassUnits
    classes: np.ndarray  # (n_rows,), numbers of the units' classes

    @classmethod
    def of(cls, rows: EncodedRows, units: ClassUnits, classes: np.ndarray) -> EncodedRows:
        """Standardize rows; those that lie in memory, for good."""
        lazily = cls(rows, units, classes)
        if isinstance(rows, DenseRows):
            return DenseRows(lazily.take(np.arange(len(rows))))
        return lazily

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """Return the rows with these numbers."""
        return self.units.standardize(self.rows.take(numbers), self.classes[numbers])

    def subset(self, numbers: np.ndarray) -> EncodedRows:
        """Return the rows with these numbers, without the rest of the table."""
        return self.of(self.rows.subset(numbers), self.units, self.classes[numbers])


def _mean_and_deviation(
    rows: np.ndarray, slots: Slots
) -> tuple[np.ndarray, np.ndarray]:  # (n_rows, width) to (n_normal,) twice
    counted = ~slots.is_silenced(rows)
    n_counted = counted.sum(axis=0)
    weights = counted / np.maximum(n_counted, 1)
    numbers = rows[:, slots.normal]
    mean = (weights * numbers).sum(axis=0)
    deviation = np.sqrt((weights * (numbers - mean) ** 2).sum(axis=0))
    varies = deviation > NEGLIGIBLE_DEVIATION
    # The table's deviation is 1, so that its logarithm adds nothing.
    share = n_counted / (n_counted + N_ROWS_FOR_TABLE)
    return mean, np.where(varies, np.where(varies, deviation, 1) ** share, 1)
