"""Read any column as exact Python objects: the oracle of the tests of cells.

`exact_cells` returns whole numbers as `int`, times as a whole number of nanoseconds (since
1970, since midnight, or of a duration), floats as the shortest `float` that their dtype
distinguishes from others, decimals as `Decimal`, and text, bytes, booleans and others as they
are. Missing cells are None; NaN is `NAN` where the dtype distinguishes it from a null.
"""

import datetime
import math
from decimal import Context, Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

NAN = "not a number"
NS_OF_UNIT = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
NS_OF_DAY = 86_400 * 10**9
NO_TIME = np.iinfo(np.int64).min
EPOCH = datetime.datetime(1970, 1, 1)
# Floats of more decimals count as floats of any number of decimals.
MOST_DECIMALS = 14


def column_of(table, index):
    """Return a column as the table's own kind of series, array or list."""
    if isinstance(table, pd.DataFrame):
        return table.iloc[:, index]
    if isinstance(table, pl.DataFrame):
        return table.to_series(index)
    if isinstance(table, pa.Table):
        return table.column(index)
    if sparse.issparse(table):
        return table.tocsc()[:, [index]].toarray().ravel()
    if isinstance(table, np.ndarray):
        return table[:, index]
    return [row[index] for row in table]


def rows_of(table, start, stop=None):
    """Return some rows of a table."""
    if isinstance(table, pd.DataFrame):
        return table.iloc[start:stop]
    return table[start:stop] if stop is not None else table[start:]


def n_rows_of(table):
    return table.shape[0] if hasattr(table, "shape") else len(table)


def form_of(table):
    """Return the type, names, dtypes and further properties of a table, to compare."""
    if isinstance(table, pd.DataFrame):
        flags = table.flags.allows_duplicate_labels
        return type(table), table.columns.tolist(), table.dtypes.tolist(), table.attrs, flags
    if isinstance(table, pl.DataFrame):
        return type(table), table.schema
    if isinstance(table, pa.Table):
        return type(table), table.schema, table.schema.metadata
    if sparse.issparse(table):
        return type(table), table.format, table.dtype
    return type(table), getattr(table, "dtype", None), {type(row) for row in table}


# pandas 2 cannot put frames together whose durations of Arrow exceed the range of nanoseconds,
# and finds no zone's offset in the year 1.
IS_PANDAS_2 = pd.__version__.startswith("2.")


def exact_cells(column):
    """Return the cells of a column as exact Python objects."""
    if isinstance(column, pd.Series):
        return _cells_of_pandas(column)
    if isinstance(column, pl.Series):
        return _cells_of_polars(column)
    if isinstance(column, pa.ChunkedArray):
        return [cell for chunk in column.chunks for cell in _cells_of_arrow(chunk)]
    if isinstance(column, np.ndarray) and column.dtype.kind in "mM":
        return _times(column)
    return [exact_cell(cell) for cell in column]


def wall_cells(column):
    """Return times of a zone as its clocks show them, in nanoseconds; others as they are."""
    if isinstance(column, pd.Series) and isinstance(column.dtype, pd.ArrowDtype):
        column = pa.chunked_array([column.array.__arrow_array__()])
    if isinstance(column, pd.Series) and isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_localize(None)
    elif isinstance(column, pl.Series) and getattr(column.dtype, "time_zone", None):
        column = column.dt.replace_time_zone(None)
    elif isinstance(column, pa.ChunkedArray) and getattr(column.type, "tz", None):
        column = local_times(column)
    elif isinstance(column, list) or getattr(column, "dtype", None) == np.dtype(object):
        column = [
            cell.replace(tzinfo=None) if isinstance(cell, datetime.datetime) else cell
            for cell in column
        ]
    return exact_cells(column)


def local_times(column):
    """Return arrow's times of a zone as its clocks show them."""
    offset = _offset_of(column.type.tz)
    if offset is None:
        return pc.local_timestamp(column)
    unit = column.type.unit
    return pc.add(column.cast(pa.timestamp(unit)), pa.scalar(offset, pa.duration(unit)))


def in_zone(local, zone):
    """Undo `local_times`."""
    offset = _offset_of(zone)
    if offset is None:
        return pc.assume_timezone(local, zone)
    unit = local.type.unit
    instants = pc.subtract(local, pa.scalar(offset, pa.duration(unit)))
    return instants.cast(pa.timestamp(unit, zone))


def _offset_of(zone):  # pyarrow before 22 has no functions for zones such as "+05:30"
    is_offset = zone.startswith(("+", "-"))
    return datetime.datetime.strptime(zone, "%z").utcoffset() if is_offset else None


