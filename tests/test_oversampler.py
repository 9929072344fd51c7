"""What `fit_resample` and `sample` return, for every form of input."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from conftest import make_table, quick
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from vaesampler._rejection import NeighborCritic


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("auto", {0: 40, 1: 40, 2: 40}),
        ("not majority", {0: 40, 1: 40, 2: 40}),
        ("all", {0: 40, 1: 40, 2: 40}),
        ("minority", {0: 40, 1: 12, 2: 40}),
        ("not minority", {0: 40, 1: 40, 2: 8}),
        ({1: 13, 0: 55}, {0: 55, 1: 13, 2: 8}),
        (lambda y: {2: int(np.sum(y == 2)) + 1}, {0: 40, 1: 12, 2: 9}),
    ],
)
def test_classes_get_exactly_as_many_rows_as_asked(strategy, expected, table):
    X, y = quick(sampling_strategy=strategy).fit_resample(*table)
    assert Counter(y.tolist()) == expected
    assert len(X) == len(y)


@pytest.mark.parametrize("ratio", [0.3, 0.5, 1.0])
def test_a_float_is_the_ratio_of_minority_to_majority(ratio):
    _, y = quick(sampling_strategy=ratio).fit_resample(*make_table({0: 40, 1: 10}))
    assert np.sum(y == 1) == int(40 * ratio)


@given(
    counts=st.lists(st.integers(2, 20), min_size=2, max_size=4),
    seed=st.integers(0, 100),
    dtype=st.sampled_from([np.float64, np.float32, np.int64, np.int16]),
)
def test_the_first_rows_are_the_input_and_the_rest_are_lawful(counts, seed, dtype):
    X, y = make_table(dict(enumerate(counts)), seed=seed)
    X = (10 * X).astype(dtype)
    X_before, y_before = X.copy(), y.copy()
    sampler = quick(latent_dim=1)
    X_new, y_new = sampler.fit_resample(X, y)
    n = len(X)
    assert_array_equal(X, X_before)
    assert_array_equal(y, y_before)
    assert_array_equal(X_new[:n], X)
    assert_array_equal(y_new[:n], y)
    assert X_new.dtype == dtype
    assert_array_equal(sampler.synthetic_mask_, np.arange(len(X_new)) >= n)
    added_labels = y_new[n:]
    assert (np.diff(added_labels) >= 0).all(), "grouped by class"
    for label in np.unique(added_labels):
        added, seen = X_new[n:][added_labels == label], X[y == label]
        assert (added >= seen.min(axis=0)).all()
        assert (added <= seen.max(axis=0)).all()


def test_columns_of_whole_numbers_get_whole_numbers_in_a_float_table(table):
    X, y = table
    X[:, 1] = np.arange(len(X)) * 3
    X[:, 2] = np.rint(X[:, 2])
    X_new, _ = quick().fit_resample(X, y)
    assert_array_equal(X_new[:, 1:3], np.rint(X_new[:, 1:3]))
    assert (X_new[len(X) :, 0] != np.rint(X_new[len(X) :, 0])).any()


def test_columns_of_few_values_get_no_other_ones(table):
    X, y = table
    X[:, 1] = np.random.default_rng(0).choice([-1.5, 0.25, 7.0], size=len(X))
    X_new, _ = quick().fit_resample(X, y)
    assert set(X_new[:, 1]) <= {-1.5, 0.25, 7.0}


def test_boolean_tables_stay_boolean():
    X, y = make_table({0: 30, 1: 10})
    X_new, _ = quick().fit_resample(X > 1.5, y)
    assert X_new.dtype == bool


def test_a_constant_column_stays_constant(table):
    X, y = table
    X[:, 3] = 4.2
    assert (quick().fit_resample(X, y)[0][:, 3] == 4.2).all()


@pytest.mark.parametrize("n_rows", range(2, 11))
@pytest.mark.filterwarnings("ignore::vaesampler.exceptions.SmallClassWarning")
def test_a_handful_of_rows_gives_finite_new_ones(n_rows):
    X, y = make_table({0: 30, 1: n_rows})
    X_new, _ = quick(max_iter=200).fit_resample(X, y)
    assert np.isfinite(X_new).all()
    assert len(np.unique(X_new[len(X) :], axis=0)) > 1


@pytest.mark.parametrize("n_features", [1, 2, 150])
def test_any_number_of_columns_works(n_features):
    X, y = make_table({0: 30, 1: 10}, n_features=n_features)
    X_new, _ = quick().fit_resample(X, y)
    assert X_new.shape == (60, n_features)


def test_a_balanced_table_is_returned_as_it_is():
    X, y = make_table({0: 10, 1: 10})
    sampler = quick()
    X_new, y_new = sampler.fit_resample(X, y)
    assert_array_equal(X_new, X)
    assert_array_equal(y_new, y)
    assert sampler.vaes_ == {}
    assert not sampler.synthetic_mask_.any()


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["common", "rare"]),
        np.array(["common", "rare"], dtype=object),
        np.array([False, True]),
        np.array([-1, 1]),
        np.array([0.0, 1.0]),
    ],
    ids=lambda labels: str(labels.dtype),
)
def test_labels_of_any_kind_keep_their_kind(labels):
    X, y = make_table({0: 30, 1: 10})
    sampler = quick()
    _, y_new = sampler.fit_resample(X, labels[y])
    assert y_new.dtype == labels.dtype
    assert np.sum(y_new == labels[1]) == 30
    assert list(sampler.vaes_) == [labels[1]]
    assert sampler.sample(labels[1], 3).shape == (3, 5)


def test_fitted_attributes_are_as_documented(table):
    X, y = table
    sampler = quick(max_iter=12)
    sampler.fit_resample(X, y)
    assert set(sampler.vaes_) == set(sampler.loss_curves_) == set(sampler.n_iter_) == {1, 2}
    assert all(curve.shape == (12,) for curve in sampler.loss_curves_.values())
    assert set(sampler.n_iter_.values()) == {12}
    assert sampler.sampling_strategy_ == {1: 28, 2: 32}
    assert sampler.n_features_in_ == 5
    assert str(sampler.schema_).count("continuous") == 5


def test_every_row_is_kept_without_rejection_and_fewer_with_it():
    X, y = make_table({0: 200, 1: 100}, n_features=2)
    X[y == 1] -= 2  # the clouds overlap
    near_others = []
    for strength in (0.0, 4.0):
        rows = quick(rejection_strength=strength, max_iter=300).fit(X, y).sample(1, 400)
        near_others.append(np.mean(np.linalg.norm(rows, axis=1) < 0.7))
    assert near_others[1] < near_others[0]


@given(seed=st.integers(0, 1000), n_own=st.integers(2, 40), n_other=st.integers(1, 40))
def test_a_class_apart_is_near_certain_and_a_row_among_the_others_is_not(seed, n_own, n_other):
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(n_own, 3))
    other = rng.normal(loc=50, size=(n_other, 3))
    critic = NeighborCritic.fit(own, other, rng)
    sources = np.arange(n_own)
    at_home = critic.probability(own, sources)
    abroad = critic.probability(other, np.full(n_other, -1))
    assert ((at_home >= 0) & (at_home <= 1)).all()
    if n_own > 16 and n_other > 16:
        assert at_home.min() > 0.8
        assert abroad.max() < 0.5


def test_sample_gives_other_rows_at_each_call_and_the_same_for_the_same_seed(table):
    sampler = quick().fit(*table)
    assert not np.array_equal(sampler.sample(1, 6), sampler.sample(1, 6))
    first, second = (sampler.sample(1, 6, random_state=5) for _ in range(2))
    assert_array_equal(first, second)
    assert not np.array_equal(first, sampler.sample(1, 6, random_state=6))


def test_a_script_that_samples_twice_gives_the_same_rows_when_run_again(table):
    def run():
        sampler = quick().fit(*table)
        return [sampler.sample(1, 4), sampler.sample(1, 4)]

    assert_array_equal(run(), run())


@pytest.mark.parametrize("n_samples", [0, 1, 1000])
def test_sample_gives_as_many_rows_as_asked(n_samples, table):
    assert quick().fit(*table).sample(2, n_samples).shape == (n_samples, 5)


def test_sample_does_not_train_again(table):
    sampler = quick().fit(*table)
    before = {name: values.clone() for name, values in sampler.vaes_[1].state_dict().items()}
    sampler.sample(1, 10)
    for name, values in sampler.vaes_[1].state_dict().items():
        assert_array_equal(values, before[name])


def test_fitting_again_forgets_the_last_table(table):
    sampler = quick().fit(*table)
    X, y = make_table({"a": 20, "b": 10}, n_features=3)
    sampler.fit_resample(X, y)
    assert list(sampler.vaes_) == ["b"]
    assert sampler.sample("b", 2).shape == (2, 3)


@pytest.mark.parametrize(
    "container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix]
)
def test_sparse_tables_stay_sparse_with_the_rows_of_the_dense_one(container, table):
    X, y = table
    X[np.abs(X) < 1] = 0
    dense, _ = quick().fit_resample(X, y)
    sampler = quick()
    X_new, _ = sampler.fit_resample(container(X), y)
    assert X_new.format == container(X).format
    np.testing.assert_allclose(X_new.toarray(), dense, rtol=1e-6)
    assert type(sampler.sample(1, 3)) is container


def test_lists_come_back_as_lists(table):
    X, y = table
    sampler = quick()
    X_new, y_new = sampler.fit_resample(X.tolist(), y.tolist())
    assert isinstance(X_new, list)
    assert isinstance(y_new, list)
    assert isinstance(sampler.sample(1, 3), list)


def make_frame():
    X, y = make_table({"no": 40, "yes": 12})
    frame = pd.DataFrame(
        {
            "amount": X[:, 0],
            "small": X[:, 1].astype(np.float32),
            "count": np.rint(20 * X[:, 2]).astype(np.int64),
            "nullable": pd.array(np.rint(20 * X[:, 3]).astype(int), dtype="Int64"),
            "flag": X[:, 4] > 1,
        },
        index=[f"row {number}" for number in range(len(X))],
    )
    return frame, pd.Series(y, name="bought", index=frame.index)


def test_pandas_in_pandas_out_with_names_and_dtypes():
    frame, y = make_frame()
    sampler = quick()
    X_new, y_new = sampler.fit_resample(frame, y)
    assert_array_equal(X_new.dtypes, frame.dtypes)
    assert list(X_new) == list(frame)
    assert y_new.name == "bought"
    assert y_new.dtype == y.dtype
    pd.testing.assert_frame_equal(
        X_new.iloc[: len(frame)].reset_index(drop=True), frame.reset_index(drop=True)
    )
    assert_array_equal(sampler.feature_names_in_, list(frame))
    drawn = sampler.sample("yes", 3)
    assert_array_equal(drawn.dtypes, frame.dtypes)
    assert list(drawn) == list(frame)


def test_a_frame_and_its_array_give_the_same_rows(table):
    X, y = table
    from_array, _ = quick().fit_resample(X, y)
    from_frame, _ = quick().fit_resample(pd.DataFrame(X, columns=list("abcde")), y)
    assert_array_equal(from_frame.to_numpy(), from_array)


def test_verbose_prints_the_loss_of_each_class(table, capsys):
    quick(verbose=True, max_iter=60).fit(*table)
    printed = capsys.readouterr().out
    assert "all classes" in printed
    assert "step 50, nats per row: class 1" in printed
    quick().fit(*table)
    assert capsys.readouterr().out == ""
