"""
=================================
Seeing and judging what was drawn
=================================

A sampler that draws rows should be looked at before it is trusted. Did it train? Do the drawn
rows look like real ones, and are they new? Which latent size is right? Does it help? There is a
display, or a report, for each of these questions.
"""

# %%
# Did it train?
# -------------
# Of the images of the digit 1 here are 120 left, and the rest are other digits. With
# ``early_stopping`` one image in ten is held out, and training stops when they are described no
# better: their curve is dashed. The upper panel is what the decoder gets wrong, the lower one
# what the codes say, in nats per row. Curves that have become flat have been trained enough; a
# dashed curve that rises while the other falls tells of rows that are learned by heart.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from sklearn.datasets import load_digits, make_classification
from sklearn.linear_model import LogisticRegression

from vaesampler import VAEOversampler, compare_samplers
from vaesampler.plotting import (
    FeatureDistributionDisplay,
    LatentSpaceDisplay,
    LossCurveDisplay,
    SamplerComparisonDisplay,
    SyntheticSamplesDisplay,
    ValidationDisplay,
)

X, y = load_digits(return_X_y=True)
is_left_out = np.isin(np.arange(len(y)), np.flatnonzero(y == 1)[120:])
X, is_one = X[~is_left_out], (y == 1)[~is_left_out]
sampler = VAEOversampler(early_stopping=True, max_iter=500, random_state=0).fit(X, is_one)
LossCurveDisplay.from_estimator(sampler, True)
plt.show()

# %%
# What does it look like?
# -----------------------
# Rows that are images are best judged by eye.

SyntheticSamplesDisplay.from_estimator(
    sampler, X, is_one, label=True, image_shape=(8, 8), random_state=0
)
plt.show()

# %%
# Rows of any kind have a place in latent space. Synthetic ones should lie among the real ones,
# and all over them.

LatentSpaceDisplay.from_estimator(sampler, X, is_one, label=True, random_state=0)
plt.show()

# %%
# A table with categories and missing cells is looked at column by column. These are customers
# who leave a shop. Among the synthetic ones hardly any has a yearly plan: those who stay mostly
# have one, and rows that resemble other classes are rejected. Turn that off with
# ``rejection_strength=0`` where columns have to have the shares that real rows have.

rng = np.random.default_rng(0)
leaves = rng.random(2000) < 0.1
loyalty = rng.normal(np.where(leaves, -1, 1))
visits = rng.poisson(12 * np.exp(loyalty / 2))
is_yearly = loyalty + rng.normal(size=2000) > 0
rating = rng.normal(4 + loyalty / 2, 0.5).round(1)
customers = pd.DataFrame(
    {
        "plan": np.where(is_yearly, "yearly", "monthly"),
        "visits": visits,
        "spent": (visits * rng.lognormal(2, 0.3, 2000)).round(2),
        "rating": np.where(rng.random(2000) < 0.3, np.nan, rating),
    }
)
of_customers = VAEOversampler(
    early_stopping=True, validation_fraction=0.2, max_iter=1000, random_state=0
).fit(customers, leaves)
FeatureDistributionDisplay.from_estimator(
    of_customers, customers, leaves, label=True, n_cols=2, random_state=0
)
plt.show()

# %%
# Copies, or unlike the real ones?
# --------------------------------
# The report compares the synthetic rows with those that were learned from, and sets beside each
# figure what new real rows get: those that were held out.

print(of_customers.report_[True])

# %%
# Images are harder: what passes at a glance may be told by a classifier, from a faint pixel
# where real images are white. Ask both. More training and a larger latent space help, as the
# next picture shows.

print(sampler.report_[True].verdict)
print(sampler.report_[True].reason)

# %%
# Which latent size?
# ------------------
# A latent space that is too small draws rows that can be told from real ones; one that is too
# large hands near copies back. ``smoothing`` and ``rejection_strength`` guard against the
# latter: here they are turned off, so that it can be seen. So few images hardly show the
# former.

ValidationDisplay.from_estimator(
    VAEOversampler(max_iter=1000, smoothing=0, rejection_strength=0, random_state=0),
    X,
    is_one,
    param_name="latent_dim",
    param_range=[1, 2, 4, 8, 16],
    label=True,
    n_repeats=2,
    random_state=0,
)
plt.show()

# %%
# Does it help?
# -------------
# That is for your classifier to say. Each sampler is put before it, on the same folds, and what
# counts is how much better than without one each is. An interval that touches zero tells of no
# difference.

X, y = make_classification(n_samples=1000, n_informative=6, weights=[0.95], random_state=0)
comparison = compare_samplers(
    {
        "none": None,
        "SMOTE": SMOTE(random_state=0),
        "VAEOversampler": VAEOversampler(random_state=0),
    },
    X,
    y,
    estimator=LogisticRegression(),
    scoring=["roc_auc", "average_precision", "balanced_accuracy"],
    random_state=0,
)
SamplerComparisonDisplay.from_comparison(comparison, baseline="none")
plt.show()
