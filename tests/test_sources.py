"""Which real row each synthetic row was drawn around, and what it takes from it."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import make_table, quick
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.model_selection import GroupKFold

from vaesampler import LatentDraw, LatentSampler, VAEOversampler

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


def frame_of(X, kind="pandas"):
    """Return a frame of numbers and columns to inherit, of several dtypes; with gaps."""
    n_rows = len(X)
    rows = np.arange(n_rows)
    table = pd.DataFrame(
        {
            "first": X[:, 0],
            "customer": [f"customer {row:03}" for row in rows],
            "second": X[:, 1],
            "visit": pd.Timestamp("2024-01-01") + pd.to_timedelta(7 * rows, unit="D"),
            "code": pd.array(np.where(rows % 5 == 0, None, 10**15 + rows), dtype="Int64"),
            "hospital": pd.Categorical(np.array(list("abcdefg"))[rows % 7]),
        }
    )
    if kind == "pandas":
        return table
    module = pytest.importorskip(kind)
    return module.from_pandas(table) if kind == "polars" else module.Table.from_pandas(table)


INHERITED = ["customer", "visit", "code", "hospital"]


def rows_of(table):
    """Return the rows of a frame as tuples, with one value for missing cells."""
    if hasattr(table, "to_pylist"):
        return [tuple(row.values()) for row in table.to_pylist()]
    if hasattr(table, "rows"):
        return table.rows()
    missing = table.astype(object).isna()
    return list(table.astype(object).mask(missing, None).itertuples(index=False, name=None))


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("latent_sampling", SAMPLINGS)
def test_inherited_cells_are_those_of_the_source_in_every_frame(kind, latent_sampling, table):
    X, y = table
    frame = frame_of(X, kind)
    sampler = quick(inherited_features=INHERITED, latent_sampling=latent_sampling)
    resampled, _ = sampler.fit_resample(frame, y)
    dtypes = [
        getattr(one, "schema", getattr(one, "dtypes", None)) for one in (frame, resampled)
    ]
    if kind == "pandas":
        assert dtypes[0].equals(dtypes[1])
    else:
        assert dtypes[0] == dtypes[1]
    real, drawn = rows_of(frame), rows_of(resampled)
    assert drawn[: len(y)] == real
    for row, source in zip(drawn[len(y) :], sampler.source_indices_, strict=True):
        assert (row[1], *row[3:]) == (real[source][1], *real[source][3:])
    numbers = {(row[0], row[2]) for row in drawn}
    assert len(numbers) > len(y) + 40  # are new


@pytest.mark.parametrize("kind", ["float", "integer", "object", "list", "tensor"])
def test_inherited_cells_are_those_of_the_source_in_every_array(kind, table):
    X, y = table
    names = np.arange(len(y)) + 1000
    X = np.column_stack([X[:, 0], names, X[:, 1:]])
    if kind == "integer":
        X = np.rint(100 * X).astype(np.int32)
    elif kind == "tensor":
        X = pytest.importorskip("torch").from_numpy(X)
    elif kind != "float":
        X = X.astype(object)
        X[:, 1] = [f"row {name}" for name in names]
        X = X.tolist() if kind == "list" else X
    sampler = quick(inherited_features=[1])
    resampled, _ = sampler.fit_resample(X, y)
    assert type(resampled) is type(X)
    real, drawn = ([row[1] for row in one] for one in (X, resampled[len(y) :]))
    assert drawn == [real[source] for source in sampler.source_indices_]
    assert sampler.n_features_in_ == 6


def test_inherited_columns_are_not_learned(table):
    X, y = table
    frame = frame_of(X)
    sampler = quick(inherited_features=INHERITED)
    resampled, _ = sampler.fit_resample(frame, y)
    without = quick().fit_resample(frame[["first", "second"]], y)[0]
    pd.testing.assert_frame_equal(resampled[["first", "second"]], without)
    assert [column.kind for column in sampler.schema_.columns].count("inherited") == 4
    assert sampler.feature_names_in_.tolist() == list(frame.columns)
    other = frame.assign(customer="nobody", visit=pd.NaT, code=0, hospital="z")
    for method in (sampler.encode, sampler.to_matrix):
        assert_array_equal(method(1, other), method(1, frame))
    with pytest.raises(ValueError, match="customer"):
        sampler.encode(1, frame.drop(columns="customer"))


def test_a_source_and_its_offspring_are_in_the_same_fold(table):
    X, y = table
    frame = frame_of(X)
    sampler = quick(inherited_features=["customer"])
    resampled, y_resampled = sampler.fit_resample(frame.drop(columns=INHERITED[1:]), y)
    groups = resampled["customer"].to_numpy()
    parents = np.concatenate([np.arange(len(y)), sampler.source_indices_])
    for train, test in GroupKFold(4).split(resampled, y_resampled, groups):
        assert not set(parents[train]) & set(parents[test])


def test_inherited_columns_between_one_hot_columns_leave_these_a_group(table):
    X, y = table
    level = np.arange(len(y)) % 3
    flags = [(level == one).astype(float) for one in range(3)]
    X = np.column_stack([X[:, 0], flags[0], flags[1], np.arange(len(y)), flags[2]])
    resampled, _ = quick(inherited_features=[3]).fit_resample(X, y)
    assert_array_equal(resampled[:, [1, 2, 4]].sum(axis=1), np.ones(len(resampled)))


def test_saved_and_pickled_samplers_keep_the_inherited_cells(table, tmp_path):
    X, y = table
    sampler = quick(inherited_features=INHERITED, early_stopping=True).fit(frame_of(X), y)
    sampler.save(tmp_path / "file")
    expected = sampler.sample(1, 20, random_state=0)
    copies = [VAEOversampler.load(tmp_path / "file"), pickle.loads(pickle.dumps(sampler))]
    for copy in copies:
        pd.testing.assert_frame_equal(copy.sample(1, 20, random_state=0), expected)
    assert set(expected["customer"]) <= set(frame_of(X)["customer"][y == 1])
    with pytest.raises(ValueError, match="inherited_features"):
        sampler.save(tmp_path / "other", include_rows=False)


def test_reports_leave_inherited_columns_out(table):
    X, y = table
    frame = frame_of(X)[["first", "customer", "second"]]
    for categorical_features in ("auto", []):
        sampler = quick(
            inherited_features=["customer"],
            categorical_features=categorical_features,
            early_stopping=True,
        ).fit(frame, y)
        assert set(sampler.report_) == {1, 2}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"inherited_features": [9]}, "inherited_features holds 9"),
        ({"inherited_features": ["name"]}, "X does not have"),
        ({"inherited_features": range(5)}, "names all columns"),
        ({"inherited_features": [True, False, False, False, False]}, "truth values"),
        ({"inherited_features": [0], "latent_sampling": "prior"}, "'prior'"),
        ({"inherited_features": [0], "categorical_features": [0]}, "Leave it out of one"),
    ],
)
def test_what_cannot_be_inherited_is_refused(table, parameters, message):
    with pytest.raises(ValueError, match=message):
        quick(**parameters).fit(*table)


def test_sparse_and_dask_tables_are_refused(table):
    X, y = table
    with pytest.raises(ValueError, match="sparse matrices"):
        quick(inherited_features=[0]).fit(sparse.csr_array(X), y)
    da = pytest.importorskip("dask.array")
    with pytest.raises(ValueError, match="dask collections"):
        quick(inherited_features=[0]).fit(da.from_array(X), da.from_array(y))


def test_latent_samplers_without_sources_are_refused_when_rows_are_drawn(table):
    class Central(LatentSampler):
        def draw(self, vae, rows, n_samples, generator):
            noise = torch.randn(1, n_samples, vae.latent_dim, generator=generator)
            return LatentDraw(noise, sources=None)

    sampler = quick(inherited_features=[0], latent_sampling=Central()).fit(*table)
    with pytest.raises(ValueError, match="returns `sources`"):
        sampler.sample(1, 3)


def test_nothing_is_inherited_where_no_rows_are_added(table):
    X, y = table
    sampler = quick(inherited_features=[0], sampling_strategy={})
    resampled, _ = sampler.fit_resample(X, y)
    assert_array_equal(resampled, X)
    assert len(sampler.source_indices_) == 0
