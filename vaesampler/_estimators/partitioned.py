"""Fit a sampler to dask collections, and draw rows as dask collections."""

from collections.abc import Hashable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vaesampler._estimators.sampling_strategy import check_class_sizes, rows_to_add
from vaesampler._partitioned.collections import assembled
from vaesampler._partitioned.gathering import choose_rows, gather
from vaesampler._partitioned.natives import concatenate
from vaesampler._partitioned.pairs import NewRows, Pair
from vaesampler._partitioned.surveys import Survey
from vaesampler._runtime.seeds import Seeds
from vaesampler._table.labels import Labels, labels_of, take_labels

if TYPE_CHECKING:
    from vaesampler._estimators.base import Resources
    from vaesampler._estimators.oversampler import VAEOversampler
    from vaesampler._generation.filters import Selection
    from vaesampler._generation.generator import ClassGenerator

# Number of surveys that are merged by a task.
SURVEYS_BY_TASK = 16


@dataclass(frozen=True)
class Partitioned:
    """A table and labels in partitions, with what was found out about them."""

    pair: Pair
    survey: Survey
    labels: Labels  # of the table, class by class
    fitted: Any  # delayed: the fitted sampler
    examples: Any  # a label of each class, in ascending order, like a partition of y


def fit_partitioned(sampler: "VAEOversampler", X: Any, y: Any) -> Partitioned:
    """Fit a sampler to a dask table and its labels. The training is a single task.

    Raises
    ------
    TypeError
        If y is no dask collection.
    ValueError
        If X, y or a parameter is invalid, if their partitions differ, or if
        `inherited_features` is given.
    """
    import dask
    from dask import delayed

    if sampler.inherited_features is not None:
        raise ValueError(
            "inherited_features cannot be used with dask collections. Pass a table in memory, "
            "for example of the rare class and as many other rows."
        )
    pair = Pair.of(X, y)
    parts = pair.parts()
    surveys = [delayed(Survey.of)(index, *part) for index, part in enumerate(parts)]
    while len(surveys) > 1:
        groups = range(0, len(surveys), SURVEYS_BY_TASK)
        surveys = [
            delayed(Survey.merged)(surveys[start : start + SURVEYS_BY_TASK]) for start in groups
        ]
    (survey,) = dask.compute(*surveys)
    labels = Labels.of_counts(survey.class_counts)
    strategy = rows_to_add(sampler.sampling_strategy, labels)
    check_class_sizes(strategy, labels)
    resources = sampler._resources()
    choices = choose_rows(survey, pair.X.example.shape[1], resources.seeds)
    chosen = [delayed(choice.take)(*part) for choice, part in zip(choices, parts, strict=True)]
    blank = _without_callbacks(sampler)
    blank.sampling_strategy_ = strategy
    task = delayed(_fit_gathered, nout=2)(
        blank, delayed(gather)(chosen), labels.count_by_class, resources
    )
    # Drawing tasks take the sampler from where it was fitted, not from this process.
    (task,) = dask.persist(task)
    fitted, examples = task.compute()
    parameters = sampler.get_params(deep=False)
    for name, value in vars(fitted).items():
        if name not in parameters:
            setattr(sampler, name, value)
    return Partitioned(pair, survey, labels, task[0], examples)


def resample_partitioned(sampler: "VAEOversampler", X: Any, y: Any) -> tuple[Any, Any]:
    """Fit a sampler; return its rows below X, and their labels below y, to be drawn later."""
    import dask.array as da
    from dask import delayed

    table = fit_partitioned(sampler, X, y)
    examples = delayed(table.examples)
    seeds = sampler._fitted_with.seeds
    drawn = [
        chunk
        for label, generator in sampler._generators.items()
        for chunk in chunks_of(
            table.fitted,
            generator,
            sampler.sampling_strategy_[label],
            seeds,
            "fit_resample",
        )
    ]
    n_rows = [chunk.n_rows for chunk in drawn]
    labels = [
        delayed(_repeated)(examples, table.labels.code_of(chunk.label), chunk.n_rows)
        for chunk in drawn
    ]
    sampler.synthetic_mask_ = da.concatenate(
        [da.zeros(n, dtype=bool, chunks=-1) for n in table.survey.n_rows]
        + [da.ones(n, dtype=bool, chunks=-1) for n in n_rows]
    )
    new = NewRows([chunk.rows for chunk in drawn], labels, n_rows)
    return table.pair.above(new, sum(table.survey.n_rows))


