"""`synthetic_report`: the metrics of synthetic rows in one object, with a verdict in words."""

import math
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from vaesampler._runtime.optional import import_pandas
from vaesampler._runtime.seeds import Seeds
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler.metrics._distributions import (
    AssociationDistances,
    ColumnDistances,
)
from vaesampler.metrics._neighborhoods import (
    DensityCoverage,
    PrecisionRecall,
)
from vaesampler.metrics._novelty import Novelty, novelty_of
from vaesampler.metrics._paired_tables import ComparableTables

if TYPE_CHECKING:
    import pandas as pd
from vaesampler.metrics._figures import MEANINGS, SHARES, Figure, _likenesses, _two_sample_auc
from vaesampler.metrics._verdict import MIN_ROWS, _verdict

N_WORST = 3  # columns, and pairs of them, that the text names
WIDTH = 96  # of the text


@dataclass(frozen=True, eq=False)  # arrays are not one truth value
class SyntheticReport:
    """What `synthetic_report` returns. Print it, or show it in a notebook.

    Attributes
    ----------
    verdict : {"memorizing", "too weak", "balanced", "undecided"}
        - "too weak": a classifier tells synthetic from real rows with an AUC above .9, or they
          cover less than half as many real rows as new real ones do;
        - "memorizing": more synthetic rows are near copies than chance explains, and at least
          one in twenty more than of new real rows;
        - "undecided": there are fewer than 10 synthetic or new real rows, too few to tell
          (though a few copies among the former may be "memorizing");
        - "balanced": none of these.

        Rows that are both too weak and near copies are called "too weak", and the reason says
        so.
    reason : str
        The figures that say so, with "; " between them.
    novelty : Novelty
        Shares of copies and near copies, and distances.
    two_sample_auc : float
        Area under the ROC curve of telling synthetic rows from real ones; .5 is best. NaN if
        there are fewer than 5 rows of either.
    density_coverage, density_coverage_of_real : DensityCoverage
        Of the synthetic rows, and of as many new real ones, among the other real rows. Where
        there are more synthetic ones, the mean over up to 5 parts of them.
    precision_recall, precision_recall_of_real : PrecisionRecall
        The same.
    columns, columns_of_real : ColumnDistances
        The same, of one part of the synthetic rows.
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
        """Share of synthetic rows nearer to a real one than the nearest 5% of new real rows.

        See `Novelty` for tables in which many real rows are equal.
        """
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
        figures = self._figures()
        return import_pandas("SyntheticReport.to_frame").DataFrame(
            {
                "figure": [figure.name for figure in figures],
                "synthetic": [figure.synthetic for figure in figures],
                "real": [figure.real for figure in figures],
                "meaning": [figure.meaning for figure in figures],
            }
        )

    def __repr__(self) -> str:
        return f"SyntheticReport(verdict={self.verdict!r}, reason={self.reason!r})"

    def __str__(self) -> str:
        lines = [
            f"Synthetic rows: {self.verdict}",
            *(f"  {figure}" for figure in self.reason.split("; ")),
            *wrap(self._what_was_compared(), WIDTH),
            "",
            f"{'':<22}{'synthetic':>10}{'new real':>10}",
        ]
        for figure in self._figures():
            synthetic, real = _shown(figure)
            lines.append(f"{figure.name:<22}{synthetic:>10}{real:>10}  {figure.meaning}")
        lines.append("")
        for note in self._least_alike():
            lines += wrap(note, WIDTH, subsequent_indent="  ")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align: left'>{escape(figure.name)}</th>"
            + "".join(f"<td>{shown}</td>" for shown in _shown(figure))
            + f"<td style='text-align: left'>{escape(figure.meaning)}</td></tr>"
            for figure in self._figures()
        )
        reason = "<br>".join(map(escape, self.reason.split("; ")))
        notes = "<br>".join(map(escape, self._least_alike()))
        return (
            f"<div><p><b>Synthetic rows: {escape(self.verdict)}</b><br>{reason}"
            f"<br>{escape(self._what_was_compared())}</p><table><thead><tr><th></th>"
            "<th>synthetic</th><th>new real</th><th></th></tr></thead>"
            f"<tbody>{rows}</tbody></table><p>{notes}</p></div>"
        )

    def _what_was_compared(self) -> str:
        held_out = f"{self.n_holdout or 'none'} held out"
        if not self.novelty.is_held_out:
            held_out += " (too few)" if self.n_holdout > 0 else ""
            held_out += ": halves of the real ones stand in for new ones"
        return f"Rows: {self.n_synthetic} synthetic; {self.n_real} real, {held_out}."

    def _figures(self) -> list[Figure]:
        new = self.novelty
        balls, real_balls = self.density_coverage, self.density_coverage_of_real
        reach, real_reach = self.precision_recall, self.precision_recall_of_real
        columns, real_columns = self.columns.mean, self.columns_of_real.mean
        pairs, real_pairs = self.associations.mean, self.associations_of_real.mean
        values = {
            "copies": (new.copies, new.copies_of_real),
            "near copies": (new.near_copies, new.near_copies_of_real),
            "closest real row": (new.closest_distance, new.closest_distance_of_real),
            "two-sample AUC": (self.two_sample_auc, 0.5),
            "density": (balls.density, real_balls.density),
            "coverage": (balls.coverage, real_balls.coverage),
            "precision": (reach.precision, real_reach.precision),
            "recall": (reach.recall, real_reach.recall),
            "columns differ by": (columns, real_columns),
            "pairs differ by": (pairs, real_pairs),
        }
        return [
            Figure(name, *pair, name in SHARES, MEANINGS[name]) for name, pair in values.items()
        ]

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
        If a table cannot be read, is empty, or does not have the same columns, or there is 1
        real row and none is held out.
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
    if n_holdout and n_holdout[0] < MIN_ROWS and n_real > 1:
        tables = tables.select([0, 1])
    seeds = Seeds.from_random_state(random_state)
    novelty = novelty_of(tables, max_samples, seeds.numpy("novelty"))
    compared = tables.limited(max_samples, seeds.numpy("max_samples"))
    auc = _two_sample_auc(compared, seeds)
    ours, real = _likenesses(compared, seeds)
    verdict, reason = _verdict(
        novelty,
        len(compared.cells[1]),
        auc,
        ours.density_coverage.coverage,
        real.density_coverage.coverage,
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


def _shown(figure: Figure) -> tuple[str, str]:
    shown = [
        "-" if math.isnan(value) else f"{value:.1%}" if figure.is_share else f"{value:.2f}"
        for value in (figure.synthetic, figure.real)
    ]
    return shown[0], shown[1]
