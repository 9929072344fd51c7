"""`synthetic_report`: the metrics of synthetic rows in one object, with a verdict in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vaesampler._runtime.optional import import_pandas
from vaesampler._runtime.seeds import Seeds
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler.metrics._distributions import AssociationDistances, ColumnDistances
from vaesampler.metrics._figures import FIGURES
from vaesampler.metrics._likeness import likenesses_of
from vaesampler.metrics._neighborhoods import DensityCoverage, PrecisionRecall
from vaesampler.metrics._novelty import Novelty, novelty_of
from vaesampler.metrics._paired_tables import PairedTables
from vaesampler.metrics._skew import skewed_columns
from vaesampler.metrics._two_sample import two_sample_auc_of
from vaesampler.metrics._verdict import MIN_ROWS, Verdict, verdict_of

if TYPE_CHECKING:
    import pandas as pd

N_WORST = 3  # columns, and pairs of columns, that the text names
WIDTH = 96  # of the text, in characters


@dataclass(frozen=True, eq=False)  # arrays have no single truth value
class SyntheticReport:
    """Report on synthetic rows: figures, and a verdict.

    It prints as text and is shown as a table in a notebook.

    Attributes
    ----------
    verdict : {"memorizing", "too weak", "skewed", "realistic", "undecided"}
        - "too weak": a classifier separates synthetic from real rows with an AUC above .9, or
          their coverage is less than half of that of new real rows;
        - "memorizing": there are more near copies than chance explains, and their share
          exceeds that of new real rows by more than 5 percentage points;
        - "undecided": there are fewer than 10 synthetic or new real rows (a few copies may
          still be "memorizing");
        - "skewed": values of a column are more or less frequent than among real rows, by more
          than 15 percentage points and more than chance explains;
        - "realistic": none of these.

        Rows that are both too weak and near copies are "too weak", and the reason names both.
    reason : str
        The figures that the verdict is based on, separated by "; ".
    novelty : Novelty
        Shares of copies and near copies, and distances.
    two_sample_auc : float
        Area under the ROC curve of a classifier that separates synthetic from real rows; .5 is
        best. NaN if there are fewer than 5 rows of either.
    density_coverage, density_coverage_of_real : DensityCoverage
        Density and coverage of the synthetic rows, and of as many new real rows, with respect
        to the other real rows. If there are more synthetic rows, these are means over at most
        5 parts of them.
    precision_recall, precision_recall_of_real : PrecisionRecall
        Precision and recall of the same rows.
    columns, columns_of_real : ColumnDistances
        Distances between distributions, for one part of the synthetic rows.
    associations, associations_of_real : AssociationDistances
        Differences of associations, for the same part and at most 50 columns.
    n_real, n_synthetic, n_holdout : int
        Number of rows of each table.

    See Also
    --------
    synthetic_report : Create a report.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler import synthetic_report
    >>> rng = np.random.default_rng(0)
    >>> X_real, X_holdout = rng.normal(size=(2, 200, 3))
    >>> report = synthetic_report(X_real, X_real + 3, X_holdout, random_state=0)
    >>> report.verdict
    'too weak'
    >>> report.density_coverage.coverage < report.density_coverage_of_real.coverage
    True
    >>> print(report)
    Synthetic rows: too weak
    ...
    """

    verdict: Verdict
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
        """Share of synthetic rows that equal a real row in every cell.

        Examples
        --------
        >>> import numpy as np
        >>> from vaesampler import synthetic_report
        >>> rng = np.random.default_rng(0)
        >>> X_real, X_holdout = rng.normal(size=(2, 200, 3))
        >>> X_synthetic = np.concatenate([X_real[:50], rng.normal(size=(150, 3))])
        >>> synthetic_report(X_real, X_synthetic, X_holdout, random_state=0).share_copies
        0.25
        """
        return self.novelty.copies

    @property
    def share_near_copies(self) -> float:
        """Share of synthetic rows that are nearer to a real row than 95% of new real rows.

        See :class:`~vaesampler.metrics.Novelty` for tables with many equal rows.

        Examples
        --------
        >>> import numpy as np
        >>> from vaesampler import synthetic_report
        >>> rng = np.random.default_rng(0)
        >>> X_real, X_holdout = rng.normal(size=(2, 200, 3))
        >>> jittered = X_real + 0.001 * rng.normal(size=(200, 3))
        >>> synthetic_report(X_real, jittered, X_holdout, random_state=0).share_near_copies
        1.0
        """
        return self.novelty.near_copies

    def to_frame(self) -> "pd.DataFrame":
        """Return the figures as a data frame.

        Returns
        -------
        frame : pandas DataFrame
            One row per figure, with the columns "figure", "synthetic", "real" (the figure for
            new real rows) and "meaning".

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from vaesampler import synthetic_report
        >>> rng = np.random.default_rng(0)
        >>> X_real, X_holdout = rng.normal(size=(2, 200, 3))
        >>> X_synthetic = rng.normal(size=(200, 3))
        >>> report = synthetic_report(X_real, X_synthetic, X_holdout, random_state=0)
        >>> report.to_frame()["figure"].tolist()[:2]
        ['copies', 'near copies']
        """
        synthetic, real = zip(*(figure.read(self) for figure in FIGURES), strict=True)
        return import_pandas("SyntheticReport.to_frame").DataFrame(
            {
                "figure": [figure.name for figure in FIGURES],
                "synthetic": synthetic,
                "real": real,
                "meaning": [figure.meaning for figure in FIGURES],
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
        for figure in FIGURES:
            synthetic, real = figure.shown(self)
            lines.append(f"{figure.name:<22}{synthetic:>10}{real:>10}  {figure.meaning}")
        lines.append("")
        for note in self._least_alike():
            lines += wrap(note, WIDTH, subsequent_indent="  ")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align: left'>{escape(figure.name)}</th>"
            + "".join(f"<td>{value}</td>" for value in figure.shown(self))
            + f"<td style='text-align: left'>{escape(figure.meaning)}</td></tr>"
            for figure in FIGURES
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

    def _least_alike(self) -> list[str]:
        worst = _worst(self.columns.columns, self.columns.errors)
        lines = [f"Columns that differ most: {worst}."]
        names = self.associations.columns
        left, right = np.triu_indices(len(names), 1)
        if len(left) > 0:
            pairs = [f"{names[i]} and {names[j]}" for i, j in zip(left, right, strict=True)]
            worst = _worst(pairs, self.associations.errors[left, right])
            lines.append(f"Pairs that differ most: {worst}.")
        return lines


def _worst(names: Sequence[str], errors: npt.NDArray[np.float64]) -> str:  # (n_names,)
    order = np.argsort(-np.nan_to_num(errors), kind="stable")[:N_WORST]
    return ", ".join(f"{names[index]} ({errors[index]:.2f})" for index in order)


def synthetic_report(
    X_real: Any,
    X_synthetic: Any,
    X_holdout: Any = None,
    *,
    categorical_features: CategoricalFeatures = "auto",
    max_samples: int | None = 2_000,
    random_state: int | np.random.RandomState | None = None,
) -> SyntheticReport:
    """Judge the synthetic rows of a class: near copies, unlike real rows, or neither.

    Compute all of :mod:`vaesampler.metrics` for the synthetic rows and, as a reference, for new
    real rows, which are the held-out ones. If fewer than 10 rows are held out, the reference is
    computed from the real rows: distances between each row and the others, and all other
    figures between two random halves.

    Near copies show that a sampler memorizes. They do not measure privacy: rows may be far from
    every real row and still reveal who was in the data.

    Parameters
    ----------
    X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
        Rows of one class that the sampler was fitted on.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows of that class, preferably a few hundred.
    X_holdout : {array-like, dataframe, sparse matrix} of shape (n_holdout, n_features), \
            default=None
        Real rows of that class that the sampler was not fitted on.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Columns that hold categories, as in :class:`~vaesampler.VAEOversampler`.
    max_samples : int or None, default=2000
        Maximum number of rows of each table to compare, chosen at random. If None, compare all
        rows. Copies are searched for among all real rows.
    random_state : int, RandomState instance or None, default=None
        Controls the choice of rows, and the trees that separate synthetic from real rows.

    Returns
    -------
    report : SyntheticReport
        The figures, and a verdict.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or has other columns than `X_real`, or if there is
        1 real row and none is held out.
    TypeError
        If a table is a data frame that narwhals does not support.

    See Also
    --------
    vaesampler.VAEOversampler : Its `report_` compares with the rows that it held out.
    vaesampler.metrics : Functions that compute each figure.
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
    'realistic'
    >>> jittered = X_real + 0.01 * rng.normal(size=(200, 3))
    >>> synthetic_report(X_real, jittered, X_holdout, random_state=0).verdict
    'memorizing'
    >>> shifted = X_real + 3
    >>> synthetic_report(X_real, shifted, X_holdout, random_state=0).verdict
    'too weak'
    """
    tables = PairedTables.read_with_holdout(
        "X_real", X_real, X_synthetic, X_holdout, categorical_features
    )
    n_real, n_synthetic, *n_holdout = map(len, tables.cells)
    if n_holdout and n_holdout[0] < MIN_ROWS and n_real > 1:
        tables = tables.without_holdout()
    seeds = Seeds.from_random_state(random_state)
    novelty = novelty_of(tables, max_samples, seeds.numpy("novelty"))
    compared = tables.limited(max_samples, seeds.numpy("max_samples"))
    auc = two_sample_auc_of(compared, seeds)
    ours, real = likenesses_of(compared, seeds)
    coverages = ours.density_coverage.coverage, real.density_coverage.coverage
    skews = skewed_columns(compared)
    verdict, reason = verdict_of(novelty, len(compared.cells[1]), auc, *coverages, skews)
    return SyntheticReport(
        verdict=verdict,
        reason=reason,
        novelty=novelty,
        two_sample_auc=auc,
        density_coverage=ours.density_coverage,
        density_coverage_of_real=real.density_coverage,
        precision_recall=ours.precision_recall,
        precision_recall_of_real=real.precision_recall,
        columns=ours.columns,
        columns_of_real=real.columns,
        associations=ours.associations,
        associations_of_real=real.associations,
        n_real=n_real,
        n_synthetic=n_synthetic,
        n_holdout=sum(n_holdout),
    )
