"""
==========================
Inspect the synthetic rows
==========================

Inspect a sampler before you trust its rows. Did training converge? Do the synthetic rows look
like real ones, and are they new? Which latent size is best? Does the sampler help? There is a
display, or a report, for each of these questions.
"""

# %%
# Did training converge?
# ----------------------
# We keep 120 images of the digit 1; all other images are other digits. ``early_stopping`` holds
# out one image in four and stops training when their loss no longer improves. The dashed curve
# is their loss. The upper panel is the reconstruction loss, the lower panel the information
# carried by the codes, in nats per row. A flat curve means that training has converged. If the
# dashed curve rises while the other falls, the VAE overfits.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
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
sampler = VAEOversampler(
    early_stopping=True, validation_fraction=0.25, max_iter=500, random_state=0
).fit(X, is_one)
LossCurveDisplay.from_estimator(sampler, True)
plt.show()

# %%
# What do the rows look like?
# ---------------------------
# If the rows are images, look at them.

SyntheticSamplesDisplay.from_estimator(
    sampler, X, is_one, label=True, image_shape=(8, 8), random_state=0
)
plt.show()

# %%
# Rows of any kind can be shown in latent space. The synthetic codes should cover the region of
# the real ones.

LatentSpaceDisplay.from_estimator(sampler, X, is_one, label=True, random_state=0)
plt.show()

# %%
# For a table with categories and missing values, compare the distributions of the columns. The
# rows are customers who leave a shop. Hardly any synthetic customer has a yearly plan, because
# most customers who stay have one, and rows that resemble other classes are rejected. If the
# columns must keep the shares of the real rows, set ``rejection_strength=0``.

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
# Copies, or unlike the real rows?
# --------------------------------
# The report compares the synthetic rows with the training rows. Next to each metric, it shows
# the value for new real rows, which are the held-out ones.

print(of_customers.report_[True])

# %%
# The report on the images, in short. A classifier can tell an image that looks right by a faint
# pixel where real images are white, so look at the images, too.

print(sampler.report_[True].verdict)
print(*sampler.report_[True].reason.split("; "), sep="\n")

# %%
# Which latent size?
# ------------------
# If the latent space is too small, the VAE does not learn how columns depend on each other, and
# the log-density of held-out rows is low. If it is too large, synthetic rows may be near
# copies. The rows are tumours, described by thirty measurements; label 0 is malignant. Each
# pale line is one split into training and held-out rows.
#
# The log-density rises up to 8 dimensions, and little beyond. At every size, near copies are
# rarer, on average, than among new real rows. The AUC differs less between the sizes than
# between the splits, so it does not help to choose.

tumours, is_benign = load_breast_cancer(return_X_y=True)
ValidationDisplay.from_estimator(
    VAEOversampler(random_state=0),
    tumours,
    is_benign,
    param_name="latent_dim",
    param_range=[1, 2, 4, 8, 16],
    label=0,
    n_repeats=4,
    random_state=0,
)
plt.show()

# %%
# Near copies are rare because of ``smoothing`` and ``rejection_strength``. Without them, larger
# latent spaces give more of them: see :doc:`/notebooks/grid_search_latent_size`.

# %%
# Does it help?
# -------------
# Compare the scores of your classifier with each sampler, on the same folds. The display shows
# the difference to no sampler. An interval that touches zero shows no clear difference.

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