def sample_partitioned(
    sampler: "VAEOversampler",
    label: Hashable,
    n_samples: int,
    seeds: Seeds,
    purpose: Sequence[object],
    n_partitions: int,
    selection: "Selection",
) -> Any:
    """Return rows of a class as a dask collection, of at most this many partitions.

    Raises
    ------
    TypeError
        If the sampler was fitted to a table that is neither of pandas nor an array.
    """
    from dask import delayed

    fitted = _without_callbacks(sampler)
    fitted._generators, fitted._template = sampler._generators, sampler._template
    fitted._fitted_with = sampler._fitted_with
    fitted._constraint_filters = sampler._constraint_filters
    # As one object, which each worker gets once; dask would look for collections in it.
    drawn = chunks_of(
        delayed(fitted, traverse=False),
        sampler._generators[label],
        n_samples,
        seeds,
        *purpose,
        selection=delayed(selection, traverse=False),
    )
    groups = np.array_split(np.arange(len(drawn)), max(1, min(n_partitions, len(drawn))))
    parts = [
        delayed(concatenate)([drawn[index].rows for index in group])
        for group in groups
        if len(group)
    ]
    n_rows = [sum(drawn[index].n_rows for index in group) for group in groups]
    return assembled(parts, n_rows, sampler._template.make([], 0))


@dataclass(frozen=True)
class Chunk:
    """Rows of a class that are drawn by one task."""

    label: Hashable
    n_rows: int
    rows: Any  # delayed


def chunks_of(
    fitted: Any,
    generator: "ClassGenerator",
    n_samples: int,
    seeds: Seeds,
    *purpose: object,
    selection: Any = None,
) -> list[Chunk]:
    """Return the chunks of rows of a class: those of `fit_resample` and `sample` in memory.

    `fitted` is the delayed sampler that has this generator; `selection` is delayed, too.
    """
    from dask import delayed

    label = generator.label
    return [
        Chunk(
            label,
            n_rows,
            delayed(_draw_chunk)(fitted, label, chunk, n_rows, seeds, purpose, selection),
        )
        for chunk, n_rows in enumerate(generator.chunk_sizes(n_samples))
    ]


def _draw_chunk(
    fitted: "VAEOversampler",
    label: Hashable,
    chunk: int,
    n_rows: int,
    seeds: Seeds,
    purpose: Sequence[object],
    selection: "Selection | None",
) -> Any:
    """Return a chunk of rows as a table of the user's type."""
    request = fitted._draw_request(seeds, *purpose, selection=selection)
    with closing(fitted._generators[label].draw_chunk(chunk, n_rows, request)) as blocks:
        return fitted._template.make((drawn.cells for drawn in blocks), n_rows)


def _without_callbacks(sampler: "VAEOversampler") -> "VAEOversampler":
    """Return an unfitted sampler without callbacks and progress, which are this process's."""
    return type(sampler)(**sampler.get_params(deep=False) | {"verbose": 0})


def _fit_gathered(
    blank: "VAEOversampler",
    rows: tuple[Any, Any],
    n_in_table: Mapping[Hashable, int],
    resources: "Resources",
) -> tuple["VAEOversampler", Any]:
    """Return a sampler that is fitted to gathered rows, and a label of each class."""
    X, y = rows
    labels = labels_of(y)
    weights = {label: n_in_table[label] / n for label, n in labels.count_by_class.items()}
    blank._fit(blank._read_table(X, reset=True), labels, resources, weights=weights)
    first_rows = [labels.rows_of(label)[0] for label in labels.classes]
    return blank, take_labels(y, np.array(first_rows))


def _repeated(examples: Any, code: int, n_rows: int) -> Any:
    return take_labels(examples, np.full(n_rows, code))
