"""Samplers are saved without pickles, and loaded as they were, or not at all."""

import copy
import datetime
import json
import os
import pickle
import re
import subprocess
import sys
import tracemalloc
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from conftest import make_table, quick
from damaged_files import (
    change_content,
    change_header,
    damage_bytes,
    joined,
    outcome_of,
    parsed,
    small_sampler,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError

from vaesampler import (
    Critic,
    DenoisingSampling,
    ForestCritic,
    InterpolationSampling,
    LatentSampler,
    NeighborCritic,
    VAEOversampler,
)
from vaesampler._saving import file as saved_files
from vaesampler._saving.values import Reader, Writer
from vaesampler.exceptions import InconsistentVersionWarning, SavedSamplerError

# A list of numbers, text, and truth values that may be missing; eight rows are rare.
FORMAT_1 = Path(__file__).parent / "saved" / "format_1.safetensors"


def small(**parameters):
    """Return a sampler whose file is small."""
    return quick(**{"hidden_layer_sizes": 4, "latent_dim": 2, "max_iter": 3, **parameters})


def mixed_frame(n_rows=60):
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2020-03-01") + pd.to_timedelta(rng.integers(0, 400, n_rows), unit="D")
    return pd.DataFrame(
        {
            "amount": rng.normal(size=n_rows).round(2),
            "narrow": rng.normal(size=n_rows).astype(np.float32),
            "count": rng.integers(0, 500, n_rows),
            "large": rng.integers(2**60, 2**62, n_rows),
            "nullable": pd.array([None, *rng.integers(0, 9, n_rows - 1)], dtype="Int64"),
            "text": rng.choice(["a", "b", "ü\n"], n_rows),
            "level": pd.Categorical(rng.choice(["x", "y", "z"], n_rows)),
            "size": pd.Categorical(
                rng.choice(["S", "M", "L"], n_rows), ["S", "M", "L"], ordered=True
            ),
            "flag": rng.random(n_rows) < 0.5,
            "day": days,
            "zoned": pd.Series(days.tz_localize("Europe/Berlin")).where(
                rng.random(n_rows) > 0.2
            ),
            "month": days.to_period("M"),
            "object": rng.choice(np.array([Decimal("0.10"), Decimal("2.50")]), n_rows),
        }
    )


def of_mixed(convert):
    return lambda: convert(mixed_frame())


def arrow_table(frame):
    table = pa.Table.from_pandas(frame.drop(columns=["month", "object"]), preserve_index=False)
    return table.replace_schema_metadata({"made": "here"})


def decorated(frame):
    frame.attrs["source"] = {"year": 2020}
    frame.columns = pd.MultiIndex.from_tuples([(name, 1) for name in frame], names=["a", "b"])
    return frame


def numbers():
    return make_table({0: 40, 1: 20})[0]


TABLES = {
    "float64": numbers,
    "float32": lambda: numbers().astype(np.float32),
    "big-endian": lambda: numbers().astype(">f8"),
    "int64": lambda: np.rint(10 * numbers()).astype(int),
    "text": lambda: mixed_frame()[["text", "level"]].to_numpy().astype(str),
    "objects": of_mixed(lambda frame: frame.drop(columns="month").to_numpy(dtype=object)),
    "list": of_mixed(lambda frame: frame.drop(columns="month").to_numpy(object).tolist()),
    "tuples": lambda: [tuple(row) for row in numbers().tolist()],
    "tensor": lambda: torch.from_numpy(numbers().astype(np.float32)),
    "csr": lambda: sparse.csr_matrix(numbers() * (numbers() > 2)),
    "coo": lambda: sparse.coo_array(numbers() * (numbers() > 2)),
    "csc": lambda: sparse.csc_array(np.rint(numbers())),
    "pandas": mixed_frame,
    "pandas, decorated": of_mixed(decorated),
    "pandas, arrow": of_mixed(lambda frame: frame[["text", "day"]].convert_dtypes()),
    "polars": of_mixed(lambda frame: pl.from_pandas(frame.drop(columns=["month", "object"]))),
    "pyarrow": of_mixed(arrow_table),
    "narwhals": of_mixed(lambda frame: nw.from_native(frame[["amount", "text"]])),
}


def assert_same(loaded, sampler, label=1, n_rows=30):
    """Assert that two samplers draw the same rows, in the same containers."""
    drawn, expected = (one.sample(label, n_rows, random_state=0) for one in (loaded, sampler))
    assert type(drawn) is type(expected)
    assert repr(drawn) == repr(expected)
    if sparse.issparse(expected):
        assert drawn.format == expected.format
        drawn, expected = drawn.toarray(), expected.toarray()
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(drawn, expected)
        assert drawn.attrs == expected.attrs
    elif isinstance(expected, pl.DataFrame):
        assert drawn.schema == expected.schema
        assert drawn.rows() == expected.rows()
    elif isinstance(expected, pa.Table):
        assert drawn.equals(expected)
    elif isinstance(expected, np.ndarray) and expected.dtype != object:
        assert drawn.dtype == expected.dtype
        assert_array_equal(drawn, expected)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sampler.safetensors"


def round_trip(sampler, path):
    sampler.save(path)
    return VAEOversampler.load(path)


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_a_loaded_sampler_draws_the_same_rows_in_every_container(make, path):
    X = make()
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    sampler = small(sampling_strategy={1: 40}).fit(X, np.arange(n_rows) % 3 == 0)
    loaded = round_trip(sampler, path)
    assert_same(loaded, sampler)
    assert_array_equal(loaded.encode(1, X), sampler.encode(1, X))
    assert_array_equal(loaded.to_matrix(1, X), sampler.to_matrix(1, X))
    assert str(loaded.schema_) == str(sampler.schema_)


@pytest.mark.parametrize(
    "parameters",
    [
        {"critic": "neighbors"},
        {"critic": NeighborCritic(np.int64(3))},
        {"critic": ForestCritic(7)},
        {"critic": "network"},
        {"rejection_strength": 0},
        {"latent_sampling": "prior"},
        {"latent_sampling": InterpolationSampling(2)},
        {"latent_sampling": DenoisingSampling(0.1)},
        {"early_stopping": True, "max_iter": 30},
        {"hidden_layer_sizes": [3, np.int64(5)], "activation": "tanh"},
        {"smoothing": 0, "pretrain_iter": 0},
        {"categorical_features": {0, 2}, "ordinal_features": {1: None}},
        {"categorical_features": np.array([1])},
        {"random_state": np.random.RandomState(3)},
        {"random_state": None, "tol": 1e-300, "alpha": np.float32(0.1)},
        {"device": torch.device("cpu")},
    ],
    ids=", ".join,
)
def test_a_loaded_sampler_has_the_parameters_and_attributes(parameters, path, table):
    X, y = np.rint(table[0]), table[1]
    sampler = small(**parameters)
    X_resampled, _ = sampler.fit_resample(X, y)
    loaded = round_trip(sampler, path)
    shown = [re.sub(" at 0x[^,]*", "", str(one.get_params())) for one in (loaded, sampler)]
    assert shown[0] == shown[1]
    for label in sampler.vaes_:
        assert_same(loaded, sampler, label, 2_000)
        for name in ("loss_curves_", "validation_curves_"):
            if label in getattr(sampler, name):
                curves = (getattr(one, name)[label].total for one in (loaded, sampler))
                assert_array_equal(*curves)
        assert_array_equal(loaded.latent_kl_[label], sampler.latent_kl_[label])
    for name in ("sampling_strategy_", "n_iter_", "n_features_in_"):
        assert getattr(loaded, name) == getattr(sampler, name)
    assert_array_equal(loaded.synthetic_mask_, sampler.synthetic_mask_)
    if parameters.get("random_state", 0) == 0:
        assert_array_equal(loaded.fit_resample(X, y)[0], X_resampled)


def test_a_loaded_sampler_has_the_same_report(path):
    X, y = make_table({0: 60, 1: 30})
    sampler = small(early_stopping=True).fit(X, y)
    loaded = round_trip(sampler, path)
    assert str(loaded.report_[1]) == str(sampler.report_[1])


def test_loaded_samplers_without_a_seed_draw_other_rows_than_each_other(path, table):
    sampler = small().fit(*table)
    one, other = round_trip(sampler, path), round_trip(sampler, path)
    drawn = {a_sampler.sample(1, 3).tobytes() for a_sampler in (sampler, one, other)}
    assert len(drawn) == 3


@pytest.mark.parametrize(
    "classes",
    [
        ["common", "rare"],
        [False, True],
        [0.0, 1.0],
        [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)],
        [datetime.datetime(2020, 1, 1), datetime.datetime(2021, 1, 1, 5)],
        [Decimal("1.0"), Decimal("2.50")],
        [datetime.timedelta(1), datetime.timedelta(2, 3, 4)],
        [pd.Timestamp(5), pd.Timestamp(7)],
        [b"a", b"\xff"],
        [("a", 1), ("b", 2)],
    ],
    ids=lambda classes: type(classes[0]).__name__,
)
def test_labels_of_every_type_come_back(classes, path, table):
    y = np.fromiter((classes[int(one > 0)] for one in table[1]), dtype=object)
    sampler = small(sampling_strategy="not majority").fit(table[0], y)
    loaded = round_trip(sampler, path)
    (label,) = loaded.vaes_
    assert (type(label), label) == (type(classes[1]), classes[1])
    assert_same(loaded, sampler, label)


