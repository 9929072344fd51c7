"""What `fit_resample` and `sample` return, for every form of input."""

import copy
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import make_table, quick
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from vaesampler import DenoisingSampling, InterpolationSampling
from vaesampler._encoding.layout import Layout
from vaesampler._encoding.rows import DenseRows
from vaesampler._rejection.critic import Candidates, log_probability
from vaesampler._rejection.neighbors import FittedNeighborCritic, NeighborCritic
from vaesampler._rejection.network import FittedNetworkCritic, NetworkCritic
from vaesampler._runtime.seeds import Seeds
from vaesampler._training.smoothing import SmoothedRows


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
    assert (X_new >= X.min(axis=0)).all()
    assert (X_new <= X.max(axis=0)).all()


@pytest.mark.parametrize("n_rows", [5, 50])
@pytest.mark.parametrize("are_whole", [False, True])
def test_rows_lie_in_the_range_of_their_class_or_three_mean_gaps_beyond(n_rows, are_whole):
    X, y = make_table({0: 300, 1: n_rows})
    X = np.rint(1000 * X) if are_whole else X
    rows = quick(smoothing=100.0, rejection_strength=0.0).fit(X, y).sample(1, 500)
    seen = X[y == 1]
    margin = 3 * np.ptp(seen, axis=0) / (n_rows - 1)
    assert (rows >= np.maximum(seen.min(axis=0) - margin, X.min(axis=0)) - 1e-9).all()
    assert (rows <= np.minimum(seen.max(axis=0) + margin, X.max(axis=0)) + 1e-9).all()
    assert (rows < seen.min(axis=0)).any()
    assert (rows == np.rint(rows)).all() == are_whole


def test_a_column_that_is_constant_in_a_class_stays_so_in_its_rows(table):
    X, y = table
    X[y == 1, 2] = 0.125
    X_new, y_new = quick().fit_resample(X, y)
    assert (X_new[y_new == 1, 2] == 0.125).all()


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


@pytest.mark.parametrize(
    "dtype", [bool, np.uint8, np.int32, np.uint64, np.float16, np.float32, np.longdouble]
)
def test_every_dtype_of_numbers_is_kept(dtype, table):
    X, y = table
    X = (X % 1 > 0.5 if dtype is bool else 10 * np.abs(X)).astype(dtype)
    sampler = quick()
    X_new, _ = sampler.fit_resample(X, y)
    assert X_new.dtype == sampler.sample(1, 2).dtype == dtype
    assert_array_equal(X_new[: len(X)], X)


def with_large_integers(X, values):
    X = (10 * X).astype(np.int64)
    X[:, 1] = np.resize(values, len(X))
    return X


@pytest.mark.parametrize("base", [2**54, -(2**60)])
@pytest.mark.parametrize("n_values", [1, 3])
def test_repeated_integers_too_large_for_a_float_are_reproduced(base, n_values, table):
    X, y = table
    values = base + 1 + 2 * np.arange(n_values)
    X_new, _ = quick().fit_resample(with_large_integers(X, values), y)
    assert set(X_new[:, 1].tolist()) <= set(values.tolist())


