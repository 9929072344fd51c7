"""Wrong input gets an error that says what to do, and leaves nothing half-fitted."""

import datetime
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from conftest import make_table, quick
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError

from vaesampler import LatentSampler, PosteriorSampling, PriorSampling, VAEOversampler
from vaesampler._encoding.layout import Layout
from vaesampler._encoding.rows import DenseRows
from vaesampler._runtime.settings import TrainingSettings
from vaesampler._training import retries
from vaesampler._training.loop import ClassRows, train
from vaesampler._training.retries import train_with_retries
from vaesampler._training.smoothing import SmoothedRows
from vaesampler._vae.model import StackedVAE
from vaesampler.exceptions import (
    DuplicatedRowsWarning,
    SmallClassWarning,
    TrainingDivergedError,
)


def with_cell(X, value):
    X = X.copy()
    X[3, 2] = value
    return X


def frame_with(column):
    X, _ = make_table()
    return pd.DataFrame(X, columns=list("abcde")).assign(wrong=column(len(X)))


class FrameOfAnotherLibrary:
    columns = ("a", "b")


X, Y = make_table()
ALONE = np.where(np.arange(len(Y)) == 0, "rare", np.where(Y == 0, "a", "b"))
CASES = {
    "a class of one row": (X, ALONE, {}, ["'rare' has 1 row", "at least 2", "Leave it out"]),
    "fewer rows asked than there are": (
        X,
        Y,
        {"sampling_strategy": {1: 5}},
        ["class 1 has 12", "5 were asked", "at least 12"],
    ),
    "infinity": (with_cell(X, np.inf), Y, {}, ["finite", "infinity", "column 2"]),
    "infinity in a frame": (
        frame_with(lambda n: [np.inf] * n),
        Y,
        {},
        ["finite", "infinity", "60 cells", "'wrong'"],
    ),
    "infinity among objects": (
        with_cell(X.astype(object), float("-inf")),
        Y,
        {},
        ["finite", "infinity", "column 2"],
    ),
    "infinity in a sparse matrix": (
        sparse.csc_matrix(with_cell(X, -np.inf)),
        Y,
        {},
        ["infinity", "column 2"],
    ),
    "text that is not named as categories": (
        frame_with(lambda n: ["x"] * n),
        Y,
        {"categorical_features": ["a"]},
        ["numbers", "'wrong'", "categorical_features", "'auto'"],
    ),
    "a name that is no column": (
        frame_with(lambda n: ["x"] * n),
        Y,
        {"categorical_features": ["wrong", "colour"]},
        ["'colour'", "'a', 'b', 'c'"],
    ),
    "an index beyond the columns": (
        X,
        Y,
        {"categorical_features": [0, 5]},
        ["5", "from -5 to 4"],
    ),
    "a name where there are none": (
        X,
        Y,
        {"categorical_features": ["a"]},
        ["'a'", "'column 0'"],
    ),
    "an index that is a fraction": (X, Y, {"categorical_features": [0.5]}, ["0.5", "index"]),
    "a mask that is too short": (
        X,
        Y,
        {"categorical_features": [True, False]},
        ["mask", "2 values", "5 columns"],
    ),
    "a mask of two dimensions": (
        X,
        Y,
        {"categorical_features": [[True] * 5]},
        ["categorical_features", "2 dimensions"],
    ),
    "an unknown word": (X, Y, {"categorical_features": "all"}, ["'categorical_features'"]),
    "an object array with text among numbers": (
        with_cell(X.astype(object), "x"),
        Y,
        {},
        ["all be numbers, or all text", "float, str", "column 2"],
    ),
    "text among numbers in a frame": (
        frame_with(lambda n: [1.5, "x"] * (n // 2)),
        Y,
        {},
        ["float, str", "'wrong'"],
    ),
    "truth values among text": (
        frame_with(lambda n: [True, "x"] * (n // 2)),
        Y,
        {},
        ["bool, str", "'wrong'"],
    ),
    "dates as objects": (
        with_cell(X.astype(object), datetime.date(2026, 1, 1)),
        Y,
        {},
        ["numbers", "date, float", "column 2"],
    ),
    "a complex number among objects": (
        with_cell(X.astype(object), 1j),
        Y,
        {},
        ["numbers", "complex", "column 2"],
    ),
    "complex numbers in a frame": (
        frame_with(lambda n: np.ones(n) * 1j),
        Y,
        {},
        ["numbers", "'wrong'"],
    ),
    "lists in a frame": (frame_with(lambda n: [[1]] * n), Y, {}, ["list", "'wrong'"]),
    "dicts in an array": (
        with_cell(X.astype(object), {"a": 1}),
        Y,
        {},
        ["dict", "column 2", "numbers"],
    ),
    "lists in a polars frame": (
        pl.DataFrame({"a": X[:, 0], "wrong": [[1]] * len(X)}),
        Y,
        {},
        ["List", "'wrong'", "Convert"],
    ),
    "an array of months": (
        X.astype("datetime64[M]"),
        Y,
        {},
        ["unit from days to nanoseconds", "column 0", "astype"],
    ),
    "columns of one name": (
        pd.DataFrame(X, columns=["a", "b", "b", "c", "a"]),
        Y,
        {},
        ["different names", "['a', 'b']", "Rename"],
    ),
    "a missing label": (
        X,
        pd.Series(np.where(Y == 1, None, "x"), dtype=object),
        {},
        ["class of every row", "12 missing"],
    ),
    "a frame without rows": (pd.DataFrame(X).iloc[:0], Y[:0], {}, ["0 sample", "minimum of 1"]),
    "a frame of another length": (
        pd.DataFrame(X),
        Y[:-1],
        {},
        ["inconsistent numbers of samples", "60", "59"],
    ),
    "complex numbers": (X.astype(complex), Y, {}, ["Complex data not supported"]),
    "lengths that differ": (X, Y[:-1], {}, ["inconsistent numbers of samples", "60", "59"]),
    "no rows": (X[:0], Y[:0], {}, ["0 sample", "minimum of 1"]),
    "no columns": (X[:, :0], Y, {}, ["0 feature", "minimum of 1"]),
    "one dimension": (X[:, 0], Y, {}, ["Expected 2D", "reshape"]),
    "several labels a row": (X, np.ones((len(X), 3), dtype=int), {}, ["Multilabel"]),
    "one class": (X, np.zeros(len(X)), {}, ["more than 1 class"]),
    "three dimensions": (X[None], Y[:1], {}, ["dim 3"]),
    "continuous labels": (X, np.linspace(0, 1, len(X)), {}, ["Unknown label type"]),
    "fewer rows asked by a callable": (
        X,
        Y,
        {"sampling_strategy": lambda y: {1: 5}},
        ["class 1 has 12", "5 were asked", "at least 12"],
    ),
    "a ratio below the present one": (
        *make_table({0: 40, 1: 12}),
        {"sampling_strategy": 0.1},
        ["ratio", "increase"],
    ),
    "a ratio for three classes": (X, Y, {"sampling_strategy": 0.5}, ["binary", "use a dict"]),
    "a class that is not there": (X, Y, {"sampling_strategy": {9: 50}}, ["9", "not present"]),
    "half a row asked": (X, Y, {"sampling_strategy": {1: 50.5}}, ["class 1", "50.5", "whole"]),
    "text asked": (X, Y, {"sampling_strategy": {1: "50"}}, ["class 1", "'50'", "whole"]),
    "a ratio of zero": (X, Y, {"sampling_strategy": 0.0}, ["'sampling_strategy'", "Got 0.0"]),
    "the majority": (X, Y, {"sampling_strategy": "majority"}, ["'not minority'"]),
    "latent_dim=0": (X, Y, {"latent_dim": 0}, ["'latent_dim'", "Got 0"]),
    "no hidden layer": (
        X,
        Y,
        {"hidden_layer_sizes": ()},
        ["hidden_layer_sizes", "at least one layer", "found ()"],
    ),
    "a layer without units": (X, Y, {"hidden_layer_sizes": (8, 0)}, ["at least 1 unit"]),
    "a negative learning rate": (X, Y, {"learning_rate_init": -1.0}, ["'learning_rate_init'"]),
    "an unknown way to draw": (X, Y, {"latent_sampling": "magic"}, ["'latent_sampling'"]),
    "a strategy's class": (X, Y, {"latent_sampling": PriorSampling}, ["'latent_sampling'"]),
    "an infinite beta": (X, Y, {"beta": np.inf}, ["'beta'", "Got inf"]),
    "an empty batch": (X, Y, {"batch_size": 0}, ["'batch_size'", "Got 0"]),
    "an unknown device": (X, Y, {"device": "abacus"}, ["'device'", "'cuda'", "'abacus'"]),
    "an unknown activation": (X, Y, {"activation": "step"}, ["'activation'", "'relu'"]),
    "no steps": (X, Y, {"max_iter": 0}, ["'max_iter'", "Got 0"]),
}


@pytest.mark.parametrize("method", ["fit", "fit_resample"])
@pytest.mark.parametrize("case", CASES)
def test_the_error_says_what_is_wrong_and_nothing_is_half_fitted(case, method):
    rows, labels, parameters, words = CASES[case]
    sampler = quick(**parameters)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        getattr(sampler, method)(rows, labels)
    for word in words:
        assert word in str(caught.value)
    assert not [name for name in vars(sampler) if name.endswith("_") or name.startswith("_")]


@pytest.mark.parametrize("case", ["a class of one row", "infinity", "a mask that is too short"])
def test_a_fitted_sampler_stays_fitted_to_its_last_table_after_an_error(case, table):
    sampler = quick().fit(*table)
    before = sampler.sample(1, 3, random_state=0)
    rows, labels, parameters, _ = CASES[case]
    with pytest.raises(ValueError, match=r".+"):
        sampler.set_params(**parameters).fit_resample(rows, labels)
    assert_array_equal(sampler.sample(1, 3, random_state=0), before)
    assert sampler.n_features_in_ == 5


# Without rejection each class is drawn at once: the first one succeeds, the next one fails.
class FailsAtTheSecondDraw(LatentSampler):
    def __init__(self, error):
        self.error = error
        self.n_draws = 0

    def draw(self, vae, rows, n_samples, generator):
        self.n_draws += 1
        if self.n_draws == 2:
            raise self.error
        return PosteriorSampling().draw(vae, rows, n_samples, generator)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError(), KeyError("mine")])
def test_an_interrupted_fit_leaves_nothing_half_fitted(error, table):
    sampler = quick(latent_sampling=FailsAtTheSecondDraw(error), rejection_strength=0)
    before = dict(vars(sampler))
    with pytest.raises(type(error)):
        sampler.fit_resample(*table)
    assert vars(sampler) == before


@pytest.mark.parametrize(
    "parameters", [{"learning_rate_init": 1e30}, {"latent_dim": 0}, {"device": "mps"}], ids=str
)
def test_a_fitted_sampler_stays_fitted_when_new_parameters_fail(parameters, table):
    if "device" in parameters and torch.backends.mps.is_available():
        pytest.skip("mps is there")
    sampler = quick().fit(*table)
    before = sampler.sample(1, 3, random_state=0)
    with pytest.raises((ValueError, TrainingDivergedError)):
        sampler.set_params(**parameters).fit_resample(*table)
    assert_array_equal(sampler.sample(1, 3, random_state=0), before)
    assert not hasattr(sampler, "synthetic_mask_")


@pytest.mark.parametrize("method", ["fit", "fit_resample"])
@pytest.mark.parametrize("frame", [FrameOfAnotherLibrary(), pl.LazyFrame({"a": [1, 2]})])
def test_a_frame_that_is_not_in_memory_or_not_known_is_named(method, frame):
    sampler = quick()
    before = dict(vars(sampler))
    with pytest.raises(TypeError, match=rf"in memory.*{type(frame).__name__}.*to_pandas"):
        getattr(sampler, method)(frame, [0, 1])
    assert vars(sampler) == before


@pytest.mark.parametrize("device", ["cuda", "mps", torch.device("cuda", 7)])
def test_a_device_that_is_not_there_is_named(device, table):
    kind = torch.device(device).type
    present = (
        torch.cuda.device_count() > 7
        if str(device) == "cuda:7"
        else (
            torch.cuda.is_available() if kind == "cuda" else torch.backends.mps.is_available()
        )
    )
    if present:
        pytest.skip(f"{device} is there")
    with pytest.raises(ValueError, match=rf"'device'.*finds no '{device}' on this.*'auto'"):
        quick(device=device).fit_resample(*table)


@pytest.mark.parametrize(("pretrain_iter", "whose"), [(0, "class 1"), (10, "all classes")])
def test_a_loss_that_is_not_finite_names_the_class_and_the_step(pretrain_iter, whose):
    X, y = make_table({0: 30, 1: 10})
    sampler = quick(learning_rate_init=1e30, pretrain_iter=pretrain_iter)
    with pytest.raises(TrainingDivergedError, match=rf"{whose}.*step \d+.*learning_rate_init"):
        sampler.fit_resample(X, y)
    assert not hasattr(sampler, "vaes_")


@pytest.mark.parametrize("diverging", [0, 1, 2])
def test_a_diverged_class_is_the_one_named_among_those_trained_beside_it(diverging):
    labels = ["common", "rare", "rarer"]
    generators = [torch.Generator().manual_seed(number) for number in range(3)]
    rows = torch.randn(3, 10, 4, generator=generators[0])
    rows[diverging] *= 1e30
    classes = [
        ClassRows(
            label,
            SmoothedRows.fit(DenseRows(own.numpy()), Layout(own.shape[1]), 0.0, "cpu"),
            generator,
        )
        for label, own, generator in zip(labels, rows, generators, strict=True)
    ]
    vaes = StackedVAE(3, Layout(4), (8,), 2, "relu").initialize(generators)
    settings = TrainingSettings(
        max_iter=5, learning_rate_init=1e-2, batch_size=8, beta=1.0, alpha=0.0
    )
    with pytest.raises(TrainingDivergedError) as caught:
        train(vaes, classes, settings)
    assert (caught.value.label, caught.value.step) == (labels[diverging], 1)


@pytest.mark.parametrize(
    ("n_rows", "width", "seed"),
    [(60, 1_000, 0), (200, 2_000, 0), (200, 2_000, 1), (60, 5_000, 0)],
)
def test_wide_tables_of_correlated_columns_do_not_diverge(n_rows, width, seed):
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_rows, 3)) @ rng.normal(size=(3, width))
    X = factors + 0.01 * rng.normal(size=(n_rows, width))
    y = np.arange(n_rows) < n_rows // 4
    drawn = VAEOversampler(random_state=seed).fit(X, y).sample(True, 10)
    assert np.isfinite(drawn).all()