VALUES = [
    *(None, True, "", "\ud800", 0, -(2**200), 1.5, -0.0, float("inf"), b"\x00", range(3)),
    *([1, [2]], (1, ()), {1, 2}, frozenset({"a"}), {1: "a", (1, 2): None}, Decimal("-0.10")),
    *(Fraction(1, 3), UUID(int=7), datetime.date(1, 1, 1), datetime.time(1, 2, fold=1)),
    datetime.datetime(2020, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    datetime.time(1, tzinfo=datetime.timezone(datetime.timedelta(hours=2), "here")),
    *(datetime.timedelta(-1, 2, 3), np.float32(0.1), np.datetime64(5, "ns"), np.str_("a")),
    *(
        np.longdouble("0.1"),
        pd.Timestamp(5, tz="UTC"),
        pd.Timedelta(7),
        pd.Period("2020-03"),
        np.dtype("<U3"),
    ),
    *(
        pd.Interval(0, 1.5, "both"),
        pd.NaT,
        pd.NA,
        np.int8,
        list,
        pd.Timestamp,
        torch.device("cuda:1"),
    ),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_with_their_type(value):
    writer = Writer()
    coded = json.loads(json.dumps(writer.code(value), allow_nan=False))
    read = Reader(writer.arrays).value(coded)
    assert type(read) is type(value)
    assert repr(read) == repr(value)


@pytest.mark.parametrize("key", ["Europe/Berlin", "Asia/Kolkata", "UTC"])
def test_zones_of_pytz_come_back_with_their_offset(key):
    pytz = pytest.importorskip("pytz", reason="pandas 3 does not require pytz")
    zone = pytz.timezone(key)
    day = zone.localize(datetime.datetime(2020, 7, 1))
    for value in (zone, day):
        read = Reader({}).value(json.loads(json.dumps(Writer().code(value))))
        assert read == value
        assert repr(read) == repr(value)


@pytest.mark.parametrize(
    "array",
    [
        np.array(["a", "ü"]),
        np.array([[1, 2], [3, 4]], order="F"),
        np.array(["2020-01-01", "NaT"], dtype="M8[s]"),
        np.array([None, "a", np.nan], dtype=object),
        np.array(["a", np.nan], dtype=np.dtypes.StringDType(na_object=np.nan)),
        np.array([0.1], dtype=np.longdouble),
        np.arange(3, dtype=">i2"),
        np.empty((0, 3)),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_come_back_bit_for_bit(array):
    writer = Writer()
    read = Reader(writer.arrays).value(writer.code(array))
    assert (read.dtype, read.shape, read.strides) == (array.dtype, array.shape, array.strides)
    assert repr(read.tolist()) == repr(array.tolist())


def test_a_sampler_is_saved_twice_as_the_same_bytes(path, tmp_path):
    sampler = small(categorical_features={"text", "level"}).fit(
        mixed_frame().drop(columns=["flag", "size", "month"]), [0, 0, 1] * 20
    )
    sampler.save(path)
    again = tmp_path / "again"
    VAEOversampler.load(path).save(again)
    assert path.read_bytes() == again.read_bytes()


def test_a_sampler_that_had_nothing_to_add_is_saved(path, table):
    sampler = small(sampling_strategy={0: 40}).fit(*table)
    loaded = round_trip(sampler, path)
    assert loaded.vaes_ == {}
    assert loaded.sampling_strategy_ == sampler.sampling_strategy_


def test_an_unfitted_sampler_is_not_saved(path):
    with pytest.raises(NotFittedError):
        VAEOversampler().save(path)


class OwnSampling(LatentSampler):
    def draw(self, vae, rows, n_samples, generator):
        return DenoisingSampling().draw(vae, rows, n_samples, generator)


class OwnCritic(Critic):
    def fit(self, own_rows, other_rows, random):
        return NeighborCritic().fit(own_rows, other_rows, random)


class OwnFrame(pd.DataFrame):
    @property
    def _constructor(self):
        return OwnFrame


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"latent_sampling": OwnSampling()}, "'latent_sampling'.*OwnSampling.*joblib"),
        ({"critic": OwnCritic()}, "'critic'.*OwnCritic.*joblib"),
        ({"sampling_strategy": lambda y: {1: 30}}, "'sampling_strategy'.*joblib"),
        ({"categorical_features": pd.Index([0])}, "'categorical_features'.*Index"),
    ],
)
def test_objects_of_other_classes_are_refused_by_name(parameters, message, path, table):
    sampler = small(**parameters).fit(*table)
    with pytest.raises(TypeError, match=message):
        sampler.save(path)
    assert list(path.parent.iterdir()) == []


