"""`synthetic_report`: the metrics of synthetic rows in one object, with a verdict in words."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import beta

from vaesampler._comparable import ComparableTables, subsample
from vaesampler._schema import CategoricalFeatures
from vaesampler._seeds import Seeds
from vaesampler.metrics._balls import (
    DensityCoverage,
    PrecisionRecall,
    density_coverage_of,
    precision_recall_of,
)
from vaesampler.metrics._distributions import (
    AssociationDistances,
    ColumnDistances,
    association_distances_of,
    column_distances_of,
    import_pandas,
)
from vaesampler.metrics._novelty import NEAR_SHARE, Novelty, novelty_of
from vaesampler.metrics._two_sample import two_sample_score

if TYPE_CHECKING:
    import pandas as pd

# Fewer held-out rows tell too little: the real ones themselves stand in for them.
MIN_HELD_OUT_ROWS = 10
# Rows are called memorized where chance alone would bring so many near copies once in a hundred
# times, and there are twice as many as among real rows.
CHANCE = 0.01
LEAST_MEMORIZED_SHARE = 2 * NEAR_SHARE
# Rows that trees tell from real ones this well are unlike them, and so are those that cover
# less than half as many real rows as new real ones do.
MOST_AUC = 0.9
LEAST_COVERAGE = 0.5
DENSITY_NEIGHBORS, PRECISION_NEIGHBORS, N_FOLDS = 5, 3, 5
MOST_COLUMNS_IN_PAIRS = 50
N_WORST = 3  # columns, and pairs of them, that the text names


@dataclass(frozen=True)
class Figure:
    """A line of a report: what was measured for synthetic rows, and for new real ones."""

    name: str
    synthetic: float
    real: float
    is_share: bool
    meaning: str


@dataclass(frozen=True)
class Likeness:
    """How like a reference the rows of a table are, some new real ones or synthetic ones."""

    density_coverage: DensityCoverage
    precision_recall: PrecisionRecall
    columns: ColumnDistances
    associations: AssociationDistances


@dataclass(frozen=True)
class SyntheticReport:
    """What `synthetic_report` returns. Print it, or show it in a notebook.

    Attributes
    ----------
    verdict : {"memorizing", "too weak", "balanced", "undecided"}
        - "too weak": a classifier tells synthetic from real rows with an AUC above .9, or they
          cover less than half as many real rows as new real ones do;
        - "memorizing": more synthetic rows are near copies than chance explains, and at least
          one in ten;
        - "undecided": there are too few rows to tell;
        - "balanced": none of these.
    reason : str
        The figures that say so.
    novelty : Novelty
        Shares of copies and near copies, and distances.
    two_sample_auc : float
        Area under the ROC curve of telling synthetic rows from real ones; .5 is best. NaN if
        there are fewer than 5 rows of either.
    density_coverage, density_coverage_of_real : DensityCoverage
        Of the synthetic rows, and of as many new real ones, among the other real rows.
    precision_recall, precision_recall_of_real : PrecisionRecall
        The same.
    columns, columns_of_real : ColumnDistances
        The same.
    associations, associations_of_real : AssociationDistances
        The same, of the pairs of at most 50 columns.
    n_real, n_synthetic, n_holdout : int
        Numbers of rows.

    See Also
    --------
    synthetic_report : Makes it.
    """

    verdict: str
    reason: str
    novelty: Novelty
    two_sample_auc: float
    density_coverage: DensityCoverage
    density_coverage_of_real: DensityCoverage
    precision_recall: PrecisionRecall
    precision_recall_of_real: PrecisionRecall
    columns: ColumnDistances
    columns_of_real: ColumnDistances
    associations: AssociationDistances
    associations_of_real: AssociationDistances
    n_real: int
    n_synthetic: int
    n_holdout: int

    @property
    def share_copies(self) -> float:
        """Share of synthetic rows that equal a real one in every cell."""
        return self.novelty.copies

    @property
    def share_near_copies(self) -> float:
        """Share of synthetic rows nearer to a real one than the nearest 5% of new real rows."""
        return self.novelty.near_copies

    def to_frame(self) -> "pd.DataFrame":
        """Return a row for each figure.

        Returns
        -------
        frame : pandas DataFrame
            Columns "figure", "synthetic", "real" (the same of new real rows) and "meaning".

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        figures = list(self._figures())
        return import_pandas("SyntheticReport.to_frame").DataFrame(
            {
                "figure": [figure.name for figure in figures],
                "synthetic": [figure.synthetic for figure in figures],
                "real": [figure.real for figure in figures],
                "meaning": [figure.meaning for figure in figures],
            }
        )

    def __str__(self) -> str:
        lines = [
            f"Synthetic rows: {self.verdict}",
            f"({self.reason})",
            self._what_was_compared(),
            "",
        ]
        lines.append(f"{'':<22}{'synthetic':>10}{'new real':>10}")
        for figure in self._figures():
            synthetic, real = _shown(figure)
            line = f"{figure.name:<22}{synthetic:>10}{real:>10}  {figure.meaning}"
            lines.append(line.rstrip())
        return "\n".join([*lines, "", *self._least_alike()])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align: left'>{escape(figure.name)}</th>"
            + "".join(f"<td>{shown}</td>" for shown in _shown(figure))
            + f"<td style='text-align: left'>{escape(figure.meaning)}</td></tr>"
            for figure in self._figures()
        )
        notes = "<br>".join(map(escape, self._least_alike()))
        return (
            f"<div><p><b>Synthetic rows: {escape(self.verdict)}</b><br>({escape(self.reason)})"
            f"<br>{escape(self._what_was_compared())}</p><table><thead><tr><th></th>"
            "<th>synthetic</th><th>new real</th><th></th></tr></thead>"
            f"<tbody>{rows}</tbody></table><p>{notes}</p></div>"
        )

    def _what_was_compared(self) -> str:
        held_out = f"{self.n_holdout} held out"
        if self.n_holdout == 0:
            held_out = "none held out, so that halves of them stand in for new real rows"
        elif not self.novelty.is_held_out:
            held_out += ", too few, so that halves of the others stand in for new real rows"
        return f"{self.n_synthetic} synthetic rows; {self.n_real} real rows, {held_out}."

    def _figures(self) -> Iterator[Figure]:
        novelty = self.novelty
        ours, real = self.density_coverage, self.density_coverage_of_real
        reach, reach_of_real = self.precision_recall, self.precision_recall_of_real
        yield Figure(
            "copies", novelty.copies, novelty.copies_of_real, True, "equal to a real row"
        )
        yield Figure(
            "near copies", novelty.near_copies, NEAR_SHARE, True, "nearer than new rows come"
        )
        yield Figure(
            "closest real row",
            novelty.closest_distance,
            novelty.closest_distance_of_real,
            False,
            "median distance, in deviations",
        )
        yield Figure(
            "two-sample AUC", self.two_sample_auc, 0.5, False, "of telling synthetic from real"
        )
        yield Figure(
            "density", ours.density, real.density, False, "crowding where real rows are dense"
        )
        yield Figure(
            "coverage", ours.coverage, real.coverage, True, "real rows with one beside them"
        )
        yield Figure(
            "precision", reach.precision, reach_of_real.precision, True, "like a real row"
        )
        yield Figure(
            "recall", reach.recall, reach_of_real.recall, True, "real rows whose like is drawn"
        )
        yield Figure(
            "columns differ by",
            self.columns.mean,
            self.columns_of_real.mean,
            True,
            "distance of distributions",
        )
        yield Figure(
            "pairs differ by",
            self.associations.mean,
            self.associations_of_real.mean,
            False,
            "association of columns",
        )

    def _least_alike(self) -> list[str]:
        names, errors = self.columns.columns, self.columns.errors
        worst = np.argsort(-np.nan_to_num(errors), kind="stable")[:N_WORST]
        columns = [f"{names[place]} ({errors[place]:.2f})" for place in worst]
        lines = [f"Columns that differ most: {', '.join(columns)}."]
        left, right = np.triu_indices(len(self.associations.columns), 1)
        if len(left) > 0:
            errors, names = self.associations.errors[left, right], self.associations.columns
            worst = np.argsort(-errors, kind="stable")[:N_WORST]
            pairs = [
                f"{names[left[place]]} and {names[right[place]]} ({errors[place]:.2f})"
                for place in worst
            ]
            lines.append(f"Pairs that differ most: {', '.join(pairs)}.")
        return lines


