"""Odd inputs and users' own code: nothing is changed in place, nothing fails in silence."""

import os
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import make_table, quick
from numpy.testing import assert_array_equal
from scipy import sparse

from vaesampler import (
    Critic,
    FittedCritic,
    LatentDraw,
    LatentSampler,
    PosteriorSampling,
    VAEOversampler,
    Verdict,
)
from vaesampler._estimators import base
from vaesampler.exceptions import (
    DuplicatedRowsWarning,
    NotConvergedWarning,
    SmallClassWarning,
    TrainingDivergedError,
)

FORMATS = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]


def unsorted(matrix):
    """Return a csr or csc matrix with the indices of each row or column in reverse."""
    matrix = matrix.copy()
    for start, stop in zip(matrix.indptr, matrix.indptr[1:], strict=False):
        for values in (matrix.indices, matrix.data):
            values[start:stop] = values[start:stop][::-1].copy()
    matrix.has_sorted_indices = False
    return matrix


def with_duplicates(matrix):
    """Return a coo, csr or csc matrix that holds half of each value twice."""
    halves = sparse.coo_array(matrix)
    halves.data = halves.data / 2
    twice = sparse.coo_array(
        (np.tile(halves.data, 2), tuple(np.tile(one, 2) for one in halves.coords)),
        shape=matrix.shape,
    )
    if matrix.format == "coo":
        return twice
    # Conversion would sum the duplicates.
    other = matrix.copy()
    other.data = np.repeat(other.data / 2, 2)
    other.indices = np.repeat(other.indices, 2)
    other.indptr = other.indptr * 2
    return type(matrix)((other.data, other.indices, other.indptr), shape=matrix.shape)


def arrays_of(matrix):
    return {
        name: values
        for name, values in vars(matrix).items()
        for values in (values if isinstance(values, tuple) else (values,))
        if isinstance(values, np.ndarray)
    }


def sparse_table():
    X, y = make_table()
    X[X < 0.3] = 0
    return X, y


def sparse_tables():
    X, _ = sparse_table()
    for name in FORMATS:
        yield name, sparse.csr_array(X).asformat(name)
    for name in ("csr", "csc"):
        yield f"{name}, unsorted", unsorted(sparse.csr_array(X).asformat(name))
    for name in ("coo", "csr", "csc"):
        yield f"{name}, duplicates", with_duplicates(sparse.csr_array(X).asformat(name))
    yield "csc matrix, unsorted", unsorted(sparse.csc_matrix(X))


SPARSE_TABLES = dict(sparse_tables())


@pytest.mark.filterwarnings("ignore:Constructing a DIA matrix")
@pytest.mark.parametrize("name", SPARSE_TABLES)
def test_a_read_only_sparse_table_is_read_and_stays_as_it_is(name):
    X, y = sparse_table()
    matrix = SPARSE_TABLES[name].copy()
    arrays = arrays_of(matrix)
    before = {key: values.copy() for key, values in arrays.items()}
    for values in arrays.values():
        values.flags.writeable = False
    drawn = quick().fit_resample(matrix, y)[0].toarray()
    assert_array_equal(drawn, quick().fit_resample(sparse.csr_array(X), y)[0].toarray())
    assert arrays.keys() == arrays_of(matrix).keys()
    for key, values in arrays_of(matrix).items():
        assert values is arrays[key]
        assert_array_equal(values, before[key])


@pytest.mark.parametrize("name", ["csr, unsorted", "csc, unsorted", "csc, duplicates"])
def test_threads_may_fit_on_one_sparse_table(name):
    _, y = sparse_table()
    matrix = SPARSE_TABLES[name].copy()

    def draw(_=None):
        return quick().fit_resample(matrix, y)[0].toarray()

    expected = draw()
    with ThreadPoolExecutor(4) as pool:
        for drawn in pool.map(draw, range(8)):
            assert_array_equal(drawn, expected)


