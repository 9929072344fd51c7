"""`Labels`: the class of each row, read from the user's container."""

import datetime
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from imblearn.utils import check_target_type
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from vaesampler._table.label_containers import LabelContainer
from vaesampler._table.objects import is_missing_object
from vaesampler._table.wording import count


@dataclass(frozen=True, eq=False)
class Labels:
    """The class of each row.

    Attributes
    ----------
    classes : list
        The distinct labels, in ascending order, as Python objects; for one-hot labels, the
        indices of the columns.
    codes : ndarray of int, of shape (n_rows,)
        Index of the class of each row, in the smallest dtype that holds it.
    """

    classes: list[Hashable]
    codes: npt.NDArray[np.integer[Any]]

    @classmethod
    def of(cls, classes: list[Hashable], codes: npt.NDArray[np.intp]) -> Self:  # (n_rows,)
        """Return the labels of rows from the index of the class of each."""
        return cls(classes, codes.astype(np.min_scalar_type(len(classes))))

    @classmethod
    def of_counts(cls, counts: Mapping[Hashable, int]) -> Self:
        """Return the labels of a table of these numbers of rows, class by class.

        Raises
        ------
        ValueError
            If the labels cannot be sorted.
        """
        classes = _sorted(_promoted(list(counts)))
        codes = np.arange(len(classes), dtype=np.min_scalar_type(len(classes)))
        return cls(classes, np.repeat(codes, [counts[label] for label in classes]))

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def counts(self) -> npt.NDArray[np.intp]:  # (n_classes,)
        """Number of rows of each class."""
        return np.bincount(self.codes, minlength=len(self.classes))

    @property
    def count_by_class(self) -> dict[Hashable, int]:
        """Number of rows of each class, by label."""
        return dict(zip(self.classes, self.counts.tolist(), strict=True))

    def code_of(self, label: Any) -> int | None:
        """Return the index of the class that a user's label names, or None."""
        try:
            return self._code_by_label.get(_comparable(label))
        except TypeError:  # the label is not hashable
            return None

    def is_class(self, label: Any) -> npt.NDArray[np.bool_]:  # (n_rows,)
        """Return whether each row is of the class that a user's label names."""
        code = self.code_of(label)
        if code is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(self.codes == code)

    def rows_of(self, label: Any) -> npt.NDArray[np.intp]:
        """Return the indices of the rows of a class, ascending."""
        code = self.code_of(label)
        if code is None:
            return np.empty(0, dtype=np.intp)
        order, stops = self._rows_by_class
        return order[stops[code] - self.counts[code] : stops[code]]

    @cached_property
    def _code_by_label(self) -> dict[Any, int]:
        return {_comparable(label): code for code, label in enumerate(self.classes)}

    @cached_property
    def _rows_by_class(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return the row indices, class by class, and where each class ends."""
        return np.argsort(self.codes, kind="stable"), np.cumsum(self.counts)

    def take(self, row_indices: npt.NDArray[np.intp]) -> Self:
        """Return the labels of these rows; `classes` stays the same."""
        return replace(self, codes=self.codes[row_indices])

    def to_array(self) -> npt.NDArray[Any]:  # (n_rows,)
        """Return the label of each row: as objects, unless all are numbers, text or bools."""
        if set(map(type, self.classes)) in ({bool}, {int}, {float}, {str}):
            return np.array(self.classes).take(self.codes)
        return np.fromiter(self.classes, dtype=object).take(self.codes)


def labels_of(y: Any) -> Labels:
    """Return the class of each row.

    Raises
    ------
    ValueError
        If a label is missing, if labels are not numbers, text or other objects that can be
        sorted, if they are continuous, or if a one-hot row does not have one class.
    """
    values = LabelContainer.of(y).values()
    if values.ndim == 2 and values.shape[1] == 1:
        values = values.toarray()[:, 0] if sparse.issparse(values) else values[:, 0]
    if values.ndim not in (1, 2):
        check_classification_targets(y)  # raises
    if values.dtype.kind == "V":
        raise ValueError(
            f"y must have one label per row; found records of {values.dtype}. Pass one of "
            "their fields."
        )
    _require_labels(values)
    if values.ndim == 2:
        return _labels_of_one_hot(values)
    labels = _labels_of_column(values)
    _require_classes(labels)
    return labels


def take_labels(y: Any, row_indices: npt.NDArray[np.intp]) -> Any:  # (n,)
    """Return the labels of these rows in a container of the user's type."""
    return LabelContainer.of(y).take(row_indices)


def find_class(label: Any, classes: Iterable[Hashable]) -> Hashable | None:
    """Return the class that equals a user's label, or None.

    A date equals the time at which it begins; times and durations equal those of pandas and
    NumPy.
    """
    try:
        return {_comparable(one): one for one in classes}.get(_comparable(label))
    except TypeError:  # the label is not hashable
        return None


def _labels_of_column(values: npt.NDArray[Any]) -> Labels:  # (n_rows,)
    if values.dtype.kind in "biufUSMm":
        distinct = np.unique(values)
        codes = np.searchsorted(distinct, values)  # faster than return_inverse
        return Labels.of([_plain(label) for label in distinct], codes)
    labels = [_scalar(label) for label in values.tolist()]
    try:
        plain = {label: _plain(label) for label in dict.fromkeys(labels)}
    except TypeError as error:
        raise ValueError(
            "The labels of y must be hashable, such as numbers or text; found "
            f"{_type_names(labels)}."
        ) from error
    classes = _sorted(_promoted(list(dict.fromkeys(plain.values()))))
    codes_by_class = {label: code for code, label in enumerate(classes)}
    codes_by_label = {label: codes_by_class[one] for label, one in plain.items()}
    codes = np.fromiter(map(codes_by_label.__getitem__, labels), dtype=np.intp)
    return Labels.of(classes, codes)


def _labels_of_one_hot(values: Any) -> Labels:  # (n_rows, n_columns)
    """Return the column of each row that is 1.

    Raises
    ------
    ValueError
        If y is not one-hot encoded.
    """
    table: Any = np.array(values.tolist()) if values.dtype.kind == "O" else values
    check_classification_targets(table)
    if type_of_target(table) != "multilabel-indicator":
        check_target_type(table)  # raises
    if sparse.issparse(table):
        n_classes, columns = np.diff(table.indptr), table.indices
    else:
        is_class = table > min(0, table.min())
        n_classes, columns = is_class.sum(axis=1), is_class.argmax(axis=1)
    n_none, n_several = int(np.sum(n_classes == 0)), int(np.sum(n_classes > 1))
    if n_none + n_several > 0:
        raise ValueError(
            "Each row of a one-hot y must have exactly one class; found "
            f"{count(n_none, 'row')} of no class and {count(n_several, 'row')} of several "
            "classes. Multilabel and multioutput targets are not supported."
        )
    classes, codes = np.unique(columns, return_inverse=True)
    return Labels.of(classes.tolist(), codes)


def _require_labels(values: Any) -> None:  # (n_rows,) or (n_rows, n_columns)
    """Raise a ValueError if labels are missing."""
    if sparse.issparse(values):
        values = values.data
    if values.dtype.kind in "OT":
        types = set(map(type, values.flat))
        flags = map(_is_missing, values.flat if types - {bool, int, str} else ())
        is_missing = np.fromiter(flags, dtype=bool)
        is_missing = is_missing.reshape(values.shape if len(is_missing) > 0 else (0,))
    else:
        is_missing = np.not_equal(values, values)
    n_missing = int(np.sum(is_missing.any(axis=1) if is_missing.ndim == 2 else is_missing))
    if n_missing > 0:
        raise ValueError(
            f"y must name the class of every row; found {count(n_missing, 'missing label')}. "
            "Drop their rows first."
        )


def _is_missing(label: Any) -> bool:
    return label is np.ma.masked or is_missing_object(label)


def _require_classes(labels: Labels) -> None:
    """Refuse continuous labels, and warn of very many classes, as scikit-learn does."""
    floats = [label for label in labels.classes if isinstance(label, float)]
    if not all(map(isfinite, floats)):
        raise ValueError("The labels of y must be finite; found infinity.")
    if not all(map(float.is_integer, floats)):
        check_classification_targets(np.array(floats))
    check_classification_targets(labels.codes)


def _sorted(labels: list[Hashable]) -> list[Hashable]:
    try:
        return sorted(labels)  # type: ignore[type-var]
    except (TypeError, ValueError) as error:
        raise ValueError(
            "The labels of y must be of one type, which can be sorted; found "
            f"{_type_names(labels)}. Convert them first, for example to text."
        ) from error


def _promoted(labels: list[Hashable]) -> list[Hashable]:
    """Return numbers of several types as numbers of one type, as NumPy does."""
    types = set(map(type, labels))
    if len(types) < 2 or not types <= {bool, int, float}:
        return labels
    promoted: list[Hashable] = np.array(labels).tolist()
    return promoted if len(set(promoted)) == len(labels) else labels


def _scalar(label: Any) -> Any:
    """Return the only value of an array or tensor without dimensions."""
    is_array = hasattr(label, "item") and not isinstance(label, np.generic)
    return label.item() if is_array and np.ndim(label) == 0 else label


def _plain(label: Any) -> Any:
    """Return scalars of NumPy, and times of pandas, as Python objects where this is exact."""
    if isinstance(label, np.datetime64 | np.timedelta64):
        plain = label.item()
        if isinstance(plain, int):  # finer than microseconds, or beyond Python's range
            plain = label.astype(f"{label.dtype.kind}8[us]").item()
        is_exact = not isinstance(plain, int) and type(label)(plain) == label
        return plain if is_exact else label
    if isinstance(label, np.floating):
        return float(label)
    if isinstance(label, np.generic):
        return label.item()
    if getattr(label, "nanosecond", getattr(label, "nanoseconds", None)) == 0:
        to_python = getattr(label, "to_pydatetime", getattr(label, "to_pytimedelta", None))
        return label if to_python is None else to_python()
    return label


def _comparable(label: Any) -> Any:
    """Return an object that is equal for all labels that mean the same time."""
    plain = _plain(label)
    if isinstance(plain, datetime.date) and not isinstance(plain, datetime.datetime):
        return datetime.datetime.combine(plain, datetime.time.min)
    if hasattr(plain, "to_numpy") and getattr(plain, "tzinfo", None) is None:
        return plain.to_numpy()  # of pandas, with nanoseconds
    return plain


def _type_names(labels: Iterable[Any]) -> str:
    return ", ".join(sorted({type(label).__name__ for label in labels}))
