"""A graphics processor gives rows as lawful as the processor's; skipped where there is none."""

import pickle

import numpy as np
import pytest
import torch
from conftest import make_table, quick
from numpy.testing import assert_array_equal

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


def test_the_loss_falls_as_it_does_on_the_processor(device):
    X, y = make_table({0: 300, 1: 60})
    here, there = (
        quick(device=one, max_iter=500, pretrain_iter=500).fit(X, y).loss_curves_[1].total[-50:]
        for one in ("cpu", device)
    )
    assert abs(there.mean() - here.mean()) < 0.5  # nats per row