def test_frames_of_the_users_classes_are_refused(path):
    sampler = small().fit(OwnFrame(mixed_frame()), [0, 0, 1] * 20)
    with pytest.raises(TypeError, match=r"table X.*OwnFrame"):
        sampler.save(path)


def test_a_write_that_fails_leaves_the_old_file(path, table, monkeypatch):
    sampler = small().fit(*table)
    sampler.save(path)
    before = path.read_bytes()

    def fail(descriptor):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        sampler.save(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "parameters", [{"critic": "network"}, {"rejection_strength": 0}, {"early_stopping": True}]
)
def test_real_rows_can_be_left_out(parameters, path):
    X, y = make_table({0: 60, 1: 30})
    X = X.astype(np.float32)
    parameters = {"rejection_strength": 4, "critic": "network", **parameters}
    sampler = small(latent_sampling="prior", **parameters).fit(X, y)
    encoded = sampler._generators[1].own_rows.matrix
    rows = [*X, *X.astype(np.float64), *encoded, *sampler.to_matrix(1, X)]
    sampler.save(path)
    assert any(row.tobytes() in path.read_bytes() for row in rows)
    sampler.save(path, include_rows=False)
    assert not any(row.tobytes() in path.read_bytes() for row in rows)
    loaded = VAEOversampler.load(path)
    assert_same(loaded, sampler, n_rows=2_000)
    assert_array_equal(loaded.encode(1, X), sampler.encode(1, X))
    with pytest.raises(AttributeError, match="held-out rows"):
        loaded.report_  # noqa: B018
    assert_same(round_trip(loaded, path), sampler)
    with pytest.raises(ValueError, match="left out"):
        loaded._generators[1].own_rows.take(np.arange(1))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "`latent_sampling`.* and `critic`"),
        ({"latent_sampling": "prior", "critic": "forest"}, "because of `critic`"),
        ({"rejection_strength": 0}, "because of `latent_sampling`, which must be 'prior'. "),
    ],
)
def test_rows_that_are_needed_are_not_left_out(parameters, message, path, table):
    with pytest.raises(ValueError, match=message):
        small(**parameters).fit(*table).save(path, include_rows=False)
    assert not path.exists()


