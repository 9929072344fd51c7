"""
=================================
Seeing and judging what was drawn
=================================

A sampler that draws rows should be looked at before it is trusted. Did it train? Do the drawn
rows look like real ones, and are they new? Which latent size is right? There is a display, or
a figure, for each of these questions.
"""

# %%
# Did it train?
# -------------
# Of the images of the digit 1 here are 120 left, and the rest are other digits. With
# `early_stopping` one image in ten is held out, and training stops when they are described no
# better: their curve is dashed. The upper panel is what the decoder gets wrong, the lower one
# what the codes say, in nats per row.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from vaesampler import VAEOversampler
from vaesampler.plotting import (
    FeatureDistributionDisplay,
    LatentSpaceDisplay,
    LossCurveDisplay,
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
# of a shop, of whom the synthetic ones leave it.

rng = np.random.default_rng(0)
leaves = rng.random(1000) < 0.15
customers = pd.DataFrame(
    {
        "plan": np.where(rng.random(1000) < 0.3 + 0.4 * leaves, "monthly", "yearly"),
        "visits": rng.poisson(np.where(leaves, 6, 20)),
        "rating": np.where(rng.random(1000) < 0.3, np.nan, rng.normal(4 - leaves).round(1)),
    }
)
FeatureDistributionDisplay.from_estimator(
    VAEOversampler(random_state=0).fit(customers, leaves),
    customers,
    leaves,
    label=True,
    random_state=0,
)
plt.show()

# %%
# Copies, or unlike the real ones?
# --------------------------------
# The report sets the synthetic rows beside those that were held out.

print(sampler.report_[True])

# %%
# Which latent size?
# ------------------
# A latent space that is too small draws rows that can be told from real ones; one that is too
# large hands near copies back.

ValidationDisplay.from_estimator(
    VAEOversampler(random_state=0),
    X,
    is_one,
    param_name="latent_dim",
    param_range=[1, 2, 4, 8],
    label=True,
    random_state=0,
)
plt.show()