@pytest.mark.parametrize("base", [2**54, -(2**60)])
def test_large_integers_stay_within_the_tables_range(base, table):
    X, y = table
    # The step is odd, so that most bounds are no float64, and wide enough to vary by floats.
    X = with_large_integers(X, base + (abs(base) // 10**9 | 1) * np.arange(len(X)) + 1)
    X_new, _ = quick().fit_resample(X, y)
    assert X_new[:, 1].min() == X[:, 1].min()
    assert X_new[:, 1].max() == X[:, 1].max()


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


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.int32, np.uint8])
def test_the_largest_integers_of_a_dtype_are_drawn_within_range(dtype, table):
    X, y = table
    largest = int(np.iinfo(dtype).max)
    X = (10 * np.abs(X)).astype(dtype)
    X[:, 1] = np.array([largest - number * (largest // 100) for number in range(len(X))], dtype)
    X_new, _ = quick(sampling_strategy={0: 80, 1: 80, 2: 80}).fit_resample(X, y)
    assert X_new[:, 1].min() == X[:, 1].min()
    assert X_new[:, 1].max() == X[:, 1].max()


def test_one_column_a_class_in_y_comes_back_as_such(table):
    X, y = table
    one_hot = np.eye(3, dtype=np.int64)[y]
    X_new, y_new = quick().fit_resample(X, one_hot)
    X_expected, y_expected = quick().fit_resample(X, y)
    assert_array_equal(y_new, np.eye(3)[y_expected])
    assert y_new.dtype == one_hot.dtype
    assert_array_equal(X_new, X_expected)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([0, 1], "int64"),
        ([0, 1], "Int64"),
        ([False, True], "boolean"),
        ([3, 7], "category"),
        (["no", "yes"], "category"),
        (["no", "yes"], "str"),
        (["no", "yes"], "object"),
    ],
)
def test_a_series_of_labels_keeps_its_name_and_dtype(values, dtype):
    X, y = make_table({0: 30, 1: 10})
    index = np.arange(len(y)) + 5
    labels = pd.Series(np.array(values)[y], name="bought", index=index).astype(dtype)
    _, y_new = quick().fit_resample(X, labels)
    assert y_new.name == "bought"
    assert y_new.dtype == labels.dtype
    assert_array_equal(y_new[: len(y)], labels)
    assert set(Counter(y_new).values()) == {30}


def test_labels_in_an_array_of_one_column_come_back_in_a_row(table):
    X, y = table
    _, y_new = quick().fit_resample(X, y[:, np.newaxis])
    assert_array_equal(y_new, quick().fit_resample(X, y)[1])


def test_a_tuple_of_labels_comes_back_as_one(table):
    X, y = table
    _, y_new = quick().fit_resample(X, tuple(y.tolist()))
    assert isinstance(y_new, tuple)


def test_a_frame_of_labels_comes_back_as_one(table):
    X, y = table
    _, y_new = quick().fit_resample(X, pd.DataFrame({"bought": y}))
    assert list(y_new) == ["bought"]
    assert_array_equal(y_new["bought"], quick().fit_resample(X, y)[1])


def test_autograd_goes_through_the_fitted_vaes(table):
    sampler = quick().fit(*table)
    for vae in copy.deepcopy(sampler).vaes_.values():
        rows = torch.zeros(1, 3, vae.layout.width, requires_grad=True)
        vae.decode(vae.encode(rows).mean).sum().backward()
        assert rows.grad.abs().sum() > 0
        assert all(weight.grad.isfinite().all() for weight in vae.decoder.parameters())


def test_fitted_attributes_are_as_documented(table):
    X, y = table
    sampler = quick(max_iter=12)
    sampler.fit_resample(X, y)
    assert set(sampler.vaes_) == set(sampler.loss_curves_) == set(sampler.n_iter_) == {1, 2}
    assert all(isinstance(vae, torch.nn.Module) for vae in sampler.vaes_.values())
    assert all(np.isfinite(curve.total).all() for curve in sampler.loss_curves_.values())
    assert sampler.synthetic_mask_.dtype == bool
    assert not hasattr(sampler, "feature_names_in_")
    assert all(len(curve.total) == 12 for curve in sampler.loss_curves_.values())
    assert sampler.validation_curves_ == {}
    assert set(sampler.n_iter_.values()) == {12}
    assert sampler.sampling_strategy_ == {1: 28, 2: 32}
    assert sampler.n_features_in_ == 5
    assert str(sampler.schema_).count("continuous") == 5


@pytest.mark.parametrize(
    "parameters",
    [
        {"batch_size": 1},
        {"max_iter": 1, "pretrain_iter": 0},
        {"hidden_layer_sizes": 1},
        {"hidden_layer_sizes": np.array([8, 4])},
        {"hidden_layer_sizes": (4,) * 10},
        {"activation": "identity"},
        {"activation": "logistic"},
        {"beta": 0.0},
        {"beta": 1e10},
        {"alpha": 0},
        {"alpha": 1e10},
        {"smoothing": 0},
        {"smoothing": 1e3},
        {"rejection_strength": 0},
        {"rejection_strength": 1e3},
        {"latent_sampling": InterpolationSampling(n_neighbors=1000)},
        {"latent_sampling": DenoisingSampling(noise_level=1e3)},
    ],
    ids=str,
)
def test_rows_are_finite_and_in_range_at_the_ends_of_what_parameters_allow(parameters, table):
    X, y = table
    X_new, y_new = quick(**parameters).fit_resample(X, y)
    assert set(Counter(y_new.tolist()).values()) == {40}
    assert np.isfinite(X_new).all()
    assert_array_equal(X_new.min(axis=0), X.min(axis=0))
    assert_array_equal(X_new.max(axis=0), X.max(axis=0))


def test_stronger_rejection_draws_fewer_rows_among_the_other_classes():
    X, y = make_table({0: 200, 1: 100}, n_features=2)
    X[y == 1] -= 2  # the clouds overlap
    near_others = []
    for strength in (0.0, 4.0):
        rows = quick(rejection_strength=strength, max_iter=300).fit(X, y).sample(1, 400)
        near_others.append(np.mean(np.linalg.norm(rows, axis=1) < 0.7))
    assert near_others[1] < near_others[0]


@given(odds=st.floats(-700, 700), share=st.floats(1e-6, 0.999), rarer=st.floats(0.01, 0.99))
def test_the_rarer_a_class_the_less_probable_it_is_at_a_row(odds, share, rarer):
    here = log_probability(np.array([odds]), share)
    assert log_probability(np.array([odds]), rarer * share) < here <= 0
    # As if the class had as many rows as the others, but for a part of how rare it is.
    even = log_probability(np.array([odds]), 0.5)
    assert even == pytest.approx(-np.logaddexp(0, -odds))
    as_in_table = -np.logaddexp(0, -odds - np.log(share / (1 - share)))
    assert min(even, as_in_table) <= here <= max(even, as_in_table)


@pytest.mark.parametrize("n_others", [200, 4000])
def test_neighbours_and_network_judge_alike_where_a_class_lies_among_the_others(n_others):
    rng = np.random.default_rng(0)
    own, others, rows = (
        rng.normal(size=(n_rows, 2)).astype(np.float32) for n_rows in (200, n_others, 500)
    )
    candidates = Candidates(rows, np.full(500, -1))
    expected = np.exp(log_probability(np.zeros(1), 200 / (200 + n_others)))
    for critic in (
        NeighborCritic().fit(DenseRows(own), DenseRows(others), Seeds(0).stream()),
        NetworkCritic().fit(DenseRows(own), DenseRows(others), Seeds(0).stream()),
    ):
        found = np.exp(critic.judge(candidates).log_probability)
        assert np.median(found) == pytest.approx(expected.item(), abs=0.12)


@given(seed=st.integers(0, 1000), n_own=st.integers(2, 40), n_other=st.integers(1, 40))
def test_a_class_apart_is_near_certain_and_a_row_among_the_others_is_not(seed, n_own, n_other):
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(n_own, 3))
    other = rng.normal(loc=50, size=(n_other, 3))
    critic = NeighborCritic().fit(DenseRows(own), DenseRows(other), Seeds(seed).stream())
    at_home, abroad = (
        np.exp(critic.judge(Candidates(rows, sources)).log_probability)
        for rows, sources in ((2 * own, np.arange(n_own)), (other, np.full(n_other, -1)))
    )
    assert ((at_home >= 0) & (at_home <= 1)).all()
    if n_own > 16 and n_other > 16:
        assert at_home.max() > 0.8
        assert abroad.max() < 0.5