# What a damaged or a malicious file does


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return a sampler, the bytes of its file, and where to write others."""
    path = tmp_path_factory.mktemp("saved") / "sampler.safetensors"
    sampler = small_sampler()
    sampler.save(path)
    return sampler, path.read_bytes(), path


def outcome_of_damage(damage, seed, saved):
    sampler, data, path = saved
    path.write_bytes(damage(data, Random(seed)))
    return outcome_of(path, sampler)


SEEDS = st.integers(0, 2**32)


@settings(max_examples=150)
@given(seed=SEEDS)
def test_damaged_files_are_refused(saved, seed):
    assert outcome_of_damage(damage_bytes, seed, saved) in {"refused", "the same sampler"}


@settings(max_examples=150)
@given(seed=SEEDS)
def test_files_whose_header_is_changed_are_refused(saved, seed):
    assert outcome_of_damage(change_header, seed, saved) in {"refused", "the same sampler"}


@settings(max_examples=100)
@given(seed=SEEDS)
def test_malicious_content_with_the_right_checksum_is_refused_or_harmless(saved, seed):
    outcome_of_damage(change_content, seed, saved)  # raises nothing


class Harmful:
    def __reduce__(self):
        return pytest.fail, ("code of the file was run",)


@pytest.mark.parametrize("protocol", [0, 5])
def test_pickles_are_refused_without_running_their_code(protocol, path):
    path.write_bytes(pickle.dumps(Harmful(), protocol))
    with pytest.raises(SavedSamplerError, match="not a sampler saved by vaesampler"):
        VAEOversampler.load(path)


@pytest.mark.parametrize("name", ["os.system", "Harmful", "test_saving.Harmful", "object"])
def test_classes_that_are_not_of_the_library_are_not_looked_up(name, saved):
    _, original, path = saved
    path.write_bytes(original)
    content, arrays = saved_files.read_file(path)
    for coded in (["record", name, {}], ["type", name]):
        content["sampler"][2]["parameters"] = coded
        saved_files.write_file(path, content, arrays)
        with pytest.raises(SavedSamplerError):
            VAEOversampler.load(path)


def test_sizes_of_exabytes_take_no_memory(saved):
    sampler, data, path = saved
    header, body = parsed(data)
    for shape in ([2**60], [2**30, 2**30], [2**60, 0], [10**400]):
        header["more"] = {"dtype": "F64", "shape": shape, "data_offsets": [len(body)] * 2}
        tracemalloc.start()
        path.write_bytes(joined(header, body))
        assert outcome_of(path, sampler) == "refused"
        assert tracemalloc.get_traced_memory()[1] < 2**26
        tracemalloc.stop()


def test_a_later_format_asks_for_an_upgrade(saved, monkeypatch):
    sampler, _, path = saved
    monkeypatch.setattr(saved_files, "FORMAT", 2)
    sampler.save(path)
    monkeypatch.undo()
    with pytest.raises(SavedSamplerError, match=r"has format 2, .*Upgrade vaesampler"):
        VAEOversampler.load(path)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        VAEOversampler.load(tmp_path / "none")


def test_files_of_format_1_can_be_loaded():
    loaded = VAEOversampler.load(FORMAT_1)
    expected = json.loads(FORMAT_1.with_suffix(".json").read_text())
    drawn = loaded.sample("rare", len(expected), random_state=0)
    assert_allclose([row[0] for row in drawn], [row[0] for row in expected], atol=0.02)
    assert [row[1:] for row in drawn] == [row[1:] for row in expected]


WITHOUT_LIBRARIES_OF_FRAMES = """
import sys


