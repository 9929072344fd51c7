"""Which real row each synthetic row was drawn around."""

from pathlib import Path

import numpy as np
import pytest
from conftest import make_table, quick
from numpy.testing import assert_array_equal

from vaesampler import VAEOversampler

FORMAT_1 = Path(__file__).parent / "saved" / "format_1.safetensors"
SAMPLINGS = ("posterior", "interpolate", "denoise")


@pytest.mark.parametrize("latent_sampling", SAMPLINGS)
@pytest.mark.parametrize("rejection_strength", [0, 4])
def test_a_source_is_a_real_row_of_the_class(table, latent_sampling, rejection_strength):
    X, y = table
    sampler = quick(latent_sampling=latent_sampling, rejection_strength=rejection_strength)
    _, y_resampled = sampler.fit_resample(X, y)
    sources = sampler.source_indices_
    assert sources.dtype == np.intp
    assert_array_equal(y[sources], y_resampled[sampler.synthetic_mask_])


def test_rows_from_the_prior_have_no_source(table):
    sampler = quick(latent_sampling="prior")
    sampler.fit_resample(*table)
    assert (sampler.source_indices_ == -1).all()
    rows, sources = sampler.sample(1, 7, return_sources=True)
    assert rows.shape == (7, 5)
    assert_array_equal(sources, np.full(7, -1))


def test_a_category_is_mostly_that_of_the_source(table):
    X, y = table
    categories = np.arange(len(y)) % 4
    X = np.column_stack([X[:, 0], categories]).astype(object)
    X[:, 1] = [f"level {one}" for one in categories]
    sampler = quick(rejection_strength=0, smoothing=0)
    X_resampled, _ = sampler.fit_resample(X, y)
    drawn = X_resampled[sampler.synthetic_mask_, 1]
    assert np.mean(drawn == X[sampler.source_indices_, 1]) > 0.85  # 1/4 by chance


def test_rows_lie_nearer_to_their_sources_than_to_others_rows(table):
    X, y = table
    sampler = quick(max_iter=200, pretrain_iter=200, smoothing=0).fit(X, y)
    rows, sources = sampler.sample(1, 200, random_state=0, return_sources=True)
    own = np.linalg.norm(rows - X[sources], axis=1).mean()
    others = np.linalg.norm(rows - X[np.roll(sources, 1)], axis=1).mean()
    assert own < 0.9 * others


def test_held_out_rows_are_never_sources():
    X, y = make_table({0: 60, 1: 30, 2: 20}, seed=1)
    sampler = quick(early_stopping=True, validation_fraction=0.3).fit(X, y)
    for label, n_held_out in ((1, 9), (2, 6)):
        _, sources = sampler.sample(label, 2_000, random_state=0, return_sources=True)
        assert set(y[sources]) == {label}
        assert len(set(sources)) == np.sum(y == label) - n_held_out


def test_sources_change_no_rows_and_fewer_are_the_first_of_more(table):
    sampler = quick().fit(*table)
    rows, sources = sampler.sample(1, 900, random_state=3, return_sources=True)
    assert_array_equal(rows, sampler.sample(1, 900, random_state=3))
    fewer_rows, fewer = sampler.sample(1, 20, random_state=3, return_sources=True)
    assert_array_equal(fewer_rows, rows[:20])
    assert_array_equal(fewer, sources[:20])


def test_sources_are_those_of_all_classes_in_the_order_of_the_rows():
    X, y = make_table({"a": 30, "b": 12, "c": 9}, seed=2)
    sampler = quick(sampling_strategy={"c": 20, "b": 40, "a": 30})
    _, y_resampled = sampler.fit_resample(X, y)
    assert len(sampler.source_indices_) == 28 + 11
    assert_array_equal(y[sampler.source_indices_], y_resampled[len(y) :])
    sampler.fit(X, y)
    assert not hasattr(sampler, "source_indices_")
    sampler.set_params(sampling_strategy={}).fit_resample(X, y)
    assert len(sampler.source_indices_) == 0


def test_saved_samplers_know_their_sources(table, tmp_path):
    sampler = quick(early_stopping=True)
    sampler.fit_resample(*table)
    sampler.save(tmp_path / "file")
    loaded = VAEOversampler.load(tmp_path / "file")
    assert_array_equal(loaded.source_indices_, sampler.source_indices_)
    expected = sampler.sample(2, 30, random_state=0, return_sources=True)
    found = loaded.sample(2, 30, random_state=0, return_sources=True)
    for one, other in zip(expected, found, strict=True):
        assert_array_equal(one, other)


def test_samplers_without_rows_have_prior_draws_without_sources(table, tmp_path):
    sampler = quick(latent_sampling="prior", rejection_strength=0)
    sampler.fit_resample(*table)
    sampler.save(tmp_path / "file", include_rows=False)
    loaded = VAEOversampler.load(tmp_path / "file")
    assert_array_equal(loaded.source_indices_, sampler.source_indices_)
    assert (loaded.sample(1, 3, return_sources=True)[1] == -1).all()


def test_files_without_positions_say_so():
    loaded = VAEOversampler.load(FORMAT_1)
    assert not hasattr(loaded, "source_indices_")
    with pytest.raises(ValueError, match=r"positions of real rows .* are not known"):
        loaded.sample("rare", 3, return_sources=True)


def test_sources_and_partitions_exclude_each_other(table):
    sampler = quick().fit(*table)
    with pytest.raises(ValueError, match="cannot be combined with `npartitions`"):
        sampler.sample(1, 3, npartitions=2, return_sources=True)


def test_samplers_of_dask_collections_have_no_sources(table):
    da = pytest.importorskip("dask.array")
    X, y = (da.from_array(one, chunks=(30, *one.shape[1:])) for one in table)
    sampler = quick()
    sampler.fit_resample(X, y)
    assert not hasattr(sampler, "source_indices_")
    with pytest.raises(ValueError, match="dask collection"):
        sampler.sample(1, 3, return_sources=True)
