"""
=================================
Compare VAEOversampler with SMOTE
=================================

SMOTE places each new row on the line between two neighbouring real rows. `VAEOversampler`
learns the distribution of a class and draws new rows from it.
"""

# %%
# Thirty rare rows with two columns overlap four hundred other rows. The left panel shows the
# real rows; the other two show the rows that each sampler adds to balance the classes.
#
# SMOTE's rows form a web between the real rows: dense where two real rows are close, empty
# elsewhere. The rows of the VAE fill the elongated cloud that the thirty rows come from, and
# avoid the other class.

import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import SMOTE

from vaesampler import VAEOversampler

rng = np.random.default_rng(2)
is_rare = np.arange(430) >= 400
X = rng.normal(size=(430, 2))
X[is_rare] = X[is_rare] @ [[0.9, -0.7], [0.2, 0.4]] + [1.5, 1.3]

REAL, SYNTHETIC, OTHERS = "#0072B2", "#D55E00", "#999999"  # for the colour-blind
figure, axes = plt.subplots(
    1, 3, figsize=(7, 3), layout="constrained", sharex=True, sharey=True
)
samplers = [SMOTE(random_state=0), VAEOversampler(random_state=0)]
for ax, sampler in zip(axes[1:], samplers, strict=True):
    X_resampled, _ = sampler.fit_resample(X, is_rare)
    new_rows = X_resampled[len(X) :]
    ax.plot(*new_rows.T, ".", color=SYNTHETIC, markersize=4, alpha=0.7, label="synthetic")
    ax.set_title(type(sampler).__name__)
for ax in axes:
    ax.plot(*X[~is_rare].T, "x", color=OTHERS, markersize=3, label="other class", zorder=0)
    ax.plot(*X[is_rare].T, "o", color=REAL, markersize=4, label="rare")
    ax.set(xticks=[], yticks=[])
axes[0].set_title("30 rare rows beside 400")
figure.legend(
    *axes[1].get_legend_handles_labels(),
    loc="outside lower center",
    ncols=3,
    frameon=False,
    fontsize="large",
    markerscale=1.5,
)
plt.show()

# %%
# Two columns are easy to plot but not typical: most classes have more columns, some of them
# categorical, and are curved or split into parts. :doc:`plot_how_rows_are_drawn` shows such
# classes, and :doc:`/when_it_helps` reports results on real tables.