class WithoutLibrariesOfFrames:
    def find_spec(name, *_):
        if name.partition(".")[0] in ("pandas", "polars", "pyarrow"):
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, WithoutLibrariesOfFrames)
from vaesampler import VAEOversampler
of_array, of_frame = map(VAEOversampler.load, sys.argv[1:])
print(of_array.sample(1, 5, random_state=0).tobytes().hex())
print(len(of_frame.vaes_), of_frame.n_features_in_)
try:
    of_frame.sample(1, 5)
except ImportError as error:
    print(error)
"""


def test_samplers_are_loaded_without_libraries_of_frames_which_only_frames_need(
    saved, tmp_path, table
):
    of_array, of_frame = small().fit(*table), saved[0]
    paths = [tmp_path / "array", tmp_path / "frame"]
    for sampler, path in zip((of_array, of_frame), paths, strict=True):
        sampler.save(path)
    rows, counts, message = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIBRARIES_OF_FRAMES, *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert rows == of_array.sample(1, 5, random_state=0).tobytes().hex()
    assert counts == "1 5"
    assert re.search("pip install (pandas|pyarrow)", message)


def test_a_sampler_of_a_device_that_is_not_there_is_loaded_on_the_cpu(path, table):
    sampler = small().fit(*table).set_params(device="cuda:7")
    loaded = round_trip(sampler, path)
    assert loaded.device == "cuda:7"
    assert next(loaded.vaes_[1].parameters()).device.type == "cpu"
    assert_same(loaded, sampler)


def test_pickles_of_another_version_warn(table):
    sampler = small().fit(*table)
    assert_same(pickle.loads(pickle.dumps(sampler)), sampler)
    assert_same(copy.deepcopy(sampler), sampler)
    data = pickle.dumps(sampler).replace(b"\x050.1.0", b"\x050.0.9")
    with pytest.warns(InconsistentVersionWarning, match=r"pickled by vaesampler 0\.0\.9"):
        assert_same(pickle.loads(data), sampler)


def test_pickles_that_lack_something_are_refused(table):
    sampler = small().fit(*table)
    state = {**sampler.__getstate__(), "_vaesampler_version": "0.0.9"}
    generator = copy.copy(state["_generators"][1])
    del generator.__dict__["residuals"]
    state["_generators"] = {1: generator}
    with pytest.raises(ValueError, match=r"'residuals'.*`save`"):
        VAEOversampler().__setstate__(state)
