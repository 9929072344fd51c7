"""Tables with categories and missing cells: better classifiers, and rows that look real.

    python benchmarks/mixed.py                       # everything; resumes where it stopped
    python benchmarks/mixed.py --samplers SMOTENC,VAEOversampler --tables german-credit
    python benchmarks/mixed.py --samplers VAEOversampler,VAEOversampler-ordinal

Protocol as in quality.py; for the classifiers categories are one-hot encoded and missing
cells filled. SMOTENC is replaced by SMOTEN where all columns are categorical, and rows with
missing cells are filled for it and MGS-GRF, RandomOverSampler and TVAE take them as they are.
MGS-GRF needs the extra "rivals", is skipped without it, and refuses tables where all columns
are categorical. Prints Markdown tables and writes mixed.csv (one line a fold and classifier),
fidelity.csv (one line a fold) and mixed.png under --output.
"""

import argparse
import time
import warnings
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import torch
from evaluation import CLASSIFIERS, DISCRIMINATION, WEAK_CLASSIFIERS, score
from imblearn.over_sampling import SMOTEN, SMOTENC, RandomOverSampler
from joblib import Parallel, delayed
from quality import OURS, report_differences, report_failures, report_means, to_markdown
from rivals import FilledMGSGRF, MixedTVAE, fill_missing, installed
from scipy.stats import wasserstein_distance
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tables import ORDERS, load_mixed_table, mixed_table_names
from tqdm import tqdm

from vaesampler import VAEOversampler

mpl.use("Agg")
import matplotlib.pyplot as plt


class FilledSMOTENC:
    """SMOTENC or, where every column is categorical, SMOTEN; missing cells are filled first."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit_resample(self, X, y):
        """Fill, resample, and give each column its dtype back."""
        categorical = X.columns[X.dtypes == "category"]
        filled = fill_missing(X)
        n_neighbors = min(5, int(y.value_counts().min()) - 1)
        parameters = {"random_state": self.random_state, "k_neighbors": n_neighbors}
        if len(categorical) == X.shape[1]:
            sampler = SMOTEN(**parameters)
        else:
            sampler = SMOTENC(list(categorical), **parameters)
        X_new, y_new = sampler.fit_resample(filled, y)
        return X_new.astype(X.dtypes), y_new


ORDINAL = f"{OURS}-ordinal"


class OrdinalVAEOversampler:
    """Ours, with the order of the levels that have one; not among the default samplers."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit_resample(self, X, y):
        """Resample with the orders of the columns of X."""
        orders = {
            name: sorted(X[name].cat.categories, key=lambda level: order.index(str(level)))
            for name, order in ORDERS.items()
            if name in X
        }
        sampler = VAEOversampler(ordinal_features=orders, random_state=self.random_state)
        return sampler.fit_resample(X, y)


SAMPLERS = {
    "none": None,
    "RandomOverSampler": lambda seed: RandomOverSampler(random_state=seed),
    "SMOTENC": FilledSMOTENC,
    "TVAE": MixedTVAE,
    "MGS-GRF": FilledMGSGRF,
    ORDINAL: OrdinalVAEOversampler,
    OURS: lambda seed: VAEOversampler(random_state=seed),
}
# As in quality.py five folds, twice; the largest table, on which TVAE takes minutes a fold,
# once.
REPEATS = {"census-income": 1}
MOST_DECIMALS = 6
COLOURS = ["#999999", "#E69F00", "#D55E00", "#009E73", "#0072B2"]
TITLES = {
    "roc_auc": "ROC AUC",
    "f1": "F1",
    "g_mean": "G-mean",
    "wasserstein": "Wasserstein distance",
}


