"""Drawn residuals are correlated as the decoder's, and larger for some rows than for others."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaesampler import VAEOversampler
from vaesampler._generation.residuals import (
    SHARES_TO_KEEP,
    Neighborhood,
    ResidualModel,
    Residuals,
)

seeds = st.integers(0, 1000)


def normal(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def spread(errors):  # (n_rows, n_features) to (n_rows,)
    return errors.square().mean(dim=1).sqrt()


def fit(errors, learned, counted=None):
    rows = Residuals(errors, counted)
    return ResidualModel.fit(rows, rows, learned, 1.0)


@given(seed=seeds, n_features=st.integers(2, 60), rank=st.integers(2, 60))
def test_rows_that_differ_by_chance_only_are_drawn_around_alike(seed, n_features, rank):
    # Columns that go together, and deviate unequally, leave more to chance.
    errors = normal(seed, 1000, rank) @ normal(seed + 1, rank, n_features)
    found = fit(errors, torch.ones(n_features))
    assert found.share_of_rows < 0.35
    order = spread(errors).argsort()
    generator = torch.Generator().manual_seed(seed)
    calm, wild = (
        spread(found.draw(500, generator, Residuals(errors[rows], None)))
        for rows in (order[:500], order[500:])
    )
    assert wild.mean() < 1.2 * calm.mean()


@given(seed=seeds, n_features=st.integers(12, 60), ratio=st.floats(3, 10))
def test_a_row_drawn_around_one_that_errs_more_errs_more(seed, n_features, ratio):
    calm, wild = normal(seed, 500, n_features), ratio * normal(seed + 1, 500, n_features)
    errors = torch.cat([calm, wild])
    found = fit(errors, errors.square().mean(dim=0).sqrt())
    assert 0.5 < found.share_of_rows <= 1
    generator = torch.Generator().manual_seed(seed)
    around_calm, around_wild = (
        spread(found.draw(500, generator, Residuals(rows, None))) for rows in (calm, wild)
    )
    assert around_wild.mean() > 1.6 * around_calm.mean()
    drawn = found.draw(1000, generator, Residuals(errors, None))
    torch.testing.assert_close(spread(drawn.T), spread(errors.T), rtol=0.25, atol=0)


@given(seed=seeds, n_rows=st.integers(1, 50), n_features=st.integers(0, 5))
def test_what_does_not_count_is_not_looked_at(seed, n_rows, n_features):
    errors, decoded, rows = (normal(seed + number, n_rows, n_features) for number in (0, 1, 2))
    counted = (normal(seed + 3, n_rows, n_features) > 0).float()
    other = torch.where(counted > 0, errors, 100 * errors)
    other_decoded = torch.where(counted > 0, decoded, 100 * decoded)
    sources = torch.arange(n_rows)
    cases = []
    for one, at in ((errors, decoded), (other, other_decoded)):
        own = Residuals(one, counted)
        found = fit(one, torch.ones(n_features), counted)
        found = found.keeping(Neighborhood(sources, at, own), sources, counted * rows)
        generator = torch.Generator().manual_seed(seed)
        drawn = found.draw(n_rows, generator, own)
        cases.append((found.share_of_rows, found.share_kept, counted * drawn))
    assert cases[0][:2] == cases[1][:2]
    torch.testing.assert_close(cases[0][2], cases[1][2], equal_nan=True)


def told_from(rows, errors, sources):
    """Return what is kept of errors that the rows are made of, all decoded as zero."""
    learned = errors.square().mean(dim=0).sqrt()
    own = Residuals(errors[sources], None)
    near = Neighborhood(sources, torch.zeros_like(own.values), own)
    return fit(errors, learned).keeping(near, torch.arange(len(rows)), rows)


@given(seed=seeds, n_rows=st.integers(10, 300), n_features=st.integers(3, 200))
def test_of_errors_that_are_noise_nothing_is_kept(seed, n_rows, n_features):
    errors = normal(seed, n_rows, n_features)
    assert told_from(errors, errors, torch.arange(n_rows)).share_kept == 0


def errors_of_four_kinds(seed, n_rows, n_features):
    kinds = normal(seed, 4, n_features)[torch.arange(n_rows) % 4]
    return kinds + 0.05 * normal(seed + 1, n_rows, n_features)


@given(seed=seeds, n_rows=st.integers(8, 100))
def test_of_fewer_rows_than_columns_no_errors_are_kept(seed, n_rows):
    errors = errors_of_four_kinds(seed, n_rows, n_rows + 1)
    assert told_from(errors, errors, torch.arange(n_rows)).share_kept == 0


@given(seed=seeds, n_rows=st.integers(40, 300), n_features=st.integers(3, 40))
def test_of_errors_that_other_rows_share_most_is_kept(seed, n_rows, n_features):
    errors = errors_of_four_kinds(seed, n_rows, n_features)
    found = told_from(errors, errors, torch.arange(n_rows).repeat(3))
    assert found.share_kept == max(SHARES_TO_KEEP)
    drawn = found.draw(n_rows, torch.Generator().manual_seed(seed), Residuals(errors, None))
    part_of_errors = float((drawn * errors).sum() / errors.square().sum())
    assert part_of_errors == pytest.approx(found.share_kept, abs=0.3)
    # What is kept takes the place of noise.
    torch.testing.assert_close(spread(drawn).mean(), spread(errors).mean(), rtol=0.25, atol=0)


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
