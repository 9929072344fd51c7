"""How many rows? `sampling_strategy` tuned by cross-validation, beside the default.

    python benchmarks/strategy.py                      # 12 small tables, about 5 minutes
    python benchmarks/strategy.py --tables ecoli3,yeast4 --repeats 4

In each of five folds, a grid search over ratios of minority to majority rows picks the ratio
with the highest average precision in three inner folds, for logistic regression and a random
forest. It trains the VAEs once per inner fold (`memory`). Prints Markdown tables: means over
tables, and each variant minus default with a Wilcoxon signed-rank test over tables. Writes
strategy.csv, a line a table, fold, classifier and variant, under --output.
"""

import argparse
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from evaluation import CLASSIFIERS, p_value, score
from imblearn.pipeline import Pipeline
from quality import to_markdown
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, RepeatedStratifiedKFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler
from tables import Table, load_numeric_table
from tqdm import tqdm

from vaesampler import VAEOversampler

TABLES = (
    *("cleveland-0_vs_4", "ecoli1", "ecoli3", "ecoli4", "glass4", "glass6"),
    *("haberman", "new_thyroid1", "winequality-red-4", "yeast-1_vs_7", "yeast4", "yeast5"),
)
CHOSEN_CLASSIFIERS = ("LogisticRegression", "RandomForest")
RATIOS = (0.25, 0.5, 0.75, 1.0)
FIXED = {"default": 1.0, "ratio .5": 0.5}
NONE, TUNED, DEFAULT = "none", "tuned", "default"
STRATEGY = "sampler__sampling_strategy"
REPORTED = ("roc_auc", "average_precision", "f1")
# Folds have other shares of the minority than the table.
MARGIN = 1.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", default=",".join(TABLES), help="with commas")
    parser.add_argument("--repeats", type=int, default=1, help="of the five folds")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines: list[dict] = []
    for name in tqdm(options.tables.split(","), unit="table"):
        lines += evaluate_table(load_numeric_table(name), options.repeats)
    results = pd.DataFrame(lines)
    options.output.mkdir(parents=True, exist_ok=True)
    results.to_csv(options.output / "strategy.csv", index=False)
    report(results)


def evaluate_table(table: Table, n_repeats: int) -> Iterator[dict]:
    """Yield a dict of scores for each fold, classifier and variant."""
    X, y = table.X, table.y
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=n_repeats, random_state=0)
    for fold, (train, test) in enumerate(folds.split(X, y)):
        with tempfile.TemporaryDirectory() as memory, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in CHOSEN_CLASSIFIERS:
                for variant, model in variants(name, y[train], memory, seed=fold):
                    model.fit(X[train], y[train])
                    ratio = getattr(model, "best_params_", {}).get(STRATEGY)
                    scores = score(y[test], model.predict_proba(X[test])[:, 1])
                    yield {
                        "table": table.name,
                        "fold": fold,
                        "classifier": name,
                        "variant": variant,
                        "ratio": ratio,
                        **scores,
                    }


def variants(classifier: str, y: np.ndarray, memory: str, seed: int):
    """Yield the name and the unfitted model of each variant."""
    pipeline = Pipeline(
        [
            ("scaler", StandardScaler()),
            ("sampler", VAEOversampler(random_state=seed, memory=memory)),
            ("classifier", clone(CLASSIFIERS[classifier])),
        ]
    )
    yield NONE, clone(pipeline).set_params(sampler="passthrough")
    for name, ratio in FIXED.items():
        yield name, clone(pipeline).set_params(**{STRATEGY: ratio})
    yield (
        TUNED,
        GridSearchCV(
            pipeline,
            {STRATEGY: feasible_ratios(y)},
            scoring="average_precision",
            cv=StratifiedKFold(3, shuffle=True, random_state=seed),
        ),
    )


def feasible_ratios(y: np.ndarray) -> list[float]:
    """Return the ratios for which rows must be added."""
    ratio = np.mean(y == 1) / np.mean(y == 0)
    return [one for one in RATIOS if one > MARGIN * ratio]


def report(results: pd.DataFrame) -> None:
    by_table = results.groupby(["classifier", "variant", "table"])[list(REPORTED)].mean()
    order = [NONE, *FIXED, TUNED]
    for classifier in CHOSEN_CLASSIFIERS:
        means = by_table.loc[classifier]
        print(f"\n## {classifier}: means over {len(means.loc[TUNED])} tables\n")
        print(to_markdown(means.groupby("variant").mean().loc[order]))
        print("\nMinus default: mean over tables, Wilcoxon signed-rank p, tables ahead\n")
        others = [variant for variant in order if variant != DEFAULT]
        print(to_markdown(pd.DataFrame({one: differences(means, one) for one in others})))
        chosen = results[(results["classifier"] == classifier) & results["ratio"].notna()]
        print("\nRatios chosen, share of the folds\n")
        shares = chosen["ratio"].value_counts(normalize=True).sort_index()
        print(to_markdown(shares.to_frame("share")))


def differences(means: pd.DataFrame, variant: str) -> pd.Series:
    """Return a variant minus the default with its p, by score."""
    paired = means.loc[variant] - means.loc[DEFAULT]
    texts = {}
    for name, values in paired.items():
        ahead = int((values > 0).sum())
        texts[name] = f"{values.mean():+.4f} (p = {p_value(values):.2f}, {ahead}/{len(values)})"
    return pd.Series(texts).rename_axis("score")


if __name__ == "__main__":
    main()
