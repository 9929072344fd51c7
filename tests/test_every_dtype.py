"""Laws that hold for tables of every dtype of pandas, polars, pyarrow, NumPy, SciPy and lists.

The normal run takes less than a minute. To search for about 20 minutes, with other examples in
each run, and shrink what fails:

    pytest tests/test_every_dtype.py --hypothesis-profile=long -n 0

`VAESAMPLER_EXAMPLES=3000` in the environment beside it searches longer.
"""

import datetime
import os
import pickle
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from exact import (
    IS_PANDAS_2,
    MOST_DECIMALS,
    NAN,
    NS_OF_DAY,
    NS_OF_UNIT,
    assert_could_be_held,
    column_of,
    exact_cells,
    form_of,
    in_zone,
    is_value,
    n_rows_of,
    rows_of,
    wall_cells,
)
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from vaesampler import VAEOversampler
from vaesampler.metrics._paired_tables import PairedTables
from vaesampler.plotting._histograms import marginal_of
from vaesampler.plotting._samples import read_both

# The profile "long" of conftest is not derandomized.
IS_DEFAULT = settings().derandomize
N_EXAMPLES = int(
    os.environ.get("VAESAMPLER_EXAMPLES", 25 if IS_DEFAULT else settings().max_examples)
)
IS_SHORT = N_EXAMPLES == 25
# To shrink what fails takes minutes: that is for the long run.
PHASES = [Phase.explicit, Phase.generate] if IS_SHORT else list(Phase)
many_examples = settings(
    max_examples=N_EXAMPLES,
    derandomize=IS_SHORT,
    database=None,
    phases=PHASES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::vaesampler.exceptions.SmallClassWarning"),
    pytest.mark.filterwarnings("ignore::vaesampler.exceptions.DuplicatedRowsWarning"),
]


def small_sampler():
    return VAEOversampler(
        max_iter=2, pretrain_iter=1, hidden_layer_sizes=4, latent_dim=2, random_state=0
    )


# What the cells of a column are.


@dataclass
class Cells:
    """Cells as Python objects (times: as numbers of the dtype's unit), None where missing."""

    cells: list[Any]
    # Often repeated numbers, off the grid of the others.
    sentinels: tuple[Any, ...] = ()


