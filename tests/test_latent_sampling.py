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
from vaesampler._generation import latent
from vaesampler._generation.latent import LATENT_SAMPLERS, draw_codes
from vaesampler._vae.model import StackedVAE
from vaesampler._vae.posterior import Posterior

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


class RowsAsCodes:
    """An encoder whose posterior means are the rows; it keeps how many rows it was given."""

    latent_dim = 6

    def __init__(self, log_var=0.0):
        self.log_var = log_var
        self.n_rows = []

    def encode(self, rows):
        self.n_rows.append(rows.shape[1])
        return Posterior(rows, torch.full_like(rows, self.log_var))


@pytest.mark.parametrize("noise_level", [0.2, 1.0, 3.0])
def test_the_noise_of_a_denoised_row_has_the_level_in_deviations_of_each_column(noise_level):
    deviations = torch.tensor([0.01, 0.3, 1.0, 2.0, 10.0, 100.0])
    rows = deviations * torch.randn(1, 50, 6, generator=torch.Generator().manual_seed(1))
    z, sources = draw(DenoisingSampling(noise_level), RowsAsCodes(), rows, n_samples=20_000)
    noise = (z - rows[:, sources])[0] / rows[0].std(dim=0)
    assert noise.mean(dim=0).abs().max() < 0.05 * noise_level
    torch.testing.assert_close(
        noise.std(dim=0), torch.full((6,), noise_level), rtol=0.03, atol=0
    )
    correlations = np.corrcoef(noise.T) - np.eye(6)
    assert np.abs(correlations).max() < 0.05


@pytest.mark.parametrize("deviation", [0.1, 1.0, 5.0])
def test_posterior_draws_deviate_from_their_rows_as_much_as_the_posterior(deviation, rows):
    vae = RowsAsCodes(2 * np.log(deviation))
    z, sources = draw(PosteriorSampling(), vae, rows, n_samples=20_000)
    assert (z - rows[:, sources]).std() == pytest.approx(deviation, rel=0.02)


@pytest.mark.parametrize("n_neighbors", [1, 3])
def test_interpolated_codes_are_spread_evenly_on_the_way_to_every_neighbor(n_neighbors, rows):
    z, sources = draw(InterpolationSampling(n_neighbors), RowsAsCodes(), rows, 24_000)
    start = rows[0, sources]
    ranks = torch.cdist(rows[0], rows[0]).argsort(dim=1)[:, 1 : n_neighbors + 1]
    way = rows[0, ranks][sources] - start[:, None]  # to each neighbour
    share = ((z[0] - start)[:, None] * way).sum(dim=-1) / way.square().sum(dim=-1)
    off_way = (start[:, None] + share[..., None] * way - z[0][:, None]).norm(dim=-1)
    nearest_way = off_way.argmin(dim=1)
    shares = share.gather(1, nearest_way[:, None])[:, 0]
    deciles = torch.quantile(shares, torch.linspace(0, 1, 11))
    torch.testing.assert_close(deciles, torch.linspace(0, 1, 11), atol=0.02, rtol=0)
    used = torch.bincount(nearest_way, minlength=n_neighbors) / len(nearest_way)
    torch.testing.assert_close(
        used, torch.full((n_neighbors,), 1 / n_neighbors), atol=0.02, rtol=0
    )


def test_the_documented_defaults_are_the_real_ones():
    assert InterpolationSampling() == InterpolationSampling(n_neighbors=5)
    assert DenoisingSampling() == DenoisingSampling(noise_level=0.5)


@pytest.mark.parametrize("name", ["posterior", "interpolate", "denoise"])
@pytest.mark.parametrize("n_samples", [7, 200])
def test_many_rows_are_encoded_in_blocks_each_once(name, n_samples, rows, monkeypatch):
    monkeypatch.setattr(latent, "BLOCK_ROWS", 5)
    vae = RowsAsCodes(-40.0)
    sampler = DenoisingSampling(0) if name == "denoise" else LATENT_SAMPLERS[name]
    z, sources = draw(sampler, vae, rows, n_samples)
    assert z.shape == (1, n_samples, 6)
    assert max(vae.n_rows) == 5
    assert sum(vae.n_rows) == (N_ROWS if name == "interpolate" else n_samples)
    if name != "interpolate":
        torch.testing.assert_close(z, rows[:, sources])


class Returns(LatentSampler):
    def __init__(self, z, sources=None):
        self.drawn = LatentDraw(z, sources)

    def draw(self, vae, rows, n_samples, generator):
        return self.drawn


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
@pytest.mark.parametrize("sources", [[0, 0], [N_ROWS - 1, N_ROWS - 1], [0, N_ROWS - 1]])
def test_sources_may_be_any_of_the_rows_and_codes_any_finite_numbers(dtype, sources, rows):
    z = torch.tensor([[[0.0] * 6, [-3e38] * 6]])
    sampler = Returns(z, torch.tensor(sources, dtype=dtype))
    drawn = draw_codes(sampler, "rare", RowsAsCodes(), rows, 2, torch.Generator())
    assert torch.equal(drawn.z, z)
    assert drawn.sources.tolist() == sources


@pytest.mark.parametrize("sources", [[-1, 0], [0, N_ROWS]])
def test_sources_that_are_none_of_the_rows_are_refused(sources, rows):
    sampler = Returns(torch.zeros(1, 2, 6), torch.tensor(sources))
    with pytest.raises(
        ValueError, match=f"from 0 to {N_ROWS - 1}, .* {sources[0]} to {sources[1]}"
    ):
        draw_codes(sampler, "rare", RowsAsCodes(), rows, 2, torch.Generator())


def test_codes_and_sources_of_another_device_are_refused_with_both(rows):
    z, sources = torch.zeros(1, 2, 6), torch.zeros(2, dtype=torch.int64)
    for sampler in (Returns(z.to("meta")), Returns(z, sources.to("meta"))):
        with pytest.raises(ValueError, match=r"on cpu.*; found .*, on meta"):
            draw_codes(sampler, "rare", RowsAsCodes(), rows, 2, torch.Generator())


@pytest.mark.parametrize("n_wrong", [1, 2])
def test_codes_with_a_number_that_is_not_finite_are_counted(n_wrong, rows):
    z = torch.zeros(1, 3, 6)
    z[0, :n_wrong, 2] = torch.nan
    with pytest.raises(ValueError, match=f"in {n_wrong} of 3 codes of class 'rare'"):
        draw_codes(Returns(z), "rare", RowsAsCodes(), rows, 3, torch.Generator())


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
