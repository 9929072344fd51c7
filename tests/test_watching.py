"""Training can be watched: curves, held-out rows, progress, warnings, callbacks."""

import io
import logging
import math
import sys
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
import torch
from conftest import make_table, quick
from hypothesis import given
from hypothesis import strategies as st
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer, load_wine, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from vaesampler import VAEOversampler
from vaesampler._encoding.layout import Layout
from vaesampler._runtime.settings import EarlyStoppingSettings
from vaesampler._training.early_stopping import EarlyStopping, HeldOutRows
from vaesampler._training.optimizer import FlatParameters
from vaesampler._vae.model import StackedVAE
from vaesampler.exceptions import (
    NotConvergedWarning,
    PosteriorCollapseWarning,
    SmallClassWarning,
    TrainingDivergedError,
)


@given(seed=st.integers(0, 1000), max_iter=st.integers(1, 25))
def test_curves_have_a_point_a_step_and_a_divergence_that_is_never_negative(seed, max_iter):
    sampler = quick(max_iter=max_iter, random_state=seed).fit(*make_table())
    for curve in sampler.loss_curves_.values():
        assert_array_equal(curve.step, np.arange(1, max_iter + 1))
        assert (curve.kl >= 0).all()
        assert_allclose(curve.total, curve.reconstruction + curve.kl)


def test_each_latent_dimension_has_its_part_in_the_divergence(table):
    sampler = quick(latent_dim=3, max_iter=100).fit(*table)
    for label, curve in sampler.loss_curves_.items():
        parts = sampler.latent_kl_[label]
        assert parts.shape == (3,)
        assert_allclose(parts.sum(), curve.kl[-20:].mean(), rtol=0.3)


# Held-out rows


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("n_rows", [3, 10, 41])
def test_early_stopping_holds_out_the_share_of_rows_that_was_asked_for(n_rows, fraction):
    X, y = make_table({0: 60, 1: n_rows})
    n_held_out = math.ceil(fraction * n_rows)
    if n_rows - n_held_out < 2:
        n_held_out = 0
    sampler = quick(early_stopping=True, validation_fraction=fraction, latent_dim=2).fit(X, y)
    entry = sampler._generators[1]
    found = 0 if entry.held_out_rows is None else len(entry.held_out_rows)
    assert (found, len(entry.own_rows)) == (n_held_out, n_rows - n_held_out)
    assert len(entry.rows) == n_rows - n_held_out
    assert set(sampler.validation_curves_) == ({1} if n_held_out else set())


def test_held_out_rows_and_the_others_are_the_classs_rows(table):
    X, y = table
    entry = quick(early_stopping=True).fit(X, y)._generators[1]
    together = [
        entry.cells(rows, np.random.default_rng(0))
        for rows in (entry.own_rows, entry.held_out_rows)
    ]
    rows = np.concatenate(together)
    assert_allclose(rows[np.lexsort(rows.T)], X[y == 1][np.lexsort(X[y == 1].T)], rtol=1e-5)


def test_training_stops_when_held_out_rows_gain_no_more(table):
    sampler = quick(early_stopping=True, max_iter=2000, n_iter_no_change=3).fit(*table)
    for label, n_steps in sampler.n_iter_.items():
        assert n_steps < 2000
        assert len(sampler.loss_curves_[label]) == n_steps
        validation = sampler.validation_curves_[label]
        assert_array_equal(validation.step, np.arange(10, n_steps + 1, 10))
        best = validation.total.argmin()
        assert validation.step[best] <= n_steps - 10 * 3


def test_a_larger_tolerance_stops_sooner(table):
    def steps(tol):
        sampler = quick(early_stopping=True, max_iter=400, tol=tol).fit(*table)
        return sampler.n_iter_[1]

    assert steps(1e6) == 10 * 11  # the first look improves on nothing, ten bring no more
    assert steps(1e6) < steps(0.0)


@given(seed=st.integers(0, 1000))
def test_every_vae_ends_where_its_held_out_rows_were_likeliest(seed):
    generator = torch.Generator().manual_seed(seed)
    vaes = StackedVAE(3, Layout(2), (4,), 2, "relu").initialize([generator] * 3)
    with torch.no_grad():
        parameters = FlatParameters(vaes)
        held_out = [HeldOutRows(torch.randn(5, 2, generator=generator), generator)] * 2
        stopping = EarlyStopping(
            vaes, parameters, [*held_out, None], EarlyStoppingSettings(0.1, 4, 0.0), 1.0
        )
        seen = []
        for look in range(1, 8):
            noise = torch.randn(len(parameters.values), generator=generator)
            parameters.values.detach().add_(0.3 * noise)
            stopping.look(10 * look)
            seen.append((stopping.looks[-1].sum(dim=0), parameters.values.detach().clone()))
        stopping.restore()
        last = seen[-1][1]
        for model in (0, 1):
            n_looks = stopping.steps_taken(model, 70) // 10
            best = min(seen[:n_looks], key=lambda entry: float(entry[0][model]))[1]
            is_own = parameters.owners() == model
            assert torch.equal(parameters.values.detach()[is_own], best[is_own])
        is_own = parameters.owners() == 2
        assert torch.equal(parameters.values.detach()[is_own], last[is_own])


