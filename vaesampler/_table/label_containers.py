"""`LabelContainer`: class labels in the form in which a user passes them."""

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import narwhals
import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
from scipy import sparse

from vaesampler._table.cells import as_objects
from vaesampler._table.frames import repeated_names

RowIndices = npt.NDArray[np.intp]  # (n,)


class LabelContainer(ABC):
    """A user's labels: one label per row, or one column per class (one-hot)."""

    @staticmethod
    def of(y: Any) -> "LabelContainer":
        """Return the container of y.

        Raises
        ------
        ValueError
            If two columns of y have the same name.
        """
        # y can only be an object of a library that has been imported.
        pandas, pyarrow, torch = map(sys.modules.get, ("pandas", "pyarrow", "torch"))
        if pandas and isinstance(y, pandas.Index | pandas.api.extensions.ExtensionArray):
            return PandasArrayLabels(y)
        if pyarrow and isinstance(y, pyarrow.Array | pyarrow.ChunkedArray):
            return ArrowLabels(y)
        if torch and isinstance(y, torch.Tensor):
            return TensorLabels(y)
        frame = _narwhals_of(y)
        if isinstance(frame, nw.DataFrame):
            return FrameLabels(y, frame)
        if isinstance(frame, nw.Series):
            return SeriesLabels(y, frame)
        if sparse.issparse(y):
            return SparseLabels(y)
        return ListLabels(y) if isinstance(y, list | tuple) else ArrayLabels(y)

    @abstractmethod
    def values(self) -> Any:  # (n_rows,) or (n_rows, n_columns)
        """Return the labels as an array, or a sparse array.

        Labels of other libraries than NumPy are Python objects in an array of objects.
        """

    @abstractmethod
    def take(self, row_indices: RowIndices) -> Any:
        """Return the labels of these rows in a container of the user's type."""


@dataclass(frozen=True)
class ArrayLabels(LabelContainer):
    """A NumPy array, masked or not, or another array-like, which comes back as an array."""

    array: Any

    def values(self) -> npt.NDArray[Any]:
        """Return the array; as objects, with None for masked labels, if there are any."""
        if not np.ma.is_masked(self.array):
            return np.asarray(self.array)
        values = self.array.data.astype(object)
        values[np.ma.getmaskarray(self.array)] = None
        return np.asarray(values)

    def take(self, row_indices: RowIndices) -> npt.NDArray[Any]:
        """Return an array, which has one dimension if it had one column."""
        is_masked_array = isinstance(self.array, np.ma.MaskedArray)
        array = self.array if is_masked_array else np.asarray(self.array)
        taken: npt.NDArray[Any] = _without_second_axis(array)[row_indices]
        return taken


@dataclass(frozen=True)
class ListLabels(LabelContainer):
    """A list or a tuple of labels, or of rows."""

    labels: list[Any] | tuple[Any, ...]

    def values(self) -> npt.NDArray[Any]:
        """Return labels as objects, and rows as an array of two dimensions.

        Raises
        ------
        ValueError
            If the rows have different lengths.
        """
        if not any(
            isinstance(one, list | tuple) or getattr(one, "ndim", 0) > 0 for one in self.labels
        ):
            return as_objects(self.labels)
        try:
            return np.array(self.labels)
        except ValueError as error:
            raise ValueError(
                "y must have one label per row, or one column per class; found rows of "
                "different lengths. Multilabel and multioutput targets are not supported."
            ) from error

    def take(self, row_indices: RowIndices) -> list[Any] | tuple[Any, ...]:
        """Return a list or a tuple."""
        return type(self.labels)([self.labels[index] for index in row_indices])


@dataclass(frozen=True)
class SparseLabels(LabelContainer):
    """A SciPy sparse array or matrix, with one column per class."""

    matrix: Any

    def values(self) -> sparse.csr_array:
        """Return a csr array without stored zeros."""
        values = sparse.csr_array(self.matrix, copy=True)
        values.sum_duplicates()
        values.eliminate_zeros()
        return values

    def take(self, row_indices: RowIndices) -> Any:
        """Return a matrix of the same format."""
        return self.matrix.tocsr()[row_indices].asformat(self.matrix.format)