def synthetic_report(
    X_real: Any,
    X_synthetic: Any,
    X_holdout: Any = None,
    *,
    categorical_features: CategoricalFeatures = "auto",
    max_samples: int | None = 2_000,
    random_state: int | np.random.RandomState | None = None,
) -> SyntheticReport:
    """Judge the synthetic rows of a class: near copies, unlike real ones, or neither.

    All of :mod:`vaesampler.metrics` is computed for the synthetic rows and, to compare with,
    for new real rows: those held out. Where fewer than 10 are held out, the real rows stand in:
    for distances each with the others, for all else a random half with the other half.

    Near copies tell of a sampler that has learned its rows by heart. They are no measure of
    privacy: rows may be far from every real row and still give away who was among these.

    Parameters
    ----------
    X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
        The rows, of one class, that the sampler was fitted on.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows of that class, best of all a few hundred.
    X_holdout : {array-like, dataframe, sparse matrix} of shape (n_holdout, n_features), \
            default=None
        Real rows of that class that the sampler has not seen.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Which columns hold categories, as in `VAEOversampler`.
    max_samples : int or None, default=2000
        The most rows of each table that are compared, picked at random; None means all.
        Copies are looked for among all real rows.
    random_state : int, RandomState instance or None, default=None
        Which rows are taken where there are more, and how the trees grow that tell synthetic
        rows from real ones.

    Returns
    -------
    report : SyntheticReport
        The figures and a verdict. It prints as text, and shows as a table in a notebook.

    Raises
    ------
    ValueError
        If the tables do not have the same columns, or there is 1 real row and none is held
        out.
    TypeError
        If a table is a data frame that narwhals does not know.

    See Also
    --------
    vaesampler.VAEOversampler : Its `report_` is this, by the rows that it held out.
    vaesampler.metrics : The figures one by one.
    vaesampler.plotting.ValidationDisplay : Two of the figures against a parameter.

    References
    ----------
    David Lopez-Paz, Maxime Oquab (2017). Revisiting Classifier Two-Sample Tests.

    Muhammad Ferjad Naeem, Seong Joon Oh, Youngjung Uh, Yunjey Choi, Jaejun Yoo (2020).
    Reliable Fidelity and Diversity Metrics for Generative Models.

    Tuomas Kynkäänniemi, Tero Karras, Samuli Laine, Jaakko Lehtinen, Timo Aila (2019).
    Improved Precision and Recall Metric for Assessing Generative Models.

    Zexi Yao, Nataša Krčo, Georgi Ganev, Yves-Alexandre de Montjoye (2025). The DCR Delusion:
    Measuring the Privacy Risk of Synthetic Data.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler import synthetic_report
    >>> rng = np.random.default_rng(0)
    >>> X_real, X_holdout = rng.normal(size=(2, 200, 3))
    >>> synthetic_report(X_real, rng.normal(size=(200, 3)), X_holdout, random_state=0).verdict
    'balanced'
    >>> jittered = X_real + 0.01 * rng.normal(size=(200, 3))
    >>> synthetic_report(X_real, jittered, X_holdout, random_state=0).verdict
    'memorizing'
    >>> shifted = X_real + 3
    >>> synthetic_report(X_real, shifted, X_holdout, random_state=0).verdict
    'too weak'
    """
    named = {"X_real": X_real, "X_synthetic": X_synthetic}
    if X_holdout is not None:
        named["X_holdout"] = X_holdout
    tables = ComparableTables.read(named, categorical_features)
    n_real, n_synthetic, *n_holdout = map(len, tables.cells)
    if n_real < 2 and not n_holdout:
        raise ValueError(
            "X_real must have at least 2 rows where none are held out; found 1. Pass "
            "X_holdout, or more rows."
        )
    if n_holdout and n_holdout[0] < MIN_HELD_OUT_ROWS and n_real > 1:
        tables = tables.select([0, 1])
    seeds = Seeds.from_random_state(random_state)
    novelty = novelty_of(tables, max_samples, seeds.numpy("novelty"))
    compared = tables.limited(max_samples, seeds.numpy("max_samples"))
    auc = _two_sample_auc(compared, seeds)
    ours, real = _likenesses(compared, seeds)
    verdict, reason = _verdict(
        novelty, auc, ours.density_coverage.coverage, real.density_coverage.coverage
    )
    return SyntheticReport(
        verdict,
        reason,
        novelty,
        auc,
        ours.density_coverage,
        real.density_coverage,
        ours.precision_recall,
        real.precision_recall,
        ours.columns,
        real.columns,
        ours.associations,
        real.associations,
        n_real,
        n_synthetic,
        sum(n_holdout),
    )


