"""Tables in partitions give the rows that the same tables in memory give."""

import os
import signal
from itertools import pairwise

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from conftest import make_table, quick
from hypothesis import given
from hypothesis import strategies as st
from imblearn.pipeline import make_pipeline
from joblib import parallel_config
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal, assert_series_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from vaesampler._encoding.rows import DenseRows, RepeatedRows
from vaesampler._estimators import oversampler
from vaesampler._generation import generator as generator_module
from vaesampler._partitioned import gathering, witnesses
from vaesampler._partitioned.gathering import choose_rows, gather
from vaesampler._partitioned.surveys import Survey
from vaesampler._runtime.seeds import Seeds
from vaesampler._table.columns import LevelColumn
from vaesampler._table.reading import read_table

N_ROWS = 300


def make_frame(n_rows=N_ROWS, seed=0):
    """Return a frame of every kind of column, and a target."""
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(size=n_rows)
    amount[rng.random(n_rows) < 0.1] = np.nan
    start = pd.Timestamp("2020-01-01")
    frame = pd.DataFrame(
        {
            "amount": amount,
            "visits": rng.integers(0, 12, n_rows),
            "price": np.round(rng.normal(50, 9, n_rows), 2),
            "plan": rng.choice(["monthly", "yearly", "none"], n_rows),
            "region": pd.Categorical(rng.choice(list("abcd"), n_rows)),
            "active": rng.random(n_rows) < 0.6,
            "since": start + pd.to_timedelta(rng.integers(0, 2_000, n_rows), "D"),
        }
    )
    target = pd.Series(np.where(rng.random(n_rows) < 0.2, "yes", "no"), name="churn")
    # As dask holds them, with text of pyarrow.
    return dask.compute(dd.from_pandas(frame, npartitions=1), dd.from_pandas(target, 1))


def collections_of(X, y, npartitions):
    return dd.from_pandas(X, npartitions=npartitions), dd.from_pandas(
        y, npartitions=npartitions
    )


def assert_equal_tables(computed, expected):
    """Compare frames or series whose index may have been numbered anew."""
    same = assert_frame_equal if isinstance(expected, pd.DataFrame) else assert_series_equal
    same(computed.reset_index(drop=True), expected)


# The same rows


@pytest.mark.parametrize("npartitions", [1, 3, 8])
def test_a_frame_in_partitions_gives_the_rows_of_one_in_memory(npartitions):
    X, y = make_frame()
    expected = quick().fit(X, y)
    X_expected, y_expected = quick().fit_resample(X, y)
    sampler = quick()
    X_new, y_new = sampler.fit_resample(*collections_of(X, y, npartitions))
    assert isinstance(X_new, dd.DataFrame)
    assert isinstance(y_new, dd.Series)
    computed = X_new.compute()
    assert_equal_tables(computed, X_expected)
    assert_equal_tables(y_new.compute(), y_expected)
    mask = sampler.synthetic_mask_.compute()
    assert_array_equal(mask, np.arange(len(X_expected)) >= N_ROWS)
    assert str(sampler.schema_) == str(expected.schema_)
    assert sampler.sampling_strategy_ == expected.sampling_strategy_
    assert list(sampler.feature_names_in_) == list(X.columns)
    assert dict(X_new.dtypes) == dict(computed.dtypes)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
@pytest.mark.parametrize("chunks", [(300, 4), (70, 2), (1, 4)])
def test_an_array_in_chunks_gives_the_rows_of_one_in_memory(dtype, chunks):
    X, y = make_table({0: 240, 1: 60}, n_features=4)
    X = (10 * X).astype(dtype)
    X_expected, y_expected = quick().fit_resample(X, y)
    X_new, y_new = quick().fit_resample(
        da.from_array(X, chunks=chunks), da.from_array(y, chunks=100)
    )
    assert X_new.shape == X_expected.shape
    assert_array_equal(X_new.compute(), X_expected)
    assert_array_equal(y_new.compute(), y_expected)
    assert (X_new.dtype, y_new.dtype) == (X_expected.dtype, y_expected.dtype)


