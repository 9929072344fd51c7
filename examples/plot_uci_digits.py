"""
=============================================
Draw handwritten 1s, and measure two failures
=============================================

A variational autoencoder (VAE) is a small neural network that learns the distribution of the
rows of a class and draws new ones. Here the rows are images of the handwritten digit 1.

A VAE can fail in two ways. If it is too weak, it draws images that are not 1s. If it is too
strong, it memorizes its training images and reproduces them. This example measures both
failures, compares the sampling strategies, and compares them with SMOTE. The picture and the
results are at the end, under `Results`_.

The images are those of scikit-learn. To use the files of the UCI repository, pass them::

    python examples/plot_uci_digits.py optdigits.tra optdigits.tes
"""

# %%
# The images
# ----------
# An image is a row of 64 values: 8 by 8 pixels, each from 0 (white) to 16 (black). The VAE is
# trained on the training images. The held-out images are the reference for new real images.

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import SMOTE
from matplotlib.ticker import PercentFormatter
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.svm import SVC

from vaesampler import VAEOversampler

DIGIT = 1
N_SYNTHETIC = 1000


@dataclass(frozen=True)
class Digits:
    """Training and held-out images of all digits, one per row, with their labels."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_held_out: np.ndarray
    y_held_out: np.ndarray


def read_digits(train_file=None, held_out_file=None):
    if train_file is None:
        X, y = load_digits(return_X_y=True)
        X_train, X_held_out, y_train, y_held_out = train_test_split(
            X, y, test_size=0.5, stratify=y, random_state=0
        )
        return Digits(X_train, y_train, X_held_out, y_held_out)
    if held_out_file is None:  # scikit-learn's images are those of optdigits.tes
        return Digits(*read_file(train_file), *load_digits(return_X_y=True))
    return Digits(*read_file(train_file), *read_file(held_out_file))


def read_file(file):
    table = np.loadtxt(file)
    return table[:, :-1], table[:, -1].astype(int)


# %%
# Drawing new 1s
# --------------
# Both samplers have the same API. ``fit_resample`` returns the original rows, followed by the
# synthetic ones.


def draw(sampler, digits):
    n_real = np.sum(digits.y_train == DIGIT)
    sampler.set_params(sampling_strategy={DIGIT: n_real + N_SYNTHETIC}, random_state=0)
    X_resampled, _ = sampler.fit_resample(digits.X_train, digits.y_train)
    return X_resampled[len(digits.X_train) :]


# %%
# Two failures, two metrics
# -------------------------
# *Too weak*: the share of synthetic images that a good classifier, fitted on all real digits,
# does not classify as a 1.
#
# *Memorizing*: the median distance from a synthetic image to its nearest training 1, divided by
# the same median for held-out 1s. At 1, synthetic images are as new as new real images; at 0,
# they are copies.


@dataclass(frozen=True)
class Scores:
    """Realism and novelty of a thousand synthetic images."""

    share_not_a_one: float
    distance_ratio: float
    n_copies: int
    share_near: float  # nearer to a training 1 than the nearest 5% of the held-out 1s


class Judge:
    """Scores synthetic images by comparing them with real ones."""

    def __init__(self, digits):
        X = np.concatenate([digits.X_train, digits.X_held_out])
        y = np.concatenate([digits.y_train, digits.y_held_out])
        self.classifier = SVC(gamma=0.001).fit(X, y)
        self.training_ones = digits.X_train[digits.y_train == DIGIT]
        self.neighbors = NearestNeighbors(n_neighbors=1).fit(self.training_ones)
        self.held_out_ones = digits.X_held_out[digits.y_held_out == DIGIT]
        self.held_out_distances = self.distances(self.held_out_ones)

    def distances(self, images):
        return self.neighbors.kneighbors(images)[0].ravel()

    def nearest_training_ones(self, images):
        return self.training_ones[self.neighbors.kneighbors(images)[1].ravel()]

    def score(self, images):
        distances = self.distances(images)
        return Scores(
            np.mean(self.classifier.predict(images) != DIGIT),
            np.median(distances) / np.median(self.held_out_distances),
            np.sum(distances == 0),
            np.mean(distances < np.quantile(self.held_out_distances, 0.05)),
        )


# %%
# What is compared
# ----------------
# A VAE encodes each image as a short latent code and decodes an image from it. The size of the
# code determines which of the two failures occurs. A new image is decoded from a new code, and
# there are four strategies to draw codes.
#
# ``VAEOversampler`` prevents memorization: it adds a little noise to the training images at
# each step (``smoothing``) and rejects near copies (``rejection_strength``). Setting both to 0,
# which is called unguarded below, shows the failure.

LATENT_SIZES = (1, 2, 4, 8, 16)  # 4 is the default
UNGUARDED = {"smoothing": 0, "rejection_strength": 0}
WAYS_TO_DRAW = {
    "prior": "independent of any real 1",
    "posterior": "around a real 1 (the default)",
    "interpolate": "between two real 1s",
    "denoise": "a real 1, with noise, denoised",
}

# %%
# Printing the results
# --------------------


def print_default(judge, vae, smote):
    n_training, n_held_out = len(judge.training_ones), len(judge.held_out_ones)
    print(f"{n_training} real 1s to learn from, {n_held_out} held out\n")
    lines = {
        "synthetic 1s": f"{N_SYNTHETIC:>8}{N_SYNTHETIC:>8}",
        "called a 1 by a classifier": (
            f"{1 - vae.share_not_a_one:>8.1%}{1 - smote.share_not_a_one:>8.1%}"
        ),
        "exact copies of a training 1": f"{vae.n_copies:>8}{smote.n_copies:>8}",
        "distance to nearest training 1 / that of held-out 1s": (
            f"{vae.distance_ratio:>8.2f}{smote.distance_ratio:>8.2f}"
        ),
        "nearer than the nearest 5% of held-out 1s": (
            f"{vae.share_near:>8.1%}{smote.share_near:>8.1%}"
        ),
    }
    print(f"{'':<52}{'VAE':>8}{'SMOTE':>8}")
    for name, figures in lines.items():
        print(f"{name:<52}{figures}")


def print_failures(heading, scores):
    print(f"\n{heading:<15}{'too weak:':>15}{'memorizing:':>18}")
    print(f"{'':<15}{'share not a 1':>15}{'distance ratio':>18}")
    for name, score in scores.items():
        print(f"{name:<15}{score.share_not_a_one:>15.1%}{score.distance_ratio:>18.2f}")


# %%
# The picture
# -----------
# All images shown are picked at random.

BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#595959"  # for the colour-blind


def draw_picture(judge, loss_curve, by_size, drawn_by_way, scores_by_way):
    figure = plt.figure(figsize=(9, 8.4), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.07, h_pad=0.04)
    figure.suptitle(
        "A variational autoencoder draws new handwritten 1s", size=16, weight="bold"
    )
    top, middle, bottom = figure.subfigures(3, 1, height_ratios=[1.1, 2.6, 3.8])
    rng = np.random.default_rng(0)

    real, synthetic = top.subfigures(1, 2, wspace=0.04)
    show_images(real.subplots(1, 5), rng.choice(judge.training_ones, 5, replace=False))
    real.suptitle(f"five of the {len(judge.training_ones)} real training 1s")
    some = rng.choice(drawn_by_way["posterior"], 5, replace=False)
    show_images(synthetic.subplots(1, 5), some)
    synthetic.suptitle("five synthetic 1s")

    training, weak, memorizing = middle.subplots(1, 3)
    plot_training(training, loss_curve)
    plot_too_weak(weak, *by_size)
    plot_memorizing(memorizing, *by_size, scores_by_way["SMOTE"].distance_ratio)

    show_ways_to_draw(bottom, judge, drawn_by_way, scores_by_way, rng)
    return figure


def plot_training(axis, loss_curve, window=25):
    steps = np.arange(1, len(loss_curve) + 1)
    smooth = np.convolve(loss_curve, np.ones(window) / window, mode="valid")
    axis.plot(steps, loss_curve, color=BLUE, alpha=0.3, linewidth=0.8)
    axis.plot(steps[window // 2 :][: len(smooth)], smooth, color=BLUE, linewidth=2)
    axis.set_title("Training\nlower is better")
    axis.set(xlabel="step", ylabel="loss, nats per row")


def plot_too_weak(axis, scores_by_size, unguarded_by_size):
    shares = [score.share_not_a_one for score in scores_by_size.values()]
    axis.plot(range(len(shares)), shares, "o-", color=VERMILION, clip_on=False, label="guarded")
    free = [score.share_not_a_one for score in unguarded_by_size.values()]
    axis.plot(range(len(free)), free, "o:", color=GREY, clip_on=False, label="unguarded")
    axis.legend(frameon=False, fontsize="small")
    axis.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=1))
    axis.set_ylim(0, max(0.02, 1.3 * max(shares + free)))
    axis.set_title("Too weak?\nimages that a classifier\ndoes not call a 1")
    axis.set_ylabel("share not a 1")
    name_latent_sizes(axis, scores_by_size)


def plot_memorizing(axis, scores_by_size, unguarded_by_size, smote_ratio):
    ratios = [score.distance_ratio for score in scores_by_size.values()]
    axis.plot(range(len(ratios)), ratios, "s-", color=BLUE, label="guarded")
    free = [score.distance_ratio for score in unguarded_by_size.values()]
    axis.plot(range(len(free)), free, "s:", color=GREY, label="unguarded")
    axis.legend(frameon=False, fontsize="small", loc="lower left", bbox_to_anchor=(0, 0.2))
    axis.set_ylim(0, max(1.5, 1.1 * max(ratios)))
    for ratio, name in {1: "held-out\nreal 1s", smote_ratio: "SMOTE", 0: "↓ copies"}.items():
        axis.axhline(ratio, color=GREY, linestyle="--", linewidth=1)
        right_of_axis = axis.get_yaxis_transform()
        axis.text(1.03, ratio, name, color=GREY, va="center", transform=right_of_axis)
    axis.set_title("Memorizing?\ndistance to nearest training 1\n/ that of held-out 1s")
    axis.set_ylabel("distance ratio")
    name_latent_sizes(axis, scores_by_size)


def name_latent_sizes(axis, sizes):
    axis.set_xticks(range(len(sizes)), sizes)
    axis.set_xlabel("latent size (default: 4)")


def show_ways_to_draw(figure, judge, drawn_by_way, scores_by_way, rng):
    columns = [3.2, *[1] * 5, 0.4, *[1] * 5]  # a label, five images, a gap, five images
    grid = figure.subplots(len(drawn_by_way), len(columns), width_ratios=columns)
    grid[0, 3].set_title("five drawn with each strategy")
    grid[0, 9].set_title("nearest training image of each")
    for axes, (way, images) in zip(grid, drawn_by_way.items(), strict=True):
        axes[0].axis("off")
        axes[6].axis("off")
        name = "SMOTE" if way == "SMOTE" else f"VAE, {way}"
        how = WAYS_TO_DRAW.get(way, "between two real 1s, by pixel")
        ratio = scores_by_way[way].distance_ratio
        axes[0].text(0, 0.66, name, weight="bold", va="bottom", size=11)
        axes[0].text(0, 0.6, f"{how}\ndistance ratio {ratio:.2f}", va="top")
        some = rng.choice(images, 5, replace=False)
        show_images(axes[1:6], some)
        show_images(axes[7:], judge.nearest_training_ones(some))


def show_images(axes, images):
    for axis, image in zip(axes, images, strict=True):
        axis.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        axis.set(xticks=[], yticks=[])


# %%
# Results
# -------


def parse_options():
    parser = argparse.ArgumentParser(description="Draw new handwritten 1s.")
    parser.add_argument("train_file", nargs="?", help="optdigits.tra")
    parser.add_argument("held_out_file", nargs="?", help="optdigits.tes")
    parser.add_argument("--output", type=Path, default=Path("uci_digits.png"))
    # In a notebook or the gallery, the command line is not that of this script.
    is_script = Path(sys.argv[0]).name == "plot_uci_digits.py"
    return parser.parse_args(sys.argv[1:] if is_script else [])


def main(options):
    digits = read_digits(options.train_file, options.held_out_file)
    judge = Judge(digits)

    default = VAEOversampler()
    synthetic = draw(default, digits)
    smote = draw(SMOTE(), digits)
    print_default(judge, judge.score(synthetic), judge.score(smote))

    scores_by_size, unguarded_by_size = {}, {}
    for size in LATENT_SIZES:
        guarded = VAEOversampler(latent_dim=size)
        scores_by_size[size] = judge.score(draw(guarded, digits))
        unguarded = VAEOversampler(latent_dim=size, **UNGUARDED)
        unguarded_by_size[size] = judge.score(draw(unguarded, digits))
    print_failures("latent size", scores_by_size)
    print_failures("unguarded", unguarded_by_size)

    drawn_by_way = {"SMOTE": smote}
    for way in WAYS_TO_DRAW:
        drawn_by_way[way] = draw(VAEOversampler(latent_sampling=way), digits)
    scores_by_way = {way: judge.score(images) for way, images in drawn_by_way.items()}
    print_failures("way to draw", scores_by_way)

    loss_curve = default.loss_curves_[DIGIT].total
    by_size = (scores_by_size, unguarded_by_size)
    figure = draw_picture(judge, loss_curve, by_size, drawn_by_way, scores_by_way)
    figure.savefig(options.output, dpi=120)
    print(f"\nThe picture is in {options.output}")


if __name__ == "__main__":
    main(parse_options())