def _verdict(
    novelty: Novelty, auc: float, coverage: float, coverage_of_real: float
) -> tuple[str, str]:
    """Return the verdict, and the figures that say so."""
    near, most_by_chance = novelty.near_copies, _most_by_chance(novelty)
    is_memorizing = near > most_by_chance
    copies = f"{near:.0%} near copies, of new real rows {NEAR_SHARE:.0%}"
    if is_memorizing and most_by_chance > LEAST_MEMORIZED_SHARE:
        copies += f" and by chance up to {most_by_chance:.0%} of so few"
    told = f"told from real rows with an AUC of {auc:.2f}, where 0.5 is best"
    covered = f"{coverage:.0%} of real rows covered, by new real ones {coverage_of_real:.0%}"
    if auc > MOST_AUC or coverage < LEAST_COVERAGE * coverage_of_real:
        return "too weak", "; ".join([told, covered, *([copies] if is_memorizing else [])])
    if is_memorizing:
        return "memorizing", copies
    if math.isnan(auc):
        return "undecided", f"too few rows to tell synthetic from real ones; {copies}"
    return "balanced", "; ".join([copies, told, covered])


def _most_by_chance(novelty: Novelty) -> float:
    """Return what share of near copies may be chance.

    Near is what the k-th smallest of n distances of new real rows is, and the share of real
    rows that are nearer has a beta distribution. Among training rows the closest are so to each
    other, which makes half as many distances of them.
    """
    n = novelty.n_reference if novelty.is_held_out else novelty.n_reference // 2
    k = math.floor(NEAR_SHARE * (n - 1)) + 1
    return max(float(beta.ppf(1 - CHANCE, k, n + 1 - k)), LEAST_MEMORIZED_SHARE)


