"""Measure how much of the gain of new real rows synthetic rows reach.

    python benchmarks/limit.py                       # everything; resumes where it stopped
    python benchmarks/limit.py --samplers none,real,VAEOversampler --repeats 3 --output other

The rare class of each training part is cut to 10 or 30 rows, and the common class to five
times as many. The sampler "real" gives rows of the rare class back that were put aside, as
many as the other samplers draw. The share of the gain that a sampler reaches is

    (sampler - none) / (real - none)

of the means of a score over tables, folds and four classifiers. Tables are those whose rare
class has five times as many rows in a training part.

Prints Markdown tables, and writes limit.csv (one line a fold and classifier) and limit.png
under --output.
"""

import argparse
from functools import partial
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from evaluation import CLASSIFIERS, DISCRIMINATION, Resampled, resample, score
from imblearn.over_sampling import SMOTE
from quality import (
    OURS,
    add_common_options,
    by_table,
    choose_tables,
    parse_parameter,
    run_units,
    to_markdown,
)
from rivals import MultivariateGaussianSMOTE
from sklearn.base import clone
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.preprocessing import StandardScaler
from tables import load_numeric_table

from vaesampler import VAEOversampler

mpl.use("Agg")
import matplotlib.pyplot as plt

NONE, REAL = "none", "real"
SAMPLERS = {
    NONE: None,
    "SMOTE": SMOTE(k_neighbors=5),
    "MGS": MultivariateGaussianSMOTE(),
    OURS: VAEOversampler(),
    REAL: REAL,
}
LIMIT_CLASSIFIERS = ("LogisticRegression", "5-NN", "RandomForest", "HistGradientBoosting")
N_RARE_ROWS = (10, 30)
# Common rows for each rare row, in a training part that is cut.
IMBALANCE = 5
N_FOLDS = 5
N_BOOTSTRAPS = 2_000
TITLES = {"roc_auc": "ROC AUC", "f1": "F1", "g_mean": "G-mean"}


def main() -> None:
    options = parse_options()
    options.output.mkdir(parents=True, exist_ok=True)
    SAMPLERS[OURS].set_params(**dict(map(parse_parameter, options.set)))
    samplers = {name: SAMPLERS[name] for name in options.samplers.split(",")}
    parts = []
    for n_rare in map(int, options.sizes.split(",")):
        names = [
            name
            for name in choose_tables(options.tables)
            if is_large_enough(load_numeric_table(name).y, n_rare)
        ]
        judge = partial(evaluate_cut, n_rare=n_rare, n_repeats=options.repeats)
        found = run_units(judge, samplers, names, f"__limit{n_rare}", options)
        parts.append(found.assign(n_rare=n_rare))
    results = pd.concat(parts, ignore_index=True)
    results.to_csv(options.output / "limit.csv", index=False)
    report(results)
    draw_picture(results, options.output / "limit.png")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samplers", default=",".join(SAMPLERS), help="names, with commas")
    parser.add_argument("--tables", default="all", help="all, choose, confirm, or names")
    parser.add_argument("--sizes", default="10,30", help="rows of the rare class")
    add_common_options(parser, n_repeats=4)
    return parser.parse_args()


def is_large_enough(y: np.ndarray, n_rare: int) -> bool:
    """Return whether enough rare rows are put aside to balance the classes with them."""
    n_in_training = int(y.sum() * (N_FOLDS - 1) / N_FOLDS)
    return n_in_training >= IMBALANCE * n_rare


def evaluate_cut(X, y, sampler, *, n_rare, n_repeats):
    """Yield a dict of scores for each fold and classifier."""
    folds = RepeatedStratifiedKFold(n_splits=N_FOLDS, n_repeats=n_repeats, random_state=0)
    for fold, (train, test) in enumerate(folds.split(X, y)):
        kept, aside = cut(train, y, n_rare, seed=fold)
        if sampler == REAL:
            rows, seconds = give_back(X, y, kept, aside), 0.0
        else:
            rows, seconds = resample(X[kept], y[kept], sampler, seed=fold)
        X_test = rows.scaler.transform(X[test])
        for name in LIMIT_CLASSIFIERS:
            classifier = clone(CLASSIFIERS[name]).fit(rows.X, rows.y)
            probability = classifier.predict_proba(X_test)[:, 1]
            yield {
                "fold": fold,
                "classifier": name,
                **score(y[test], probability),
                "seconds": seconds,
            }