def main() -> None:
    options = parse_options()
    options.output.mkdir(parents=True, exist_ok=True)
    names = mixed_table_names() if options.tables == "all" else options.tables.split(",")
    samplers = installed(options.samplers.split(","))
    units = [(sampler, name) for name in names for sampler in samplers]
    jobs = Parallel(n_jobs=options.jobs, return_as="generator_unordered")(
        delayed(run_unit)(*unit, options.output) for unit in units
    )
    parts = list(tqdm(jobs, total=len(units), unit="table"))
    results = pd.concat([scores for scores, _ in parts], ignore_index=True)
    fidelity = pd.concat([rows for _, rows in parts], ignore_index=True)
    results.to_csv(options.output / "mixed.csv", index=False)
    fidelity.to_csv(options.output / "fidelity.csv", index=False)
    report(results, fidelity)
    if {OURS, "SMOTENC"} <= set(samplers):
        draw_picture(results, fidelity, options.output / "mixed.png")
        if "census-income" in names:
            report_speed()


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--samplers",
        default=",".join(name for name in SAMPLERS if name != ORDINAL),
        help="names, with commas",
    )
    parser.add_argument("--tables", default="all", help="all, or names with commas")
    parser.add_argument("--jobs", type=int, default=2)
    here = Path(__file__).parent
    parser.add_argument("--output", type=Path, default=here / "results")
    return parser.parse_args()


def run_unit(sampler_name, table_name, output) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judge one sampler on one table; what an earlier run finished is read back."""
    path = output / "mixed-units" / f"{sampler_name}__{table_name}.csv"
    fidelity_path = path.with_suffix(".fidelity.csv")
    if path.exists() and fidelity_path.exists():
        return pd.read_csv(path), pd.read_csv(fidelity_path)
    torch.set_num_threads(1)
    X, y = load_mixed_table(table_name)
    scores, fidelities = [], []
    about = {"table": table_name, "sampler": sampler_name}
    try:
        for fold_scores, fidelity in judge_folds(X, y, SAMPLERS[sampler_name], table_name):
            scores += [{**about, **line} for line in fold_scores]
            fidelities += [{**about, **line} for line in fidelity]
    except ValueError as error:  # MGS-GRF refuses tables of categories alone
        scores = [{**about, "fold": -1, "classifier": "", "failure": str(error)}]
        fidelities = []
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = pd.DataFrame(scores), pd.DataFrame(fidelities or [{"table": table_name}])
    frames[0].to_csv(path, index=False)
    frames[1].to_csv(fidelity_path, index=False)
    return frames


def judge_folds(X, y, make_sampler, table_name):
    """Yield the lines of scores and of fidelity of each fold, the sampler inside the fold."""
    folds = RepeatedStratifiedKFold(
        n_splits=5, n_repeats=REPEATS.get(table_name, 2), random_state=0
    )
    for fold, (train, test) in enumerate(folds.split(X, y)):
        X_train, y_train = X.iloc[train].reset_index(drop=True), y[train]
        start = time.perf_counter()
        X_new, y_new = resample(make_sampler, X_train, pd.Series(y_train), fold)
        seconds = time.perf_counter() - start
        scores = [
            {"fold": fold, **line, "seconds": seconds}
            for line in judge(X_train, X_new, y_new, X.iloc[test], y[test])
        ]
        fidelity = []
        if make_sampler is not None:
            synthetic = X_new.iloc[len(X_train) :]
            held_out = X.iloc[test][y[test] == 1]
            fidelity = [{"fold": fold, **compare(held_out, synthetic, X_train)}]
        yield scores, fidelity


def resample(make_sampler, X, y, seed):
    if make_sampler is None:
        return X, y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_sampler(seed).fit_resample(X, y)


def judge(X_train, X_new, y_new, X_test, y_test):
    """Yield each classifier's scores on real rows that no sampler saw."""
    prepare = make_pipeline(make_encoder(), StandardScaler()).fit(as_objects(X_train))
    rows, test_rows = (
        prepare.transform(as_objects(X_new)),
        prepare.transform(as_objects(X_test)),
    )
    for name, classifier in CLASSIFIERS.items():
        fitted = clone(classifier).fit(rows, y_new)
        yield {"classifier": name, **score(y_test, fitted.predict_proba(test_rows)[:, 1])}


def make_encoder():
    """Return a transformer that fills missing cells and one-hot encodes categories."""
    return make_column_transformer(
        (
            make_pipeline(
                SimpleImputer(strategy="most_frequent"),
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            ),
            make_column_selector(dtype_include="category"),
        ),
        (SimpleImputer(strategy="median"), make_column_selector(dtype_exclude="category")),
    )


def as_objects(X: pd.DataFrame) -> pd.DataFrame:
    """Return X with every missing cell as NaN, which SimpleImputer knows."""
    objects = X.copy()
    for name in X.columns[X.dtypes == "category"]:
        levels = X[name].astype(object)
        objects[name] = pd.Categorical(levels.where(X[name].notna(), np.nan))
    return objects


