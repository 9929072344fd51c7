"""Warnings about samplers and metrics that failed on some folds of a comparison."""

import warnings
from typing import TYPE_CHECKING

from sklearn.exceptions import FitFailedWarning

if TYPE_CHECKING:
    import pandas as pd

WHAT_TO_DO = (
    "If the sampler needs encoded or complete rows, pass `estimator` as a dict of pipelines, "
    'one for each sampler, and in its own put an encoder before the step "sampler".'
)


def warn_of_failures(comparison: "pd.DataFrame", stacklevel: int) -> None:
    """Warn once for each sampler that failed on some folds, and once for its metrics."""
    n_folds = comparison["fold"].nunique()
    failed = comparison[comparison["error"] != ""]
    # Without a time, nothing was scored: the sampler or the classifier failed.
    is_fit = failed["fit_time"].isna()
    for sampler, rows in failed[is_fit].groupby("sampler", sort=False):
        message = f"{sampler!r} {_count_and_quote(rows, n_folds)} {WHAT_TO_DO}"
        warnings.warn(message, FitFailedWarning, stacklevel=stacklevel)
    for sampler, rows in failed[~is_fit].groupby("sampler", sort=False):
        metrics = ", ".join(map(repr, rows["metric"].unique()))
        message = f"{metrics} of {sampler!r} {_count_and_quote(rows, n_folds)}"
        warnings.warn(message, UserWarning, stacklevel=stacklevel)


def _count_and_quote(failed: "pd.DataFrame", n_folds: int) -> str:
    n_failed = failed["fold"].nunique()
    return (
        f"failed on {n_failed} of {n_folds} folds, where its scores are NaN. The first error "
        f'in the column "error" is: {failed["error"].iloc[0]}'
    )
