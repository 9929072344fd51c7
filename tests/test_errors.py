"""Drawn rows err as the decoder does: columns together, and some rows more than others."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaesampler import VAEOversampler
from vaesampler._errors import DecoderErrors

seeds = st.integers(0, 1000)


def normal(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def spread(errors):  # (n_rows, n_features) to (n_rows,)
    return errors.square().mean(dim=1).sqrt()


@given(seed=seeds, n_features=st.integers(2, 60))
def test_rows_that_differ_by_chance_only_are_drawn_around_alike(seed, n_features):
    errors = normal(seed, 1000, n_features)
    found = DecoderErrors.fit(errors, None, torch.ones(n_features), 1.0)
    assert found.share_of_rows < 0.35
    scale = found.scale(errors, None)
    assert 0.8 < float(scale.quantile(0.1)) <= float(scale.quantile(0.9)) < 1.25


@given(seed=seeds, n_features=st.integers(12, 60), ratio=st.floats(3, 10))
def test_a_row_drawn_around_one_that_errs_more_errs_more(seed, n_features, ratio):
    calm, wild = normal(seed, 500, n_features), ratio * normal(seed + 1, 500, n_features)
    errors = torch.cat([calm, wild])
    learned = errors.square().mean(dim=0).sqrt()
    found = DecoderErrors.fit(errors, None, learned, 1.0)
    assert 0.5 < found.share_of_rows <= 1
    generator = torch.Generator().manual_seed(seed)
    around_calm, around_wild = (
        spread(found.draw(500, generator, found.scale(rows, None))) for rows in (calm, wild)
    )
    assert around_wild.mean() > 1.6 * around_calm.mean()
    drawn = found.draw(1000, generator, found.scale(errors, None))
    torch.testing.assert_close(spread(drawn.T), spread(errors.T), rtol=0.25, atol=0)


@given(seed=seeds, n_rows=st.integers(1, 50), n_features=st.integers(0, 5))
def test_what_does_not_count_is_not_looked_at(seed, n_rows, n_features):
    errors = normal(seed, n_rows, n_features)
    counted = (normal(seed + 1, n_rows, n_features) > 0).float()
    other = torch.where(counted > 0, errors, 100 * errors)
    found, same = (
        DecoderErrors.fit(rows, counted, torch.ones(n_features), 1.0)
        for rows in (errors, other)
    )
    assert found.share_of_rows == same.share_of_rows
    torch.testing.assert_close(
        found.scale(errors, counted), same.scale(other, counted), equal_nan=True
    )


@pytest.mark.parametrize("latent_sampling", ["prior", "posterior", "interpolate", "denoise"])
def test_a_class_of_calm_and_wild_rows_is_drawn_so(latent_sampling):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 12)) * np.where(np.arange(400) % 2, 1, 8)[:, None]
    X = np.concatenate([rng.normal(size=(800, 12)), rows])
    y = np.repeat([0, 1], [800, 400])
    sampler = VAEOversampler(
        latent_sampling=latent_sampling, rejection_strength=0, max_iter=100, random_state=0
    )
    drawn = spread(torch.from_numpy(sampler.fit(X, y).sample(1, 400)))
    if latent_sampling != "prior":  # which draws around no row
        assert drawn.quantile(0.8) > 2 * drawn.quantile(0.2)
    assert torch.isfinite(drawn).all()
