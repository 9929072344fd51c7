"""Each way to draw goes where it says in latent space."""

import numpy as np
import pytest
import torch
from conftest import quick

from vaesampler import (
    DenoisingSampling,
    InterpolationSampling,
    LatentDraw,
    LatentSampler,
    PosteriorSampling,
    PriorSampling,
)
from vaesampler._encoding.layout import Layout
from vaesampler._generation.latent import LATENT_SAMPLERS
from vaesampler._vae.model import StackedVAE

N_ROWS = 12


@pytest.fixture
def vae():
    return StackedVAE(1, Layout(6), (8,), 2, "tanh").initialize(
        [torch.Generator().manual_seed(0)]
    )


@pytest.fixture
def rows():
    return torch.randn(1, N_ROWS, 6, generator=torch.Generator().manual_seed(1))


def draw(sampler, vae, rows, n_samples=100, seed=2):
    with torch.no_grad():
        return sampler.draw(vae, rows, n_samples, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", sorted(LATENT_SAMPLERS))
@pytest.mark.parametrize("n_samples", [1, 5, 100])
def test_every_way_draws_as_many_finite_points_as_asked(name, n_samples, vae, rows):
    z, sources = draw(LATENT_SAMPLERS[name], vae, rows, n_samples)
    assert z.shape == (1, n_samples, 2)
    assert torch.isfinite(z).all()
    assert sources is None or sources.shape == (n_samples,)


@pytest.mark.parametrize("name", sorted(LATENT_SAMPLERS))
def test_the_generator_is_the_only_source_of_randomness(name, vae, rows):
    first = draw(LATENT_SAMPLERS[name], vae, rows).z
    torch.testing.assert_close(draw(LATENT_SAMPLERS[name], vae, rows).z, first)
    assert not torch.equal(draw(LATENT_SAMPLERS[name], vae, rows, seed=3).z, first)


@pytest.mark.parametrize("name", sorted(LATENT_SAMPLERS))
def test_drawing_leaves_the_global_generators_and_the_rows_alone(name, vae, rows):
    rows_before = rows.clone()
    numpy_before, torch_before = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    draw(LATENT_SAMPLERS[name], vae, rows)
    for before, after in zip(numpy_before, np.random.get_state(), strict=True):  # noqa: NPY002
        np.testing.assert_array_equal(before, after)
    assert torch.equal(torch_before, torch.get_rng_state())
    assert torch.equal(rows, rows_before)


@pytest.mark.parametrize("name", ["posterior", "interpolate", "denoise"])
def test_real_rows_are_used_about_equally_often(name, vae, rows):
    sources = draw(LATENT_SAMPLERS[name], vae, rows, n_samples=100).sources
    counts = torch.bincount(sources, minlength=N_ROWS)
    assert counts.max() - counts.min() <= 1


def test_prior_draws_are_standard_normal(vae, rows):
    z, sources = draw(PriorSampling(), vae, rows, n_samples=20_000)
    assert sources is None
    assert abs(z.mean()) < 0.03
    assert abs(z.std() - 1) < 0.03


def test_posterior_draws_scatter_about_their_sources_as_the_posterior_says(vae, rows):
    z, sources = draw(PosteriorSampling(), vae, rows, n_samples=12_000)
    posterior = vae.encode(rows)
    scores = (z - posterior.mean[:, sources]) / torch.exp(0.5 * posterior.log_var[:, sources])
    assert abs(scores.mean()) < 0.03
    assert abs(scores.std() - 1) < 0.03


@pytest.mark.parametrize("n_neighbors", [1, 3, N_ROWS])
def test_interpolated_points_lie_between_the_means_of_a_row_and_a_near_one(
    n_neighbors, vae, rows
):
    (z,), sources = draw(InterpolationSampling(n_neighbors), vae, rows)
    (means,) = vae.encode(rows).mean
    start = means[sources]
    ranks = torch.cdist(start, means).argsort(dim=1)
    near = means[ranks[:, 1 : n_neighbors + 1]]  # the nearest is the row itself
    # A point lies on a line where going through it is no detour.
    detour = (
        (z - start).norm(dim=-1)[:, None]
        + (near - z[:, None]).norm(dim=-1)
        - (near - start[:, None]).norm(dim=-1)
    )
    assert (detour.amin(dim=1) < 1e-5).all()


def test_interpolation_copes_with_fewer_rows_than_neighbors(vae, rows):
    assert draw(InterpolationSampling(n_neighbors=5), vae, rows[:, :2]).z.shape == (1, 100, 2)


def test_denoising_without_noise_gives_the_posterior_means(vae, rows):
    z, sources = draw(DenoisingSampling(noise_level=0.0), vae, rows)
    torch.testing.assert_close(z, vae.encode(rows).mean[:, sources])


def test_more_noise_scatters_denoised_points_more(vae, rows):
    def scatter(noise_level):
        z, sources = draw(DenoisingSampling(noise_level), vae, rows)
        return (z - vae.encode(rows).mean[:, sources]).std()

    assert scatter(2.0) > scatter(0.5) > scatter(0.1)


@pytest.mark.parametrize("n_neighbors", [0, -1, 2.5])
def test_numbers_of_neighbors_out_of_range_are_refused(n_neighbors):
    with pytest.raises((ValueError, TypeError), match=f"n_neighbors .*{n_neighbors}"):
        InterpolationSampling(n_neighbors)


@pytest.mark.parametrize("noise_level", [-1.0, np.nan, np.inf])
def test_noise_levels_out_of_range_are_refused(noise_level):
    with pytest.raises(ValueError, match=f"noise_level .*{noise_level}"):
        DenoisingSampling(noise_level)


class TwiceThePrior(LatentSampler):
    def draw(self, vae, rows, n_samples, generator):
        assert rows.dtype == torch.float32
        assert rows.ndim == 3
        z, sources = PriorSampling().draw(vae, rows, n_samples, generator)
        return LatentDraw(2 * z, sources)


class ThePriorAgain(LatentSampler):
    def draw(self, vae, rows, n_samples, generator):
        return PriorSampling().draw(vae, rows, n_samples, generator)


def test_a_users_own_strategy_decides_where_rows_are_drawn(table):
    by_name = quick(latent_sampling="prior").fit_resample(*table)[0]
    same = quick(latent_sampling=ThePriorAgain()).fit_resample(*table)[0]
    other = quick(latent_sampling=TwiceThePrior()).fit_resample(*table)[0]
    np.testing.assert_array_equal(same, by_name)
    assert not np.array_equal(other, by_name)


class KeepingRows(LatentSampler):
    def __init__(self, wants_different_rows):
        self.wants_different_rows = wants_different_rows
        self.seen, self.wanted = [], []

    def draw(self, vae, rows, n_samples, generator):
        self.seen.append(rows[0])
        self.wanted.append(n_samples)
        return PosteriorSampling().draw(vae, rows, n_samples, generator)


@pytest.mark.parametrize("n_samples", [5, 1_000])
def test_strategies_that_compare_rows_are_given_each_once(n_samples, table):
    assert InterpolationSampling().wants_different_rows
    X, y = table
    sampler = KeepingRows(wants_different_rows=True)
    quick(latent_sampling=sampler, smoothing=0).fit(X, y).sample(1, n_samples)
    for rows in sampler.seen:
        assert len(rows) == len(torch.unique(rows, dim=0)) == (y == 1).sum()


def test_other_strategies_are_given_as_many_moved_rows_as_are_drawn(table):
    sampler = KeepingRows(wants_different_rows=False)
    quick(latent_sampling=sampler, rejection_strength=0).fit(*table).sample(1, 1_000)
    assert sum(sampler.wanted) >= 1_000
    for rows, n_samples in zip(sampler.seen, sampler.wanted, strict=True):
        assert len(rows) == len(torch.unique(rows, dim=0)) >= n_samples


@pytest.mark.parametrize("name", sorted(LATENT_SAMPLERS))
def test_a_name_stands_for_the_strategy_with_its_defaults(name, table):
    by_name = quick(latent_sampling=name).fit_resample(*table)[0]
    by_object = quick(latent_sampling=LATENT_SAMPLERS[name]).fit_resample(*table)[0]
    np.testing.assert_array_equal(by_name, by_object)
