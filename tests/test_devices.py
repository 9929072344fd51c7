"""A graphics processor gives rows as lawful as the processor's; skipped where there is none."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import make_table, quick
from numpy.testing import assert_array_equal

from vaesampler import VAEOversampler

IS_THERE = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}

pytestmark = pytest.mark.gpu


@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.skipif(not is_there, reason=f"no {name} device"))
        for name, is_there in IS_THERE.items()
    ]
)
def device(request):
    return request.param


@pytest.mark.parametrize("latent_sampling", ["prior", "posterior", "interpolate", "denoise"])
def test_rows_are_finite_and_the_same_for_the_same_seed(device, latent_sampling):
    X, y = make_table()
    sampler = quick(device=device, latent_sampling=latent_sampling)
    first, _ = sampler.fit_resample(X, y)
    assert np.isfinite(first).all()
    assert_array_equal(first[: len(X)], X)
    again = quick(device=device, latent_sampling=latent_sampling)
    assert_array_equal(again.fit_resample(X, y)[0], first)


def test_the_vaes_are_on_the_device_and_survive_pickling(device):
    sampler = quick(device=device).fit(*make_table())
    assert next(sampler.vaes_[1].parameters()).device.type == device
    copy = pickle.loads(pickle.dumps(sampler))
    drawn = [one.sample(1, 10, random_state=0) for one in (sampler, copy)]
    assert_array_equal(*drawn)


@pytest.mark.parametrize("counts", [{0: 300, 1: 60}, {0: 10_000, 1: 500}])
def test_rows_are_distributed_as_the_processor_s(device, counts):
    X, y = make_table(counts)
    here, there = (
        quick(device=one, max_iter=500, pretrain_iter=500).fit(X, y).sample(1, 4_000)
        for one in ("cpu", device)
    )
    np.testing.assert_allclose(there.mean(axis=0), here.mean(axis=0), atol=0.2)
    np.testing.assert_allclose(there.std(axis=0), here.std(axis=0), rtol=0.2)


@pytest.mark.parametrize("parameters", [{}, {"early_stopping": True}, {"pretrain_iter": 0}])
def test_categories_and_missing_cells_are_drawn_at_about_their_shares(device, parameters):
    rng = np.random.default_rng(0)
    n_rows = 600
    X = pd.DataFrame(
        {
            "age": rng.integers(20, 70, n_rows),
            "income": np.where(rng.random(n_rows) < 0.3, np.nan, rng.lognormal(size=n_rows)),
            "plan": pd.Categorical(rng.choice(["a", "b", None], n_rows, p=[0.6, 0.2, 0.2])),
        }
    )
    y = np.repeat([0, 1], [450, 150])
    sampler = VAEOversampler(random_state=0, device=device, **parameters).fit(X, y)
    drawn = sampler.sample(1, 2_000)
    assert (drawn.dtypes == X.dtypes).all()
    assert drawn["age"].between(20, 69).all()
    np.testing.assert_allclose(drawn.isna().mean(), X[y == 1].isna().mean(), atol=0.12)
    np.testing.assert_allclose((drawn == "b").mean(), (X[y == 1] == "b").mean(), atol=0.12)


def test_rows_drawn_on_the_processor_stay_when_the_device_is_pytorch_s_default(device):
    X, y = make_table()
    expected, _ = quick().fit_resample(X, y)
    torch.set_default_device(device)
    try:
        found, _ = quick().fit_resample(X, y)
    finally:
        torch.set_default_device(None)
    assert_array_equal(found, expected)


def test_the_loss_falls_as_it_does_on_the_processor(device):
    X, y = make_table({0: 300, 1: 60})
    here, there = (
        quick(device=one, max_iter=500, pretrain_iter=500).fit(X, y).loss_curves_[1].total[-50:]
        for one in ("cpu", device)
    )
    assert abs(there.mean() - here.mean()) < 0.5  # nats per row