@pytest.mark.parametrize("y_format", ["csr", "csc", "coo"])
def test_a_read_only_sparse_y_is_read_and_stays_as_it_is(y_format):
    X, y = make_table()
    one_hot = sparse.csr_array(np.eye(3)[y]).asformat(y_format)
    arrays = arrays_of(one_hot)
    before = {key: values.copy() for key, values in arrays.items()}
    for values in arrays.values():
        values.flags.writeable = False
    _, resampled = quick().fit_resample(X, one_hot)
    assert resampled.format == y_format
    for key, values in arrays_of(one_hot).items():
        assert_array_equal(values, before[key])


# Lists


@pytest.mark.parametrize("row_type", [list, np.array, type("Row", (list,), {})])
def test_a_result_shares_no_rows_with_a_list(row_type, table):
    X, y = table
    X = [row_type(row) for row in X.tolist()]
    before = [list(row) for row in X]
    X_resampled, _ = quick().fit_resample(X, y)
    assert {type(row) for row in X_resampled} == {type(X[0])}
    for row in X_resampled:
        row[0] = -1
    assert [list(row) for row in X] == before


# Numbers


def column_of(values, dtype):
    """Return a table of three columns of a dtype, one of which has these values."""
    rng = np.random.default_rng(1)
    with np.errstate(under="ignore"):
        return np.stack([rng.normal(size=60), values, rng.integers(9, size=60)], 1).astype(
            dtype
        )


