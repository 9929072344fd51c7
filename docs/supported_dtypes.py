"""How columns of each dtype are drawn: python docs/supported_dtypes.py prints a Markdown table.

A column of each dtype is read by the library, and rows are drawn in it, which must have its
dtype. The table is part of tables.md.
"""

import datetime
import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from vaesampler import VAEOversampler
from vaesampler._table.cells import Cells
from vaesampler._table.containers import Container
from vaesampler._table.notations import Decimals, Times
from vaesampler.exceptions import NotConvergedWarning

N_ROWS = 60
DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=i) for i in range(N_ROWS)]
TIMES = [datetime.datetime(2024, 1, 1, 8) + datetime.timedelta(hours=i) for i in range(N_ROWS)]
CLOCKS = [datetime.time(i % 24, i) for i in range(N_ROWS)]
LENGTHS = [datetime.timedelta(minutes=i) for i in range(N_ROWS)]
PRICES = [Decimal(199 + 7 * i) / 100 for i in range(N_ROWS)]
WORDS = [("low", "mid", "high")[i % 3] for i in range(N_ROWS)]
BYTES = [word.encode().ljust(4) for word in WORDS]
FLAGS = [i % 3 == 0 for i in range(N_ROWS)]
WHOLE, REAL = list(range(N_ROWS)), [i / 8 for i in range(N_ROWS)]
UNITS = ("s", "ms", "us", "ns")
INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]

READ_AS = {
    "integers": "integers, exact, in steps of the real ones",
    "floats": "floats, with as many decimals as the real ones, up to 14",
    "decimals": "decimals, exact, of the scale of the real ones",
    "times": "times, exact, in the unit and the steps of the real ones",
    "levels": "copies of real values",
    "ordered levels": "copies of real values, within the range of the class",
}


def pandas_columns() -> Iterator[tuple[str, Any]]:
    """Yield the name of each dtype of pandas, and a series of it."""
    nullable = [name.replace("uint", "UInt").replace("int", "Int") for name in INTEGERS]
    for name in [*INTEGERS, *nullable]:
        yield name, pd.Series(WHOLE, dtype=name)
    for name in ("float16", "float32", "float64", "Float32", "Float64"):
        yield name, pd.Series(REAL, dtype=name)
    for unit in UNITS:
        yield f"datetime64[{unit}]", pd.Series(TIMES, dtype=f"datetime64[{unit}]")
    zoned = pd.Series(TIMES).dt.tz_localize("Europe/Berlin")
    yield "datetime64 with any time zone", zoned
    for unit in UNITS:
        yield f"timedelta64[{unit}]", pd.Series(LENGTHS, dtype=f"timedelta64[{unit}]")
    yield "period", pd.Series(pd.period_range("2020", periods=3, freq="M")[[0, 1, 2] * 20])
    yield "interval", pd.Series(pd.interval_range(0, 3)[[0, 1, 2] * 20])
    yield "bool", pd.Series(FLAGS)
    yield "boolean", pd.Series(FLAGS, dtype="boolean")
    yield "str", pd.Series(WORDS, dtype="str")
    yield "string", pd.Series(WORDS, dtype="string")
    yield "category", pd.Series(WORDS, dtype="category")
    ordered = pd.CategoricalDtype(["low", "mid", "high"], ordered=True)
    yield "category, ordered", pd.Series(WORDS, dtype=ordered)
    yield "Sparse[int]", pd.Series(pd.arrays.SparseArray(WHOLE))
    yield "Sparse[float]", pd.Series(pd.arrays.SparseArray(REAL))


def object_columns() -> Iterator[tuple[str, Any]]:
    """Yield types of Python's objects, and a series of each."""
    for name, cells in {
        "int": WHOLE,
        "float": REAL,
        "Decimal": PRICES,
        "str": WORDS,
        "bytes": BYTES,
        "bool": FLAGS,
        "date": DAYS,
        "datetime": TIMES,
        "time": CLOCKS,
        "timedelta": LENGTHS,
        "Timestamp": list(map(pd.Timestamp, TIMES)),
        "Timedelta": list(map(pd.Timedelta, LENGTHS)),
    }.items():
        yield name, pd.Series(cells, dtype=object)


def polars_columns() -> Iterator[tuple[str, Any]]:
    """Yield the name of each dtype of polars, and a series of it."""
    names = [f"{kind}{bits}" for kind in ("Int", "UInt") for bits in (8, 16, 32, 64, 128)]
    for name in names:
        if hasattr(pl, name):
            yield name, pl.Series(WHOLE, dtype=getattr(pl, name))
    for name in ("Float32", "Float64"):
        yield name, pl.Series(REAL, dtype=getattr(pl, name))
    yield "Decimal", pl.Series(PRICES, dtype=pl.Decimal(38, 6))
    yield "Date", pl.Series(DAYS)
    for unit in UNITS[1:]:
        yield f"Datetime({unit})", pl.Series(TIMES, dtype=pl.Datetime(unit))
    zoned = pl.Series(TIMES).dt.replace_time_zone("Europe/Berlin")
    yield "Datetime with a time zone", zoned
    for unit in UNITS[1:]:
        yield f"Duration({unit})", pl.Series(LENGTHS, dtype=pl.Duration(unit))
    yield "Time", pl.Series(CLOCKS)
    yield "Boolean", pl.Series(FLAGS)
    yield "String", pl.Series(WORDS)
    yield "Categorical", pl.Series(WORDS, dtype=pl.Categorical)
    yield "Enum", pl.Series(WORDS, dtype=pl.Enum(["low", "mid", "high"]))
    yield "Binary", pl.Series(BYTES)