def _two_sample_auc(tables: ComparableTables, seeds: Seeds) -> float:
    """Tell synthetic rows from held-out ones or, where there are none, from the others."""
    real, synthetic, *held_out = tables.matrices
    new_real = held_out[0] if held_out else real
    if min(len(new_real), len(synthetic)) < N_FOLDS:
        return math.nan
    return two_sample_score(new_real, synthetic, seeds)


def _likenesses(tables: ComparableTables, seeds: Seeds) -> tuple[Likeness, Likeness]:
    """Compare as many synthetic and new real rows, in this order, with the other real rows."""
    rng = seeds.numpy("likeness")
    chosen = [np.arange(len(table)) for table in tables.cells]
    if len(chosen) == 3:
        (reference, synthetic, new_real), places = chosen, (0, 1, 2)
    else:
        (real, synthetic), places = chosen, (0, 1, 0)
        reference, new_real = np.array_split(rng.permutation(real), 2)
    n_rows = min(len(synthetic), len(new_real))
    likenesses = []
    for numbers, place in ((synthetic, places[1]), (new_real, places[2])):
        some = subsample(numbers, n_rows, rng)
        likenesses.append(
            _likeness(
                tables.select([0, place], [reference, some]),
                [tables.matrices[0][reference], tables.matrices[place][some]],
                seeds.numpy("pairs"),
            )
        )
    return likenesses[0], likenesses[1]


def _likeness(
    tables: ComparableTables, points: Sequence[np.ndarray], rng: np.random.Generator
) -> Likeness:
    """Compare the second table with the first, both also given as points."""
    reference, rows = points
    enough = len(reference) > DENSITY_NEIGHBORS
    both_enough = min(len(reference), len(rows)) > PRECISION_NEIGHBORS
    return Likeness(
        density_coverage_of(reference, rows, DENSITY_NEIGHBORS)
        if enough
        else DensityCoverage(math.nan, math.nan),
        precision_recall_of(reference, rows, PRECISION_NEIGHBORS)
        if both_enough
        else PrecisionRecall(math.nan, math.nan),
        column_distances_of(tables),
        association_distances_of(tables, MOST_COLUMNS_IN_PAIRS, rng),
    )


def _shown(figure: Figure) -> tuple[str, str]:
    shown = [
        "-" if math.isnan(value) else f"{value:.1%}" if figure.is_share else f"{value:.2f}"
        for value in (figure.synthetic, figure.real)
    ]
    return shown[0], shown[1]