@pytest.mark.parametrize(("largest_step", "n_attempts"), [(0.01, 1), (0.005, 2), (2e-4, 3)])
def test_a_class_that_diverges_is_trained_again_by_itself_with_smaller_steps(
    monkeypatch, largest_step, n_attempts
):
    attempts = []

    def train_or_diverge(vaes, classes, settings, *_):
        labels = [entry.label for entry in classes]
        attempts.append((labels, settings.learning_rate_init))
        if "rare" in labels and settings.learning_rate_init > largest_step:
            raise TrainingDivergedError("rare", 3)
        return [None] * len(labels)

    monkeypatch.setattr(retries, "train", train_or_diverge)
    settings = TrainingSettings(
        max_iter=5, learning_rate_init=0.01, batch_size=8, beta=1.0, alpha=0.0
    )
    trained = train_with_retries(
        ["common", "rare"],
        lambda label: ClassRows(label, None, None),
        lambda n_models: StackedVAE(n_models, Layout(4), (8,), 2, "relu"),
        settings,
    )
    assert list(trained) == ["common", "rare"]
    rates = [rate for labels, rate in attempts if "rare" in labels]
    assert rates == [0.01, 0.00125, 0.00015625][:n_attempts]
    assert all(rate == 0.01 for labels, rate in attempts if "common" in labels)