@pytest.mark.parametrize("others", [{2: 30}, {0: 60}, {0: 41, 2: 9}])
def test_no_class_feels_when_the_others_stop(others, table):
    def class_1(strategy):
        sampler = quick(
            sampling_strategy=strategy,
            early_stopping=True,
            max_iter=200,
            n_iter_no_change=2,
            tol=0.05,
        ).fit(*table)
        return sampler.n_iter_[1], sampler.sample(1, 20, random_state=0)

    (alone, rows_alone), (beside, rows_beside) = class_1({1: 30}), class_1({1: 30, **others})
    assert alone == beside
    assert_allclose(rows_alone, rows_beside, rtol=1e-2, atol=1e-2)


def test_early_stopping_of_large_tables_looks_at_some_rows():
    X, y = make_classification(
        60_000, 20, n_informative=10, weights=[0.8], flip_y=0, random_state=0
    )
    sampler = quick(early_stopping=True, rejection_strength=0).fit(X, y)
    assert len(sampler.validation_curves_[1]) == 1


# Progress


def test_training_is_silent_unless_it_is_asked_to_speak(table, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    quick().fit_resample(*table)
    quick(verbose=1).fit_resample(*table)  # this is no terminal
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_terminal_shows_a_bar_with_the_losses_that_then_goes_away(table, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    quick(verbose=True, max_iter=1500).fit(*table)
    shown = terminal.getvalue()
    assert "VAEOversampler:  " in shown
    assert "class 1" in shown
    assert shown.split("\r")[-2].strip() == ""


def test_lines_go_to_the_log_until_the_last_step(table, caplog):
    caplog.set_level(logging.INFO, logger="vaesampler")
    quick(verbose=2, max_iter=60).fit(*table)
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(",")[0] for line in lines] == [
        "step 15 of 75",
        "step 65 of 75",
        "step 75 of 75",
    ]
    assert "all classes" in lines[0]
    assert all("class 1" in line and "class 2" in line for line in lines[1:])


# Warnings


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_defaults_warn_of_nothing_on_ordinary_tables(load, seed):
    X, y = load(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        VAEOversampler(random_state=seed).fit(X, y)
        VAEOversampler(random_state=seed, early_stopping=True).fit(X, y)


def the_only_warning(category, sampler, X, y):
    with pytest.warns(category) as caught:
        sampler.fit(X, y)
    (warning,) = [entry for entry in caught if isinstance(entry.message, category)]
    return str(warning.message)


def test_too_little_training_is_told_with_the_class_and_the_remedy():
    X, y = make_table({0: 60, 1: 20})
    sampler = VAEOversampler(learning_rate_init=1e-5, random_state=0)
    message = the_only_warning(NotConvergedWarning, sampler, X, y)
    assert "class 1" in message
    assert "Raise `max_iter`" in message


def test_a_latent_space_without_use_is_told_with_the_class_and_the_remedy():
    X, y = load_breast_cancer(return_X_y=True)
    sampler = VAEOversampler(beta=1e4, random_state=0)
    message = the_only_warning(PosteriorCollapseWarning, sampler, X, y)
    assert "class 0" in message
    assert "Lower `beta`" in message
    assert (sampler.latent_kl_[0] < 0.01).all()


@pytest.mark.parametrize("n_constant", [0, 1, 3])
@pytest.mark.parametrize("is_missing", [False, True])
def test_one_column_that_varies_needs_no_latent_space(n_constant, is_missing):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=300), np.full((300, n_constant), 7.0)])
    y = np.arange(300) % 10 == 0
    if is_missing:
        X[~y, 1:] = np.nan  # which are constant in either class
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sampler = VAEOversampler(beta=1e4, random_state=0).fit(X, y)
    assert (sampler.latent_kl_[True] < 0.01).all()


@pytest.mark.parametrize("method", ["fit", "fit_resample"])
def test_a_warning_points_to_the_line_that_called(method):
    X, y = make_table({0: 60, 1: 3})
    samplers = [quick(), make_pipeline(StandardScaler(), quick())]
    if method == "fit":  # of a sampler between others, joblib stands in between too
        samplers.append(make_pipeline(quick(), LogisticRegression()))
    for sampler in samplers:
        with pytest.warns(SmallClassWarning) as caught:
            getattr(sampler, method)(X, y)
        (warning,) = [one for one in caught if isinstance(one.message, SmallClassWarning)]
        assert warning.filename == __file__


