"""Compare pipelines with the sampler before and after the encoder.

    python benchmarks/order_of_steps.py

Scores pipelines of a sampler, a ColumnTransformer (imputation and one-hot encoding, which the
classifier needs in any case), a scaler and a classifier on the tables with categories. SMOTE
takes numbers only, so it comes last before the classifier. Means over tables, two classifiers
and five folds are printed as a Markdown table, with Wilcoxon's p.
"""

import argparse
import warnings

import pandas as pd
import torch
from evaluation import CLASSIFIERS, mean_and_p
from imblearn.over_sampling import SMOTE
from joblib import Parallel, delayed
from mixed import as_objects, make_encoder
from quality import to_markdown
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tables import load_mixed_table, mixed_table_names

from vaesampler import VAEOversampler, compare_samplers

METRICS = ("roc_auc", "average_precision", "balanced_accuracy", "f1")
JUDGES = ("LogisticRegression", "RandomForest")
BEFORE, AFTER = "VAEOversampler, before the encoder", "VAEOversampler, after it"
SAMPLERS = {
    "none": None,
    "SMOTE, after the encoder": SMOTE(random_state=0, k_neighbors=2),
    AFTER: VAEOversampler(random_state=0),
    BEFORE: VAEOversampler(random_state=0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    jobs = parser.parse_args().jobs
    units = [(table, judge) for table in mixed_table_names() for judge in JUDGES]
    frames = Parallel(n_jobs=jobs)(delayed(compare)(*unit) for unit in units)
    means = (
        pd.concat(frames).groupby(["sampler", "table", "metric"], sort=False)["score"].mean()
    )
    lines = means.groupby(["sampler", "metric"], sort=False).mean().unstack()
    print(to_markdown(lines[list(METRICS)]))
    print(f"\n{BEFORE}, minus the others: mean over tables, and Wilcoxon signed-rank p\n")
    print(to_markdown(differences(means)))


def compare(table: str, judge: str) -> pd.DataFrame:
    """Score all pipelines of one classifier on one table."""
    torch.set_num_threads(1)
    X, y = load_mixed_table(table)
    first = [("sampler", "passthrough"), *steps(judge)]
    *encoding, classifier = steps(judge)
    last = [*encoding, ("sampler", "passthrough"), classifier]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        comparison = compare_samplers(
            SAMPLERS,
            X,
            pd.Series(y),
            estimator={name: Pipeline(first if name == BEFORE else last) for name in SAMPLERS},
            scoring=list(METRICS),
            random_state=0,
        )
    return comparison.assign(table=table, classifier=judge)


def steps(judge: str) -> list[tuple[str, object]]:
    """Return the steps of a pipeline without a sampler."""
    return [
        ("missing", FunctionTransformer(as_objects)),
        ("encoder", make_encoder()),
        ("scaler", StandardScaler()),
        ("classifier", CLASSIFIERS[judge]),
    ]


def differences(means: pd.Series) -> pd.DataFrame:
    """Compare the pipeline with the sampler first with each other one, table by table."""
    lines = []
    for rival in SAMPLERS:
        if rival == BEFORE:
            continue
        line = {"pipeline": rival}
        for metric in METRICS:
            values = (means[BEFORE] - means[rival]).xs(metric, level="metric").dropna()
            line[metric] = mean_and_p(values)
        lines.append(line)
    return pd.DataFrame(lines).set_index("pipeline")


if __name__ == "__main__":
    main()
