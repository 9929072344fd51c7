"""Displays show what they say, where they are told to, and change nothing else."""

import inspect
import subprocess
import sys
from dataclasses import dataclass
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_table, quick
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError
from test_metrics import assert_defaults_are_documented, assert_states

from vaesampler import LossCurve, VAEOversampler
from vaesampler.comparison import compare_samplers, paired_differences
from vaesampler.comparison._compare import DEFAULT_N_FOLDS
from vaesampler.metrics._novelty import NEAR_SHARE
from vaesampler.plotting import (
    FeatureDistributionDisplay,
    LatentSpaceDisplay,
    LossCurveDisplay,
    SamplerComparisonDisplay,
    SyntheticSamplesDisplay,
    ValidationDisplay,
)
from vaesampler.plotting._feature_distribution import MOST_PANELS
from vaesampler.plotting._histograms import NumberMarginal
from vaesampler.plotting._loss_curve import MIN_SMOOTHED_STEPS, SMOOTHED_SHARE
from vaesampler.plotting._sampler_comparison import CONFIDENCE, FoldScores
from vaesampler.plotting._samples import MOST_ROWS_SHOWN
from vaesampler.plotting._synthetic_samples import MOST_IMAGES
from vaesampler.plotting._validation import MIN_ROWS

mpl.use("Agg")
import matplotlib.pyplot as plt

SEEDS = st.integers(0, 1000)
REAL, SYNTHETIC = "#0072b2", "#d55e00"


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted():
    """A sampler with held-out rows, of three classes with two of them oversampled."""
    X, y = make_table()
    return quick(latent_dim=2, early_stopping=True, max_iter=50).fit(X, y), X, y


def make_curve(n_steps=60, seed=0, every=1):
    rng = np.random.default_rng(seed)
    step = np.arange(every, n_steps + 1, every)
    return LossCurve(step, rng.normal(size=len(step)), rng.exponential(size=len(step)))


def mixed_table(n_rows=120, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "plan": pd.Categorical(rng.choice(["monthly", "yearly"], n_rows)),
            "city": [f"city {number}" for number in rng.integers(0, 30, n_rows)],
            "visits": rng.poisson(20, n_rows),
            "rating": np.where(rng.random(n_rows) < 0.3, np.nan, rng.normal(size=n_rows)),
            "member": rng.random(n_rows) < 0.7,
            "income": rng.lognormal(8, 2, n_rows),
            "joined": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(rng.integers(0, 900, n_rows), unit="D"),
            "size": rng.choice([0.5, 1.0, 1.5], n_rows),
        }
    )


@dataclass
class Report:
    """What `ValidationDisplay` reads of a report."""

    share_near_copies: float
    two_sample_auc: float


def make_comparison(n_folds=5, seed=0, metrics=("roc_auc", "f1")):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        [
            {
                "sampler": sampler,
                "fold": fold,
                "metric": metric,
                "score": rng.uniform(0.5, 1),
                "fit_time": 1.0,
                "n_train": 80,
                "n_test": 20,
            }
            for sampler in ("none", "SMOTE", "VAEOversampler")
            for fold in range(n_folds)
            for metric in metrics
        ]
    )


REPORTS = {1: Report(0.02, 0.9), 4: Report(0.05, 0.6), 16: Report(0.3, 0.55)}
IMAGES = np.random.default_rng(0).random((12, 6))
FROM_DATA = {
    "loss curves": lambda ax: LossCurveDisplay.from_curves(
        {1: make_curve(), 2: make_curve(seed=1)}, {1: make_curve(every=10)}, ax=ax
    ),
    "codes": lambda ax: LatentSpaceDisplay.from_codes(IMAGES, IMAGES[:5], ax=ax),
    "codes of one dimension": lambda ax: LatentSpaceDisplay.from_codes(
        IMAGES[:, :1], IMAGES[:5, :1], label="rare", ax=ax
    ),
    "images": lambda ax: SyntheticSamplesDisplay.from_samples(
        IMAGES, IMAGES[:5], image_shape=(2, 3), label=1, ax=ax
    ),
    "points": lambda ax: SyntheticSamplesDisplay.from_samples(
        mixed_table(), mixed_table(seed=1), ax=ax
    ),
    "columns": lambda ax: FeatureDistributionDisplay.from_samples(
        mixed_table(), mixed_table(seed=1), ax=ax
    ),
    "one column": lambda ax: FeatureDistributionDisplay.from_samples(
        mixed_table(), mixed_table(seed=1), columns=["city"], ax=ax
    ),
    "reports": lambda ax: ValidationDisplay.from_reports(REPORTS, ax=ax),
    "comparison": lambda ax: SamplerComparisonDisplay.from_comparison(make_comparison(), ax=ax),
    "differences": lambda ax: SamplerComparisonDisplay.from_comparison(
        make_comparison(metrics=("a", "b", "c", "d")), baseline="none", ax=ax
    ),
}
every_display = pytest.mark.parametrize("draw", FROM_DATA.values(), ids=FROM_DATA)


def panels_of(display):
    return list(getattr(display, "axes_", [display.ax_]))


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


# All displays