def of_chunks(values):
    return da.from_array(np.asarray(values), chunks=75)


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: dd.from_pandas(y, npartitions=4),
        lambda y: dd.from_pandas(y.astype("category"), npartitions=4),
        lambda y: dd.from_pandas((y == "yes").astype(int), npartitions=4),
        lambda y: dd.from_pandas(y == "yes", npartitions=4),
        lambda y: dd.from_pandas(y.to_frame(), npartitions=4),
        lambda y: of_chunks((y == "yes").astype(float)),
    ],
    ids=["text", "categories", "integers", "booleans", "a frame", "an array"],
)
def test_labels_come_back_in_their_collection(convert):
    X, y = make_frame()
    labels = convert(y)
    expected = quick().fit_resample(X, labels.compute())[1]
    found = quick().fit_resample(dd.from_pandas(X, npartitions=4), labels)[1]
    assert type(found) is type(labels)
    computed = found.compute()
    if isinstance(computed, np.ndarray):
        assert_array_equal(computed, expected)
    else:
        assert_equal_tables(computed, expected)


@pytest.mark.parametrize("size", [7, 60, 1_000])
def test_rows_do_not_depend_on_chunks_that_are_drawn_elsewhere(size, monkeypatch):
    monkeypatch.setattr(generator_module, "MOST_ROWS_BY_CHUNK", size)
    X, y = make_frame()
    X_new, _ = quick().fit_resample(*collections_of(X, y, 3))
    assert_equal_tables(X_new.compute(), quick().fit_resample(X, y)[0])
    n_new = len(X_new) - N_ROWS
    assert X_new.npartitions == 3 + -(-n_new // size)


def test_partitions_of_the_table_are_left_as_they_are():
    X, y = make_frame()
    X.index = X.index[::-1] * 10
    X_new, y_new = quick().fit_resample(*collections_of(X, y.set_axis(X.index), 5))
    below = X_new.partitions[:5].compute()
    assert_frame_equal(below, X.sort_index())
    assert_array_equal(X_new.partitions[5].compute().index[:3], [300, 301, 302])
    assert_array_equal(y_new.compute().index, X_new.compute().index)


TIMES = pd.date_range("2020", periods=N_ROWS)
NAMES = pd.Index([f"row {index}" for index in range(N_ROWS)])


@pytest.mark.parametrize("index", [TIMES, NAMES], ids=["times", "text"])
def test_an_index_that_does_not_count_rows_has_missing_labels_for_new_ones(index):
    X, y = make_frame()
    dX = dd.from_pandas(X.set_axis(index), npartitions=2, sort=False)
    dy = dd.from_pandas(y.set_axis(index), npartitions=2, sort=False)
    X_new = quick().fit_resample(dX, dy)[0].compute()
    assert X_new.index[N_ROWS:].isna().all()
    assert_array_equal(X_new.index[:N_ROWS], X.set_axis(index).index)


def test_categories_that_are_not_known_are_counted():
    X, y = make_frame()
    is_early = X["region"].isin(["a", "b"])
    parts = [
        part.assign(region=part["region"].cat.remove_unused_categories())
        for part in (X[is_early], X[~is_early])
    ]
    unknown = dd.utils.clear_known_categories(parts[0]["region"].head(0))
    meta = parts[0].head(0).assign(region=unknown)
    dX = dd.from_delayed([dask.delayed(part) for part in parts], meta=meta, verify_meta=False)
    dy = dd.from_delayed([dask.delayed(y.loc[part.index]) for part in parts], meta=y.head(0))
    sampler = quick()
    X_new = sampler.fit_resample(dX, dy)[0].compute()
    assert set(X_new["region"]) == set("abcd")
    found = {column.name: column for column in sampler.schema_.columns}
    assert set(found["region"].levels) == set("abcd")


def test_empty_partitions_and_partitions_of_one_class_are_read():
    X, y = make_frame()
    order = np.argsort(y.to_numpy(), kind="stable")
    X, y = X.iloc[order].reset_index(drop=True), y.iloc[order].reset_index(drop=True)
    ends = [0, 100, 100, 280, 300]
    frames, series = (
        [dask.delayed(one.iloc[low:high]) for low, high in pairwise(ends)] for one in (X, y)
    )
    dX = dd.from_delayed(frames, meta=X.head(0))
    dy = dd.from_delayed(series, meta=y.head(0))
    X_new = quick().fit_resample(dX, dy)[0]
    assert_equal_tables(X_new.compute(), quick().fit_resample(X, y)[0])


@pytest.mark.parametrize("columns", [None, ["amount", "plan"]])
def test_small_files_are_read_alike_and_new_labels_can_be_assigned(columns, tmp_path):
    X, y = make_frame()
    for index in range(6):  # each with an index from 0
        part = slice(50 * index, 50 * (index + 1))
        file = tmp_path / f"part.{index}.parquet"
        X[part].assign(churn=y).reset_index(drop=True).to_parquet(file)
    table = dd.read_parquet(tmp_path)
    rows = table.drop(columns="churn") if columns is None else table[columns]
    X_new, y_new = quick().fit_resample(rows, table["churn"])
    whole = X_new.assign(churn=y_new).compute()
    X_memory = table.compute()[list(rows.columns)].reset_index(drop=True)
    X_expected, y_expected = quick().fit_resample(X_memory, table["churn"].compute())
    assert_equal_tables(whole.drop(columns="churn"), X_expected)
    assert whole["churn"].tolist() == y_expected.tolist()


# More rows than are gathered


@pytest.fixture
def few_gathered(monkeypatch):
    monkeypatch.setattr(gathering, "MOST_ROWS", 120)
    monkeypatch.setattr(gathering, "LEAST_ROWS_IN_WIDE_TABLES", 100)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.usefixtures("few_gathered")
def test_rows_of_a_sampled_table_do_not_depend_on_its_partitions(seed):
    X, y = make_frame(seed=seed)
    expected, *others = [
        quick(random_state=seed).fit_resample(*collections_of(X, y, n))[0].compute()
        for n in (1, 2, 9)
    ]
    for other in others:
        assert_frame_equal(other, expected)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.usefixtures("few_gathered")
def test_a_sampled_table_has_the_ends_levels_and_missing_cells_of_the_whole(seed):
    X, y = make_frame(seed=seed)
    X.loc[17, "plan"], X.loc[18, "price"] = "a level of one row", 1_000.5
    whole, sampled = quick().fit(X, y), quick().fit(*collections_of(X, y, 4))
    for one, other in zip(whole.schema_.columns, sampled.schema_.columns, strict=True):
        assert type(one) is type(other)
        assert (one.first_missing_row is None) == (other.first_missing_row is None)
        if hasattr(one, "lowest"):
            assert (one.lowest, one.highest) == (other.lowest, other.highest)
        if isinstance(one, LevelColumn) and one.are_categories:
            assert set(one.levels) == set(other.levels)


@given(
    counts=st.dictionaries(st.integers(), st.integers(1, 500), min_size=1, max_size=12),
    most=st.integers(1, 2_000),
    n_partitions=st.integers(1, 6),
    seed=st.integers(0, 100),
)
def test_small_classes_are_gathered_whole_and_large_ones_alike(
    counts, most, n_partitions, seed
):
    labels = np.repeat(list(counts), list(counts.values()))
    np.random.default_rng(seed).shuffle(labels)
    rows = np.arange(len(labels), dtype=float)[:, None]
    split = (np.array_split(one, n_partitions) for one in (rows, labels))
    parts = list(zip(*split, strict=True))
    survey = Survey.merged([Survey.of(index, *part) for index, part in enumerate(parts)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "MOST_ROWS", most)
        patch.setattr(gathering, "LEAST_ROWS_IN_WIDE_TABLES", 1)
        choices = choose_rows(survey, 1, Seeds(seed))
    found, classes = gather(
        [choice.take(*part) for choice, part in zip(choices, parts, strict=True)]
    )
    assert (np.diff(found[:, 0]) > 0).all()  # in order, and none twice
    assert_array_equal(classes, labels[found[:, 0].astype(int)])
    n_found = {label: int((classes == label).sum()) for label in counts}
    assert sum(n_found.values()) <= max(most, len(counts)) + 2  # and the witness rows
    limit = max(n_found.values())
    assert all(n_found[label] >= min(n, limit - 2) for label, n in counts.items())
    if len(labels) <= most:
        assert n_found == counts


@given(seed=st.integers(0, 1_000), cuts=st.lists(st.integers(0, N_ROWS), max_size=5))
def test_the_survey_of_several_partitions_is_that_of_all_rows(seed, cuts):
    X, y = make_frame(seed=seed)
    ends = [0, *sorted(cuts), N_ROWS]
    parts = [
        Survey.of(index, X.iloc[low:high], y.iloc[low:high])
        for index, (low, high) in enumerate(pairwise(ends))
    ]
    merged, whole = Survey.merged(parts), Survey.of(0, X, y)
    assert merged.class_counts == whole.class_counts
    assert merged.n_rows == list(np.diff(ends))
    starts = np.array(ends)[merged.places[:, 0]]
    assert_array_equal(starts + merged.places[:, 1], whole.places[:, 1])
    assert_equal_tables(merged.witnesses, whole.witnesses.reset_index(drop=True))


@given(seed=st.integers(0, 1_000))
def test_witness_rows_have_all_ends_and_levels(seed):
    X, _ = make_frame(seed=seed)
    some = X.iloc[witnesses.witness_rows(read_table(X))]
    for name in X.columns:
        if X[name].dtype.kind in "iufM":
            assert (some[name].min(), some[name].max()) == (X[name].min(), X[name].max())
        else:
            assert set(some[name]) == set(X[name])
        assert some[name].isna().any() == X[name].isna().any()


@given(n_rows=st.integers(1, 50), n_repeated=st.integers(1, 500))
def test_repeated_rows_are_each_about_equally_often(n_rows, n_repeated):
    rows = DenseRows(np.arange(n_rows, dtype=np.float32)[:, None])
    repeated = RepeatedRows(rows, n_repeated)
    found = repeated.take(np.arange(n_repeated))[:, 0].astype(int)
    counts = np.bincount(found, minlength=n_rows)
    assert len(repeated) == n_repeated
    assert counts.max() - counts.min() <= 1
    subset = repeated.subset(np.arange(n_repeated))
    assert_array_equal(subset.take(np.arange(n_repeated))[:, 0], found)


@pytest.mark.usefixtures("few_gathered")
def test_a_critic_sees_the_shares_of_the_table_and_not_of_the_sample():
    X, y = make_table({0: 2_700, 1: 300}, n_features=4)
    collections = (da.from_array(one, chunks=500) for one in (X, y))
    sampler = quick(critic="neighbors").fit(*collections)
    assert abs(sampler._generators[1].critic.share - 0.1) < 0.01


# Draws


def test_samples_in_partitions_are_those_in_memory(monkeypatch):
    monkeypatch.setattr(generator_module, "MOST_ROWS_BY_CHUNK", 40)
    X, y = make_frame()
    sampler = quick().fit(X, y)
    expected = sampler.sample("yes", 130, random_state=5)
    for npartitions, found in ((1, 1), (2, 2), (100, 4)):
        drawn = sampler.sample("yes", 130, random_state=5, npartitions=npartitions)
        assert drawn.npartitions == found
        assert_equal_tables(drawn.compute(), expected)
    assert len(sampler.sample("yes", 0, npartitions=3)) == 0


def test_samples_of_arrays_in_partitions_are_dask_arrays(table):
    sampler = quick().fit(*table)
    drawn = sampler.sample(1, 30, random_state=0, npartitions=2)
    assert isinstance(drawn, da.Array)
    assert_array_equal(drawn.compute(), sampler.sample(1, 30, random_state=0))


def test_samples_in_partitions_without_a_seed_differ_from_call_to_call(table):
    sampler = quick().fit(*table)
    first, second = (sampler.sample(1, 30, npartitions=1).compute() for _ in range(2))
    assert not np.array_equal(first, second)


# Errors


def test_partitions_that_differ_are_aligned_or_refused_with_what_to_do():
    X, y = make_frame()
    dX = dd.from_pandas(X, npartitions=4)
    aligned = quick().fit_resample(dX, dd.from_pandas(y, npartitions=3))[0]
    assert_equal_tables(aligned.compute(), quick().fit_resample(X, y)[0])
    with pytest.raises(ValueError, match=r"found 4 and 3\..*`repartition`"):
        quick().fit_resample(dX, dd.from_pandas(y, npartitions=3).clear_divisions())
    shorter = dd.from_delayed(
        [dask.delayed(part.iloc[1:]) for part in (y[:75], y[75:150], y[150:225], y[225:])],
        meta=y.head(0),
    )
    with pytest.raises(ValueError, match="of X has 75 rows, and that of y has 74"):
        quick().fit_resample(dX, shorter)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X, y.where(y == "no", None)), "missing label"),
        (lambda X, y: (X, y.where(y == "no", "no")), "needs to have more than 1 class"),
        (lambda X, y: (X.assign(price=np.inf), y), "infinity"),
    ],
)
def test_a_failed_fit_leaves_the_sampler_as_it_was(change, message):
    X, y = make_frame()
    sampler = quick().fit(X, y)
    before = dict(vars(sampler))
    with pytest.raises(ValueError, match=message):
        sampler.fit_resample(*collections_of(*change(X, y), 3))
    assert vars(sampler) == before