def cut(train, y, n_rare, seed) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the rows that are kept, and of the rare rows to give back."""
    rng = np.random.default_rng(seed)
    rare, common = (rng.permutation(train[y[train] == label]) for label in (1, 0))
    n_common = min(IMBALANCE * n_rare, len(common))
    kept = np.sort(np.concatenate([rare[:n_rare], common[:n_common]]))
    return kept, rare[n_rare:n_common]


def give_back(X, y, kept, aside) -> Resampled:
    """Return the rows that are kept, scaled, with the rows that were put aside below."""
    scaler = StandardScaler().fit(X[kept])
    rows = np.concatenate([kept, aside])
    return Resampled(scaler, scaler.transform(X[rows]), y[rows])


def report(results: pd.DataFrame) -> None:
    for n_rare, cut_results in results.groupby("n_rare"):
        means = by_table(cut_results)[list(DISCRIMINATION)]
        n_tables = len(means.index.unique("table"))
        print(f"\n## Rare classes of {n_rare} rows: means over {n_tables} tables\n")
        print(to_markdown(means.groupby("sampler").mean()))
        if {NONE, REAL} <= set(means.index.unique("sampler")):
            print("\nShare of the gain of real rows, with its 90% interval over tables\n")
            print(to_markdown(shares_of_gain(means).map(format_share)))


def shares_of_gain(means: pd.DataFrame) -> pd.DataFrame:
    """Return share, lower and upper end of its interval, by sampler and score."""
    tables = means.index.unique("table")
    rng = np.random.default_rng(0)
    chosen = [tables] + [rng.choice(tables, len(tables)) for _ in range(N_BOOTSTRAPS)]
    present = means.index.unique("sampler")
    samplers = [name for name in SAMPLERS if name in present and name not in (NONE, REAL)]
    scores = means.unstack("sampler")
    lines = {}
    for sampler in samplers:
        lines[sampler] = {}
        for name in DISCRIMINATION:
            gains = scores[name].sub(scores[name][NONE], axis=0)[[sampler, REAL]]
            sums = np.array([gains.loc[which].to_numpy().sum(axis=0) for which in chosen])
            shares = sums[:, 0] / sums[:, 1]
            lines[sampler][name] = shares[0], *np.quantile(shares[1:], [0.05, 0.95])
    frame = pd.DataFrame(lines).T
    return frame.rename_axis("sampler")


def format_share(share: tuple[float, float, float]) -> str:
    return "{:.2f} ({:.2f} to {:.2f})".format(*share)


def draw_picture(results: pd.DataFrame, path: Path) -> None:
    """Draw the share of the gain of each sampler and score, with its interval."""
    sizes = sorted(results["n_rare"].unique())
    figure, axes = plt.subplots(
        1, len(sizes), figsize=(10, 3.6), sharey=True, squeeze=False, layout="constrained"
    )
    colors = {"SMOTE": "#999999", "MGS": "#009E73", OURS: "#D55E00"}
    for axis, n_rare in zip(axes[0], sizes, strict=True):
        shares = shares_of_gain(by_table(results[results["n_rare"] == n_rare]))
        for index, (sampler, line) in enumerate(shares.iterrows()):
            share, low, high = np.array(line.tolist()).T
            heights = np.arange(len(DISCRIMINATION))[::-1] - 0.2 * (index - 1)
            axis.errorbar(
                share,
                heights,
                xerr=[share - low, high - share],
                fmt="o",
                color=colors[sampler],
                label=sampler,
            )
        axis.axvline(0, color="black", lw=0.8)
        axis.axvline(1, color="black", lw=0.8, ls="--")
        axis.set_xlim(-0.3, 1.1)
        axis.set_xlabel("no new rows = 0, new real rows = 1")
        axis.set_title(f"{n_rare} rows of the rare class")
    names = [TITLES.get(name, name.replace("_", " ")) for name in DISCRIMINATION]
    axes[0, 0].set_yticks(range(len(names))[::-1], names)
    axes[0, 0].legend(loc="lower left", fontsize=9)
    figure.suptitle("Share of the gain of new real rows, with its 90% interval over tables")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