@dataclass(frozen=True)
class Kinds:
    """The columns of a table by what distance suits them."""

    categorical: list[str]
    numeric: list[str]

    @classmethod
    def of(cls, X: pd.DataFrame) -> "Kinds":
        is_categorical = X.dtypes == "category"
        return cls(list(X.columns[is_categorical]), list(X.columns[~is_categorical]))


def compare(held_out, synthetic, X_train) -> dict[str, float]:
    """Measure how far the synthetic rows of the minority are from its held-out real ones."""
    kinds = Kinds.of(X_train)
    deviation = X_train[kinds.numeric].std()
    wasserstein = []
    for name in kinds.numeric:
        real, drawn = held_out[name].dropna(), synthetic[name].dropna()
        if len(real) and len(drawn) and deviation[name] > 0:
            wasserstein.append(wasserstein_distance(real, drawn) / deviation[name])
    variation = [total_variation(held_out[name], synthetic[name]) for name in kinds.categorical]
    associations = [
        abs(association(held_out, *pair) - association(synthetic, *pair))
        for pair in combinations(X_train.columns, 2)
    ]
    missing = (held_out.isna().mean() - synthetic.isna().mean()).abs()
    return {
        "total_variation": np.mean(variation) if variation else np.nan,
        "wasserstein": np.mean(wasserstein) if wasserstein else np.nan,
        "association_error": pd.Series(associations).mean(),  # of those that are known
        "missing_rate_error": missing[X_train.isna().any()].mean(),
        "impossible_cells": count_impossible(synthetic, X_train),
        "cells": synthetic.size,
    }


def total_variation(real: pd.Series, drawn: pd.Series) -> float:
    """Half the sum of the differences of the levels' shares; a missing cell is a level."""
    shares = [
        one.astype(object).where(one.notna(), "missing").value_counts(normalize=True)
        for one in (real, drawn)
    ]
    return 0.5 * shares[0].sub(shares[1], fill_value=0).abs().sum()


def association(X: pd.DataFrame, one: str, other: str) -> float:
    """Return how strongly two columns go together, from 0 to 1.

    Correlation of two numbers, correlation ratio of a number and a category, Cramer's V of
    two categories; over the rows that have both. NaN where fewer than two do.
    """
    pair = X[[one, other]].dropna()
    is_category = [pair[name].dtype == "category" for name in (one, other)]
    if len(pair) < 2:
        return np.nan
    if pair[one].nunique() < 2 or pair[other].nunique() < 2:
        return 0.0
    if not any(is_category):
        return abs(np.corrcoef(pair[one], pair[other])[0, 1])
    if all(is_category):
        counts = pd.crosstab(pair[one].astype(object), pair[other].astype(object)).to_numpy()
        expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
        chi_squared = ((counts - expected) ** 2 / expected).sum()
        return np.sqrt(chi_squared / counts.sum() / (min(counts.shape) - 1))
    category, number = (one, other) if is_category[0] else (other, one)
    by_category = pair.groupby(pair[category].astype(object))[number]
    between = (by_category.size() * (by_category.mean() - pair[number].mean()) ** 2).sum()
    return np.sqrt(between / ((pair[number] - pair[number].mean()) ** 2).sum())


def count_impossible(synthetic, X_train) -> int:
    """Count cells with a level, a number of decimals or a value that no real row allows."""
    impossible = 0
    for name in X_train:
        seen, drawn = X_train[name].dropna(), synthetic[name].dropna()
        if not X_train[name].isna().any():
            impossible += synthetic[name].isna().sum()
        if X_train[name].dtype == "category":
            impossible += (~drawn.isin(seen.unique())).sum()
            continue
        is_wrong = (drawn < seen.min()) | (drawn > seen.max())
        for decimals in range(MOST_DECIMALS + 1):
            if np.array_equal(seen.round(decimals), seen):
                is_wrong |= drawn.round(decimals) != drawn
                break
        impossible += is_wrong.sum()
    return int(impossible)


