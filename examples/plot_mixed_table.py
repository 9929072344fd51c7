"""
==================================================
Categories, numbers and missing cells in one table
==================================================

`VAEOversampler` takes a table with text, integers, amounts that are mostly zero and missing
values as it is. It is trained on half of a table of simulated customers, of whom a few leave a
shop. The drawn rows are compared with the customers who leave in the other half.
"""

# %%
# The table
# ---------
# The price depends on the plan, and the amount spent on the price and the months. Most refunds
# are zero, and many ratings are missing.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from vaesampler import VAEOversampler
from vaesampler.metrics import association_distances, column_distances
from vaesampler.plotting import FeatureDistributionDisplay

rng = np.random.default_rng(0)
n_rows = 4000
leaves = rng.random(n_rows) < 1 / 12
plan = np.where(
    leaves,
    rng.choice(["monthly", "yearly", "trial"], n_rows, p=[0.6, 0.1, 0.3]),
    rng.choice(["monthly", "yearly", "trial"], n_rows, p=[0.4, 0.5, 0.1]),
)
price = np.select([plan == "monthly", plan == "yearly"], [12.9, 9.9], default=0.0)
months = rng.poisson(np.where(leaves, 8, 20))
rating = np.clip(rng.normal(np.where(leaves, 2.6, 3.9), 0.8), 1, 5).round(1)
is_silent = rng.random(n_rows) < np.where(leaves, 0.5, 0.2)
X = pd.DataFrame(
    {
        "plan": pd.Categorical(plan),
        "price": price,
        "months": months,
        "refund": np.where(rng.random(n_rows) < 0.8, 0, rng.lognormal(3, 0.8, n_rows).round(2)),
        "rating": np.where(is_silent, np.nan, rating),
        "newsletter": rng.random(n_rows) < np.where(plan == "yearly", 0.7, 0.3),
        "spent": (months * price * rng.lognormal(0, 0.2, n_rows)).round(2),
    }
)
X_train, X_held_out, leaves_train, leaves_held_out = train_test_split(
    X, leaves, test_size=0.5, stratify=leaves, random_state=0
)
X_train.head()

# %%
# Resample it
# -----------
# ``schema_`` shows what each column is taken for. The columns keep their dtypes.

sampler = VAEOversampler(random_state=0)
X_resampled, _ = sampler.fit_resample(X_train, leaves_train)
print(sampler.schema_)

synthetic = X_resampled[sampler.synthetic_mask_]
real = X_held_out[leaves_held_out]
print(f"\n{len(synthetic)} rows drawn, {len(real)} real rows held out")
print(f"the dtypes are those that went in: {(X_resampled.dtypes == X.dtypes).all()}")

# %%
# Compare column by column
# ------------------------
# Fewer synthetic customers than real ones have a yearly plan, which is typical of customers who
# stay: by default, rows that resemble other classes are rejected.

FeatureDistributionDisplay.from_samples(
    real, synthetic, columns=["plan", "months", "rating", "spent"], n_cols=2
)
plt.show()

# %%
# Measure columns and pairs of columns
# ------------------------------------
# Real rows of the two halves differ, too, by chance. Synthetic rows that are drawn without
# rejection differ from the held-out rows about as much. With rejection, which is the default,
# they differ more.

as_they_come = VAEOversampler(rejection_strength=0, random_state=0).fit(X_train, leaves_train)
tables = {
    "real rows of the other half": X_train[leaves_train],
    "synthetic, without rejection": as_they_come.sample(True, len(synthetic), random_state=0),
    "synthetic, by default": synthetic,
}
differences = pd.DataFrame(
    {
        name: {
            "columns": column_distances(real, rows, random_state=0).mean,
            "pairs": association_distances(real, rows, random_state=0).mean,
        }
        for name, rows in tables.items()
    }
)
print(differences.T.round(3))
