"""`sampling_strategy`: the number of rows to add to each class."""

from collections.abc import Hashable, Mapping
from numbers import Integral, Real
from typing import Any

from imblearn.utils import check_sampling_strategy

from vaesampler._table.labels import Labels
from vaesampler._table.wording import MOST_NAMES, shorten

# Number of classes up to which an error spells out a dict of their numbers of rows.
MAX_CLASSES_SPELLED_OUT = 20


def rows_to_add(sampling_strategy: Any, labels: Labels) -> dict[Hashable, int]:
    """Return the number of rows to add to each class that the strategy names.

    Raises
    ------
    ValueError
        If the strategy is invalid, names a class that y does not have, or asks for a fraction
        of a row or for fewer rows than a class has.
    """
    wanted = sampling_strategy
    if callable(sampling_strategy):
        wanted = sampling_strategy(labels.to_array())
        if not isinstance(wanted, Mapping):
            raise ValueError(
                f"sampling_strategy must return a dict of label to count; found {wanted!r}."
            )
    if isinstance(wanted, Mapping):
        wanted = _wanted_by_code(wanted, labels)
    elif _asks_for_the_present_ratio(wanted, labels):
        wanted = dict(enumerate(labels.counts.tolist()))
        del wanted[int(labels.counts.argmax())]
    n_added = check_sampling_strategy(wanted, labels.codes, "over-sampling")
    return {labels.classes[code]: int(n_rows) for code, n_rows in n_added.items()}


def check_class_sizes(n_added: Mapping[Hashable, int], labels: Labels) -> None:
    """Raise a ValueError that names all classes of one row to which rows are to be added."""
    n_rows = labels.count_by_class
    oversampled = [label for label, n_new in n_added.items() if n_new > 0]
    alone = [label for label in oversampled if n_rows[label] < 2]
    if not alone:
        return
    others = {
        label: n_rows[label] + n_added[label] for label in oversampled if n_rows[label] >= 2
    }
    strategy = (
        f"sampling_strategy={others!r}"
        if len(others) <= MAX_CLASSES_SPELLED_OUT
        else "sampling_strategy"
    )
    if len(alone) == 1:
        found, them = f"Class {alone[0]!r} has 1 row", "it"
    else:
        found, them = f"Classes {shorten(alone)} have 1 row each", "them"
    raise ValueError(f"{found}; at least 2 are needed. Leave {them} out with `{strategy}`.")


def _wanted_by_code(wanted: Mapping[Any, Any], labels: Labels) -> dict[int, int]:
    """Return the wanted number of rows by index of the class."""
    _check_wanted_counts(wanted, labels)
    codes = {label: labels.code_of(label) for label in wanted}
    absent = [label for label, code in codes.items() if code is None]
    if absent:
        raise ValueError(
            "sampling_strategy names classes that are not present in y: "
            f"[{shorten(absent)}]. Its classes are [{shorten(labels.classes)}]."
        )
    return {code: int(wanted[label]) for label, code in codes.items() if code is not None}


def _check_wanted_counts(wanted: Mapping[Any, Any], labels: Labels) -> None:
    """Raise a ValueError if a class is to get a fraction of a row, or fewer than it has."""
    too_few = []
    for label, n_wanted in wanted.items():
        code = labels.code_of(label)
        n_rows = 0 if code is None else int(labels.counts[code])
        if not isinstance(n_wanted, Integral):
            raise ValueError(
                "sampling_strategy must ask for a whole number of rows; for class "
                f"{label!r} it asks for {n_wanted!r}."
            )
        if n_wanted < n_rows:
            too_few.append(
                f"class {label!r} has {n_rows} and {n_wanted} were asked for (ask for at least "
                f"{n_rows})"
            )
    if too_few:
        raise ValueError(
            "sampling_strategy must ask for no fewer rows than a class has; "
            f"{_some(too_few)}. To remove rows, use imblearn.under_sampling."
        )


def _some(clauses: list[str]) -> str:
    """Return the first clauses, and the number of all others."""
    others = len(clauses) - MOST_NAMES
    shown = "; ".join(clauses[:MOST_NAMES])
    return f"{shown}; and {others} other classes" if others > 0 else shown


def _asks_for_the_present_ratio(wanted: Any, labels: Labels) -> bool:
    """Return whether a ratio of two classes is the present one, up to a fraction of a row."""
    if not isinstance(wanted, Real) or len(labels.classes) != 2 or not 0 < float(wanted) <= 1:
        return False
    most, fewest = max(labels.counts), min(labels.counts)
    return int(most * float(wanted) - fewest) == 0
