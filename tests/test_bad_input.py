"""Wrong input gets an error that says what to do, and leaves nothing half-fitted."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import make_table, quick
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError

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
    "NaN": (with_cell(X, np.nan), Y, {}, ["finite", "NaN", "column 2", "SimpleImputer"]),
    "infinity": (with_cell(X, np.inf), Y, {}, ["finite", "infinity", "column 2"]),
    "NaN in a sparse matrix": (
        sparse.csr_array(with_cell(X, np.nan)),
        Y,
        {},
        ["NaN", "column 2"],
    ),
    "NaN in a frame": (
        frame_with(lambda n: [np.nan] * n),
        Y,
        {},
        ["NaN", "'wrong'", "SimpleImputer"],
    ),
    "text in a frame": (frame_with(lambda n: ["x"] * n), Y, {}, ["numbers", "'wrong'"]),
    "dates": (
        frame_with(lambda n: pd.date_range("2026-01-01", periods=n)),
        Y,
        {},
        ["numbers", "'wrong'", "leave them out"],
    ),
    "categories": (
        frame_with(lambda n: pd.Categorical(["x"] * n)),
        Y,
        {},
        ["numbers", "'wrong'", "OneHotEncoder"],
    ),
    "an array of text": (X.astype(str), Y, {}, ["numbers", "column 0"]),
    "an object array with text": (
        with_cell(X.astype(object), "x"),
        Y,
        {},
        ["numbers", "column 2"],
    ),
    "complex numbers": (X.astype(complex), Y, {}, ["Complex data not supported"]),
    "lengths that differ": (X, Y[:-1], {}, ["inconsistent numbers of samples"]),
    "no rows": (X[:0], Y[:0], {}, ["0 sample"]),
    "one class": (X, np.zeros(len(X)), {}, ["more than 1 class"]),
    "three dimensions": (X[None], Y[:1], {}, ["dim 3"]),
    "continuous labels": (X, np.linspace(0, 1, len(X)), {}, ["Unknown label type"]),
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


@pytest.mark.parametrize("case", ["a class of one row", "NaN", "text in a frame"])
def test_a_fitted_sampler_stays_fitted_to_its_last_table_after_an_error(case, table):
    sampler = quick().fit(*table)
    before = sampler.sample(1, 3, random_state=0)
    rows, labels, _, _ = CASES[case]
    with pytest.raises(ValueError, match=r".+"):
        sampler.fit_resample(rows, labels)
    assert_array_equal(sampler.sample(1, 3, random_state=0), before)
    assert sampler.n_features_in_ == 5


def test_a_frame_of_another_library_is_named():
    with pytest.raises(TypeError, match=r"FrameOfAnotherLibrary.*to_pandas"):
        quick().fit_resample(FrameOfAnotherLibrary(), [0, 1])


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
    with pytest.raises(ValueError, match=rf"device='{device}'.*no such device.*'auto'"):
        quick(device=device).fit_resample(*table)


@pytest.mark.parametrize(("pretrain_iter", "whose"), [(0, "class 1"), (10, "all classes")])
def test_a_loss_that_is_not_finite_names_the_class_and_the_step(pretrain_iter, whose):
    X, y = make_table({0: 30, 1: 10})
    sampler = quick(learning_rate_init=1e30, pretrain_iter=pretrain_iter)
    with pytest.raises(TrainingDivergedError, match=rf"{whose}.*step \d+.*learning_rate_init"):
        sampler.fit_resample(X, y)
    assert not hasattr(sampler, "vaes_")


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


def test_sampling_before_fitting_is_refused():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        quick().sample(1, 3)


def test_sampling_a_class_that_was_not_fitted_names_those_that_were(table):
    sampler = quick().fit(*table)
    with pytest.raises(ValueError, match=r"class 0.*fitted ones are \[1, 2\]"):
        sampler.sample(0, 3)


@pytest.mark.parametrize("n_samples", [-1, 2.5, "3"])
def test_a_wrong_number_of_samples_is_refused(n_samples, table):
    with pytest.raises(ValueError, match="whole number of at least 0; found"):
        quick().fit(*table).sample(1, n_samples)