NORMAL = np.random.default_rng(0).normal(size=60)
WHOLE = np.random.default_rng(0).integers(0, 60, size=60)
INTEGERS = [np.dtype(f"{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8)]
FLOATS = list(map(np.dtype, (np.float16, np.float32, np.float64, np.longdouble)))
# On Windows, and on macOS with Apple silicon, it is a float64.
WIDE_LONGDOUBLE = np.finfo(np.longdouble).maxexp > np.finfo(float).maxexp
BEYOND_FLOAT64 = {"fraction": Fraction(10**400), "integer": 10**400}
if WIDE_LONGDOUBLE:
    BEYOND_FLOAT64["longdouble"] = np.longdouble("1e4000")
    BEYOND_FLOAT64["negative longdouble"] = np.longdouble("-1e309")


def odd_tables():
    for dtype in FLOATS:
        info = np.finfo(dtype)
        tiny, largest = info.smallest_subnormal, min(info.max, np.finfo(float).max)
        yield f"{dtype}, normal", column_of(NORMAL, dtype)
        yield f"{dtype}, subnormal", column_of((WHOLE * tiny).astype(dtype), dtype)
        yield f"{dtype}, large", column_of(NORMAL / 4 * dtype.type(largest), dtype)
        yield f"{dtype}, ends", column_of(np.where(NORMAL > 0, largest, -largest), dtype)
        ends = np.choose(WHOLE % 3, [largest, -largest, 0 * largest])
        yield f"{dtype}, ends and 0", column_of(ends, dtype)
        yield f"{dtype}, adjacent", column_of(1 + WHOLE * info.eps, dtype)
        yield f"{dtype}, two adjacent", column_of(1 + WHOLE % 2 * info.eps, dtype)
    for scale in (1e-300, 1e-308, 1e-320, 1e300):
        yield f"scale {scale}", column_of(scale * NORMAL, float)
    for dtype in INTEGERS:
        info = np.iinfo(dtype)
        shape = (60, 3)
        rng = np.random.default_rng(0)
        yield f"{dtype}", rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    if WIDE_LONGDOUBLE:
        yield (
            "longdouble beyond the smallest float64",
            column_of(NORMAL * np.longdouble("1e-4000"), np.longdouble),
        )


ODD_TABLES = dict(odd_tables())


@pytest.mark.parametrize("name", ODD_TABLES)
def test_numbers_of_any_scale_keep_their_dtype_and_are_drawn_within_their_range(name, table):
    X, y = ODD_TABLES[name], table[1]
    X_resampled, _ = quick().fit_resample(X, y)
    assert X_resampled.dtype == X.dtype
    assert X_resampled[: len(X)].tobytes() == X.tobytes()
    drawn = X_resampled[len(X) :]
    assert np.isfinite(drawn).all()
    assert ((drawn >= X.min(axis=0)) & (drawn <= X.max(axis=0))).all()


@pytest.mark.parametrize("value", BEYOND_FLOAT64.values(), ids=BEYOND_FLOAT64)
def test_numbers_beyond_the_range_of_float64_are_refused(value, table):
    X, y = table
    X = X.astype(np.longdouble if isinstance(value, np.longdouble) else object)
    for rows in (slice(3, 4), slice(None)):
        X[rows, 2] = value
        with pytest.raises(ValueError, match=r"(range of float64|infinity).*'column 2'"):
            quick().fit_resample(X, y)


NUMBERS = ["learning_rate_init", "beta", "alpha", "smoothing", "rejection_strength", "tol"]
SIZES = ["latent_dim", "hidden_layer_sizes", "batch_size", "max_iter", "pretrain_iter"]


@pytest.mark.parametrize("value", [1.1e30, 1e300, pytest.param(10**400, id="10**400")])
@pytest.mark.parametrize("parameter", NUMBERS)
def test_parameters_beyond_float32_are_refused_with_their_range(parameter, value, table):
    with pytest.raises(ValueError, match=rf"'{parameter}' .* in the range .* 1e\+30\]. Got 1"):
        quick(**{parameter: value}).fit(*table)


@pytest.mark.parametrize("value", [2**31, 2**63, pytest.param(10**400, id="10**400")])
@pytest.mark.parametrize("parameter", [*SIZES, "n_iter_no_change"])
def test_integers_that_are_no_sizes_are_refused_with_their_range(parameter, value, table):
    with pytest.raises(ValueError, match=rf"'{parameter}' .* in the range .*2147483647\].*Got"):
        quick(**{parameter: value}).fit(*table)


def test_layers_that_are_too_large_are_refused(table):
    with pytest.raises(ValueError, match=r"at least 1 unit, at most 2,147,483,647; found \(4,"):
        quick(hidden_layer_sizes=(4, 2**63)).fit(*table)


@pytest.mark.parametrize("parameter", NUMBERS)
def test_the_largest_numbers_draw_finite_rows_or_say_that_training_diverged(parameter, table):
    with suppress(TrainingDivergedError):
        X, _ = quick(**{parameter: 1e30}).fit_resample(*table)
        assert np.isfinite(X).all()


def test_a_vae_fitted_in_inference_mode_takes_gradients(table):
    X, y = table
    expected = quick().fit_resample(X, y)[0]
    with torch.inference_mode():
        sampler = quick()
        assert_array_equal(sampler.fit_resample(X, y)[0], expected)
        assert torch.is_inference_mode_enabled()
    vae = sampler.vaes_[1]
    assert not any(values.is_inference() for values in vae.state_dict().values())
    rows = torch.from_numpy(sampler.to_matrix(1, X[y == 1]))[None]
    bound = vae.evidence_bound(rows, torch.zeros(1, rows.shape[1], vae.latent_dim))
    (bound.reconstruction + bound.kl).mean().backward()
    assert all(values.grad is not None for values in vae.parameters())


MOMENTS = [datetime(2024, 3, 31, 1 + hour % 4) for hour in range(60)]


@pytest.mark.parametrize("named", [{"categorical_features": ["t"]}, {}])
@pytest.mark.parametrize(
    "times",
    [
        pd.Series(MOMENTS).astype("datetime64[s]"),
        pd.Series(MOMENTS).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"),
        pd.Series(MOMENTS) - MOMENTS[0],
        pd.Series(MOMENTS, dtype=object),
        pd.Series([moment.time() for moment in MOMENTS]),
        pd.Series(MOMENTS).where(WHOLE > 9),
    ],
)
def test_encode_takes_its_own_table_whatever_times_are_named_as(times, named, table):
    X, y = table
    frame = pd.DataFrame(X).add_prefix("x").assign(t=times)
    sampler = quick(**named)
    X_resampled, _ = sampler.fit_resample(frame, y)
    for rows in (frame, X_resampled, sampler.sample(1, 5), frame.tail(1)):
        assert sampler.encode(1, rows).shape == (len(rows), 4)


# Sizes


def classes_of(n_classes, n_rows, n_columns=3):
    y = np.repeat(np.arange(n_classes), n_rows)
    return np.random.default_rng(0).normal(size=(len(y), n_columns)), y


@pytest.mark.filterwarnings("ignore:The number of unique classes")
@pytest.mark.parametrize("dtype", [int, str])
def test_very_many_classes_of_one_row_are_refused_at_once_by_a_short_message(dtype):
    X, y = classes_of(200_000, 1)
    y[0] = 1
    start = perf_counter()
    with pytest.raises(ValueError, match=r"\(199998 in all\) have 1 row each") as caught:
        quick().fit_resample(X, y.astype(dtype))
    assert perf_counter() - start < 15  # 60 seconds before this was a promise
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("n_rows", "parameters", "kind", "found"),
    [
        (3, {}, SmallClassWarning, r"Classes 0, .*\(20 in all\) have fewer rows than the 4"),
        (
            2,
            {"latent_dim": 2, "early_stopping": True},
            SmallClassWarning,
            r"Each of the classes 0, .*\(20 in all\) has 2 rows",
        ),
    ],
)
def test_small_classes_get_one_warning(n_rows, parameters, kind, found):
    X, y = classes_of(20, n_rows)
    strategy = dict.fromkeys(range(20), 4)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        VAEOversampler(sampling_strategy=strategy, random_state=0, **parameters).fit(X, y)
    (message,) = [str(one.message) for one in caught if one.category is kind]
    assert re.match(found, message)


def test_classes_of_equal_rows_and_untrained_vaes_get_one_warning_each():
    X, y = classes_of(20, 6, n_columns=4)
    X[:, 1:] = X[:, :1]
    X[y < 10] = 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        quick(sampling_strategy=dict.fromkeys(range(20), 7), max_iter=1, pretrain_iter=0).fit(
            X, y
        )
    messages = {one.category: str(one.message) for one in caught}
    assert len(messages) == len(caught)
    assert "classes 0, 1, 2, 3, 4, 5, 6, 7, ... (10 in all)" in messages[DuplicatedRowsWarning]
    assert "classes 10, 11, " in messages[NotConvergedWarning]


def test_the_labels_of_an_unknown_class_are_not_all_listed():
    X, y = classes_of(50, 3)
    with pytest.raises(ValueError, match=r"\[51\]. Its classes are \[0, .*\(50 in all\)\]"):
        quick(sampling_strategy={51: 4}).fit(X, y)


# Memory


class FailsWith(LatentSampler):
    def __init__(self, error):
        self.error = error

    def draw(self, vae, rows, n_samples, generator):
        raise self.error


def torch_fails_to_allocate():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    return caught.value


OUT_OF_MEMORY = {
    "NumPy": np._core._exceptions._ArrayMemoryError((9, 9), np.dtype(float)),
    "PyTorch": torch_fails_to_allocate(),
    "GPU": torch.OutOfMemoryError("CUDA out of memory."),
}


@pytest.mark.parametrize("name", OUT_OF_MEMORY)
def test_out_of_memory_says_what_was_asked_for(name, table):
    error = OUT_OF_MEMORY[name]
    sampler = quick(latent_sampling=FailsWith(error)).fit(*table)
    message = r"60 rows and 5 columns, and 60 rows to add. Add fewer rows \(`sampling_strategy`"
    with pytest.raises(MemoryError, match=message) as caught:
        sampler.fit_resample(*table)
    assert caught.value.__cause__ is error
    with pytest.raises(MemoryError, match=r"for 9 rows of 5 columns\. Draw fewer") as caught:
        sampler.sample(1, 9)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("n_rows", [10**13, 2**62, 2**63, 10**30])
@pytest.mark.parametrize("kind", ["array", "frame", "list", "tensor", "csr", "csc"])
def test_more_rows_than_memory_holds_are_refused(n_rows, kind, table):
    X, y = table
    X = {
        "array": X,
        "frame": pd.DataFrame(X),
        "list": X.tolist(),
        "tensor": torch.from_numpy(X),
        "csr": sparse.csr_array(X),
        "csc": sparse.csc_matrix(X),
    }[kind]
    sampler = quick().fit(X, y)
    with pytest.raises(MemoryError, match=rf"for {n_rows:,} rows of 5 columns\. Draw fewer"):
        sampler.sample(1, n_rows)
    added = f", and {n_rows - 12:,} rows to add" if n_rows < 2**63 else ""
    with pytest.raises(MemoryError, match=rf"60 rows and 5 columns{added}\. Add fewer"):
        quick(sampling_strategy={1: n_rows}).fit_resample(X, y)


def test_out_of_memory_does_not_count_the_rows_that_an_earlier_fit_added(table, monkeypatch):
    def fail(X):
        raise MemoryError

    sampler = quick().fit(*table)
    monkeypatch.setattr(base, "read_table", fail)
    X, y = make_table({0: 9, 1: 4}, n_features=3)
    with pytest.raises(MemoryError, match=r"for 13 rows and 3 columns\. Add fewer"):
        sampler.fit(X, y)


def test_a_tensor_that_memory_does_not_hold_is_refused(table):
    with pytest.raises(MemoryError, match=r"60 rows and 5 columns.*decrease `batch_size`"):
        quick(hidden_layer_sizes=(2**31 - 1, 2**31 - 1)).fit(*table)


@pytest.mark.parametrize("error", [ValueError("mine"), RuntimeError("mine"), OverflowError()])
def test_other_errors_are_not_taken_for_a_lack_of_memory(error, table):
    with pytest.raises(type(error)) as caught:
        quick(latent_sampling=FailsWith(error)).fit_resample(*table)
    assert caught.value is error


# Threads


@pytest.mark.parametrize("verbose", [0, 1])
def test_no_thread_is_left_behind(verbose):
    lines = [
        "import threading, sys, io",
        "from conftest import make_table, quick",
        "class Terminal(io.StringIO):",
        "    isatty = lambda self: True",
        "sys.stderr = Terminal()",
        f"sampler = quick(verbose={verbose}, max_iter=60)",
        "sampler.fit_resample(*make_table({0: 200, 1: 20}))",
        "sampler.sample(1, 20_000)",
        "print(threading.active_count(), 'VAEOversampler' in sys.stderr.getvalue())",
    ]
    tests = Path(__file__).parent
    path = os.pathsep.join([str(tests), str(tests.parent), os.environ.get("PYTHONPATH", "")])
    process = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.split() == ["1", str(verbose == 1)]


# Latent samplers, critics and callbacks of a user


class Altered(LatentSampler):
    """Alters what `PosteriorSampling` draws."""

    def __init__(self, alter):
        self.alter = alter

    def draw(self, vae, rows, n_samples, generator):
        return self.alter(PosteriorSampling().draw(vae, rows, n_samples, generator))


def with_z(alter):
    return lambda drawn: LatentDraw(alter(drawn.z), drawn.sources)


def with_sources(alter):
    return lambda drawn: LatentDraw(drawn.z, alter(drawn.sources))


BAD_DRAWS = {
    "nothing": (lambda _: None, "LatentDraw; found NoneType"),
    "a tensor": (lambda drawn: drawn.z, "LatentDraw; found Tensor"),
    "an array": (with_z(lambda z: z.numpy()), "`z` of shape .*; found ndarray"),
    "NaN": (with_z(lambda z: torch.where(z > 1, torch.nan, z)), r"finite codes; .* in \d+ of"),
    "infinity": (with_z(lambda z: z / 0), "finite codes; found NaN or infinity in 500 of 500"),
    "no codes": (with_z(lambda z: z[:, :0]), r"\(1, 500, 4\).*; found shape \(1, 0, 4\)"),
    "too few codes": (with_z(lambda z: z[:, :7]), r"\(1, 500, 4\).*; found shape \(1, 7, 4\)"),
    "other dimensions": (with_z(lambda z: z[..., :3]), r"; found shape \(1, 500, 3\)"),
    "no model axis": (with_z(lambda z: z[0]), r"; found shape \(500, 4\)"),
    "float64": (with_z(lambda z: z.double()), "float32, .*; found .*float64"),
    "sources as floats": (with_sources(lambda one: one.float()), "int64, .*; found .*float32"),
    "sources as a list": (with_sources(lambda one: one.tolist()), "`sources`.*; found list"),
    "too few sources": (with_sources(lambda one: one[:5]), r"`sources`.*; found shape \(5,\)"),
    "sources below 0": (with_sources(lambda one: one - 1), "from 0 to 499, .*; found -1 to"),
    "sources beyond": (with_sources(lambda one: one + 1), "from 0 to 499, .*; found 1 to 500"),
}


@pytest.mark.parametrize("strength", [0, 4])
@pytest.mark.parametrize("name", BAD_DRAWS)
def test_what_a_latent_sampler_draws_is_checked(name, strength, table):
    alter, message = BAD_DRAWS[name]
    sampler = quick(latent_sampling=Altered(alter), rejection_strength=strength)
    with pytest.raises(ValueError, match=rf"^Altered\.draw must return .*{message}.*extending"):
        sampler.fit_resample(*table)
    sampler.fit(*table)
    with pytest.raises(ValueError, match=r"^Altered\.draw"):
        sampler.sample(1, 1)


class Judging(Critic, FittedCritic):
    """Alters a verdict that keeps all candidates."""

    def __init__(self, alter=lambda verdict: verdict, fitted=None, suited=None):
        self.alter = alter
        self.fitted = self if fitted is None else fitted
        self.suited = self if suited is None else suited

    def suited_to(self, schema):
        return self.suited

    def fit(self, own_rows, other_rows, random):
        return self.fitted

    def judge(self, candidates):
        n_rows = len(candidates.encoded)
        return self.alter(Verdict(np.zeros(n_rows), np.zeros(n_rows, dtype=bool)))


def with_logarithms(alter):
    return lambda verdict: verdict._replace(log_probability=alter(verdict.log_probability))


def with_copies(alter):
    return lambda verdict: verdict._replace(is_copy=alter(verdict.is_copy))


BAD_CRITICS = {
    "no verdict": (Judging(lambda _: None), "a Verdict; found NoneType"),
    "too few": (Judging(with_logarithms(lambda one: one[:3])), r"\(500,\).*found shape \(3,\)"),
    "a column": (Judging(with_logarithms(lambda one: one[:, None])), r"found shape \(500, 1\)"),
    "NaN": (
        Judging(with_logarithms(lambda one: one * np.nan)),
        "at most 0; found NaN or .*500",
    ),
    "probabilities": (
        Judging(with_logarithms(lambda one: one + 0.5)),
        "at most 0; found NaN or",
    ),
    "text": (Judging(with_logarithms(lambda one: one.astype(str))), "numbers; found .*<U"),
    "integers": (Judging(with_copies(lambda one: one.astype(int))), "booleans; found .*int64"),
    "too few flags": (Judging(with_copies(lambda one: one[:3])), r"found shape \(3,\), bool"),
    "no fitted critic": (Judging(fitted=3), "a FittedCritic; found int"),
    "no suited critic": (Judging(suited=3), "a Critic; found int"),
}


@pytest.mark.parametrize("name", BAD_CRITICS)
def test_what_a_critic_returns_is_checked(name, table):
    critic, message = BAD_CRITICS[name]
    with pytest.raises(ValueError, match=rf"^Judging\.[a-z_]+ must return .*{message}"):
        quick(critic=critic).fit_resample(*table)


@pytest.mark.parametrize("logarithm", [-np.inf, -1e300, -1e-300, 1e-9])
def test_a_critic_may_return_any_logarithm_of_a_probability(logarithm, table):
    def alter(logarithms):
        logarithms[::2] = logarithm
        return logarithms

    X, _ = quick(critic=Judging(with_logarithms(alter))).fit_resample(*table)
    assert np.isfinite(X).all()


class Failing:
    """A latent sampler, a critic and a callback, of which one method fails."""

    def __init__(self, method):
        self.method = method

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def _fail(self, method):
        if method == self.method:
            raise KeyError("mine")

    def on_fit_task_begin(self, estimator, context):
        self._fail("on_fit_task_begin")

    def on_fit_task_end(self, estimator, context):
        self._fail("on_fit_task_end")


class FailingSampler(Failing, LatentSampler):
    def draw(self, vae, rows, n_samples, generator):
        self._fail("draw")


class FailingCritic(Failing, Judging):
    def __init__(self, method):
        Failing.__init__(self, method)
        Judging.__init__(self)

    def suited_to(self, schema):
        self._fail("suited_to")
        return self

    def fit(self, own_rows, other_rows, random):
        self._fail("fit")
        return self

    def judge(self, candidates):
        self._fail("judge")


@pytest.mark.parametrize(
    ("parameters", "note"),
    [
        ({"latent_sampling": FailingSampler("draw")}, "FailingSampler.draw, for class 1"),
        ({"critic": FailingCritic("suited_to")}, "FailingCritic.suited_to"),
        ({"critic": FailingCritic("fit")}, "FailingCritic.fit, for class 1"),
        ({"critic": FailingCritic("judge")}, "FailingCritic.judge, for class 1"),
    ],
)
def test_errors_of_a_users_code_keep_their_type_and_say_where_they_were_raised(
    parameters, note, table
):
    with pytest.raises(KeyError, match="mine") as caught:
        quick(**parameters).fit_resample(*table)
    assert caught.value.__notes__ == [f"Raised by {note}."]


needs_callbacks = pytest.mark.skipif(
    not hasattr(VAEOversampler, "set_callbacks"), reason="scikit-learn is old"
)


@needs_callbacks
@pytest.mark.parametrize("method", ["on_fit_task_begin", "on_fit_task_end"])
def test_errors_of_a_callback_are_noted_and_leave_nothing_half_fitted(method, table):
    sampler = quick(verbose=1).set_callbacks(Failing(method))
    with pytest.raises(KeyError, match="mine") as caught:
        sampler.fit(*table)
    assert "set_callbacks" in caught.value.__notes__[0]
    assert not hasattr(sampler, "vaes_")


class FailingAtTheEnd(Failing):
    """A callback that fails once all steps are done."""

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "fit":
            self._fail("on_fit_task_end")


@needs_callbacks
@pytest.mark.parametrize("is_fitted", [False, True])
def test_a_callback_that_fails_when_all_is_done_leaves_the_sampler_as_it_was(is_fitted, table):
    sampler = quick()
    if is_fitted:
        sampler.fit_resample(*table)
    before = dict(vars(sampler))
    sampler.set_callbacks(FailingAtTheEnd("on_fit_task_end"))
    with pytest.raises(KeyError, match="mine"):
        sampler.fit(*make_table({0: 20, 1: 9}))
    now = vars(sampler.set_callbacks())
    assert now.keys() == before.keys()
    assert all(now[name] is before[name] for name in now)
