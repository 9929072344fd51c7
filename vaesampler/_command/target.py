"""`survey_target`: the classes of a target column, and what they are asked for by text."""

import csv
import json
from collections import Counter
from collections.abc import Hashable, Sequence
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from vaesampler._command.pieces import Piece
from vaesampler._command.source import Mapper, Source
from vaesampler._command.wording import CommandError
from vaesampler._table.labels import Labels, labels_of
from vaesampler._table.wording import shorten

STRATEGIES = ("auto", "minority", "not minority", "not majority", "all")


def survey_target(source: Source, target: str, mapper: Mapper = map) -> Labels:
    """Return the labels of a table, sorted by class.

    Raises
    ------
    CommandError
        If labels are missing, or if all are equal.
    ValueError
        If they are continuous, or cannot be sorted.
    """
    counts: Counter[Hashable] = Counter()
    n_missing = 0
    for own, missing in mapper(partial(_count_labels, target=target), source.pieces):
        counts.update(own)
        n_missing += missing
    n_rows = counts.total() + n_missing
    if n_missing > 0:
        raise CommandError(
            f"The target {target!r} must have a label in every row; found {n_missing:,} "
            f"missing in {n_rows:,} rows. Drop these rows first."
        )
    if len(counts) < 2:
        found = f"found only {next(iter(counts))!r}" if counts else "found no rows"
        raise CommandError(
            f"The target {target!r} must have at least two classes; {found}. Name another "
            "column."
        )
    return Labels.of_counts(counts)


def parse_strategy(text: str, classes: Sequence[Hashable]) -> Any:
    """Return the `sampling_strategy` that a text means.

    Raises
    ------
    CommandError
        If it means none.
    """
    if text in STRATEGIES:
        return text
    try:
        strategy = json.loads(text)
    except ValueError:
        strategy = None
    if isinstance(strategy, dict):
        return {find_label(label, classes): number for label, number in strategy.items()}
    if type(strategy) in (int, float) and isfinite(strategy):
        return float(strategy)
    raise CommandError(
        f"--strategy must be one of [{shorten(STRATEGIES)}], a ratio such as 0.5, or JSON of "
        f"label to number of rows, such as '{{\"{classes[0]}\": 5000}}'; found {text!r}."
    )


def find_label(text: str, classes: Sequence[Hashable]) -> Hashable:
    """Return the class whose text this is.

    Raises
    ------
    CommandError
        If there is none.
    """
    for label in classes:
        if str(label) == text:
            return label
    raise CommandError(
        f"A label must be one of [{shorten(list(map(str, classes)))}]; found {text!r}."
    )


def parse_names(text: str) -> list[str]:
    """Return the names in a list that is separated by commas; names with commas are quoted."""
    return next(csv.reader([text], skipinitialspace=True), [])


def is_class(y: Any, label: Hashable) -> npt.NDArray[np.bool_]:  # (n_rows,)
    """Return whether each row is of a class; rows without a label are not."""
    known = y.notna().to_numpy()
    found = np.zeros(len(y), dtype=bool)
    if known.any():
        found[known] = labels_of(y[known]).is_class(label)
    return found


def _count_labels(piece: Piece, target: str) -> tuple[Counter[Hashable], int]:
    y = piece.frame([target])[target]
    known = y.dropna()
    if len(known) == 0:
        return Counter(), len(y)
    return Counter(labels_of(known).count_by_class), len(y) - len(known)
