"""
==================================================
Categories, numbers and missing cells in one table
==================================================

`VAEOversampler` takes a table with text, integers, amounts that are mostly zero and missing
values as it is. It is trained on half of the table; the drawn rows are compared with the rare
rows of the other half, for each column and each pair of columns. The picture and the results
are at the end, under `Results`_.

By default, the table contains simulated customers, some of whom leave a shop. It can also be
read from a file, in which the rare class has a ``target`` of 1::

    python examples/plot_mixed_table.py [census-income.csv.gz] [--output mixed_table.png]
"""

# %%
# The table
# ---------

import argparse
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from vaesampler import VAEOversampler

REAL, SYNTHETIC = "#0072B2", "#E69F00"


def make_customers(n_rows: int = 4000) -> pd.DataFrame:
    """Simulate customers of a shop; one in twelve leaves it."""
    rng = np.random.default_rng(0)
    leaves = rng.random(n_rows) < 1 / 12
    plan = np.where(
        leaves,
        rng.choice(["monthly", "yearly", "trial"], n_rows, p=[0.6, 0.1, 0.3]),
        rng.choice(["monthly", "yearly", "trial"], n_rows, p=[0.4, 0.5, 0.1]),
    )
    price = np.select([plan == "monthly", plan == "yearly"], [12.9, 9.9], default=0.0)
    months = rng.poisson(np.where(leaves, 8, 20))
    refund = np.where(rng.random(n_rows) < 0.8, 0, rng.lognormal(3, 0.8, n_rows).round(2))
    rating = np.clip(rng.normal(np.where(leaves, 2.6, 3.9), 0.8), 1, 5).round(1)
    is_silent = rng.random(n_rows) < np.where(leaves, 0.5, 0.2)
    return pd.DataFrame(
        {
            "plan": pd.Categorical(plan),
            "price": price,
            "months": months,
            "refund": refund,
            "rating": np.where(is_silent, np.nan, rating),
            "newsletter": rng.random(n_rows) < np.where(plan == "yearly", 0.7, 0.3),
            "spent": (months * price * rng.lognormal(0, 0.2, n_rows)).round(2),
            "target": leaves.astype(int),
        }
    )


def read(path: str) -> pd.DataFrame:
    """Read a table; text columns become categories."""
    table = pd.read_csv(path)
    text = table.select_dtypes(include=["object", "string"]).columns
    return table.astype(dict.fromkeys(text, "category"))


# %%
# Two measures
# ------------
# We compare the distribution of each column, and the association of each pair of columns, with
# those of the real rows. Both are computed by hand here; :mod:`vaesampler.metrics` provides
# similar metrics.


def is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def share_that_differs(real: pd.Series, synthetic: pd.Series) -> float:
    """Return the total variation distance; numbers are binned at the real rows' deciles."""
    if is_number(real):
        edges = np.unique(real.quantile(np.linspace(0, 1, 11)[1:-1]))
        real, synthetic = (
            pd.Series(np.searchsorted(edges, one)).where(one.notna().to_numpy(), -1)
            for one in (real, synthetic)
        )
    shares = [
        one.astype(object).where(one.notna(), "missing").value_counts(normalize=True)
        for one in (real, synthetic)
    ]
    return float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)


def association_matrix(rows: pd.DataFrame) -> np.ndarray:
    """Return Cramer's V of each pair of columns; numbers are binned into quartiles."""
    levels = {
        name: pd.qcut(rows[name].rank(method="first"), 4).astype(str)
        if is_number(rows[name])
        else rows[name].astype(str)
        for name in rows
    }
    matrix = np.eye(rows.shape[1])
    for one, other in combinations(range(rows.shape[1]), 2):
        counts = pd.crosstab(levels[rows.columns[one]], levels[rows.columns[other]]).to_numpy()
        if min(counts.shape) < 2:
            continue
        expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
        chi_squared = ((counts - expected) ** 2 / expected).sum()
        v = np.sqrt(chi_squared / counts.sum() / (min(counts.shape) - 1))
        matrix[one, other] = matrix[other, one] = v
    return matrix