def arrow_columns() -> Iterator[tuple[str, Any]]:
    """Yield the name of each type of pyarrow, and an array of it."""
    for name in INTEGERS:
        yield name, pa.array(WHOLE, getattr(pa, name)())
    for name in ("float16", "float32", "float64"):
        yield name, pa.array(np.array(REAL, dtype=name), getattr(pa, name)())
    for name in ("decimal32", "decimal64", "decimal128", "decimal256"):
        if hasattr(pa, name):
            yield name, pa.array(PRICES, getattr(pa, name)(9, 2))
    yield "date32", pa.array(DAYS, pa.date32())
    yield "date64", pa.array(DAYS, pa.date64())
    for unit in UNITS:
        yield f"timestamp[{unit}]", pa.array(TIMES, pa.timestamp(unit))
    yield "timestamp with a time zone", pa.array(TIMES, pa.timestamp("us", "+02:00"))
    for unit in UNITS:
        yield f"duration[{unit}]", pa.array(LENGTHS, pa.duration(unit))
    for unit, make in zip(UNITS, (pa.time32, pa.time32, pa.time64, pa.time64), strict=True):
        yield f"time[{unit}]", pa.array(CLOCKS, make(unit))
    yield "bool", pa.array(FLAGS)
    for name in ("string", "large_string", "string_view"):
        yield name, pa.array(WORDS, getattr(pa, name)())
    for name in ("binary", "large_binary", "binary_view"):
        yield name, pa.array(BYTES, getattr(pa, name)())
    yield "fixed_size_binary", pa.array(BYTES, pa.binary(4))
    yield "dictionary", pa.array(WORDS).dictionary_encode()
    ordered = pd.Categorical(WORDS, ["low", "mid", "high"], ordered=True)
    yield "dictionary, ordered", pa.array(ordered)


def array_columns() -> Iterator[tuple[str, Any]]:
    """Yield the name of each dtype of NumPy, and a matrix of one column."""
    for name in INTEGERS:
        yield name, np.array(WHOLE, dtype=name)[:, None]
    for name in ("float16", "float32", "float64", "longdouble"):
        yield name, np.array(REAL, dtype=name)[:, None]
    for unit in ("D", "h", "m", *UNITS):
        yield f"datetime64[{unit}]", np.array(TIMES, dtype=f"M8[{unit}]")[:, None]
    for unit in ("m", *UNITS):
        yield f"timedelta64[{unit}]", np.array(LENGTHS, dtype=f"m8[{unit}]")[:, None]
    yield "bool", np.array(FLAGS)[:, None]
    yield "str_", np.array(WORDS)[:, None]
    yield "bytes_", np.array(BYTES)[:, None]
    yield "StringDType", np.array(WORDS, dtype=np.dtypes.StringDType())[:, None]


LIBRARIES = {
    "pandas": (pandas_columns, lambda column: pd.DataFrame({"a": column})),
    "Python objects": (
        object_columns,
        lambda column: pd.DataFrame({"a": column}),
    ),
    "polars": (polars_columns, lambda column: pl.DataFrame({"a": column})),
    "pyarrow, pandas' `ArrowDtype`": (
        arrow_columns,
        lambda column: pa.table({"a": column}),
    ),
    "NumPy": (array_columns, lambda column: column),
}


def family_of(cells: Cells) -> str:
    """Return the key of `READ_AS` of a column."""
    if not cells.are_numbers:
        return "ordered levels" if cells.is_ordered else "levels"
    if isinstance(cells.notation, Times):
        return "times"
    if isinstance(cells.notation, Decimals):
        return "decimals"
    if cells.values.dtype.kind == "b":
        return "levels"
    return "integers" if cells.are_integers else "floats"


def dtype_of(X: Any) -> Any:
    """Return the dtype of the only column of a table."""
    if isinstance(X, np.ndarray):
        return X.dtype
    return X.schema.types[0] if isinstance(X, pa.Table) else X["a"].dtype


def families() -> dict[tuple[str, str], list[str]]:
    """Return the names of the dtypes of each library and family."""
    y = np.arange(N_ROWS) % 4 == 0
    found: dict[tuple[str, str], list[str]] = {}
    for library, (columns, as_table) in LIBRARIES.items():
        for name, column in columns():
            X = as_table(column)
            sampler = VAEOversampler(max_iter=2, pretrain_iter=1, random_state=0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotConvergedWarning)
                X_resampled, _ = sampler.fit_resample(X, y)
            if dtype_of(X_resampled) != dtype_of(X):
                raise TypeError(f"{library} {name} comes back as {dtype_of(X_resampled)}.")
            (cells,) = Container.of(X).columns()
            found.setdefault((library, family_of(cells)), []).append(name)
    return found


def markdown() -> str:
    """Return the table."""
    lines, last = ["| drawn cells | library | dtypes |", "|---|---|---|"], ""
    found = families()
    for library, family in sorted(found, key=lambda key: list(READ_AS).index(key[1])):
        shown = ", ".join(f"`{name}`" for name in found[library, family])
        lines.append(f"| {READ_AS[family] if family != last else ''} | {library} | {shown} |")
        last = family
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())