@dataclass(frozen=True)
class PandasArrayLabels(LabelContainer):
    """An index of pandas, a Categorical, or another extension array."""

    array: Any

    def values(self) -> npt.NDArray[Any]:
        """Return the labels as objects."""
        return as_objects(self.array.tolist())

    def take(self, row_indices: RowIndices) -> Any:
        """Return an array or index of the same dtype and name."""
        return self.array.take(row_indices)


@dataclass(frozen=True)
class ArrowLabels(LabelContainer):
    """An array of pyarrow, chunked or not."""

    array: Any

    def values(self) -> npt.NDArray[Any]:
        """Return the labels as objects."""
        return as_objects(self.array.to_pylist())

    def take(self, row_indices: RowIndices) -> Any:
        """Return an array of the same type."""
        import pyarrow as pa

        try:
            return self.array.take(pa.array(row_indices))
        except pa.ArrowNotImplementedError:  # of views and run-end encoded arrays
            labels = self.array.to_pylist()
            taken = pa.array([labels[index] for index in row_indices], type=self.array.type)
            is_chunked = isinstance(self.array, pa.ChunkedArray)
            return pa.chunked_array([taken]) if is_chunked else taken


@dataclass(frozen=True)
class TensorLabels(LabelContainer):
    """A PyTorch tensor."""

    tensor: Any

    def values(self) -> npt.NDArray[Any]:
        """Return the labels as an array."""
        return np.array(self.tensor.tolist())

    def take(self, row_indices: RowIndices) -> Any:
        """Return a tensor on the same device, of one dimension if it had one column."""
        tensor = self.tensor.detach()
        return _without_second_axis(tensor)[row_indices.tolist()]


@dataclass(frozen=True)
class SeriesLabels(LabelContainer):
    """A series of a library that narwhals supports, or of narwhals."""

    y: Any
    series: nw.Series[Any]

    def values(self) -> npt.NDArray[Any]:
        """Return the labels as objects."""
        return as_objects(self.series.to_list())

    def take(self, row_indices: RowIndices) -> Any:
        """Return a series of the same name and dtype."""
        return _take_rows(self.y, row_indices)


@dataclass(frozen=True)
class FrameLabels(LabelContainer):
    """A data frame with one column of labels, or one column per class."""

    y: Any
    frame: nw.DataFrame[Any]

    def values(self) -> npt.NDArray[Any]:
        """Return the labels as objects; an array of one dimension if there is one column."""
        columns = [as_objects(column.to_list()) for column in self.frame.iter_columns()]
        if len(columns) == 1:
            return columns[0]
        return np.array(columns, dtype=object).reshape(-1, len(self.frame)).T

    def take(self, row_indices: RowIndices) -> Any:
        """Return a data frame with the same columns."""
        return _take_rows(self.y, row_indices)


def _narwhals_of(y: Any) -> Any:
    """Return y as a frame or series of narwhals; any other object as it is."""
    try:
        return nw.from_native(
            narwhals.to_native(y, pass_through=True),
            eager_only=True,
            allow_series=True,
            pass_through=True,
        )
    except nw.exceptions.DuplicateError as error:
        raise repeated_names(y, "y") from error


def _take_rows(y: Any, row_indices: RowIndices) -> Any:
    """Return rows of a frame or series with an index of their own."""
    if hasattr(y, "set_flags"):  # of pandas, where rows may be forbidden to share an index
        is_free = y.flags.allows_duplicate_labels
        taken = y.set_flags(allows_duplicate_labels=True).iloc[row_indices]
        return taken.reset_index(drop=True).set_flags(allows_duplicate_labels=is_free)
    if isinstance(y, narwhals.Series | narwhals.DataFrame):
        rows = _take_rows(y.to_native(), row_indices)
        return narwhals.from_native(rows, allow_series=True)
    return nw.from_native(y, allow_series=True)[row_indices.tolist()].to_native()


def _without_second_axis(array: Any) -> Any:
    """Return an array of one column as one of one dimension."""
    return array[:, 0] if tuple(array.shape[1:]) == (1,) else array