def test_a_class_too_small_to_hold_rows_out_is_told():
    X, y = make_table({0: 60, 1: 2})
    sampler = quick(early_stopping=True, latent_dim=1)
    message = the_only_warning(SmallClassWarning, sampler, X, y)
    assert "class 1" in message.lower()
    assert sampler.validation_curves_ == {}


# Codes


def test_codes_are_of_the_same_rows_in_any_container(table):
    X, y = table
    names = list("abcde")
    codes = quick().fit(X, y).encode(1, X)
    assert codes.shape == (len(X), 4)
    for frame in (pd.DataFrame(X, columns=names), pl.DataFrame(X, schema=names)):
        assert_array_equal(quick().fit(frame, y).encode(1, frame), codes)


def test_the_matrix_of_rows_is_what_the_vae_of_their_class_encodes():
    X, y = mixed()
    sampler = quick().fit(X, y)
    matrix = sampler.to_matrix(1, X)
    assert matrix.dtype == np.float32
    assert matrix.shape == (80, sampler.vaes_[1].layout.width)
    means = sampler.vaes_[1].encode(torch.from_numpy(matrix)[None]).mean[0]
    assert_allclose(means.detach(), sampler.encode(1, X), rtol=1e-4, atol=1e-5)
    own = matrix[y == 1, 0]
    assert abs(own.mean()) < 0.01
    assert 0.8 < own.std() < 1.2


def mixed():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"size": rng.normal(size=80), "kind": rng.choice(["a", "b", "c"], 80)})
    return X, np.repeat([0, 1], [60, 20])


def test_codes_of_rows_that_cannot_be_encoded_are_refused_with_a_reason():
    X, y = mixed()
    sampler = quick().fit(X, y)
    assert sampler.encode(1, X[:3]).shape == (3, 4)
    with pytest.raises(ValueError, match=r"'kind' must hold what was seen.*\['d'\]"):
        sampler.encode(1, X.assign(kind="d"))
    with pytest.raises(ValueError, match="'size' has missing cells"):
        sampler.encode(1, X.assign(size=np.nan))
    with pytest.raises(ValueError, match="'size' held numbers when fitting"):
        sampler.encode(1, X.assign(size="large"))
    with pytest.raises(ValueError, match="feature names"):
        sampler.encode(1, X[["kind", "size"]])
    with pytest.raises(ValueError, match="A VAE is needed for class 0"):
        sampler.encode(0, X)


# Report


def test_the_report_judges_each_class_by_its_held_out_rows_the_same_each_time(table):
    first, second = (quick(early_stopping=True).fit(*table) for _ in range(2))
    assert set(first.report_) == {1, 2}
    assert str(first.report_[1]) == str(second.report_[1])
    assert first.report_[1] is first.report_[1]


def test_the_report_of_a_mixed_frame_knows_its_columns():
    X, y = mixed()
    report = quick(early_stopping=True, validation_fraction=0.3).fit(X, y).report_[1]
    assert "size" in str(report) or "size" in report.to_frame().to_string()


def test_a_report_without_held_out_rows_says_how_to_get_one(table):
    sampler = quick().fit(*table)
    with pytest.raises(AttributeError, match="early_stopping=True"):
        sampler.report_  # noqa: B018


# scikit-learn's callbacks

needs_callbacks = pytest.mark.skipif(
    not hasattr(VAEOversampler, "set_callbacks"),
    reason=f"scikit-learn {sklearn.__version__} has no callbacks",
)


class Recorder:
    def __init__(self):
        self.events = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context):
        self.events.append(("end", context.task_name))

    def teardown(self, estimator, context):
        self.events.append("teardown")


@needs_callbacks
def test_a_sampler_with_callbacks_is_not_saved(table, tmp_path):
    sampler = quick().set_callbacks(Recorder()).fit(*table)
    with pytest.raises(TypeError, match="its callbacks"):
        sampler.save(tmp_path / "sampler")
    assert list(tmp_path.iterdir()) == []


@needs_callbacks
@pytest.mark.parametrize("method", ["fit", "fit_resample"])
def test_callbacks_hear_of_the_fit_and_of_its_steps(table, method):
    recorder = Recorder()
    sampler = quick(max_iter=100).set_callbacks(recorder)
    getattr(sampler, method)(*table)
    step = [("begin", "optimizer steps"), ("end", "optimizer steps")]
    assert recorder.events == [
        "setup",
        ("begin", "fit"),
        *(3 * step),  # 15 on all rows, then twice 50
        ("end", "fit"),
        "teardown",
    ]


@needs_callbacks
def test_callbacks_are_torn_down_after_an_error(table):
    recorder = Recorder()
    X, y = table
    with pytest.raises(TrainingDivergedError):
        quick(learning_rate_init=1e30).set_callbacks(recorder).fit(X, y)
    assert recorder.events[-2:] == [("end", "fit"), "teardown"]