def exact_cell(cell):
    """Return a cell as an exact Python object."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return None
    if isinstance(cell, pd.Timestamp | pd.Timedelta):
        return int(cell.asm8.astype(np.int64)) * NS_OF_UNIT[cell.unit]
    if isinstance(cell, np.datetime64 | np.timedelta64):
        return _times(np.array([cell]))[0]
    if isinstance(cell, datetime.datetime):
        offset = cell.utcoffset() or datetime.timedelta()
        return exact_cell(cell.replace(tzinfo=None) - EPOCH - offset)
    if isinstance(cell, datetime.date):
        return (cell - EPOCH.date()).days * NS_OF_DAY
    if isinstance(cell, datetime.time):
        seconds = 3600 * cell.hour + 60 * cell.minute + cell.second
        return (10**6 * seconds + cell.microsecond) * 1000
    if isinstance(cell, datetime.timedelta):
        return ((cell.days * 86_400 + cell.seconds) * 10**6 + cell.microseconds) * 1000
    if isinstance(cell, float | np.floating):
        return NAN if math.isnan(cell) else float(str(cell))
    return cell.item() if isinstance(cell, np.generic) else cell


def _cells_of_pandas(column):
    dtype = column.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return exact_cells(pa.chunked_array([column.array.__arrow_array__()]))
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _times(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
    if dtype.kind in "mM" and isinstance(dtype, np.dtype):
        return _times(column.to_numpy())
    if isinstance(dtype, pd.SparseDtype):
        return exact_cells(np.asarray(column.sparse.to_dense()))
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        return exact_cells(column.to_numpy())
    if str(dtype) == "Float32":
        return [None if cell is pd.NA else exact_cell(np.float32(cell)) for cell in column]
    # The missing category of categories, text, ...: NaN stands for any missing cell there.
    is_object = isinstance(dtype, np.dtype)
    return [
        None if not is_object and exact_cell(cell) == NAN else exact_cell(cell)
        for cell in column.array
    ]


def _cells_of_polars(column):
    dtype = column.dtype
    if dtype in (pl.Datetime, pl.Duration, pl.Time, pl.Date):
        size = {pl.Time: 1, pl.Date: NS_OF_DAY}.get(dtype.base_type())
        size = size or NS_OF_UNIT[dtype.time_unit]
        return [None if n is None else n * size for n in column.to_physical().to_list()]
    return _narrow_floats(
        column.to_list(), {"Float32": np.float32, "Float16": np.float16}, str(dtype)
    )


def _cells_of_arrow(chunk):
    dtype = chunk.type
    if isinstance(dtype, pa.DictionaryType):
        chunk = chunk.dictionary_decode()
        return _cells_of_arrow(chunk)
    if isinstance(dtype, pa.RunEndEncodedType):
        return _cells_of_arrow(pc.run_end_decode(chunk))
    if pa.types.is_date32(dtype):
        size, width = NS_OF_DAY, pa.int32()
    elif pa.types.is_date64(dtype):
        size, width = 10**6, pa.int64()
    elif pa.types.is_time32(dtype):
        size, width = NS_OF_UNIT[dtype.unit], pa.int32()
    elif pa.types.is_temporal(dtype):
        size, width = NS_OF_UNIT[dtype.unit], pa.int64()
    else:
        names = {pa.float32(): np.float32, pa.float16(): np.float16}
        return _narrow_floats(chunk.to_pylist(), names, dtype)
    return [None if n is None else n * size for n in chunk.view(width).to_pylist()]


def _narrow_floats(cells, numpy_types, dtype):
    narrow = numpy_types.get(dtype)
    if narrow is None:
        return [exact_cell(cell) for cell in cells]
    return [None if cell is None else exact_cell(narrow(cell)) for cell in cells]


def _times(array):
    unit = np.datetime_data(array.dtype)[0]
    size = {"D": NS_OF_DAY, **NS_OF_UNIT}[unit]
    return [None if n == NO_TIME else n * size for n in array.view(np.int64).tolist()]


def is_value(cell):
    return cell is not None and cell is not NAN


def is_number(cell):
    return isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)


def as_decimal(number):
    """Return a number as the decimal that it is printed as."""
    if isinstance(number, float):
        return Decimal(repr(number))
    return number if isinstance(number, Decimal) else Decimal(number)


def n_decimals_of(number):
    """Return how many digits other than trailing zeros follow the point."""
    fraction = Fraction(as_decimal(number))
    decimals = 0
    while fraction.denominator > 1 and decimals < 400:
        fraction, decimals = fraction * 10, decimals + 1
    return decimals


def n_digits_of(number):
    """Return the number of significant digits."""
    return len(as_decimal(number).normalize(Context(prec=1000)).as_tuple().digits)


def granularity_of(numbers):
    """Return the greatest common divisor of all differences; 0 if there are none."""
    first, *others = {Fraction(as_decimal(number)) for number in numbers}
    step = Fraction(0)
    for other in others:
        difference = abs(other - first)
        step = Fraction(
            math.gcd(
                step.numerator * difference.denominator, difference.numerator * step.denominator
            ),
            step.denominator * difference.denominator,
        )
    return step


def assert_could_be_held(drawn, seen, *, sentinels=(), digits=15):
    """Assert that a column of numbers or times `seen` could hold the cells `drawn`.

    All are exact cells. Each drawn one is within the range, has at most as many decimals, and
    is a whole number of steps of the column's granularity off another; or it is a sentinel.
    Granularity and decimals are those of the cells that are not sentinels. Floats of more than
    `digits` significant digits are free of both.
    """
    kinds = {type(cell) for cell in seen if is_value(cell)}
    for nothing in (None, NAN):
        assert nothing in seen or nothing not in drawn, (
            f"{nothing} is drawn, and none was there"
        )
    values = [cell for cell in drawn if is_value(cell)]
    observed = [cell for cell in seen if is_value(cell)]
    if not observed:
        assert not values
        return
    assert {type(value) for value in values} <= kinds
    assert min(observed) <= min(values, default=observed[0])
    assert max(values, default=observed[0]) <= max(observed)
    grid = [cell for cell in observed if cell not in sentinels]
    new = {value for value in values if value not in observed}
    if not grid:
        assert not new
        return
    decimals = max(map(n_decimals_of, grid))
    if float in kinds and (decimals > MOST_DECIMALS or max(map(n_digits_of, grid)) > digits):
        return
    step, origin = granularity_of(grid), Fraction(as_decimal(grid[0]))
    for value in new:
        assert n_decimals_of(value) <= decimals, f"{value} has more than {decimals} decimals"
        if float in kinds and abs(value) > 2**53:
            continue  # multiples of a step are no floats there
        distance = Fraction(as_decimal(value)) - origin
        assert step, f"{value} is drawn in a column of {grid[0]}"
        assert distance % step == 0, f"{value} is not a multiple of {step} off {origin}"