@given(seed=st.integers(0, 1000), n_own=st.integers(2, 300), n_others=st.integers(1, 300))
def test_the_network_tells_a_class_from_the_others_and_copies_from_their_sources(
    seed, n_own, n_others
):
    rng = np.random.default_rng(seed)
    own, others = rng.normal(size=(n_own, 3)), rng.normal([8, 0, 0], size=(n_others, 3))
    own, others = own.astype(np.float32), others.astype(np.float32)
    critic = NetworkCritic().fit(DenseRows(own), DenseRows(others), Seeds(seed).stream())
    at_home = critic.judge(Candidates(own.copy(), np.arange(n_own)))
    moved = critic.judge(Candidates(own + 20, np.arange(n_own)))
    abroad = critic.judge(Candidates(others.copy(), np.full(n_others, -1)))
    assert (np.exp(at_home.log_probability) > 0.5).all()
    assert (np.exp(abroad.log_probability) < 0.5).all()
    assert at_home.is_copy.all()
    assert not moved.is_copy.any()
    assert not abroad.is_copy.any()


def test_large_tables_are_judged_by_a_network_and_small_classes_by_neighbours():
    X, y = make_table({0: 10_000, 1: 100, 2: 50})
    generators = quick().fit(X, y)._generators
    assert isinstance(generators[1].critic, FittedNetworkCritic)
    assert isinstance(generators[2].critic, FittedNeighborCritic)
    X, y = make_table({0: 1_000, 1: 100})
    assert isinstance(quick().fit(X, y)._generators[1].critic, FittedNeighborCritic)