# %%
# The picture
# -----------


def draw(real: pd.DataFrame, synthetic: pd.DataFrame, associations: list) -> plt.Figure:
    names = list(real)
    n_across = 4
    n_down = int(np.ceil(len(names) / n_across))
    figure = plt.figure(figsize=(13, 2.5 * n_down + 4.5), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[2.5 * n_down, 4.5])
    for axis, name in zip(top.subplots(n_down, n_across).flat, names, strict=False):
        draw_column(axis, real[name], synthetic[name])
    for axis in top.axes[len(names) :]:
        axis.set_visible(False)
    top.axes[0].legend(loc="best", fontsize=7, framealpha=0.6)
    top.suptitle("Columns of held-out real rows and of synthetic rows")
    axes = bottom.subplots(1, 2, sharey=True)
    for axis, matrix, title in zip(axes, associations, ("real", "synthetic"), strict=True):
        image = axis.imshow(matrix, vmin=0, vmax=1, cmap="cividis")
        axis.set_title(title)
        axis.set_xticks(range(len(names)), names, rotation=90)
        axis.set_yticks(range(len(names)), names)
    bottom.colorbar(image, ax=axes, label="Cramer's V")
    bottom.suptitle("Associations between columns")
    return figure


def draw_column(axis: plt.Axes, real: pd.Series, synthetic: pd.Series) -> None:
    """Plot numbers as histograms and all else as bars, as shares of the rows."""
    axis.set_title(real.name)
    pairs = ((real, "real", REAL), (synthetic, "synthetic", SYNTHETIC))
    if is_number(real):
        edges = np.linspace(real.min(), real.quantile(0.99), 21)
        for rows, label, colour in pairs:
            shown = rows.dropna().clip(edges[0], edges[-1])
            weights = np.full(len(shown), 1 / len(rows))
            axis.hist(shown, edges, weights=weights, alpha=0.6, label=label, color=colour)
        return
    order = real.astype(object).where(real.notna(), "missing").value_counts().index[:8]
    for shift, (rows, label, colour) in zip((-0.2, 0.2), pairs, strict=True):
        shares = rows.astype(object).where(rows.notna(), "missing").value_counts(normalize=True)
        heights = np.arange(len(order)) + shift
        axis.barh(heights, shares.reindex(order, fill_value=0), 0.4, label=label, color=colour)
    axis.set_yticks(range(len(order)), [str(level)[:18] for level in order], fontsize=8)
    axis.invert_yaxis()


# %%
# Results
# -------


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("table", nargs="?")
    parser.add_argument("--output", default="mixed_table.png")
    return parser.parse_known_args()[0]


def main() -> None:
    options = parse_options()
    table = read(options.table) if options.table else make_customers()
    X, y = table.drop(columns="target"), table["target"]
    X_train, X_held_out, y_train, y_held_out = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=0
    )

    sampler = VAEOversampler(random_state=0)
    X_resampled, _ = sampler.fit_resample(X_train, y_train)
    print(sampler.schema_)

    synthetic = X_resampled[sampler.synthetic_mask_]
    real = X_held_out[y_held_out == 1]
    same_dtypes = (X_resampled.dtypes == X.dtypes).all()
    print(f"\n{len(synthetic)} rows drawn, {len(real)} real rows held out")
    print(f"the dtypes are those that went in: {same_dtypes}")
    differences = [share_that_differs(real[name], synthetic[name]) for name in X]
    print(f"distributions of a column differ in {np.mean(differences):.1%} of the rows")
    associations = [association_matrix(rows) for rows in (real, synthetic)]
    error = np.abs(associations[0] - associations[1])[np.triu_indices(X.shape[1], 1)].mean()
    print(f"associations of two columns, from 0 to 1, differ by {error:.3f}")
    draw(real, synthetic, associations).savefig(options.output, dpi=110)


if __name__ == "__main__":
    main()
