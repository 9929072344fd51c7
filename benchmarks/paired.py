"""Which of two settings is better? Two runs of quality.py, compared fold by fold.

    python benchmarks/quality.py --parts tables --samplers VAEOversampler --repeats 6 \
        --output before
    python benchmarks/quality.py --parts tables --samplers VAEOversampler --repeats 6 \
        --set smoothing=0.5 --output after
    python benchmarks/paired.py before after

Prints a Markdown table: means over tables and four classifiers, after minus before with its
standard error (about .001 for six repeats, .002 for two), and the tables that gain and lose
most. What differs by less than twice that is noise, whatever its p.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from evaluation import SCORES, WEAK_CLASSIFIERS, p_value
from quality import to_markdown

N_TABLES_SHOWN = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path, help="--output of one run")
    parser.add_argument("after", type=Path, help="--output of the other")
    parser.add_argument("--sampler", default="VAEOversampler")
    options = parser.parse_args()
    before, after = (read(path, options.sampler) for path in (options.before, options.after))
    print(to_markdown(compare(before, after)))


def read(output: Path, sampler: str) -> pd.DataFrame:
    """Return a run's scores, a line a table and fold: means over four classifiers."""
    results = pd.read_csv(output / "quality.csv")
    is_wanted = (results["sampler"] == sampler) & results["classifier"].isin(WEAK_CLASSIFIERS)
    return results[is_wanted].groupby(["table", "fold"])[list(SCORES)].mean()


def compare(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Tell how scores differ, one line a score.

    Raises
    ------
    ValueError
        If the runs are not of the same tables and folds.
    """
    if not before.index.equals(after.index):
        raise ValueError(
            f"The runs should be of the same tables and folds, got {len(before)} and "
            f"{len(after)} of them; give both the same --tables and --repeats."
        )
    by_fold = (after - before).groupby("table")
    by_table = by_fold.mean()
    means = [one.groupby("table").mean().mean() for one in (before, after)]
    # Of the folds and the seeds; the tables are taken as they are.
    errors = np.sqrt((by_fold.var() / by_fold.count()).sum()) / len(by_table)
    lines = []
    for score in SCORES:
        differences = by_table[score].sort_values()
        ends = differences.iloc[-N_TABLES_SHOWN:][::-1], differences.iloc[:N_TABLES_SHOWN]
        gain, lose = (
            ", ".join(f"{name} {value:+.3f}" for name, value in end.items()) for end in ends
        )
        lines.append(
            {
                "score": score,
                "before": means[0][score],
                "after": means[1][score],
                "difference": f"{differences.mean():+.4f}",
                "standard error": errors[score],
                "Wilcoxon p": p_value(differences),
                "highest": gain,
                "lowest": lose,
            }
        )
    return pd.DataFrame(lines).set_index("score")


if __name__ == "__main__":
    main()