def whole_numbers(low, high):
    """Return a strategy of whole numbers in steps, perhaps with sentinels and missing cells."""

    @st.composite
    def draw_cells(draw, n_rows, can_miss=True):
        rng = np.random.default_rng(draw(st.integers(0, 10**6)))
        width = high - low
        steps = [1, 5, 7, 500, 10**6, 10**12, max(1, width // (5 * n_rows))]
        step = draw(st.sampled_from([step for step in steps if step <= max(1, width)]))
        n_steps = draw(st.sampled_from([1, 2, 3, 5, n_rows // 2, 4 * n_rows]))
        n_steps = min(n_steps, width // step + 1)
        last_start = high - step * (n_steps - 1)
        middle = min(max(low, 0), last_start)
        start = draw(st.sampled_from([low, last_start, middle, (low + last_start) // 2]))
        chosen = rng.integers(0, n_steps, n_rows)
        if n_steps > n_rows and draw(st.booleans()):
            chosen = rng.permutation(n_steps)[:n_rows]
        numbers = [start + step * index for index in chosen.tolist()]
        sentinels = ()
        how = draw(st.sampled_from(["never", "never", "once", "often"]))
        if how != "never":
            ends = [number for number in (low, high, 0, -1, 999_999) if low <= number <= high]
            sentinel = draw(st.sampled_from(ends))
            share = 0.4 if how == "often" else 1.5 / n_rows
            is_sentinel = rng.random(n_rows) < share
            numbers = [
                sentinel if here else number
                for here, number in zip(is_sentinel, numbers, strict=True)
            ]
            others = {number for number in numbers if number != sentinel}
            if is_sentinel.sum() >= 12 and len(others) > 22:
                sentinels = (sentinel,)
        return with_missing(draw, rng, numbers, can_miss, sentinels)

    return draw_cells


def with_missing(draw, rng, cells, can_miss, sentinels=()):
    share = draw(st.sampled_from([0, 0, 0.2, 0.7, 1])) if can_miss else 0
    if share:
        sentinels = ()  # too few of them may be left
    missing = rng.random(len(cells)) < share
    return Cells(
        [None if gone else cell for gone, cell in zip(missing, cells, strict=True)], sentinels
    )


def scaled(numbers, convert):
    """Return a strategy of the whole numbers, each converted."""

    @st.composite
    def draw_cells(draw, n_rows, can_miss=True):
        # One conversion for all cells, such as a number of decimals.
        convert_one = convert(draw)
        found = draw(numbers(n_rows, can_miss))
        return Cells(
            [None if cell is None else convert_one(cell) for cell in found.cells],
            tuple(map(convert_one, found.sentinels)),
        )

    return draw_cells


def decimal_of(number, n_decimals):
    return Decimal(f"{number}e-{n_decimals}")


def written_floats(n_digits):
    """Return a strategy of floats of a few decimals."""

    def convert(draw):
        n_decimals = draw(st.integers(0, min(n_digits, 10)))
        return lambda number: float(decimal_of(number, n_decimals))

    return scaled(whole_numbers(-(10**n_digits), 10**n_digits), convert)


def any_floats(bits):
    @st.composite
    def draw_cells(draw, n_rows, can_miss=True):
        rng = np.random.default_rng(draw(st.integers(0, 10**6)))
        if draw(st.booleans()):
            largest = float(np.finfo(f"f{bits // 8}").max)
            scale = draw(st.sampled_from([1e-3, 1.0, 300.0, largest / 2, largest]))
            cells = np.clip(rng.normal(size=n_rows) / 3, -1, 1) * scale
            cells = cells.astype(f"f{bits // 8}").tolist()
        else:
            pool = draw(
                st.lists(
                    st.floats(width=bits, allow_nan=False, allow_infinity=False),
                    min_size=1,
                    max_size=n_rows,
                )
            )
            cells = [pool[index] for index in rng.integers(0, len(pool), n_rows)]
        return with_missing(draw, rng, cells, can_miss)

    return draw_cells


def floats(bits):
    written, free = written_floats({16: 3, 32: 6, 64: 14}[bits]), any_floats(bits)
    return lambda n_rows, can_miss=True: st.one_of(
        written(n_rows, can_miss), free(n_rows, can_miss)
    )


def levels_of(levels):
    """Return a strategy of levels, few of them or all."""

    @st.composite
    def draw_cells(draw, n_rows, can_miss=True):
        rng = np.random.default_rng(draw(st.integers(0, 10**6)))
        pool = draw(st.lists(st.sampled_from(levels), min_size=1, unique=True))
        cells = [pool[index] for index in rng.integers(0, len(pool), n_rows)]
        return with_missing(draw, rng, cells, can_miss)

    return draw_cells


WORDS = ["a", "B", "", " ", "äöü", "nan", "None", "1", "a" * 50, "日本", "🙂", "a\nb"]
TEXT = levels_of(WORDS)
PLAIN_TEXT = levels_of(["a", "b", "c", "word", "ü"])
BYTES = levels_of([b"a", b"", b"\x00", b"\xff\xfe", b"word"])
FOUR_BYTES = levels_of([b"abcd", b"\x00\x01\x02\x03", b"\xff\xff\xff\xff"])
BOOLEANS = levels_of([False, True])
NOTHING = scaled(whole_numbers(0, 0), lambda draw: lambda number: None)


# Dtypes: how a column is made of cells.


@dataclass
class Kind:
    strategy: Callable
    make: Callable
    can_miss: bool = True
    # Cells are new numbers, rather than copies of old ones.
    is_number: bool = True
    digits: int = 15


def bounds(n_bits, signed):
    return (-(2 ** (n_bits - 1)), 2 ** (n_bits - 1) - 1) if signed else (0, 2**n_bits - 1)


INTEGERS = {
    f"{sign}int{n_bits}": bounds(n_bits, not sign)
    for sign in ("", "u")
    for n_bits in (8, 16, 32, 64)
}
DIGITS = {16: 3, 32: 6, 64: 15}
SMALLEST_TICK = -(2**63) + 1
LARGEST_TICK = 2**63 - 1
FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31


def moments(unit):
    ns = NS_OF_UNIT[unit]
    if unit == "ns":
        return whole_numbers(SMALLEST_TICK, LARGEST_TICK)
    per_day = NS_OF_DAY // ns
    numbers = whole_numbers(FIRST_DAY * per_day, (LAST_DAY + 1) * per_day - 1)
    days = scaled(whole_numbers(-20_000, 40_000), lambda draw: lambda day: day * per_day)
    return lambda n_rows, can_miss=True: st.one_of(
        numbers(n_rows, can_miss), days(n_rows, can_miss)
    )


def zoned_moments(unit):
    """Return a strategy of times from 1900 to 2100, away from changes of clocks."""
    per_day = NS_OF_DAY // NS_OF_UNIT[unit]
    days = whole_numbers(-25_000, 47_000)
    hour_of_noon = per_day // 2
    noons = scaled(days, lambda draw: lambda day: day * per_day + hour_of_noon)
    seconds = whole_numbers(19_662 * per_day, 19_780 * per_day)  # a winter
    return lambda n_rows, can_miss=True: st.one_of(
        noons(n_rows, can_miss), seconds(n_rows, can_miss)
    )


def durations(unit):
    longest = min(LARGEST_TICK, 999_999_999 * NS_OF_DAY // NS_OF_UNIT[unit])
    everything, short = whole_numbers(-longest, longest), whole_numbers(0, 10**6)
    return lambda n_rows, can_miss=True: st.one_of(
        everything(n_rows, can_miss), short(n_rows, can_miss)
    )


def times_of_day(unit):
    return whole_numbers(0, NS_OF_DAY // NS_OF_UNIT[unit] - 1)


DATES = whole_numbers(FIRST_DAY, LAST_DAY)


def decimals(precision, scale):
    largest = 10**precision - 1
    everything = whole_numbers(-largest, largest)
    numbers = whole_numbers(-min(10**6, largest), min(10**6, largest))
    exact = [
        scaled(one, lambda draw: lambda number: decimal_of(number, scale))
        for one in (everything, numbers)
    ]
    return lambda n_rows, can_miss=True: st.one_of(*[one(n_rows, can_miss) for one in exact])


# pandas


def pandas_series(dtype):
    return lambda cells: pd.Series(cells, dtype=dtype)


def nullable_integers(dtype):
    def make(cells):
        values = np.array([0 if cell is None else cell for cell in cells], dtype.lower())
        return pd.Series(pd.arrays.IntegerArray(values, np.array([c is None for c in cells])))

    return make


def numpy_times(cells, dtype):
    missing = np.iinfo("i8").min
    ticks = [missing if cell is None else cell for cell in cells]
    return np.array(ticks, "i8").view(dtype)


def pandas_times(dtype, zone=None):
    def make(cells):
        series = pd.Series(numpy_times(cells, dtype))
        if zone is None:
            return series
        return series.dt.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")

    return make


def pandas_categories(levels, ordered, dtype=None):
    """Make categories, in a dtype that has levels which no cell has."""
    index = pd.Index(levels, dtype=dtype)
    return lambda cells: pd.Series(pd.Categorical(cells, categories=index, ordered=ordered))


def periods(frequency):
    def make(cells):
        missing = np.iinfo("i8").min
        ordinals = np.array([missing if cell is None else cell for cell in cells], "i8")
        return pd.Series(pd.PeriodIndex.from_ordinals(ordinals, freq=frequency))

    return make


def intervals(unit):
    def make(cells):
        pairs = [None if cell is None else (unit(cell), unit(cell + 1)) for cell in cells]
        if all(pair is None for pair in pairs):
            pairs[0] = (unit(0), unit(1))
        return pd.Series(pd.arrays.IntervalArray.from_tuples(pairs))

    return make


def objects_of(convert):
    """Make an object column, whose missing cells are all the same."""

    def make(cells, missing=None):
        return [missing if cell is None else convert(cell) for cell in cells]

    return make


EPOCH = datetime.datetime(1970, 1, 1)


def python_moment(tick):
    return EPOCH + datetime.timedelta(microseconds=tick)


OBJECT_KINDS = {
    "int": (whole_numbers(-(2**70), 2**70), int),
    "small int": (whole_numbers(-1000, 1000), int),
    "float": (floats(64), float),
    "np.float32": (floats(32), np.float32),
    "np.int64": (whole_numbers(*INTEGERS["int64"]), np.int64),
    "bool": (BOOLEANS, bool),
    "str": (TEXT, str),
    "bytes": (BYTES, bytes),
    "Decimal": (decimals(10, 2), Decimal),
    "long Decimal": (decimals(38, 18), Decimal),
    "date": (DATES, lambda day: datetime.date.fromordinal(719_163 + day)),
    "datetime": (moments("us"), python_moment),
    "datetime in UTC": (
        zoned_moments("us"),
        lambda tick: python_moment(tick).replace(tzinfo=datetime.UTC),
    ),
    "time": (times_of_day("us"), lambda tick: python_moment(tick).time()),
    "timedelta": (durations("us"), lambda tick: datetime.timedelta(microseconds=tick)),
    "Timestamp": (moments("us"), lambda tick: pd.Timestamp(python_moment(tick))),
    "Timedelta": (
        durations("us"),
        lambda tick: pd.Timedelta(datetime.timedelta(microseconds=tick)),
    ),
}
COPIED_OBJECTS = ("bool", "str", "bytes")


def object_kinds(make):
    return {
        f"objects: {name}": Kind(
            strategy,
            lambda cells, convert=convert: make(objects_of(convert)(cells)),
            is_number=name not in COPIED_OBJECTS,
            digits=6 if name == "np.float32" else 15,
        )
        for name, (strategy, convert) in OBJECT_KINDS.items()
    }


def arrow_types():
    """Return all dtypes of pyarrow that are not nested, with a strategy of their cells."""
    ints = {
        name: Kind(whole_numbers(*ends), arrow_array(getattr(pa, name)()))
        for name, ends in INTEGERS.items()
    }
    floating = {
        f"float{bits}": Kind(
            floats(bits), arrow_array(getattr(pa, f"float{bits}")()), digits=DIGITS[bits]
        )
        for bits in (16, 32, 64)
    }
    copied = {
        str(dtype): Kind(strategy, arrow_array(dtype), is_number=False)
        for dtype, strategy in (
            (pa.null(), NOTHING),
            (pa.bool_(), BOOLEANS),
            (pa.string(), TEXT),
            (pa.large_string(), TEXT),
            (pa.string_view(), TEXT),
            (pa.binary(), BYTES),
            (pa.large_binary(), BYTES),
            (pa.binary_view(), BYTES),
            (pa.binary(4), FOUR_BYTES),
        )
    }
    number_of = {
        str(dtype): Kind(decimals(dtype.precision, dtype.scale), arrow_array(dtype))
        for dtype in (
            *((pa.decimal32(7, 2), pa.decimal64(18, 6)) if hasattr(pa, "decimal32") else ()),
            pa.decimal128(10, 2),
            pa.decimal128(9, 0),
            pa.decimal128(38, 18),
            pa.decimal256(76, 38),
        )
    }
    times = {"date32": Kind(DATES, arrow_ticks(pa.date32()))}
    whole_days = scaled(DATES, lambda draw: lambda day: day * 86_400_000)
    times["date64"] = Kind(whole_days, arrow_ticks(pa.date64()))
    for unit in NS_OF_UNIT:
        time = pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
        times[str(time)] = Kind(times_of_day(unit), arrow_ticks(time))
        times[f"timestamp[{unit}]"] = Kind(moments(unit), arrow_ticks(pa.timestamp(unit)))
        times[f"duration[{unit}]"] = Kind(durations(unit), arrow_ticks(pa.duration(unit)))
        for zone in ("UTC", "Europe/Berlin", "+05:30"):
            zoned = pa.timestamp(unit, zone)
            times[str(zoned)] = Kind(zoned_moments(unit), arrow_ticks(zoned))
    return {**ints, **floating, **copied, **number_of, **times}


def arrow_array(dtype):
    if dtype == pa.float16():  # before pyarrow 21 not from Python's floats
        return lambda cells: pa.array(
            [None if cell is None else np.float16(cell) for cell in cells], dtype
        )
    return lambda cells: pa.array(cells, dtype)


def arrow_ticks(dtype):
    def make(cells):
        if getattr(dtype, "tz", None):
            local = arrow_ticks(pa.timestamp(dtype.unit))(cells)
            return in_zone(local, dtype.tz)
        width = pa.int32() if dtype.bit_width == 32 else pa.int64()
        return pa.array(cells, width).view(dtype)

    return make


def encoded_arrow_types():
    as_dictionary = {
        f"dictionary of {dtype}": Kind(
            strategy,
            lambda cells, dtype=dtype: pa.array(cells, dtype).dictionary_encode(),
            is_number=False,
        )
        for dtype, strategy in (
            (pa.string(), TEXT),
            (pa.int64(), whole_numbers(*INTEGERS["int64"])),
            (pa.binary(), BYTES),
        )
    }
    ordered = pa.dictionary(pa.int8(), pa.string(), ordered=True)
    as_dictionary["ordered dictionary"] = Kind(
        PLAIN_TEXT,
        lambda cells: pa.array(cells, pa.string()).dictionary_encode().cast(ordered),
        is_number=False,
    )
    as_runs = {
        f"run-end encoded {name}": Kind(
            kind.strategy,
            lambda cells, make=kind.make: pc.run_end_encode(make(cells)),
            is_number=kind.is_number,
        )
        for name, kind in ARROW.items()
        if name in ("string", "int64", "float64", "bool", "timestamp[us]", "decimal128(10, 2)")
    }
    return {**as_dictionary, **as_runs}


ARROW = arrow_types()


def backed_by_arrow(kind):
    def make(cells):
        array = kind.make(cells)
        return pd.Series(array, dtype=pd.ArrowDtype(array.type))

    return Kind(kind.strategy, make, is_number=kind.is_number, digits=kind.digits)


PANDAS = {
    **{
        name: Kind(whole_numbers(*ends), pandas_series(name), can_miss=False)
        for name, ends in INTEGERS.items()
    },
    **{
        name.replace("int", "Int").replace("uI", "UI"): Kind(
            whole_numbers(*ends),
            nullable_integers(name.replace("int", "Int").replace("uI", "UI")),
        )
        for name, ends in INTEGERS.items()
    },
    **{
        f"float{bits}": Kind(floats(bits), pandas_series(f"float{bits}"), digits=DIGITS[bits])
        for bits in (16, 32, 64)
    },
    "longdouble": Kind(floats(64), pandas_series(np.longdouble)),
    "Float32": Kind(floats(32), pandas_series("Float32"), digits=6),
    "Float64": Kind(floats(64), pandas_series("Float64")),
    "bool": Kind(BOOLEANS, pandas_series(bool), can_miss=False, is_number=False),
    "boolean": Kind(BOOLEANS, pandas_series("boolean"), is_number=False),
    "str": Kind(TEXT, pandas_series("str"), is_number=False),
    "string[python]": Kind(TEXT, pandas_series("string[python]"), is_number=False),
    "string[pyarrow]": Kind(TEXT, pandas_series("string[pyarrow]"), is_number=False),
    **{
        f"datetime64[{unit}]": Kind(moments(unit), pandas_times(f"M8[{unit}]"))
        for unit in NS_OF_UNIT
    },
    **{
        f"timedelta64[{unit}]": Kind(durations(unit), pandas_times(f"m8[{unit}]"))
        for unit in NS_OF_UNIT
    },
    **{
        f"datetime64[{unit}, {zone}]": Kind(
            zoned_moments(unit), pandas_times(f"M8[{unit}]", zone)
        )
        for unit in NS_OF_UNIT
        for zone in (
            "UTC",
            "America/New_York",
            datetime.timezone(datetime.timedelta(hours=2), "CEST"),
        )
    },
    **{
        f"{'ordered ' if ordered else ''}categories of {name}": Kind(
            levels_of(levels), pandas_categories(levels, ordered, dtype), is_number=False
        )
        for ordered in (False, True)
        for name, levels, dtype in (
            ("text", WORDS, "str"),
            ("objects", WORDS, object),
            ("int64", [-5, 0, 7, 2**62, 2**62 + 1], "int64"),
            ("Int64", [-5, 0, 7, 2**62, 2**62 + 1], "Int64"),
            ("float64", [-0.5, 0.1, 1e300], "float64"),
            ("booleans", [False, True], bool),
            ("dates", [pd.Timestamp(2020, 1, 1), pd.Timestamp(2021, 1, 1)], "M8[ns]"),
        )
    },
    **{
        f"period[{frequency}]": Kind(
            whole_numbers(-500, 500), periods(frequency), is_number=False
        )
        for frequency in ("Y", "Q", "M", "W", "D", "h", "s")
    },
    "interval[int64]": Kind(whole_numbers(-100, 100), intervals(int), is_number=False),
    "interval[float64]": Kind(
        whole_numbers(-100, 100), intervals(lambda number: number / 4), is_number=False
    ),
    "interval[datetime64]": Kind(
        whole_numbers(0, 9000),
        intervals(lambda day: pd.Timestamp("2000") + pd.Timedelta(day, unit="D")),
        is_number=False,
    ),
    "Sparse[int64]": Kind(
        whole_numbers(*INTEGERS["int64"]), pandas_series("Sparse[int64]"), can_miss=False
    ),
    "Sparse[float64]": Kind(floats(64), pandas_series("Sparse[float64]")),
    "Sparse[float32, 0]": Kind(floats(32), pandas_series(pd.SparseDtype("f4", 0)), digits=6),
    "Sparse[bool]": Kind(
        BOOLEANS, pandas_series("Sparse[bool]"), can_miss=False, is_number=False
    ),
    **{
        f"{name}[pyarrow]": backed_by_arrow(kind)
        for name, kind in ARROW.items()
        if not name.endswith("_view")  # pandas cannot print them
        and not (IS_PANDAS_2 and name in ("duration[s]", "duration[ms]"))
    },
    "dictionary[pyarrow]": backed_by_arrow(
        Kind(
            PLAIN_TEXT, lambda c: pa.array(c, pa.string()).dictionary_encode(), is_number=False
        )
    ),
    **object_kinds(pandas_series(object)),
}
ARROW |= encoded_arrow_types()


def polars_series(dtype):
    return lambda cells: pl.Series(cells, dtype=dtype)


def polars_ticks(dtype):
    def make(cells):
        series = pl.Series(cells, dtype=pl.Int32 if dtype == pl.Date else pl.Int64)
        zone = getattr(dtype, "time_zone", None)
        if zone:
            local = series.cast(pl.Datetime(dtype.time_unit))
            return local.dt.replace_time_zone(zone)
        return series.cast(dtype)

    return make


POLARS = {
    **{
        str(dtype): Kind(
            whole_numbers(*bounds(n_bits, dtype.is_signed_integer())), polars_series(dtype)
        )
        for n_bits, dtypes in (
            (8, (pl.Int8, pl.UInt8)),
            (16, (pl.Int16, pl.UInt16)),
            (32, (pl.Int32, pl.UInt32)),
            (64, (pl.Int64, pl.UInt64)),
            (128, (pl.Int128, *([pl.UInt128] if hasattr(pl, "UInt128") else []))),
        )
        for dtype in dtypes
    },
    **(
        {"Float16": Kind(floats(16), polars_series(pl.Float16), digits=3)}
        if hasattr(pl, "Float16")
        else {}
    ),
    "Float32": Kind(floats(32), polars_series(pl.Float32), digits=6),
    "Float64": Kind(floats(64), polars_series(pl.Float64)),
    **{
        str(dtype): Kind(strategy, polars_series(dtype), is_number=False)
        for dtype, strategy in (
            (pl.Null, NOTHING),
            (pl.Boolean, BOOLEANS),
            (pl.String, TEXT),
            (pl.Binary, BYTES),
            (pl.Categorical, TEXT),
            (pl.Enum(WORDS), TEXT),
        )
    },
    **{
        f"Decimal({precision}, {scale})": Kind(
            decimals(precision, scale), polars_series(pl.Decimal(precision, scale))
        )
        for precision, scale in ((9, 0), (10, 2), (38, 18))
    },
    "Date": Kind(DATES, polars_ticks(pl.Date)),
    "Time": Kind(times_of_day("ns"), polars_ticks(pl.Time)),
    **{
        f"Datetime({unit})": Kind(moments(unit), polars_ticks(pl.Datetime(unit)))
        for unit in ("ms", "us", "ns")
    },
    **{
        f"Datetime({unit}, {zone})": Kind(
            zoned_moments(unit), polars_ticks(pl.Datetime(unit, zone))
        )
        for unit in ("ms", "us", "ns")
        for zone in ("UTC", "America/New_York", "Etc/GMT-2")
    },
    **{
        f"Duration({unit})": Kind(durations(unit), polars_ticks(pl.Duration(unit)))
        for unit in ("ms", "us", "ns")
    },
}


def array_column(dtype):
    return lambda cells: np.array(cells, dtype=dtype)


ARRAYS = {
    **{
        name: Kind(whole_numbers(*ends), array_column(name), can_miss=False)
        for name, ends in INTEGERS.items()
    },
    **{
        f"float{bits}": Kind(floats(bits), array_column(f"float{bits}"), digits=DIGITS[bits])
        for bits in (16, 32, 64)
    },
    "longdouble": Kind(floats(64), array_column(np.longdouble)),
    "bool": Kind(BOOLEANS, array_column(bool), can_miss=False, is_number=False),
    "U50": Kind(TEXT, array_column("U50"), can_miss=False, is_number=False),
    "S4": Kind(
        levels_of([b"a", b"", b"\xff\xfe", b"word"]),
        array_column("S4"),
        can_miss=False,
        is_number=False,
    ),
    "StringDType": Kind(
        TEXT, array_column(np.dtypes.StringDType()), can_miss=False, is_number=False
    ),
}
SPARSE = {
    name: ARRAYS[name]
    for name in ("int8", "uint8", "int32", "int64", "uint64", "float32", "float64", "bool")
}
LISTS = object_kinds(list)


# Tables.


@dataclass
class Table:
    X: Any
    y: Any
    kinds: list[Kind]
    columns: list[Cells]


def labels(n_rows):
    return np.where(np.arange(n_rows) % 3 == 0, "rare", "common")


def pandas_frame(series, names):
    return pd.DataFrame(dict(enumerate(series))).set_axis(names, axis="columns")


def polars_frame(series, names):
    return pl.DataFrame([one.alias(name) for one, name in zip(series, names, strict=True)])


def arrow_table(arrays, names):
    return pa.table(dict(zip(names, arrays, strict=True)))


def array_table(columns, names):
    return np.stack(columns, axis=1)


def object_table(columns, names):
    objects = np.empty((len(columns[0]), len(columns)), dtype=object)
    for index, column in enumerate(columns):
        objects[:, index] = column
    return objects


def list_table(columns, names):
    return [list(row) for row in zip(*columns, strict=True)]


# Dtypes, how columns become a table, and whether columns may differ in dtype.
LIBRARIES = {
    "pandas": (PANDAS, pandas_frame, True),
    "polars": (POLARS, polars_frame, True),
    "arrow": (ARROW, arrow_table, True),
    "array": (ARRAYS, array_table, False),
    "object array": (LISTS, object_table, True),
    "list": (LISTS, list_table, True),
    "csr": (SPARSE, lambda columns, _: sparse.csr_array(array_table(columns, _)), False),
    "csc matrix": (
        SPARSE,
        lambda columns, _: sparse.csc_matrix(array_table(columns, _)),
        False,
    ),
}
TEXT_NAMES = ["a", "b c", "", "0", "ä", "日", "a.b", "x__y", "index"]
PANDAS_NAMES = st.sampled_from(
    [
        TEXT_NAMES,
        list(range(9)),
        [("a", index) for index in range(9)],
        [index / 2 for index in range(9)],
    ]
)


@st.composite
def tables(draw, library=None, dtype=None):
    library = library or draw(st.sampled_from(list(LIBRARIES)))
    dtypes, assemble, may_differ = LIBRARIES[library]
    n_rows = draw(st.integers(8, 40))
    chosen = [dtype or draw(st.sampled_from(list(dtypes)))]
    n_others = draw(st.integers(0, 3))
    chosen += [
        draw(st.sampled_from(list(dtypes))) if may_differ else chosen[0]
        for _ in range(n_others)
    ]
    event(f"{library}: {chosen[0]}")
    kinds = [dtypes[name] for name in chosen]
    columns = [draw(kind.strategy(n_rows, kind.can_miss)) for kind in kinds]
    names = draw(PANDAS_NAMES) if library == "pandas" else TEXT_NAMES
    names = draw(st.permutations(names))[: len(chosen)]
    made = [kind.make(one.cells) for kind, one in zip(kinds, columns, strict=True)]
    X = assemble(made, names)
    y = labels(n_rows)
    if library == "pandas":
        X.attrs = draw(st.sampled_from([{}, {"source": "survey"}]))
        X = X.set_flags(
            allows_duplicate_labels=draw(st.sampled_from([True, True, True, False]))
        )
        if draw(st.booleans()):
            X.index = pd.date_range("2020", periods=n_rows)
    return Table(X, y, kinds, columns)


def all_cells(X):
    """Return the cells of all columns as text, with their types."""
    columns = [
        column_of(X, index) for index in range(X.shape[1] if hasattr(X, "shape") else len(X[0]))
    ]
    return [
        [(type(cell).__name__, str(cell)) for cell in exact_cells(column)] for column in columns
    ]


def global_states():
    numpy_state = np.random.get_state()[1].tobytes()  # noqa: NPY002
    return hash(random.getstate()), numpy_state, torch.get_rng_state().numpy().tobytes()


def assert_laws(table):
    X, y = table.X, table.y
    n_rows = len(y)
    before, form, states = all_cells(X), form_of(X), global_states()
    sampler = small_sampler()
    X_new, y_new = sampler.fit_resample(X, y)
    sample = sampler.sample("rare", 7)
    assert global_states() == states, "the global random state is moved"
    assert all_cells(X) == before, "X is changed"
    assert form_of(X) == form, "X is changed"
    assert form_of(X_new) == form
    assert form_of(sample) == form
    assert n_rows_of(X_new) == len(y_new)
    assert y_new.tolist() == [*y.tolist(), *["rare"] * (len(y_new) - n_rows)]
    assert n_rows_of(sample) == 7
    originals = [cells[:n_rows] for cells in all_cells(X_new)]
    assert originals == before
    for index, (kind, made) in enumerate(zip(table.kinds, table.columns, strict=True)):
        column = column_of(X, index)
        seen, walls = exact_cells(column), wall_cells(column)
        for rows in (rows_of(X_new, n_rows), sample):
            assert_drawn(column_of(rows, index), seen, walls, kind, made)


def assert_drawn(drawn_column, seen, walls, kind, made):
    drawn = exact_cells(drawn_column)
    for nothing in (None, NAN):
        assert nothing in seen or nothing not in drawn, (
            f"{nothing} is drawn, and none was there"
        )
    values = {cell for cell in drawn if is_value(cell)}
    observed = [cell for cell in seen if is_value(cell)]
    if not kind.is_number or (len(observed) >= 12 and len(set(observed)) <= 4):
        assert values <= set(observed)
        return
    if values:
        assert min(observed) <= min(values) <= max(values) <= max(observed)
    sentinels = {
        cell
        for cell, original in zip(walls, made.cells, strict=True)
        if original in made.sentinels
    }
    assert_could_be_held(
        wall_cells(drawn_column), walls, sentinels=sentinels, digits=kind.digits
    )


@many_examples
@given(table=tables())
def test_tables_of_any_dtypes_come_back_exactly_and_drawn_cells_could_be_held(table):
    assert_laws(table)


@pytest.mark.parametrize("library", LIBRARIES)
@settings(many_examples, max_examples=max(5, N_EXAMPLES // 5))
@given(data=st.data())
def test_the_laws_hold_in_each_container(library, data):
    assert_laws(data.draw(tables(library)))


@pytest.mark.parametrize(
    ("library", "dtype"),
    [(library, dtype) for library in LIBRARIES for dtype in LIBRARIES[library][0]],
)
@settings(many_examples, max_examples=max(2, N_EXAMPLES // 25))
@given(data=st.data())
def test_the_laws_hold_for_each_dtype(library, dtype, data):
    assert_laws(data.draw(tables(library, dtype)))


@pytest.mark.parametrize("library", LIBRARIES)
@settings(many_examples, max_examples=max(5, N_EXAMPLES // 5))
@given(data=st.data())
def test_what_the_sampler_takes_can_be_encoded_kept_and_compared(library, data):
    table = data.draw(tables(library))
    sampler = small_sampler()
    X_new, _ = sampler.fit_resample(table.X, table.y)
    assert np.isfinite(sampler.encode("rare", table.X)).all()
    assert np.isfinite(sampler.to_matrix("rare", X_new)).all()
    with tempfile.TemporaryDirectory() as folder:
        sampler.save(f"{folder}/sampler")
        loaded = VAEOversampler.load(f"{folder}/sampler")
    drawn = sampler.sample("rare", 5, random_state=0)
    for copied in (pickle.loads(pickle.dumps(sampler)), loaded):
        again = copied.sample("rare", 5, random_state=0)
        assert form_of(again) == form_of(drawn)
        assert all_cells(again) == all_cells(drawn)
    paired = PairedTables.read({"X_real": table.X, "X_synthetic": X_new})
    for index, read in enumerate(paired.cells[0].T):
        real = {cell for cell in exact_cells(column_of(table.X, index)) if is_value(cell)}
        n_distinct = len(np.unique(read[~np.isnan(read)]))
        # Metrics compare floats: values that differ by less than 2**-53 of the range are equal.
        numbers = [Fraction(cell) for cell in real if isinstance(cell, int | Decimal)]
        gaps = [abs(one - other) for one in numbers for other in numbers if one != other]
        is_wide = len(gaps) > 0 and max(gaps) > 2**52 * min(gaps)
        assert n_distinct == len(real) or is_wide
    assert np.isfinite(paired.matrices[0]).all()
    for name, real, synthetic in zip(*read_both(table.X, X_new), strict=True):
        marginal_of(name, real, synthetic)


# The same cells in different containers.


def as_objects_in_frame(convert):
    return lambda cells: pd.Series(objects_of(convert)(cells), dtype=object)


def same_in(assemble, make):
    return lambda columns: assemble(
        [make(cells) for cells in columns], [f"{index}" for index in range(len(columns))]
    )


def in_all(pandas, arrow, polars, convert):
    """Return how columns of one kind become tables of each container."""
    return {
        **{f"pandas {index}": same_in(pandas_frame, make) for index, make in enumerate(pandas)},
        "pandas, by arrow": same_in(pandas_frame, backed_by_arrow(Kind(None, arrow)).make),
        "pandas, objects": same_in(pandas_frame, as_objects_in_frame(convert)),
        "polars": same_in(polars_frame, polars),
        "arrow": same_in(arrow_table, arrow),
        "object array": same_in(object_table, objects_of(convert)),
        "list": same_in(list_table, objects_of(convert)),
    }


SAME = {
    "int64": (
        whole_numbers(*INTEGERS["int64"]),
        in_all(
            [nullable_integers("Int64")], arrow_array(pa.int64()), polars_series(pl.Int64), int
        ),
    ),
    "uint64": (
        whole_numbers(*INTEGERS["uint64"]),
        in_all(
            [nullable_integers("UInt64")],
            arrow_array(pa.uint64()),
            polars_series(pl.UInt64),
            int,
        ),
    ),
    "float64": (
        floats(64),
        {
            **in_all(
                [pandas_series("float64"), pandas_series("Float64")],
                arrow_array(pa.float64()),
                polars_series(pl.Float64),
                float,
            ),
            "array": same_in(array_table, array_column("f8")),
            "csr": same_in(
                lambda *parts: sparse.csr_array(array_table(*parts)), array_column("f8")
            ),
        },
    ),
    "booleans": (
        BOOLEANS,
        in_all(
            [pandas_series("boolean")], arrow_array(pa.bool_()), polars_series(pl.Boolean), bool
        ),
    ),
    "text": (
        TEXT,
        in_all(
            [pandas_series("str"), pandas_series("category"), pandas_series("string[python]")],
            arrow_array(pa.string_view()),
            polars_series(pl.String),
            str,
        ),
    ),
    "bytes": (BYTES, in_all([], arrow_array(pa.binary()), polars_series(pl.Binary), bytes)),
    "decimals": (
        decimals(10, 2),
        in_all(
            [], arrow_array(pa.decimal128(10, 2)), polars_series(pl.Decimal(10, 2)), Decimal
        ),
    ),
    "dates": (
        DATES,
        in_all([], arrow_ticks(pa.date32()), polars_ticks(pl.Date), OBJECT_KINDS["date"][1]),
    ),
    "datetimes": (
        moments("us"),
        in_all(
            [pandas_times("M8[us]")],
            arrow_ticks(pa.timestamp("us")),
            polars_ticks(pl.Datetime("us")),
            python_moment,
        ),
    ),
    "durations": (
        durations("us"),
        in_all(
            [pandas_times("m8[us]")],
            arrow_ticks(pa.duration("us")),
            polars_ticks(pl.Duration("us")),
            OBJECT_KINDS["timedelta"][1],
        ),
    ),
}


@pytest.mark.parametrize("kind", SAME)
@settings(many_examples, max_examples=max(3, N_EXAMPLES // 8))
@given(data=st.data())
def test_the_same_cells_in_any_container_give_the_same_rows(kind, data):
    strategy, containers = SAME[kind]
    n_rows = data.draw(st.integers(8, 40))
    n_columns = data.draw(st.integers(1, 3))
    columns = [data.draw(strategy(n_rows)).cells for _ in range(n_columns)]
    expected = None
    for name, make in containers.items():
        X_new, _ = small_sampler().fit_resample(make(columns), labels(n_rows))
        found = [
            [None if cell is NAN else cell for cell in exact_cells(column_of(X_new, index))]
            for index in range(n_columns)
        ]
        expected = found if expected is None else expected
        assert found == expected, name


@pytest.mark.parametrize("dtype", ["M8[D]", "M8[s]", "M8[ns]", "m8[us]", "m8[h]", ">M8[ms]"])
def test_arrays_of_times_come_back_as_such_on_the_same_grid(dtype):
    X = (7 * np.random.default_rng(0).integers(0, 500, (48, 2))).astype(dtype)
    X[::5, 1] = "NaT"
    X_new, _ = small_sampler().fit_resample(X, labels(48))
    assert X_new.dtype == X.dtype
    assert_array_equal(X_new[:48], X)
    drawn = X_new[48:].astype(np.int64)[~np.isnat(X_new[48:])]
    assert len(drawn) > 0
    assert (drawn % 7 == 0).all()


@pytest.mark.parametrize("dtype", ["M8[M]", "M8[Y]", "m8[Y]", "M8[25s]"])
def test_arrays_of_times_without_a_common_unit_are_refused_with_what_to_do(dtype):
    X = np.arange(24).reshape(12, 2).astype(dtype)
    with pytest.raises(ValueError, match=r"unit from days to nanoseconds.*\.astype\("):
        small_sampler().fit_resample(X, labels(12))


def test_arrays_of_complex_numbers_are_refused():
    X = np.arange(24).reshape(12, 2).astype("c16")
    with pytest.raises(ValueError, match=r"[Cc]omplex"):
        small_sampler().fit_resample(X, labels(12))


def test_the_oracle_tells_an_illegal_cell_from_a_legal_one():
    prices = [1.05, 2.1, 7.35]
    assert_could_be_held([1.05, 4.2, 7.35], prices)
    for wrong in (1.0, 7.4, 4.21, 4.205, 4, None, NAN, Decimal("4.2")):
        with pytest.raises(AssertionError):
            assert_could_be_held([wrong], prices)
    free = [0.1 + 10.0**-MOST_DECIMALS / 7, 0.9]
    assert_could_be_held([0.123456789012345678], free)