@pytest.mark.parametrize("convert", [lambda X: X, lambda X: X[["amount"]].to_dask_array()])
def test_out_of_memory_names_the_partitions(convert, monkeypatch):
    def run_out(*_):
        raise MemoryError

    monkeypatch.setattr(oversampler, "resample_partitioned", run_out)
    X, y = collections_of(*make_frame(), 3)
    with pytest.raises(MemoryError, match="for a dask collection of 3 partitions"):
        quick().fit_resample(convert(X), y)


def test_npartitions_must_be_a_positive_integer_and_the_frame_of_pandas(table):
    sampler = quick().fit(*table)
    for wrong in (0, -1, 1.5, "2"):
        with pytest.raises(ValueError, match=f"npartitions .* found {wrong!r}"):
            sampler.sample(1, 3, npartitions=wrong)
    sampler = quick().fit(table[0].tolist(), table[1])
    with pytest.raises(TypeError, match=r"fitted to builtins\.list"):
        sampler.sample(1, 3, npartitions=2)


# A cluster of processes


@pytest.fixture(scope="module")
def client():
    from distributed import Client, LocalCluster

    with (
        dask.config.set({"distributed.worker.daemon": True}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit="1GB", dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.mark.usefixtures("client")
def test_workers_give_the_rows_of_one_process():
    X, y = make_frame()
    X_new, y_new = quick().fit_resample(*collections_of(X, y, 4))
    X_expected, y_expected = quick().fit_resample(X, y)
    assert_equal_tables(X_new.compute(), X_expected)
    assert_equal_tables(y_new.compute(), y_expected)


def test_a_worker_that_is_killed_while_rows_are_drawn_changes_none(client, monkeypatch):
    monkeypatch.setattr(generator_module, "MOST_ROWS_BY_CHUNK", 50)
    X, y = make_frame()
    X_new, _ = quick().fit_resample(*collections_of(X, y, 4))
    expected = X_new.compute()
    future = client.compute(X_new)
    victim = next(iter(client.run(os.getpid).values()))
    os.kill(victim, getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows has no SIGKILL
    assert_frame_equal(future.result(timeout=60), expected)


def wide_part(index, n_rows):
    """Return rows, of which one in a thousand is rare: 30 columns, quickly made."""
    rng = np.random.default_rng(index)
    some = rng.normal(size=(n_rows // 16, 30))
    return np.tile(some, (16, 1)), (rng.random(n_rows) < 0.001).astype(int)


@pytest.mark.usefixtures("client")
def test_partitions_that_do_not_fit_into_the_workers_memory_together_are_resampled():
    n_partitions, n_rows = 22, 400_000  # 22 x 96 MB, for two workers of 1 GB
    parts = [dask.delayed(wide_part)(index, n_rows) for index in range(n_partitions)]
    X, y = (
        da.concatenate([da.from_delayed(one[index], shape, dtype=dtype) for one in parts])
        for index, shape, dtype in ((0, (n_rows, 30), float), (1, (n_rows,), int))
    )
    sampler = quick(sampling_strategy=0.005)
    X_new, y_new = sampler.fit_resample(X, y)
    n_new = sampler.sampling_strategy_[1]
    assert len(X_new) == len(y_new) == n_partitions * n_rows + n_new
    assert 0.003 * len(X) < n_new < 0.005 * len(X)
    assert bool(da.isfinite(X_new).all().compute())


@pytest.mark.usefixtures("client")
def test_samples_in_partitions_are_drawn_by_workers(table):
    sampler = quick().fit(*table)
    drawn = sampler.sample(1, 30, random_state=0, npartitions=2)
    assert_array_equal(drawn.compute(), sampler.sample(1, 30, random_state=0))


@pytest.mark.usefixtures("client")
def test_a_grid_search_through_joblib_runs_on_the_cluster(table):
    pipeline = make_pipeline(quick(), LogisticRegression())
    grid = {"vaeoversampler__latent_dim": [1, 2]}
    expected = GridSearchCV(pipeline, grid, cv=2).fit(*table)
    with parallel_config("dask"):
        found = GridSearchCV(pipeline, grid, cv=2).fit(*table)
    name = "mean_test_score"
    assert_array_equal(found.cv_results_[name], expected.cv_results_[name])