@pytest.mark.parametrize("rejection_strength", [0.0, 1.0])
def test_weights_that_the_last_step_made_useless_are_noticed(rejection_strength):
    sampler = quick(
        learning_rate_init=1e30,
        max_iter=1,
        pretrain_iter=0,
        rejection_strength=rejection_strength,
    )
    with pytest.raises(TrainingDivergedError, match="class 1"):
        sampler.fit_resample(*make_table({0: 30, 1: 10}))


def test_the_error_survives_pickling():
    error = pickle.loads(pickle.dumps(TrainingDivergedError("rare", 7)))
    assert str(error) == str(TrainingDivergedError("rare", 7))
    assert (error.label, error.step) == ("rare", 7)


def test_a_class_of_equal_rows_warns_and_gives_copies():
    X, y = make_table({0: 30, 1: 6})
    X[y == 1] = X[y == 1][0]
    with pytest.warns(DuplicatedRowsWarning, match="All 6 rows of class 1 are the same"):
        X_new, _ = quick().fit_resample(X, y)
    assert (X_new[36:] == X[y == 1][0]).all()


def test_a_class_smaller_than_the_latent_space_warns_and_works():
    X, y = make_table({0: 30, 1: 3})
    with pytest.warns(SmallClassWarning, match="Class 1 has 3 rows, fewer than the 4"):
        X_new, _ = quick().fit_resample(X, y)
    assert np.isfinite(X_new).all()


def test_a_class_of_as_many_rows_as_latent_dimensions_does_not_warn():
    X, y = make_table({0: 30, 1: 4})
    assert np.isfinite(quick(latent_dim=4).fit_resample(X, y)[0]).all()
    with pytest.warns(SmallClassWarning):
        quick(latent_dim=5).fit_resample(X, y)


def test_sampling_before_fitting_is_refused():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        quick().sample(1, 3)


def test_sampling_a_class_that_was_not_fitted_names_those_that_were(table):
    sampler = quick().fit(*table)
    with pytest.raises(ValueError, match=r"class 0.*fitted ones are \[1, 2\]"):
        sampler.sample(0, 3)


@pytest.mark.parametrize("random_state", [-1, 2.7, "seven"])
def test_a_wrong_seed_for_a_sample_is_refused(random_state, table):
    with pytest.raises(ValueError, match=f"random_state.*{random_state}"):
        quick().fit(*table).sample(1, 3, random_state=random_state)


@pytest.mark.parametrize("n_samples", [-1, 2.5, "3", None, np.nan])
def test_a_wrong_number_of_samples_is_refused(n_samples, table):
    with pytest.raises(ValueError, match="whole number of at least 0; found"):
        quick().fit(*table).sample(1, n_samples)