def test_importing_the_displays_imports_neither_matplotlib_nor_torch():
    code = (
        "import sys, vaesampler, vaesampler.plotting; "
        "print({'matplotlib', 'torch'} & set(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert output.stdout.split() == [b"set()"]


@every_display
def test_without_matplotlib_it_is_said_what_to_install(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install \"vaesampler\[plots\]\""):
        draw(None)


@every_display
def test_a_display_makes_one_figure_and_changes_no_setting(draw):
    settings, state = dict(mpl.rcParams), np.random.get_state()  # noqa: NPY002
    display = draw(None)
    assert plt.get_fignums() == [display.figure_.number]
    assert dict(mpl.rcParams) == settings
    assert_array_equal(np.random.get_state()[1], state[1])  # noqa: NPY002


@every_display
def test_the_axes_that_are_given_are_drawn_in(draw):
    figure, axes = plt.subplots(1, 2, layout="constrained")
    display = draw(axes[1])
    assert plt.get_fignums() == [figure.number]
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    figure.canvas.draw()
    room = axes[1].get_subplotspec().get_position(figure)
    for panel in panels_of(display):
        assert panel.has_data()
        assert panel.get_position().x0 >= room.x0 - 0.15
    assert not axes[0].has_data()


@every_display
@pytest.mark.parametrize(
    "make_axes", [plt.Figure.subplots, lambda figure: figure.add_axes([0.2, 0.2, 0.5, 0.5])]
)
def test_axes_of_a_figure_without_pyplot_do(draw, make_axes):
    figure = mpl.figure.Figure()
    display = draw(make_axes(figure))
    assert display.figure_ is figure
    assert plt.get_fignums() == []


@every_display
def test_a_display_can_be_drawn_again_in_the_panels_that_are_there(draw):
    first = draw(None)
    panels = panels_of(first)
    again = first.plot(ax=np.array(panels) if hasattr(first, "axes_") else first.ax_)
    assert again is first
    assert panels_of(again) == panels
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", ["loss curves", "images", "columns", "reports", "comparison"])
def test_panels_are_not_drawn_over_each_other(name):
    display = FROM_DATA[name](None)
    with pytest.raises(ValueError, match=r"ax=display\.axes_"):
        display.plot(ax=display.ax_)
    with pytest.raises(ValueError, match="found 1"):
        display.plot(ax=[plt.subplots()[1]])


def visible_texts(figure):
    """Return the texts that are drawn; ticks beyond the ends of an axis are not."""
    hidden = set()
    for ax in figure.axes:
        if not ax.axison:
            hidden |= {id(text) for axis in (ax.xaxis, ax.yaxis) for text in axis.findobj(Text)}
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not low <= tick.get_loc() <= high:
                    hidden |= {id(tick.label1), id(tick.label2)}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in hidden
    ]


@every_display
def test_no_text_lies_on_another_or_beyond_the_figure(draw):
    figure = draw(None).figure_
    figure.canvas.draw()
    texts = [(text.get_text(), text.get_window_extent()) for text in visible_texts(figure)]
    assert len(texts) >= 2
    for (name, box), (other_name, other_box) in combinations(texts, 2):
        shared = box.intersection(box, other_box)
        assert shared is None or min(shared.width, shared.height) < 1, (name, other_name)
    for name, box in texts:
        assert figure.bbox.padded(2).contains(box.x0, box.y0), name
        assert figure.bbox.padded(2).contains(box.x1, box.y1), name


@every_display
def test_legends_do_not_hide_data(draw):
    display = draw(None)
    display.figure_.canvas.draw()
    for ax in display.figure_.axes:
        if ax.get_legend() is not None:
            legend = ax.get_legend().get_window_extent()
            for panel in panels_of(display):
                assert not panel.get_window_extent().padded(-1).overlaps(legend)


@pytest.mark.parametrize("name", ["$a$", "$^", "_a", "50 $ to 90 $", "a\\b", "x" * 99, "{a}%"])
def test_names_of_any_kind_can_be_drawn(name):
    table = pd.DataFrame({name: [name, "b", name]})
    comparison = make_comparison().replace("SMOTE", name).replace("f1", name)
    for display in (
        FeatureDistributionDisplay.from_samples(table, table, label=name),
        LatentSpaceDisplay.from_codes(IMAGES, IMAGES, label=name),
        LossCurveDisplay.from_curves({name: make_curve()}),
        SamplerComparisonDisplay.from_comparison(comparison),
        SamplerComparisonDisplay.from_comparison(comparison, baseline=name),
        ValidationDisplay.from_reports({name: REPORTS[1]}, param_name=name),
    ):
        display.figure_.canvas.draw()
        shown = [text.get_text() for text in visible_texts(display.figure_)]
        assert any(name[:5].replace("$", r"\$") in text for text in shown)


# From a sampler

FROM_ESTIMATOR = {
    "loss": lambda sampler, X, y, label: LossCurveDisplay.from_estimator(sampler, label),
    "latent": lambda sampler, X, y, label: LatentSpaceDisplay.from_estimator(
        sampler, X, y, label=label, random_state=0
    ),
    "samples": lambda sampler, X, y, label: SyntheticSamplesDisplay.from_estimator(
        sampler, X, y, label=label, random_state=0
    ),
    "columns": lambda sampler, X, y, label: FeatureDistributionDisplay.from_estimator(
        sampler, X, y, label=label, random_state=0
    ),
}
from_estimator = pytest.mark.parametrize("draw", FROM_ESTIMATOR.values(), ids=FROM_ESTIMATOR)
of_a_class = pytest.mark.parametrize(
    "draw", list(FROM_ESTIMATOR.values())[1:], ids=list(FROM_ESTIMATOR)[1:]
)


@from_estimator
def test_a_sampler_that_was_not_fitted_is_told_so(draw):
    with pytest.raises(NotFittedError):
        draw(quick(), *make_table(), 1)


@from_estimator
def test_a_class_without_a_vae_is_told_with_those_that_have_one(draw, fitted):
    with pytest.raises(ValueError, match=r"class 0; the fitted ones are \[1, 2\]"):
        draw(*fitted, 0)


@of_a_class
def test_the_class_must_be_named_where_there_are_several(draw, fitted):
    with pytest.raises(ValueError, match=r"Name one of \[1, 2\]"):
        draw(*fitted, None)


@of_a_class
def test_the_only_class_need_not_be_named(draw):
    X, y = make_table({0: 40, 1: 12})
    draw(quick().fit(X, y), X, y, None)


@of_a_class
def test_rows_of_the_class_are_needed(draw, fitted):
    sampler, X, y = fitted
    with pytest.raises(ValueError, match="y holds none among its 40 labels"):
        draw(sampler, X[y == 0], y[y == 0], 1)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        draw(sampler, X, y[1:], 1)


@of_a_class
def test_an_int_draws_the_same_picture_each_time_and_changes_no_data(draw, fitted):
    sampler, X, y = fitted
    X_before, y_before = X.copy(), y.copy()
    pictures = []
    for _ in range(2):
        figure = draw(sampler, X, y, 1).figure_
        figure.canvas.draw()
        pictures.append(np.asarray(figure.canvas.buffer_rgba()).copy())
    assert_array_equal(*pictures)
    assert_array_equal(X, X_before)
    assert_array_equal(y, y_before)


CONTAINERS = {
    "array": lambda X: X,
    "list": lambda X: X.tolist(),
    "pandas": lambda X: pd.DataFrame(X, columns=list("abcde"), index=range(100, 100 + len(X))),
    "polars": lambda X: pl.DataFrame(X, schema=list("abcde")),
    "pyarrow": lambda X: pl.DataFrame(X, schema=list("abcde")).to_arrow(),
    "sparse": sparse.csr_array,
}


