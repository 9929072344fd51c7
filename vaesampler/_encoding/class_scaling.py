"""`ClassScaling`: standardize the numeric slots of encoded rows by class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.layout import Layout
from vaesampler._encoding.rows import DenseRows, EncodedRows

# Means and deviations are estimated from at most this many evenly spaced rows of a class.
MAX_ROWS_FOR_SCALING = 1_000
# Weight, in rows, of the table's deviation. Chosen with benchmarks/quality.py.
N_ROWS_FOR_TABLE = 2
# Slots with a smaller deviation, in deviations of the table, are constant in the class.
NEGLIGIBLE_DEVIATION = 1e-6


@dataclass(frozen=True, eq=False)
class ClassScaling:
    """Center and deviation of the numeric slots of each class.

    All rows of a class may lie within a hundredth of the table's deviation. A VAE that sees
    deviations of the table would blur them.

    The center is the mean of the class. The deviation is s ** (n / (n + N_ROWS_FOR_TABLE)),
    where s is the standard deviation of n rows of the class, in deviations of the table.
    """

    layout: Layout
    center: npt.NDArray[np.float32]  # (n_classes, n_normal)
    deviation: npt.NDArray[np.float32]  # (n_classes, n_normal)

    @classmethod
    def fit(cls, classes: Sequence[EncodedRows], layout: Layout) -> Self:
        """Estimate center and deviation from the encoded rows of each class."""
        found = [
            _mean_and_deviation(rows.spread(MAX_ROWS_FOR_SCALING), layout) for rows in classes
        ]
        center, deviation = np.array(found, dtype=np.float32).swapaxes(0, 1)
        return cls(layout, center, deviation)

    def of(self, class_index: int) -> Self:
        """Return the scaling of one class."""
        chosen = slice(class_index, class_index + 1)
        return type(self)(self.layout, self.center[chosen], self.deviation[chosen])

    def standardize(
        self,
        rows: npt.NDArray[np.float32],
        class_indices: npt.NDArray[np.integer[Any]] | int = 0,
    ) -> npt.NDArray[np.float32]:  # (n_rows, width), both
        """Return rows, each standardized by its class, with silenced slots set to 0."""
        standardized = rows.copy()
        normal = standardized[:, self.layout.normal]
        normal -= self.center[class_indices]
        normal /= self.deviation[class_indices]
        if self.layout.n_flags > 0:
            normal[self.layout.is_silenced(rows)] = 0
        return standardized

    def restore(
        self, rows: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:  # (n_rows, width), both
        """Undo `standardize`, if there is only one class."""
        restored = rows.copy()
        normal = restored[:, self.layout.normal]
        normal *= self.deviation[0]
        normal += self.center[0]
        return restored


@dataclass(frozen=True)
class ScaledRows(EncodedRows):
    """Rows that are standardized by class when they are taken."""

    rows: EncodedRows
    scaling: ClassScaling
    class_indices: npt.NDArray[np.integer[Any]]  # (n_rows,), among the classes of the scaling

    @classmethod
    def of(
        cls,
        rows: EncodedRows,
        scaling: ClassScaling,
        class_indices: npt.NDArray[np.integer[Any]],
    ) -> EncodedRows:
        """Return standardized rows: in memory, if the rows are, else lazy."""
        lazy = cls(rows, scaling, class_indices)
        if isinstance(rows, DenseRows):
            return DenseRows(lazy.take(np.arange(len(rows))))
        return lazy

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, indices: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return the rows with these indices."""
        return self.scaling.standardize(self.rows.take(indices), self.class_indices[indices])

    def subset(self, indices: npt.NDArray[np.intp]) -> EncodedRows:
        """Return the rows with these indices, without the rest of the table."""
        return self.of(self.rows.subset(indices), self.scaling, self.class_indices[indices])


def _mean_and_deviation(
    rows: npt.NDArray[np.float32], layout: Layout
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    # (n_rows, width) to (n_normal,) twice
    """Return the center and the deviation of each numeric slot, without silenced values."""
    counted = ~layout.is_silenced(rows)
    n_counted = counted.sum(axis=0)
    weights = counted / np.maximum(n_counted, 1)
    values = rows[:, layout.normal]
    mean = (weights * values).sum(axis=0)
    deviation = np.sqrt((weights * (values - mean) ** 2).sum(axis=0))
    varies = deviation > NEGLIGIBLE_DEVIATION
    share = n_counted / (n_counted + N_ROWS_FOR_TABLE)
    return mean, np.where(varies, np.where(varies, deviation, 1) ** share, 1)
