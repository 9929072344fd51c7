"""
=================================
How a VAE draws rows, in pictures
=================================

A variational autoencoder (VAE) encodes each row as a short vector, its *code*, and learns to
reconstruct the row from its code. New rows are decoded from new codes. The pictures show the
codes, how new codes are drawn, and what prevents the drawn rows from being copies, or rows of
another class.
"""

# %%
# A two-dimensional latent space
# ------------------------------
# Two-dimensional codes can be plotted. Here a VAE learns the odd digits as one class. The left
# panel shows the codes of the real images, the right panel the images decoded from a grid of
# codes. Similar images have similar codes, and the digits change gradually into each other.
#
# A custom :class:`~vaesampler.LatentSampler` draws the codes on the grid. Each drawn row
# contains residual noise, so we average many draws to remove it.

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits, make_moons

from vaesampler import LatentDraw, LatentSampler, VAEOversampler

N_ACROSS, EDGE = 9, 2.0


class GridSampling(LatentSampler):
    """Decode rows on a grid over the middle of the latent plane, again and again."""

    def draw(self, vae, rows, n_samples, generator):  # noqa: ARG002
        across = torch.linspace(-EDGE, EDGE, N_ACROSS)
        second, first = torch.meshgrid(across.flip(0), across, indexing="ij")
        points = torch.stack([first, second], dim=-1).reshape(-1, 2)
        z = points[torch.arange(n_samples) % len(points)]
        return LatentDraw(z[None], sources=None)


images, digits = load_digits(return_X_y=True)
is_odd = digits % 2 == 1
sampler = VAEOversampler(
    sampling_strategy={True: 1000},
    latent_dim=2,
    latent_sampling=GridSampling(),
    hidden_layer_sizes=(64,),
    max_iter=2000,
    rejection_strength=0,
    random_state=0,
).fit(images, is_odd)
codes = sampler.encode(True, images[is_odd])
drawn = [sampler.sample(True, N_ACROSS**2, random_state=seed) for seed in range(40)]
grid = np.mean(drawn, axis=0).reshape(N_ACROSS, N_ACROSS, 8, 8)

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4.3), layout="constrained")
colors = ["#D55E00", "#0072B2", "#009E73", "#CC79A7", "#000000"]  # for the colour-blind
for digit, color in zip([1, 3, 5, 7, 9], colors, strict=True):
    its_codes = codes[digits[is_odd] == digit]
    left.plot(*its_codes.T, linestyle="", marker=f"${digit}$", color=color, markersize=5)
limits = (-EDGE - 0.2, EDGE + 0.2)
left.set(title="codes of real images", aspect="equal", xlim=limits, ylim=limits)
left.set(xlabel="first latent dimension", ylabel="second latent dimension")
with_gaps = np.pad(grid, ((0, 0), (0, 0), (1, 1), (1, 1)))
right.imshow(np.block([list(row) for row in with_gaps]), cmap="gray_r", extent=limits * 2)
right.set(title="images decoded from codes", xlabel="first latent dimension")
plt.show()

# %%
# Four ways to choose codes
# -------------------------
# ``latent_sampling`` sets how new codes are drawn. The rare class, in blue, is the upper of two
# moons: 60 rows with two columns. "prior" draws codes from the prior, "posterior" around the
# codes of real rows, "interpolate" on lines between two of them, and "denoise" encodes real
# rows with added noise. A curved class needs more training than the default, and a `beta` below
# 1 separates the codes, so that the strategies differ. Rejection is disabled to show all rows.

REAL, SYNTHETIC, OTHERS = "#0072B2", "#D55E00", "#999999"
patient = {
    "latent_dim": 2,
    "hidden_layer_sizes": (64, 64),
    "max_iter": 2000,
    "beta": 0.2,
    "rejection_strength": 0,
    "random_state": 0,
}


def show_rows(ax, title, X_real, X_new):
    """Draw the rows of one class in a plane."""
    ax.plot(*X_new.T, ".", color=SYNTHETIC, markersize=3, alpha=0.7, label="synthetic")
    ax.plot(*X_real.T, "o", color=REAL, markersize=4, label="real")
    ax.set_title(title, fontsize="medium")
    ax.set(xticks=[], yticks=[])


def draw(X, y, **parameters):
    """Return 300 new rows of the class True."""
    return VAEOversampler(**{**patient, **parameters}).fit(X, y).sample(True, 300)


def make_axes(n_panels):
    figure, axes = plt.subplots(
        1, n_panels, figsize=(8, 8 / n_panels + 0.6), layout="constrained", sharey=True
    )
    return figure, axes


X, is_lower = make_moons((60, 400), noise=0.12, random_state=0)
is_rare = is_lower == 0
figure, axes = make_axes(4)
for ax, way in zip(axes, ["prior", "posterior", "interpolate", "denoise"], strict=True):
    show_rows(ax, f'"{way}"', X[is_rare], draw(X, is_rare, latent_sampling=way))
figure.legend(
    *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
)
plt.show()

# %%
# Few rows
# --------
# A VAE trained on only 20 rows memorizes them: without `smoothing`, new rows cluster around
# them. Smoothing adds noise with the covariance of the class at each step, so that the VAE also
# learns the regions between the rows. Too much smoothing blurs the shape of the class.

X, is_lower = make_moons((20, 400), noise=0.08, random_state=0)
is_rare = is_lower == 0
figure, axes = make_axes(3)
for ax, smoothing in zip(axes, [0, 1, 3], strict=True):
    title = f"smoothing={smoothing}" + (", the default" if smoothing == 1 else "")
    show_rows(ax, title, X[is_rare], draw(X, is_rare, smoothing=smoothing, max_iter=1000))
figure.legend(
    *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
)
plt.show()

# %%
# Classes that overlap
# --------------------
# Rows drawn in the region of the other class would make a classifier predict the rare class
# there. More rows are therefore drawn than needed. Each is kept with the probability of its
# class, estimated from its nearest real neighbours and raised to a power. A larger
# `rejection_strength` keeps rows farther from the other class.

rng = np.random.default_rng(0)
is_rare = np.arange(340) >= 300
X = rng.normal(size=(340, 2))
X[is_rare] = X[is_rare] @ [[0.9, -0.7], [0.2, 0.4]] + [1.3, 1.1]
figure, axes = make_axes(3)
for ax, strength in zip(axes, [0, 1, 4], strict=True):
    title = f"rejection_strength={strength}" + (", the default" if strength == 4 else "")
    ax.plot(*X[~is_rare].T, "x", color=OTHERS, markersize=3, label="the other class, real")
    sampler = VAEOversampler(latent_dim=2, rejection_strength=strength, random_state=0)
    show_rows(ax, title, X[is_rare], sampler.fit(X, is_rare).sample(True, 300))
figure.legend(
    *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
)
plt.show()