def test_rejection_in_a_large_table_draws_fewer_rows_among_the_other_classes():
    X, y = make_table({0: 10_000, 1: 500}, n_features=2)
    X[y == 1] -= 2  # the clouds overlap
    near_others = []
    for strength in (0.0, 3.0):
        rows = quick(rejection_strength=strength, max_iter=300).fit(X, y).sample(1, 4_000)
        near_others.append(np.mean(np.linalg.norm(rows, axis=1) < 0.7))
    assert near_others[1] < 0.7 * near_others[0]


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
    X, y = table
    sampler = quick().fit(pd.DataFrame(X, columns=list("abcde")), y)
    sampler.sample(1, 2)
    X, y = make_table({"a": 20, "b": 10}, n_features=3)
    X_again, _ = sampler.fit_resample(X, y)
    fresh = quick()
    assert_array_equal(X_again, fresh.fit_resample(X, y)[0])
    assert set(vars(sampler)) == set(vars(fresh))
    assert list(sampler.vaes_) == ["b"]
    assert_array_equal(sampler.sample("b", 2), fresh.sample("b", 2))


def test_fitting_without_resampling_forgets_the_last_resampled_rows(table):
    sampler = quick()
    sampler.fit_resample(*table)
    sampler.fit(*make_table({0: 20, 1: 10}))
    assert not hasattr(sampler, "synthetic_mask_")


def test_fitting_and_resampling_train_the_same_vaes(table):
    fitted, resampled = quick().fit(*table), quick()
    resampled.fit_resample(*table)
    for label in (1, 2):
        assert_array_equal(
            fitted.loss_curves_[label].total, resampled.loss_curves_[label].total
        )
        assert_array_equal(
            fitted.sample(label, 4, random_state=0), resampled.sample(label, 4, random_state=0)
        )


@pytest.mark.parametrize("layout", ["Fortran order", "backwards", "read-only"])
def test_the_layout_in_memory_does_not_matter(layout, table):
    X, y = table
    expected, _ = quick().fit_resample(X, y)
    if layout == "Fortran order":
        X = np.asfortranarray(X)
    elif layout == "backwards":
        X = np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]
    else:
        X.flags.writeable = y.flags.writeable = False
    assert_array_equal(quick().fit_resample(X, y)[0], expected)