@pytest.mark.parametrize("to_container", CONTAINERS.values(), ids=CONTAINERS)
@of_a_class
def test_tables_of_any_kind_are_drawn_alike(draw, to_container, fitted):
    _, X, y = fitted
    sampler = quick(latent_dim=2)
    expected = draw(sampler.fit(X, y), X, y, 1)
    container = to_container(X)
    found = draw(sampler.fit(container, y), container, y, 1)
    for one, other in zip(*(artists_of(each) for each in (expected, found)), strict=True):
        assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def artists_of(display):
    if isinstance(display, FeatureDistributionDisplay):
        return [artist.get_data().values for artist in (*display.real_, *display.synthetic_)]
    return [display.real_.get_offsets(), display.synthetic_.get_offsets()]


@pytest.mark.parametrize("to_series", [pl.Series, lambda y: pd.Series(y, index=y * 7), list])
def test_labels_of_any_kind_do(to_series, fitted):
    sampler, X, y = fitted
    display = LatentSpaceDisplay.from_estimator(sampler, X, to_series(y), label=1)
    assert_array_equal(display.real_.get_offsets(), sampler.encode(1, X[y == 1]))


# LossCurveDisplay


@given(seed=SEEDS, n_steps=st.integers(1, 120), window=st.integers(1, 150))
def test_a_smoothed_curve_is_the_mean_of_the_steps_around(seed, n_steps, window):
    curve = make_curve(n_steps, seed)
    display = LossCurveDisplay.from_curves({1: curve}, smoothing_window=window)
    plt.close(display.figure_)
    for line, values in zip(display.lines_[1], (curve.reconstruction, curve.kl), strict=True):
        around = [
            values[max(0, first) : first + window].mean()
            for first in range(-(window // 2), n_steps - window // 2)
        ]
        assert_array_equal(line.get_xdata(), curve.step)
        assert_allclose(line.get_ydata(), around, atol=1e-9)


@given(n_steps=st.integers(1, 200), level=st.floats(-1e3, 1e3))
def test_smoothing_leaves_a_level_curve_as_it_is(n_steps, level):
    levels = np.full(n_steps, level)
    curve = LossCurve(np.arange(1, n_steps + 1), levels, levels)
    display = LossCurveDisplay.from_curves({1: curve})
    plt.close(display.figure_)
    for line in display.lines_[1]:
        assert_allclose(line.get_ydata(), level, atol=1e-9)


def test_a_smoothed_curve_has_the_raw_one_pale_behind_it_and_says_so():
    curve = make_curve(100)
    display = LossCurveDisplay.from_curves({1: curve})
    for raw, line in zip(display.raw_lines_[1], display.lines_[1], strict=True):
        assert raw.get_alpha() < 0.5
        assert raw.get_zorder() <= line.get_zorder()
        assert raw.axes.lines.index(raw) < raw.axes.lines.index(line)
    assert_array_equal(display.raw_lines_[1][0].get_ydata(), curve.reconstruction)
    assert_array_equal(display.raw_lines_[1][1].get_ydata(), curve.kl)
    assert legend_texts(display.axes_[0]) == ["class 1", "mean of 5 steps", "each step"]


def test_a_short_curve_is_not_smoothed():
    curve = make_curve(20)
    display = LossCurveDisplay.from_curves({"rare": curve})
    assert display.raw_lines_ == {}
    assert_array_equal(display.lines_["rare"][0].get_ydata(), curve.reconstruction)
    assert legend_texts(display.axes_[0]) == ["rare"]


def test_both_losses_of_all_classes_are_drawn_with_those_of_held_out_rows(fitted):
    sampler, _, _ = fitted
    display = LossCurveDisplay.from_estimator(sampler)
    assert set(display.lines_) == set(display.validation_lines_) == {1, 2}
    for label, (reconstruction, kl) in display.validation_lines_.items():
        curve = sampler.validation_curves_[label]
        assert reconstruction.get_linestyle() == kl.get_linestyle() == "--"
        assert reconstruction.get_color() == display.lines_[label][0].get_color()
        assert_array_equal(reconstruction.get_xdata(), curve.step)
        assert_array_equal(reconstruction.get_ydata(), curve.reconstruction)
        assert_array_equal(kl.get_ydata(), curve.kl)
    assert legend_texts(display.axes_[0])[-1] == "held out"
    upper, lower = display.axes_
    assert upper.get_ylabel() == "Reconstruction\n(nats per row)"
    assert lower.get_ylabel() == "KL divergence\n(nats per row)"
    assert lower.get_xlabel() == "Optimizer step"


def test_one_class_can_be_drawn_alone(fitted):
    assert list(LossCurveDisplay.from_estimator(fitted[0], 2).lines_) == [2]


def test_classes_have_colours_of_their_own_however_many_they_are():
    for n_classes in (2, 7, 12):
        curves = {label: make_curve(10, label) for label in range(n_classes)}
        display = LossCurveDisplay.from_curves(curves)
        colors = {to_hex(lines[0].get_color()) for lines in display.lines_.values()}
        assert len(colors) == n_classes


def test_keywords_of_lines_overrule_the_defaults_whatever_their_alias():
    display = LossCurveDisplay.from_curves({1: make_curve()}, line_kwargs={"c": "k", "lw": 3})
    for line in display.lines_[1]:
        assert to_hex(line.get_color()) == "#000000"
        assert line.get_linewidth() == 3


@pytest.mark.parametrize("name", ["c", "color"])
def test_points_have_the_color_that_keywords_name(name):
    rows = np.random.default_rng(0).normal(size=(20, 2))
    display = SyntheticSamplesDisplay.from_samples(rows, rows, scatter_kwargs={name: "k"})
    assert to_hex(display.synthetic_.get_facecolor()[0]) == "#000000"


def test_curves_that_are_not_smoothed_are_told_from_those_of_rows_held_out():
    curves = {1: make_curve()}
    display = LossCurveDisplay.from_curves(curves, validation_curves=curves, smoothing_window=1)
    names = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert names == ["class 1", "trained on", "held out"]


@pytest.mark.parametrize("window", [0, -3, 2.5, "wide", True])
def test_a_window_that_is_no_number_of_steps_is_told(window):
    with pytest.raises(ValueError, match="smoothing_window must be 'auto' or a whole number"):
        LossCurveDisplay.from_curves({1: make_curve()}, smoothing_window=window)


def test_curves_that_are_not_there_are_told():
    with pytest.raises(ValueError, match="at least one curve"):
        LossCurveDisplay.from_curves({})
    with pytest.raises(ValueError, match=r"found \[2\] besides"):
        LossCurveDisplay.from_curves({1: make_curve()}, {2: make_curve()})


# LatentSpaceDisplay


def test_two_latent_dimensions_are_drawn_as_they_are(fitted):
    sampler, X, y = fitted
    display = LatentSpaceDisplay.from_estimator(sampler, X, y, label=2, n_samples=30)
    assert_array_equal(display.real_.get_offsets(), sampler.encode(2, X[y == 2]))
    assert len(display.synthetic_.get_offsets()) == 30
    assert display.ax_.get_ylabel() == "Latent dimension 2"
    assert legend_texts(display.ax_) == ["8 real rows of class 2", "30 synthetic rows"]


@given(seed=SEEDS, n_dims=st.integers(3, 8), n_real=st.integers(3, 40))
def test_more_dimensions_are_drawn_in_those_in_which_real_rows_vary_most(seed, n_dims, n_real):
    rng = np.random.default_rng(seed)
    real = rng.normal(size=(n_real, n_dims)) * rng.exponential(size=n_dims)
    display = LatentSpaceDisplay.from_codes(real, rng.normal(size=(5, n_dims)))
    plt.close(display.figure_)
    variances = np.sort(np.linalg.eigvalsh(np.cov(real.T, ddof=0)))[::-1]
    drawn = np.asarray(display.real_.get_offsets())
    assert_allclose(drawn.var(axis=0), variances[:2], rtol=1e-6, atol=1e-9)
    share = variances[0] / variances.sum()
    assert display.ax_.get_xlabel() == f"Principal component 1 ({share:.0%} of variance)"


@given(seed=SEEDS, n_real=st.integers(1, 40), n_synthetic=st.integers(1, 40))
def test_one_latent_dimension_is_drawn_as_shares_in_the_same_bins(seed, n_real, n_synthetic):
    rng = np.random.default_rng(seed)
    codes = rng.normal(size=(n_real, 1)), rng.normal(size=(n_synthetic, 1))
    display = LatentSpaceDisplay.from_codes(*codes)
    plt.close(display.figure_)
    real, synthetic = display.real_.get_data(), display.synthetic_.get_data()
    assert_array_equal(real.edges, synthetic.edges)
    assert_allclose([real.values.sum(), synthetic.values.sum()], 1)


@pytest.mark.parametrize("n_real", [1, 2, 3])
def test_codes_of_few_or_equal_rows_are_drawn(n_real):
    for real in (IMAGES[:n_real], np.ones((n_real, 6))):
        for synthetic in (IMAGES[:4], np.ones((1, 6))):
            display = LatentSpaceDisplay.from_codes(real, synthetic)
            assert np.isfinite(display.real_.get_offsets()).all()


@pytest.mark.parametrize("n_shown", [1, 5])
def test_of_many_real_rows_some_are_shown(n_shown, fitted):
    sampler, X, y = fitted
    display = LatentSpaceDisplay.from_estimator(sampler, X, y, label=1, subsample=n_shown)
    shown = np.asarray(display.real_.get_offsets())
    codes = sampler.encode(1, X[y == 1])
    assert len(np.unique(shown, axis=0)) == n_shown
    assert all((np.isclose(codes, row, rtol=1e-5).all(axis=1)).any() for row in shown)
    with pytest.raises(ValueError, match="At least 1 row must be shown; 0 were asked for"):
        LatentSpaceDisplay.from_estimator(sampler, X, y, label=1, subsample=0)


@pytest.mark.parametrize("shapes", [((5, 2), (5, 3)), ((5,), (5,)), ((0, 2), (5, 2))])
def test_codes_that_do_not_match_are_told(shapes):
    with pytest.raises(ValueError, match=r"Pass what `VAEOversampler\.encode` returns"):
        LatentSpaceDisplay.from_codes(*map(np.zeros, shapes))


# Real and synthetic rows look the same in all displays


@pytest.mark.parametrize("name", ["codes", "points"])
def test_real_and_synthetic_points_differ_in_colour_and_in_shape(name):
    display = FROM_DATA[name](None)
    assert to_hex(display.real_.get_facecolor()[0]) == REAL
    assert to_hex(display.synthetic_.get_facecolor()[0]) == SYNTHETIC
    shapes = [artist.get_paths()[0].vertices for artist in (display.real_, display.synthetic_)]
    assert len(shapes[0]) != len(shapes[1])


def test_columns_have_the_same_colours_and_are_told_apart_without_them():
    display = FROM_DATA["columns"](None)
    for real, synthetic in zip(display.real_, display.synthetic_, strict=True):
        for artist, color, is_filled in ((real, REAL, True), (synthetic, SYNTHETIC, False)):
            patch = artist if not isinstance(artist, tuple) else artist[0]
            drawn = patch.get_facecolor() if is_filled else patch.get_edgecolor()
            assert to_hex(drawn) == color
            assert (patch.get_facecolor()[-1] > 0 and patch.get_fill()) == is_filled


# SyntheticSamplesDisplay


@given(
    seed=SEEDS,
    shape=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    n_images=st.tuples(st.integers(1, 20), st.integers(1, 20)),
)
def test_every_image_is_shown_once_upright_and_apart_from_the_others(seed, shape, n_images):
    rng = np.random.default_rng(seed)
    height, width = shape
    tables = [rng.random((number, height * width)) for number in n_images]
    display = SyntheticSamplesDisplay.from_samples(*tables, image_shape=shape, subsample=20)
    plt.close(display.figure_)
    for artist, table in zip((display.real_, display.synthetic_), tables, strict=True):
        mosaic = artist.get_array()
        shown = [
            mosaic[top : top + height, left : left + width].compressed()
            for top in range(0, mosaic.shape[0], height + 1)
            for left in range(0, mosaic.shape[1], width + 1)
        ]
        assert_array_equal([image for image in shown if len(image)], table)
        assert mosaic.count() == table.size


def test_images_have_one_scale():
    display = SyntheticSamplesDisplay.from_samples(IMAGES, 3 * IMAGES, image_shape=(2, 3))
    assert display.real_.get_clim() == display.synthetic_.get_clim()
    assert display.real_.get_clim() == (IMAGES.min(), 3 * IMAGES.max())


def test_images_are_as_many_as_asked_for_and_named_with_their_class(fitted):
    sampler, X, y = fitted
    display = SyntheticSamplesDisplay.from_estimator(
        sampler, X, y, label=1, image_shape=(5, 1), n_samples=7, subsample=4
    )
    titles = [ax.get_title() for ax in display.axes_]
    assert titles == ["4 real rows of class 1", "7 synthetic rows"]


@pytest.mark.parametrize("image_shape", [(2, 2), (6,), (1, 2, 3)])
def test_a_shape_that_rows_do_not_have_is_told(image_shape):
    with pytest.raises(ValueError, match=r"image_shape must be .* and 6 columns"):
        SyntheticSamplesDisplay.from_samples(IMAGES, IMAGES, image_shape=image_shape)


def test_categories_are_no_images():
    table = mixed_table()[["visits", "plan"]]
    with pytest.raises(ValueError, match="column 'plan' holds categories"):
        SyntheticSamplesDisplay.from_samples(table, table, image_shape=(1, 2))


@given(seed=SEEDS, scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
def test_the_unit_of_a_column_does_not_move_points(seed, scale, shift):
    tables = [mixed_table(30, seed)[["visits", "plan", "rating"]] for seed in (seed, seed + 1)]
    moved = [table.assign(visits=scale * table["visits"] + shift) for table in tables]
    displays = [SyntheticSamplesDisplay.from_samples(*each) for each in (tables, moved)]
    for display in displays:
        plt.close(display.figure_)
    for name in ("real_", "synthetic_"):
        assert_allclose(
            *(getattr(display, name).get_offsets() for display in displays), atol=1e-5
        )


@given(seed=SEEDS)
def test_rows_that_are_the_same_are_the_same_point(seed):
    table = mixed_table(40, seed)
    some = table.sample(20, random_state=seed)
    display = SyntheticSamplesDisplay.from_samples(table, some)
    plt.close(display.figure_)
    real, synthetic = display.real_.get_offsets(), display.synthetic_.get_offsets()
    assert_allclose(synthetic, np.asarray(real)[some.index], atol=1e-9)


@pytest.mark.parametrize(
    "from_samples",
    [SyntheticSamplesDisplay.from_samples, FeatureDistributionDisplay.from_samples],
)
def test_tables_that_do_not_match_are_told(from_samples):
    table = mixed_table()
    with pytest.raises(ValueError, match="same columns"):
        from_samples(table, table.drop(columns="plan"))
    with pytest.raises(ValueError, match="in the same order"):
        from_samples(table, table[table.columns[::-1]])
    with pytest.raises(ValueError, match=r"X_real must be a table|Expected 2D array"):
        from_samples(IMAGES[0], IMAGES)
    with pytest.raises(ValueError, match="X_synthetic must have at least 1 row"):
        from_samples(IMAGES, IMAGES[:0])


@pytest.mark.parametrize(
    "from_samples",
    [SyntheticSamplesDisplay.from_samples, FeatureDistributionDisplay.from_samples],
)
def test_an_array_may_stand_beside_a_frame(from_samples):
    frame = pd.DataFrame(IMAGES, columns=list("abcdef"))
    for display in (from_samples(frame, IMAGES[:5]), from_samples(IMAGES[:5], frame)):
        if isinstance(display, FeatureDistributionDisplay):
            assert [ax.get_title() for ax in display.axes_] == list("abcdef")


# FeatureDistributionDisplay


def shares_of(artist):
    if isinstance(artist, tuple):
        return np.array([bar.get_width() for bar in artist])
    return artist.get_data().values


@given(seed=SEEDS, n_real=st.integers(1, 150), n_synthetic=st.integers(1, 150))
def test_shares_of_a_column_and_what_lies_beyond_make_one(seed, n_real, n_synthetic):
    tables = mixed_table(n_real, seed), mixed_table(n_synthetic, seed + 1)
    display = FeatureDistributionDisplay.from_samples(*tables)
    plt.close(display.figure_)
    for number, marginal in enumerate(display.marginals):
        beyond = getattr(marginal, "beyond", (0, 0))
        for table, artists, share_beyond in zip(
            tables, (display.real_, display.synthetic_), beyond, strict=True
        ):
            is_known = table[marginal.name].notna().any()
            assert_allclose(shares_of(artists[number]).sum(), is_known - share_beyond)


@settings(max_examples=4)
@given(seed=SEEDS)
def test_the_order_of_rows_does_not_matter(seed):
    table = mixed_table(60, seed)
    shuffled = table.sample(frac=1, random_state=seed)
    shown = [FeatureDistributionDisplay.from_samples(each, table) for each in (table, shuffled)]
    for display in shown:
        plt.close(display.figure_)
    for one, other in zip(*(display.real_ for display in shown), strict=True):
        assert_allclose(shares_of(one), shares_of(other))


def test_shares_are_those_of_the_cells():
    real = pd.DataFrame({"kind": ["a", "a", "b", None], "count": [1.0, 2, 2, 4]})
    synthetic = pd.DataFrame({"kind": ["b", "a"], "count": [4.0, 4]})
    display = FeatureDistributionDisplay.from_samples(real, synthetic)
    kinds, counts = display.marginals
    assert kinds.levels == ("a", "b")
    assert_allclose(shares_of(display.real_[0]), [2 / 3, 1 / 3])
    assert_allclose(shares_of(display.synthetic_[0]), [1 / 2, 1 / 2])
    assert_allclose(counts.edges, [0.5, 1.5, 2.5, 3.5, 4.5])
    assert_allclose(shares_of(display.real_[1]), [0.25, 0.5, 0, 0.25])
    assert_allclose(shares_of(display.synthetic_[1]), [0, 0, 0, 1])
    assert display.axes_[0].get_xlabel() == "missing: 25% real, 0% synthetic"
    assert display.axes_[1].get_xlabel() == ""


@given(n_levels=st.integers(1, 40), seed=SEEDS)
def test_rare_levels_share_a_bar(n_levels, seed):
    rng = np.random.default_rng(seed)
    cells = np.array([f"level {number}" for number in range(n_levels)], dtype=object)
    cells = np.repeat(cells, rng.integers(1, 9, n_levels))[:, np.newaxis]
    display = FeatureDistributionDisplay.from_samples(cells, cells)
    plt.close(display.figure_)
    (marginal,) = display.marginals
    assert len(marginal.levels) == min(n_levels, 8)
    if n_levels > 8:
        assert marginal.levels[-1] == f"{n_levels - 7} others"
        assert marginal.real[:-1].min() * len(cells) >= 1
    frequent = marginal.real if n_levels <= 8 else marginal.real[:-1]
    assert (np.diff(frequent) <= 0).all()
    assert_array_equal(marginal.real, marginal.synthetic)


def test_a_level_that_only_synthetic_rows_have_is_shown():
    display = FeatureDistributionDisplay.from_samples([["a"], ["b"]], [["new"], ["a"]])
    (marginal,) = display.marginals
    assert marginal.levels == ("a", "b", "new")
    assert_allclose(marginal.synthetic, [0.5, 0, 0.5])


def test_ordered_levels_are_shown_in_their_order():
    sizes = pd.Categorical(["M", "M", "S", "L", "L", "L"], ["S", "M", "L", "XL"], ordered=True)
    real = pd.DataFrame({"size": sizes})
    synthetic = real.assign(size=sizes[[0, 1, 1, 3, 4, 5]])
    display = FeatureDistributionDisplay.from_samples(real, synthetic)
    (marginal,) = display.marginals
    assert marginal.levels == ("S", "M", "L")
    assert_allclose(marginal.real, [1 / 6, 2 / 6, 3 / 6])


def test_a_few_far_numbers_do_not_squeeze_the_others_and_are_counted():
    cells = np.append(np.linspace(-1, 1, 499), 1e6)[:, np.newaxis]
    display = FeatureDistributionDisplay.from_samples(cells, cells[:-1])
    (marginal,) = display.marginals
    assert marginal.edges[-1] < 5
    assert display.axes_[0].get_xlabel() == "beyond: 0.2% real, 0.0% synthetic"


def test_numbers_of_many_magnitudes_have_a_logarithmic_scale():
    display = FeatureDistributionDisplay.from_samples(
        mixed_table(), mixed_table(seed=1), columns=["income", "visits", "rating"]
    )
    assert [ax.get_xscale() for ax in display.axes_] == ["log", "linear", "linear"]


def test_times_are_shown_as_dates_whatever_their_unit():
    days = mixed_table()[["joined"]]
    hours = days + pd.Timedelta(hours=5)
    display = FeatureDistributionDisplay.from_samples(days, hours)
    low, high = mpl.dates.num2date(display.axes_[0].get_xlim())
    assert 2019 <= low.year <= high.year <= 2022
    assert_allclose(display.marginals[0].synthetic.sum(), 1)
    assert "20" in display.axes_[0].get_xticklabels()[0].get_text()


@given(
    start=st.datetimes(pd.Timestamp(1980, 1, 1), pd.Timestamp(2030, 1, 1)),
    days=st.floats(1e-3, 2e4),
)
def test_times_of_any_span_are_named_at_a_few_ticks(start, days):
    times = [[start + pd.Timedelta(days=share * days)] for share in np.linspace(0, 1, 9)]
    table = pd.DataFrame(times, columns=["when"])
    display = FeatureDistributionDisplay.from_samples(table, table)
    display.figure_.canvas.draw()
    plt.close(display.figure_)
    (ax,) = display.axes_
    low, high = ax.get_xlim()
    n_ticks = sum(low <= place <= high for place in ax.get_xticks())
    assert 1 <= n_ticks <= 7


def test_durations_are_shown_in_days():
    table = pd.DataFrame({"stay": pd.to_timedelta(np.arange(1, 50) * 12, unit="h")})
    display = FeatureDistributionDisplay.from_samples(table, table)
    assert display.axes_[0].get_title() == "stay (days)"
    assert_allclose(display.marginals[0].edges[[0, -1]], [0.5, 24.5])


@pytest.mark.parametrize(
    "cells", [[np.nan] * 5, [None] * 5, [3.0] * 5, ["only"] * 5, [True] * 5]
)
@pytest.mark.parametrize("others", ["the same", "missing"])
def test_columns_that_say_nothing_are_drawn(cells, others):
    table = pd.DataFrame({"empty": cells})
    synthetic = table if others == "the same" else pd.DataFrame({"empty": cells[:1]})
    display = FeatureDistributionDisplay.from_samples(table, synthetic)
    display.figure_.canvas.draw()
    assert display.axes_[0].get_title() == "empty"


@pytest.mark.parametrize(
    ("center", "width"),
    [(0, 1), (0, 1.7e308), (1.6e308, 1e307), (0, 1e-320), (1e16, 200), (1, 1e-14), (0, 1e4)],
    ids=str,
)
@pytest.mark.parametrize("is_whole", [False, True])
# matplotlib adds the edges up.
@pytest.mark.filterwarnings("ignore:overflow encountered in reduce:RuntimeWarning")
def test_numbers_of_any_size_are_all_in_one_of_the_bins(center, width, is_whole):
    table = center + width * np.random.default_rng(0).uniform(-1, 1, (60, 1))
    table = np.round(table) if is_whole else table
    (marginal,) = FeatureDistributionDisplay.from_samples(table, table[::2]).marginals
    if isinstance(marginal, NumberMarginal):
        assert (np.diff(marginal.edges) > 0).all()
        assert marginal.beyond == (0, 0)
    assert marginal.real.sum() == pytest.approx(1)
    assert marginal.synthetic.sum() == pytest.approx(1)


@pytest.mark.parametrize("n_columns", [1, 5, 12, 13, 40])
def test_the_first_twelve_columns_are_drawn_and_it_is_said_if_there_are_more(n_columns):
    table = np.random.default_rng(0).random((5, n_columns))
    display = FeatureDistributionDisplay.from_samples(table, table)
    assert len(display.axes_) == min(n_columns, 12)
    title = display.ax_.get_legend().get_title().get_text()
    assert (f"12 of {n_columns}" in title) == (n_columns > 12)


@pytest.mark.parametrize(
    "columns", [["visits", "city"], [2, 1], [-6, "city"], np.array([2, 1])], ids=str
)
def test_columns_are_chosen_by_name_or_index(columns):
    display = FeatureDistributionDisplay.from_samples(
        mixed_table(), mixed_table(seed=1), columns=columns
    )
    assert [ax.get_title() for ax in display.axes_] == ["visits", "city"]


@pytest.mark.parametrize("columns", [["visit"], [8], [1.5], [], "visits"])
def test_columns_that_are_not_there_are_told(columns):
    with pytest.raises(ValueError, match=r"`columns` must .* ind(ex|ices)"):
        FeatureDistributionDisplay.from_samples(mixed_table(), mixed_table(), columns=columns)


def test_a_column_that_changes_its_kind_is_told():
    numbers, text = pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": ["1", "2"]})
    with pytest.raises(ValueError, match="numbers in X_real and categories in X_synthetic"):
        FeatureDistributionDisplay.from_samples(numbers, text)


# ValidationDisplay


def test_reports_are_drawn_against_the_values_with_what_is_ideal():
    display = ValidationDisplay.from_reports(REPORTS, param_name="latent_dim")
    copies, auc = display.lines_
    assert_array_equal(copies.get_ydata(), [0.02, 0.05, 0.3])
    assert_array_equal(auc.get_ydata(), [0.9, 0.6, 0.55])
    assert [line.get_ydata()[0] for line in display.ideal_lines_] == [0.05, 0.5]
    lower = display.axes_[1]
    assert [tick.get_text() for tick in lower.get_xticklabels()] == ["1", "4", "16"]
    assert lower.get_xlabel() == "latent_dim"
    assert display.splits_ == []


@given(
    figures=st.lists(
        st.lists(st.floats(0, 1) | st.just(np.nan), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    ).filter(lambda rows: not np.isnan(rows).all())
)
def test_repeats_are_lines_around_the_mean_of_those_that_are_known(figures):
    reports = {
        f"value {number}": [Report(figure, figure) for figure in row]
        for number, row in enumerate(figures)
    }
    display = ValidationDisplay.from_reports(reports, param_name="latent_sampling")
    plt.close(display.figure_)
    expected = [
        np.mean([figure for figure in row if not np.isnan(figure)] or [np.nan])
        for row in figures
    ]
    with_gaps = np.concatenate([figures, np.full((1, 3), np.nan)])  # between two repeats
    for line, splits in zip(display.lines_, display.splits_, strict=True):
        assert_allclose(line.get_ydata(), expected)
        assert_array_equal(splits.get_ydata(), with_gaps.T.ravel())
    assert legend_texts(display.axes_[0])[:2] == ["mean of 3 splits", "each split"]


@pytest.mark.parametrize(
    ("reports", "message"),
    [
        ({}, "at least one value"),
        ({1: []}, "at least 1"),
        ({1: [REPORTS[1]], 2: [REPORTS[1]] * 2}, r"found \[1, 2\] for 2 values"),
        ({1: Report(np.nan, np.nan)}, "Hold out more rows"),
    ],
)
def test_reports_that_tell_nothing_are_told(reports, message):
    with pytest.raises(ValueError, match=message):
        ValidationDisplay.from_reports(reports)


@pytest.mark.parametrize("param", [("latent_dim", [1, 3]), ("latent_sampling", ["prior"])])
def test_clones_are_fitted_with_each_value_and_judged_by_rows_they_have_not_seen(param):
    name, values = param
    X, y = make_table({0: 60, 1: 40})
    sampler = quick(latent_dim=2)
    display = ValidationDisplay.from_estimator(
        sampler, X, y, param_name=name, param_range=values, n_repeats=2, random_state=0
    )
    assert display.param_range == values
    assert display.param_name == name
    assert display.near_copies.shape == display.auc.shape == (len(values), 2)
    assert display.log_density.shape == (len(values), 2)
    assert len(display.axes_) == 3
    assert_allclose(display.lines_[2].get_ydata(), display.log_density.mean(axis=1))
    assert ((display.auc >= 0) & (display.auc <= 1)).all()
    assert sampler.latent_dim == 2
    assert not hasattr(sampler, "vaes_")


def test_the_density_of_new_rows_is_lower_where_the_code_is_too_small():
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(300, 3))
    X = causes @ rng.normal(size=(3, 8)) + rng.normal(scale=0.2, size=(300, 8))
    y = np.arange(300) < 140
    display = ValidationDisplay.from_estimator(
        VAEOversampler(random_state=0), X, y, param_range=[1, 3], label=True, random_state=0
    )
    too_small, enough = display.log_density
    assert (too_small + 1 < enough).all()


def test_the_density_is_unknown_where_only_rows_held_out_have_a_level():
    X = mixed_table()
    X["city"] = [f"city {number}" for number in range(len(X))]
    display = ValidationDisplay.from_estimator(
        quick(categorical_features=["plan", "city", "member", "joined"]),
        X,
        np.arange(len(X)) < 40,
        param_range=[1],
        label=True,
        n_repeats=1,
        random_state=0,
    )
    assert np.isnan(display.log_density).all()
    assert not np.isnan(display.near_copies).any()


@pytest.mark.parametrize("to_container", CONTAINERS.values(), ids=CONTAINERS)
def test_a_parameter_is_judged_alike_on_tables_of_any_kind(to_container):
    X, y = make_table({0: 60, 1: 40})
    found = [
        ValidationDisplay.from_estimator(
            quick(), table, labels, param_range=[2], n_repeats=1, random_state=0
        )
        for table, labels in ((X, y), (to_container(X), y.tolist()))
    ]
    assert_allclose(found[0].near_copies, found[1].near_copies, atol=0.01)
    assert_allclose(found[0].auc, found[1].auc, atol=0.1)


def test_a_sampler_that_hands_back_its_rows_is_seen_to_memorize():
    X, y = make_table({0: 60, 1: 40})
    display = ValidationDisplay.from_estimator(
        quick(rejection_strength=0, latent_dim=8, max_iter=1000, hidden_layer_sizes=(128,)),
        X,
        y,
        param_name="smoothing",
        param_range=[0, 10],
        n_repeats=1,
        random_state=0,
    )
    memorizing, smooth = display.lines_[0].get_ydata()
    assert memorizing > smooth


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_repeats": 0}, "n_repeats must be at least 1"),
        ({"param_range": []}, "at least one value"),
        ({"param_name": "size"}, "Invalid parameter 'size'"),
        ({"label": 2}, "Class 2 has 0 rows in y"),
        ({"label": 0}, "A VAE is needed for class 0"),
    ],
)
def test_what_cannot_be_judged_is_told(arguments, message):
    X, y = make_table({0: 60, 1: 40})
    arguments = {"param_range": [1], "n_repeats": 1, "random_state": 0, **arguments}
    with pytest.raises(ValueError, match=message):
        ValidationDisplay.from_estimator(quick(), X, y, **arguments)


# SamplerComparisonDisplay


@given(seed=SEEDS, n_folds=st.integers(2, 8))
def test_each_fold_is_a_dot_around_the_mean_in_its_interval(seed, n_folds):
    comparison = make_comparison(n_folds, seed)
    display = SamplerComparisonDisplay.from_comparison(comparison)
    plt.close(display.figure_)
    groups = comparison.groupby(["metric", "sampler"], sort=False)["score"]
    assert len(display.fold_scores) == len(groups)
    for entry, dots, mean in zip(
        display.fold_scores, display.folds_, display.means_, strict=True
    ):
        scores = groups.get_group((entry.metric, entry.sampler))
        assert_allclose(dots.get_xdata(), scores)
        assert_allclose(mean[0].get_xdata(orig=False), scores.mean())
        ends = mean[2][0].get_segments()[0][:, 0]
        assert_allclose(ends.mean(), scores.mean())
        independent = scores.std() / np.sqrt(n_folds)
        assert ends[1] - ends[0] > 2 * 1.96 * independent


@given(seed=SEEDS)
def test_differences_are_those_of_the_same_fold(seed):
    comparison = make_comparison(5, seed).sample(frac=1, random_state=seed)
    display = SamplerComparisonDisplay.from_comparison(comparison, baseline="none")
    plt.close(display.figure_)
    assert {entry.sampler for entry in display.fold_scores} == {"SMOTE", "VAEOversampler"}
    scores = comparison.set_index(["metric", "sampler", "fold"])["score"].sort_index()
    for entry, dots in zip(display.fold_scores, display.folds_, strict=True):
        own, other = (scores[entry.metric, sampler] for sampler in (entry.sampler, "none"))
        assert_allclose(dots.get_xdata(), own - other)
    for panel in display.axes_:
        assert any(list(line.get_xdata()) == [0, 0] for line in panel.lines)
        assert panel.get_xlabel() == "score above that of none"


def test_a_difference_that_is_hardly_chance_has_a_colour():
    comparison = make_comparison(metrics=("f1",))
    effects = {"none": 0.5, "SMOTE": 0.7, "VAEOversampler": 0.3}
    comparison["score"] = comparison["sampler"].map(effects) + 0.001 * comparison["fold"] ** 2
    comparison.loc[comparison["sampler"] == "SMOTE", "score"] += 0.001 * np.arange(5)
    display = SamplerComparisonDisplay.from_comparison(comparison, baseline="none")
    colors = [to_hex(mean[0].get_color()) for mean in display.means_]
    assert colors == [REAL, SYNTHETIC]


def test_each_metric_has_a_panel_and_each_sampler_a_line_in_their_order():
    metrics = ("roc_auc_ovr_weighted", "average_precision", "f1")
    display = SamplerComparisonDisplay.from_comparison(make_comparison(metrics=metrics))
    titles = [ax.get_title() for ax in display.axes_]
    assert titles == ["ROC AUC OVR weighted", "Average precision", "F1"]
    names = [tick.get_text() for tick in display.axes_[0].get_yticklabels()]
    assert names == ["none", "SMOTE", "VAEOversampler"]
    low, high = display.axes_[0].get_ylim()
    assert low > high  # the first on top


def test_failures_are_told():
    comparison = make_comparison(metrics=("f1",))
    comparison.loc[comparison["sampler"] == "SMOTE", "score"] = np.nan
    last = (comparison["sampler"] == "VAEOversampler") & (comparison["fold"] == 4)
    comparison.loc[last, "score"] = np.nan
    display = SamplerComparisonDisplay.from_comparison(comparison)
    (panel,) = display.axes_
    assert [text.get_text() for text in panel.texts] == ["failed"]
    assert "VAEOversampler: 1 fold failed" in panel.get_xlabel()
    assert [len(dots.get_xdata()) for dots in display.folds_] == [5, 0, 4]


def test_one_fold_has_a_mean_without_an_interval():
    display = SamplerComparisonDisplay.from_comparison(make_comparison(n_folds=1))
    assert all(not mean.has_xerr for mean in display.means_)


def test_a_comparison_that_does_not_do_is_told():
    comparison = make_comparison()
    with pytest.raises(ValueError, match="no score"):
        SamplerComparisonDisplay.from_comparison(comparison.drop(columns="score"))
    with pytest.raises(ValueError, match="'ADASYN'"):
        SamplerComparisonDisplay.from_comparison(comparison, baseline="ADASYN")
    alone = comparison[comparison["sampler"] == "SMOTE"]
    with pytest.raises(ValueError, match="one besides the baseline"):
        SamplerComparisonDisplay.from_comparison(alone, baseline="SMOTE")


# What docstrings state

FIRST_COLUMNS = f"If None, draw the first {MOST_PANELS}."
SHOWN = f"If None, show {MOST_IMAGES} images, or {MOST_ROWS_SHOWN:,} points."
SMOOTHED = (
    f"{SMOOTHED_SHARE:.0%} of the steps, or 1 if there are fewer than {MIN_SMOOTHED_STEPS}"
)
DISPLAYS = [
    *(FeatureDistributionDisplay, LatentSpaceDisplay, LossCurveDisplay),
    *(SamplerComparisonDisplay, SyntheticSamplesDisplay, ValidationDisplay),
]
METHODS = [
    getattr(display, name)
    for display in DISPLAYS
    for name in dir(display)
    if name == "plot" or name.startswith("from_")
]


@pytest.mark.parametrize(
    ("documented", "sentence"),
    [
        (LossCurveDisplay.plot, SMOOTHED),
        (FeatureDistributionDisplay.from_estimator, FIRST_COLUMNS),
        (FeatureDistributionDisplay.from_samples, FIRST_COLUMNS),
        (SyntheticSamplesDisplay.from_estimator, SHOWN),
        (SyntheticSamplesDisplay.from_samples, SHOWN),
        (SamplerComparisonDisplay, f"The {CONFIDENCE:.0%} confidence intervals"),
        (FoldScores, f"its {CONFIDENCE:.0%} confidence interval"),
        (ValidationDisplay, f"than {1 - NEAR_SHARE:.0%} of new real rows"),
        (ValidationDisplay, f"If it exceeds {NEAR_SHARE:.0%} by more than chance"),
        (ValidationDisplay.from_estimator, f"fewer than {MIN_ROWS} rows of the class"),
        (compare_samplers, f"If None, use {DEFAULT_N_FOLDS} of them"),
    ],
)
def test_docstrings_state_the_constants(documented, sentence):
    assert_states(documented, sentence)


@pytest.mark.parametrize(
    "function",
    [*METHODS, *DISPLAYS, compare_samplers, paired_differences],
    ids=lambda one: one.__qualname__,
)
def test_documented_defaults_equal_the_real_ones(function):
    assert_defaults_are_documented(function)


def test_the_first_argument_of_from_estimator_is_the_estimator():
    for method in METHODS:
        if method.__name__ == "from_estimator":
            assert next(iter(inspect.signature(method).parameters)) == "estimator"