def report(results: pd.DataFrame, fidelity: pd.DataFrame) -> None:
    weak = results[results["classifier"].isin(WEAK_CLASSIFIERS)]
    print("\n## Means over tables and four classifiers\n")
    report_means(weak, list(SAMPLERS))
    report_differences(weak, list(SAMPLERS))
    report_failures(results)
    print("\n## Table by table, ROC AUC and F1\n")
    by_table = weak.groupby(["table", "sampler"])[["roc_auc", "f1"]].mean().unstack("sampler")
    by_table.columns = [f"{score} {sampler}" for score, sampler in by_table.columns]
    print(to_markdown(by_table))
    print("\n## Synthetic rows against held-out real rows of the minority; 0 is best\n")
    means = (
        fidelity.dropna(subset="sampler").groupby(["sampler", "table"]).mean(numeric_only=True)
    )
    distances = means[
        ["total_variation", "wasserstein", "association_error", "missing_rate_error"]
    ]
    print(to_markdown(distances.groupby("sampler").mean()))
    totals = fidelity.groupby("sampler")[["impossible_cells", "cells"]].sum()
    totals["impossible_percent"] = 100 * totals["impossible_cells"] / totals["cells"]
    print()
    print(to_markdown(totals))


def report_speed(n_rounds: int = 3) -> None:
    """Time SMOTENC and ours in turn on the complete rows of census-income."""
    X, y = load_mixed_table("census-income")
    is_complete = X.notna().all(axis=1)
    X, y = X[is_complete].reset_index(drop=True), pd.Series(y[is_complete.to_numpy()])
    torch.set_num_threads(1)
    categorical = list(X.columns[X.dtypes == "category"])
    seconds = {"SMOTENC": [], OURS: []}
    for seed in range(n_rounds):
        for name, sampler in (
            ("SMOTENC", SMOTENC(categorical, random_state=seed)),
            (OURS, VAEOversampler(random_state=seed)),
        ):
            start = time.perf_counter()
            sampler.fit_resample(X, y)
            seconds[name].append(time.perf_counter() - start)
    ours, theirs = np.median(seconds[OURS]), np.median(seconds["SMOTENC"])
    print(
        f"\ncensus-income, {len(X)} complete rows, in turn: SMOTENC {theirs:.2f} s, {OURS} "
        f"{ours:.2f} s, ratio {ours / theirs:.2f}"
    )


def draw_picture(results: pd.DataFrame, fidelity: pd.DataFrame, path: Path) -> None:
    """Draw, table by table, ours against each rival: scores, then distances."""
    weak = results[results["classifier"].isin(WEAK_CLASSIFIERS)]
    scores = weak.groupby(["sampler", "table"])[[*DISCRIMINATION]].mean()
    distances = (
        fidelity.dropna(subset="sampler")
        .groupby(["sampler", "table"])[["total_variation", "wasserstein", "association_error"]]
        .mean()
    )
    rivals = [
        name
        for name in SAMPLERS
        if name in scores.index.levels[0] and name not in (OURS, ORDINAL)
    ]
    colours = dict(zip(SAMPLERS, COLOURS, strict=False))
    panels = [*((score, scores) for score in DISCRIMINATION)] + [
        (name, distances) for name in distances
    ]
    figure, axes = plt.subplots(2, 4, figsize=(14, 7), sharey=True)
    for axis, (measure, frame) in zip(axes.flat, panels, strict=True):
        tables = sorted(frame.index.levels[1], reverse=True)
        for number, rival in enumerate(rivals):
            if rival not in frame.index.get_level_values(0):
                continue
            difference = (frame.loc[OURS] - frame.loc[rival])[measure].reindex(tables)
            heights = np.arange(len(tables)) + 0.15 * (number - (len(rivals) - 1) / 2)
            axis.plot(difference, heights, "o", ms=5, color=colours[rival], label=rival)
        axis.axvline(0, color="black", lw=0.8)
        is_distance = frame is distances
        axis.set_title(TITLES.get(measure, measure.replace("_", " ")))
        axis.set_xlabel(
            "VAE nearer  |  rival nearer" if is_distance else "rival better  |  VAE better"
        )
        axis.set_yticks(range(len(tables)), tables)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper right", ncols=len(rivals), fontsize=9)
    figure.suptitle(f"{OURS} minus each rival, table by table", x=0.02, ha="left")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