@pytest.mark.parametrize(
    "container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix]
)
def test_sparse_tables_stay_sparse_with_the_rows_of_the_dense_one(container, table):
    X, y = table
    X[np.abs(X) < 1] = 0
    dense, _ = quick().fit_resample(X, y)
    sampler = quick()
    X_new, _ = sampler.fit_resample(container(X), y)
    np.testing.assert_allclose(X_new.toarray(), dense, rtol=1e-6)
    assert_array_equal(X_new[: len(X)].toarray(), X)
    # SMOTE keeps matrices apart from arrays too: `*` means another thing to each.
    assert type(sampler.sample(1, 3)) is container
    assert type(X_new) is container


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_sparse_tables_keep_their_dtype(dtype, table):
    X, y = table
    sampler = quick()
    X_new, _ = sampler.fit_resample(sparse.csr_array((10 * X).astype(dtype)), y)
    assert X_new.dtype == sampler.sample(1, 2).dtype == dtype


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
            "measured": pd.array(X[:, 2], dtype="Float64"),
            "known flag": pd.array(X[:, 0] > 1, dtype="boolean"),
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


def test_large_integers_beside_floats_are_returned_unchanged(table):
    X, y = table
    frame = pd.DataFrame(X, columns=list("abcde")).assign(account=2**60 + np.arange(len(X)))
    X_new, _ = quick().fit_resample(frame, y)
    assert_array_equal(X_new["account"][: len(X)], frame["account"])


@pytest.mark.parametrize(
    "columns",
    [[3, 1, 4, 5, 9], pd.MultiIndex.from_product([["a"], range(5)])],
    ids=["integers", "two levels"],
)
def test_column_names_that_are_no_strings_are_kept(columns, table):
    X, y = table
    sampler = quick()
    X_new, _ = sampler.fit_resample(pd.DataFrame(X, columns=columns), y)
    assert list(X_new) == list(columns)
    assert list(sampler.sample(1, 2)) == list(columns)


def test_a_frame_and_its_array_give_the_same_rows(table):
    X, y = table
    from_array, _ = quick().fit_resample(X, y)
    from_frame, _ = quick().fit_resample(pd.DataFrame(X, columns=list("abcde")), y)
    assert_array_equal(from_frame.to_numpy(), from_array)


@pytest.mark.filterwarnings("ignore::vaesampler.exceptions.SmallClassWarning")
@pytest.mark.parametrize("n_rows", [3, 10])
def test_smoothing_keeps_a_small_class_from_being_learned_by_heart(n_rows):
    X, y = make_table({0: 60, 1: n_rows}, n_features=10)

    def distance(smoothing):
        sampler = quick(smoothing=smoothing, rejection_strength=0.0, max_iter=300)
        drawn = sampler.fit(X, y).sample(1, 200)
        return np.median(np.linalg.norm(drawn[:, None] - X[y == 1][None], axis=2).min(axis=1))

    assert distance(1.0) > distance(0.0)


def test_smoothed_rows_keep_the_classs_mean_and_covariance():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(30, 3, generator=generator) @ torch.randn(3, 3, generator=generator)
    smoothed = SmoothedRows.fit(DenseRows(rows.numpy()), Layout(rows.shape[1]), 5.0, "cpu")
    drawn = smoothed.draw(torch.arange(30).repeat(2000), generator)
    torch.testing.assert_close(drawn.mean(dim=0), rows.mean(dim=0), atol=0.05, rtol=0)
    # Shrinkage draws correlations, but no variances, towards zero.
    torch.testing.assert_close(
        drawn.var(dim=0), rows.var(dim=0, correction=0), atol=0.05, rtol=0.05
    )
    assert (np.sign(np.corrcoef(drawn.T)) == np.sign(np.corrcoef(rows.T))).all()


def test_smoothing_vanishes_as_a_class_grows():
    bandwidths = [
        SmoothedRows.fit(
            DenseRows(np.random.default_rng(0).normal(size=(n_rows, 4))), Layout(4), 1.0, "cpu"
        ).bandwidth
        for n_rows in (5, 50, 5000)
    ]
    assert bandwidths[0] > 0.3 > bandwidths[1] > 0.01 > bandwidths[2] > 0
