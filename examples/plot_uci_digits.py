"""
======================================
New handwritten 1s, and when they fail
======================================

A variational autoencoder (VAE) learns what the digit 1 looks like from a few hundred small
images, and draws new ones. Two things can go wrong: a VAE that is too weak draws images that
are no 1s, one that is too strong hands back the images it was shown. Both can be measured,
and this example measures them.

By default the images are scikit-learn's own. The larger UCI files can be named instead::

    python examples/plot_uci_digits.py optdigits.tra optdigits.tes
"""

# %%
# The images
# ----------
# An image has 8 by 8 pixels of 0 to 16. One half is for training; the other is held out, to
# tell how far a *new* real 1 lies from the nearest one in the training half.

import argparse
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import SMOTE
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.svm import SVC

from vaesampler import VAEOversampler

DIGIT = 1
N_SYNTHETIC = 1000
LATENT_SIZES = (1, 2, 4, 8, 16)
WAYS_TO_DRAW = ("prior", "posterior", "interpolate", "denoise")
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"


@dataclass(frozen=True)
class Digits:
    """Training and held-out images, one a row, with their labels."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_held_out: np.ndarray
    y_held_out: np.ndarray


def read_digits(train_file=None, held_out_file=None):
    X, y = load_digits(return_X_y=True)
    if train_file is None:
        X_train, X_held_out, y_train, y_held_out = train_test_split(
            X, y, test_size=0.5, stratify=y, random_state=0
        )
        return Digits(X_train, y_train, X_held_out, y_held_out)
    train = np.loadtxt(train_file)
    if held_out_file is not None:  # scikit-learn's images are those of optdigits.tes
        held_out = np.loadtxt(held_out_file)
        X, y = held_out[:, :-1], held_out[:, -1].astype(int)
    return Digits(train[:, :-1], train[:, -1].astype(int), X, y)


# %%
# Two failures, two measures
# --------------------------
# *Too weak*: the share of synthetic images that a classifier fitted to all real digits does
# not call a 1. *Memorizing*: how far a synthetic image lies from the nearest training image,
# over how far held-out real ones do. 1 is what new real images score; 0 is a copy.


class Judge:
    """Tells how real and how new synthetic images of a digit are."""

    def __init__(self, digits):
        X = np.concatenate([digits.X_train, digits.X_held_out])
        y = np.concatenate([digits.y_train, digits.y_held_out])
        self.classifier = SVC(gamma=0.001).fit(X, y)
        self.nearest = NearestNeighbors(n_neighbors=1).fit(
            digits.X_train[digits.y_train == DIGIT]
        )
        real = self.distances(digits.X_held_out[digits.y_held_out == DIGIT])
        self.usual_distance = np.median(real)
        self.near = np.quantile(real, 0.05)

    def distances(self, images):
        return self.nearest.kneighbors(images)[0][:, 0]

    def share_not_the_digit(self, images):
        return np.mean(self.classifier.predict(images) != DIGIT)

    def distance_ratio(self, images):
        return np.median(self.distances(images)) / self.usual_distance

    def n_copies(self, images):
        return int(np.sum(self.distances(images) == 0))

    def share_near_copies(self, images):
        return np.mean(self.distances(images) < self.near)


# %%
# Drawing
# -------
# ``fit`` trains a VAE for each class that ``sampling_strategy`` adds rows to, ``sample`` draws
# from it. SMOTE has no ``sample``: its rows are those below the originals.


def fit_vae(digits, **parameters):
    wanted = {DIGIT: int(np.sum(digits.y_train == DIGIT)) + N_SYNTHETIC}
    sampler = VAEOversampler(sampling_strategy=wanted, random_state=0, **parameters)
    return sampler.fit(digits.X_train, digits.y_train)


def draw_with_smote(digits):
    wanted = {DIGIT: int(np.sum(digits.y_train == DIGIT)) + N_SYNTHETIC}
    sampler = SMOTE(sampling_strategy=wanted, random_state=0)
    X, _ = sampler.fit_resample(digits.X_train, digits.y_train)
    return X[-N_SYNTHETIC:]


def report(name, images, judge):
    print(
        f"{name:<24}{1 - judge.share_not_the_digit(images):>10.1%}{judge.n_copies(images):>10}"
        f"{judge.distance_ratio(images):>16.2f}{judge.share_near_copies(images):>14.1%}"
    )


# %%
# The picture
# -----------


def show_images(axes, images, title):
    for axis, image in zip(axes, images, strict=True):
        axis.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        axis.set(xticks=[], yticks=[])
    axes[0].set_title(title, loc="left", fontsize=10)


def draw_figure(real, drawn_by, loss_curve, too_weak, memorizing, judge):
    figure = plt.figure(figsize=(11, 10.5), layout="constrained")
    top, middle, bottom = figure.subfigures(3, 1, height_ratios=[1.1, 2.6, 3.4])
    pick = np.random.default_rng(0)

    top.suptitle("A variational autoencoder draws new 1s", fontsize=14, weight="bold")
    left, right = top.subfigures(1, 2)
    show_images(left.subplots(1, 5), pick.permutation(real)[:5], "Five real 1s")
    synthetic = pick.permutation(drawn_by["VAE, posterior"])[:5]
    show_images(right.subplots(1, 5), synthetic, "Five synthetic 1s")

    training, weak, copying = middle.subplots(1, 3)
    training.plot(np.arange(1, len(loss_curve) + 1), loss_curve, color=BLUE, lw=1)
    training.set(title="Training", xlabel="step", ylabel="loss, nats per image")
    positions = np.arange(len(LATENT_SIZES))
    weak.plot(positions, too_weak, "o-", color=ORANGE)
    weak.set(title="Too weak?", ylabel="synthetic images that are no 1")
    weak.yaxis.set_major_formatter("{x:.1%}")
    weak.set_ylim(0, max(0.02, 1.3 * max(too_weak)))
    copying.plot(positions, memorizing, "s-", color=BLUE)
    copying.axhline(1, color=GREY, ls="--", lw=1)
    copying.text(0, 0.97, "as new as held-out 1s", color=GREY, va="top", fontsize=9)
    smote_ratio = judge.distance_ratio(drawn_by["SMOTE"])
    copying.axhline(smote_ratio, color=GREY, ls=":", lw=1)
    copying.text(4, smote_ratio + 0.02, "SMOTE", color=GREY, ha="right", fontsize=9)
    copying.set(title="Memorizing?", ylabel="distance to nearest training 1\n(held-out 1s = 1)")
    copying.set_ylim(0, 1.6)
    copying.text(0, 0.03, "0 = copies", color=GREY, fontsize=9)
    for axis in (weak, copying):
        axis.set_xticks(positions, LATENT_SIZES)
        axis.set_xlabel("latent size (4 is the default)")

    bottom.suptitle("Five images from each way to draw, at random", fontsize=12)
    rows = bottom.subplots(len(drawn_by), 6, width_ratios=[3, 1, 1, 1, 1, 1])
    for axes, (name, images) in zip(rows, drawn_by.items(), strict=True):
        axes[0].axis("off")
        label = f"{name}\n{judge.distance_ratio(images):.2f} times the distance of real ones"
        axes[0].text(1, 0.5, label, ha="right", va="center", fontsize=10)
        show_images(axes[1:], pick.permutation(images)[:5], "")
    return figure


# %%
# All of it
# ---------


def parse_options():
    parser = argparse.ArgumentParser(description="Draw new handwritten 1s.")
    parser.add_argument("train_file", nargs="?", help="optdigits.tra")
    parser.add_argument("held_out_file", nargs="?", help="optdigits.tes")
    parser.add_argument("--output", type=Path, default=Path("uci_digits.png"))
    return parser.parse_args()


def main(options):
    digits = read_digits(options.train_file, options.held_out_file)
    judge = Judge(digits)
    real = digits.X_train[digits.y_train == DIGIT]
    print(f"{len(real)} real 1s to learn from, {N_SYNTHETIC} synthetic ones drawn each way\n")

    drawn_by = {"SMOTE": draw_with_smote(digits)}
    for way in WAYS_TO_DRAW:
        sampler = fit_vae(digits, latent_sampling=way)
        drawn_by[f"VAE, {way}"] = sampler.sample(DIGIT, N_SYNTHETIC, random_state=0)
    print(f"{'':<24}{'called 1':>10}{'copies':>10}{'distance ratio':>16}{'near copies':>14}")
    for name, images in drawn_by.items():
        report(name, images, judge)

    print("\nlatent size   too weak: not called 1   memorizing: distance ratio")
    too_weak, memorizing = [], []
    for latent_dim in LATENT_SIZES:
        images = fit_vae(digits, latent_dim=latent_dim).sample(
            DIGIT, N_SYNTHETIC, random_state=0
        )
        too_weak.append(judge.share_not_the_digit(images))
        memorizing.append(judge.distance_ratio(images))
        print(f"{latent_dim:>11}{too_weak[-1]:>25.1%}{memorizing[-1]:>29.2f}")

    loss_curve = sampler.loss_curves_[DIGIT]  # the four ways to draw train alike
    figure = draw_figure(real, drawn_by, loss_curve, too_weak, memorizing, judge)
    figure.savefig(options.output, dpi=110)
    print(f"\nThe picture is in {options.output}")


if __name__ == "__main__":
    main(parse_options())
