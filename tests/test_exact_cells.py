"""Every drawn cell is one that its column could hold: exact, in range, and on its grid."""

import datetime
import decimal
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import dateutil.tz
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from conftest import quick
from exact import (
    IS_PANDAS_2,
    NAN,
    NS_OF_DAY,
    NS_OF_UNIT,
    assert_could_be_held,
    column_of,
    exact_cells,
    form_of,
    in_zone,
    is_value,
    rows_of,
    wall_cells,
)
from scipy import sparse

N_ROWS = 120
Y = np.where(np.arange(N_ROWS) % 4 == 0, "rare", "common")
LARGEST = {"i8": 2**63 - 1, "u8": 2**64 - 1, "i16": 2**127 - 1, "u16": 2**128 - 1}
SMALLEST = {"i8": -(2**63), "u8": 0, "i16": -(2**127), "u16": 0}
SENTINEL_SHARE = 0.4


def generator():
    return np.random.default_rng(0)


def numbers_beside():
    return np.random.default_rng(1).normal(size=N_ROWS)


def some_missing(cells):
    return [None if index % 7 == 3 else cell for index, cell in enumerate(cells)]


def often(sentinel, cells):
    """Replace a share of the cells by the sentinel."""
    is_sentinel = np.random.default_rng(2).random(N_ROWS) < SENTINEL_SHARE
    return [sentinel if here else cell for here, cell in zip(is_sentinel, cells, strict=True)]


def once(huge, cells):
    """Replace a cell of the rare class."""
    return [huge if index == 4 else cell for index, cell in enumerate(cells)]


# Tables whose first column holds the cells, by library.


def in_pandas(dtype):
    def make(cells):
        if dtype in ("Int64", "UInt64"):
            values = np.array([cell or 0 for cell in cells], dtype=dtype.lower())
            mask = np.array([cell is None for cell in cells])
            return in_pandas(None)(pd.Series(pd.arrays.IntegerArray(values, mask)))
        return pd.DataFrame({"a": pd.Series(cells, dtype=dtype), "x": numbers_beside()})

    return make


def in_arrow_backed_pandas(dtype):
    return lambda cells: in_pandas(pd.ArrowDtype(dtype))(pa.array(cells, dtype))


def in_polars(dtype):
    return lambda cells: pl.DataFrame(
        {"a": pl.Series(cells, dtype=dtype), "x": numbers_beside()}
    )


def in_arrow(dtype):
    return lambda cells: pa.table({"a": pa.array(cells, dtype), "x": numbers_beside()})


def in_objects(cells):
    objects = np.empty((N_ROWS, 2), dtype=object)
    objects[:, 0], objects[:, 1] = cells, numbers_beside()
    return objects


def in_array(dtype):
    def make(cells):
        array = np.empty((N_ROWS, 2), dtype=dtype)
        array[:, 0] = np.array(cells, dtype=dtype)
        array[:, 1] = np.arange(N_ROWS) % 60
        return array

    return make


def in_list(cells):
    return [[cell, x] for cell, x in zip(cells, numbers_beside().tolist(), strict=True)]


def in_sparse(kind, dtype):
    return lambda cells: kind(in_array(dtype)(cells))


OBJECTS = {
    "object column": in_pandas(object),
    "object array": in_objects,
    "list": in_list,
}


def resample(X, *, share_of=None, **parameters):
    """Return the cells of the first column, the drawn ones, and all of the new table.

    The rows of X are left as they are, and come back first, in the same container with the
    same names and dtypes; so do the rows that `sample` draws.
    """
    before = [exact_cells(column_of(X, index)) for index in range(2)]
    # Rejection changes shares.
    sampler = quick(**(parameters if share_of is None else {"rejection_strength": 0}))
    X_new, _ = sampler.fit_resample(X, Y)
    assert form_of(X_new) == form_of(X)
    for index in range(2):
        seen = exact_cells(column_of(X, index))
        assert seen == before[index], "X is changed"
        cells = exact_cells(column_of(X_new, index))
        assert cells[:N_ROWS] == seen
        assert list(map(str, cells[:N_ROWS])) == list(map(str, seen)), "Decimals' zeros too"
    assert form_of(sampler.sample("rare", 3)) == form_of(X)
    drawn = exact_cells(column_of(X_new, 0))[N_ROWS:]
    if share_of is not None:
        assert_drawn_about_as_often(share_of, before[0], drawn)
    return before[0], drawn, X_new


def assert_drawn_about_as_often(sentinel, seen, drawn):
    rare = [cell for cell, label in zip(seen, Y, strict=True) if label == "rare"]
    shares = [cells.count(sentinel) / len(cells) for cells in (rare, drawn)]
    assert abs(shares[1] - shares[0]) < 0.2, f"{shares[1]} instead of {shares[0]}"


def different(cells):
    return len({cell for cell in cells if is_value(cell)})


# Whole numbers.

NULLABLE_WHOLE = {
    "Int64": (in_pandas("Int64"), "i8"),
    "UInt64": (in_pandas("UInt64"), "u8"),
    "int64[pyarrow]": (in_arrow_backed_pandas(pa.int64()), "i8"),
    "uint64[pyarrow]": (in_arrow_backed_pandas(pa.uint64()), "u8"),
    "polars Int64": (in_polars(pl.Int64), "i8"),
    "polars UInt64": (in_polars(pl.UInt64), "u8"),
    "polars Int128": (in_polars(pl.Int128), "i16"),
    **({"polars UInt128": (in_polars(pl.UInt128), "u16")} if hasattr(pl, "UInt128") else {}),
    "arrow int64": (in_arrow(pa.int64()), "i8"),
    "arrow uint64": (in_arrow(pa.uint64()), "u8"),
    **{
        f"{name} of {kind}": (make, kind)
        for name, make in OBJECTS.items()
        for kind in ("i8", "i16")
    },
}
OTHER_WHOLE = {
    "pandas int64": (in_pandas("int64"), "i8"),
    "pandas uint64": (in_pandas("uint64"), "u8"),
    "array int64": (in_array("i8"), "i8"),
    "array uint64": (in_array("u8"), "u8"),
    "csr int64": (in_sparse(sparse.csr_array, "i8"), "i8"),
    "csc int64": (in_sparse(sparse.csc_array, "i8"), "i8"),
    "csr matrix uint64": (in_sparse(sparse.csr_matrix, "u8"), "u8"),
}
WHOLE = {
    **{name: (make, kind, False) for name, (make, kind) in OTHER_WHOLE.items()},
    **{name: (make, kind, False) for name, (make, kind) in NULLABLE_WHOLE.items()},
    **{
        f"{name}, some missing": (
            lambda cells, make=make: make(some_missing(cells)),
            kind,
            True,
        )
        for name, (make, kind) in NULLABLE_WHOLE.items()
    },
}
whole = pytest.mark.parametrize("form", WHOLE)


def small_numbers():
    return generator().integers(0, 1000, N_ROWS).tolist()


def ids(start, n_apart):
    return [
        start + n_apart * step for step in generator().permutation(3 * N_ROWS)[:N_ROWS].tolist()
    ]


def assert_whole(X, **options):
    seen, drawn, X_new = resample(X, **options)
    assert {type(cell) for cell in drawn if is_value(cell)} <= {int}
    if column_type(X_new) in (None, np.dtype(object)) and not isinstance(X_new, pa.Table):
        cells = column_of(X_new, 0)
        assert {type(cell) for cell in cells if cell is not None} <= {int, np.int64, np.uint64}
    return seen, drawn


@whole
@pytest.mark.parametrize("end", [SMALLEST, LARGEST], ids=["smallest", "largest"])
def test_the_first_and_last_number_of_a_dtype_as_a_sentinel_repeat_exactly(form, end):
    make, kind, _ = WHOLE[form]
    sentinel = end[kind]
    seen, drawn = assert_whole(make(often(sentinel, small_numbers())), share_of=sentinel)
    assert_could_be_held(drawn, seen, sentinels={sentinel})
    assert max(abs(cell) for cell in drawn if cell not in (None, sentinel)) < 1000


@whole
def test_large_codes_that_repeat_are_copied_and_none_is_merged(form):
    make, kind, _ = WHOLE[form]
    start = LARGEST[kind] - LARGEST[kind] // 4
    seen, drawn = assert_whole(
        make([start + code for code in generator().integers(0, 4, N_ROWS).tolist()])
    )
    assert set(drawn) <= set(seen)
    assert different(drawn) == 4


@whole
def test_two_large_codes_stay_apart(form):
    make, kind, _ = WHOLE[form]
    codes = [LARGEST[kind] - code for code in generator().integers(0, 2, N_ROWS).tolist()]
    seen, drawn = assert_whole(make(codes))
    assert set(drawn) <= set(seen)
    assert different(drawn) == 2


@whole
@pytest.mark.parametrize("spread", ["in the last digits", "over the range"])
def test_large_ids_that_do_not_repeat_vary_within_their_range(form, spread):
    make, kind, _ = WHOLE[form]
    n_apart = 1 if spread == "in the last digits" else LARGEST[kind] // (7 * N_ROWS)
    seen, drawn = assert_whole(make(ids(LARGEST[kind] // 2, n_apart)))
    assert_could_be_held(drawn, seen)
    assert different(drawn) > 10


@whole
def test_numbers_over_the_whole_range_of_a_dtype_stay_in_it(form):
    make, kind, _ = WHOLE[form]
    shares = generator().random(N_ROWS).tolist()
    width = LARGEST[kind] - SMALLEST[kind]
    cells = [SMALLEST[kind] + int(share * 2**53) * (width >> 53) for share in shares]
    cells[1], cells[2] = SMALLEST[kind], LARGEST[kind]
    seen, drawn = assert_whole(make(cells))
    assert_could_be_held(drawn, seen)
    assert different(drawn) > 10


@whole
def test_one_huge_number_leaves_the_others_whole_and_small(form):
    make, kind, _ = WHOLE[form]
    seen, drawn = assert_whole(make(once(LARGEST[kind] // 500, small_numbers())))
    assert_could_be_held(drawn, seen)
    values = [cell for cell in drawn if is_value(cell)]
    assert np.median([float(cell) for cell in values]) < 1000


@whole
@pytest.mark.parametrize("step", [5, 500])
def test_whole_numbers_in_steps_are_drawn_in_steps(form, step):
    make, _, _ = WHOLE[form]
    seen, drawn = assert_whole(make(ids(3 * step, step)))
    assert all(cell % step == 0 for cell in drawn if is_value(cell))
    assert_could_be_held(drawn, seen)
    assert different(drawn) > 10


@whole
def test_steps_may_start_anywhere_and_sentinels_are_off_them(form):
    make, _, _ = WHOLE[form]
    sentinel = 999_999
    seen, drawn = assert_whole(make(often(sentinel, ids(123, 50))), share_of=sentinel)
    assert all(cell % 50 == 23 for cell in drawn if cell not in (None, sentinel))
    assert_could_be_held(drawn, seen, sentinels={sentinel})


@whole
def test_the_schema_hints_at_dates_that_are_written_as_numbers(form):
    make, _, _ = WHOLE[form]
    days = pd.date_range("2015-01-29", periods=N_ROWS)
    X = make([int(f"{day:%Y%m%d}") for day in days])
    first, second = str(quick().fit(X, Y).schema_).splitlines()
    assert "YYYYMMDD" in first
    assert "YYYYMMDD" not in second
    others = make(ids(20_150_000, 37))
    assert "YYYYMMDD" not in str(quick().fit(others, Y).schema_)


# Decimals.


class DecimalForm:
    def __init__(self, make, precision=None, scale=None):
        self.make, self.precision, self.scale = make, precision, scale

    def holds(self, cells):
        """Return whether the type has enough digits before and behind the point."""
        if self.precision is None:
            return True
        with_zeros = [cell.as_tuple() for cell in cells]
        behind = max(-number.exponent for number in with_zeros)
        before = max(len(number.digits) + number.exponent for number in with_zeros)
        return behind <= self.scale and before <= self.precision - self.scale


ARROW_DECIMALS = {
    **(
        {
            "decimal32(7, 2)": pa.decimal32(7, 2),
            "decimal32(9, 0)": pa.decimal32(9, 0),
            "decimal64(12, 2)": pa.decimal64(12, 2),
            "decimal64(18, 6)": pa.decimal64(18, 6),
        }
        if hasattr(pa, "decimal32")  # since pyarrow 19
        else {}
    ),
    "decimal128(10, 2)": pa.decimal128(10, 2),
    "decimal128(9, 0)": pa.decimal128(9, 0),
    "decimal128(38, 2)": pa.decimal128(38, 2),
    "decimal128(38, 18)": pa.decimal128(38, 18),
    "decimal256(50, 10)": pa.decimal256(50, 10),
    "decimal256(76, 38)": pa.decimal256(76, 38),
}
DECIMALS = {
    **{
        f"{library} {name}": DecimalForm(make(dtype), dtype.precision, dtype.scale)
        for library, make in (("arrow", in_arrow), ("pandas", in_arrow_backed_pandas))
        for name, dtype in ARROW_DECIMALS.items()
    },
    **{
        f"polars Decimal({precision}, {scale})": DecimalForm(
            in_polars(pl.Decimal(precision, scale)), precision, scale
        )
        for precision, scale in ((10, 2), (9, 0), (38, 2), (38, 18))
    },
    **{name: DecimalForm(make) for name, make in OBJECTS.items()},
}


def decimals(start, step, n_steps=3 * N_ROWS):
    """Return decimals in steps, all with the exponent of the step."""
    numbers = generator().permutation(n_steps)[:N_ROWS].tolist()
    with decimal.localcontext(prec=100):
        return [Decimal(start) + number * Decimal(step) for number in numbers]


def with_scale(whole, scale):
    """Return a whole number as a decimal with zeros behind the point."""
    return Decimal(f"{whole}{scale * '0'}e-{scale}")


AMOUNTS = {
    "whole": decimals("1", "1"),
    "cents": decimals("0.00", "0.01", 30_000),
    "quarters": decimals("0.00", "0.25"),
    "tens of cents": decimals("0.10", "0.10", 3_000),
    "hundreds": decimals("1500", "500"),
    "8 decimals": decimals("0.00000001", "0.00012207"),
    "20 digits": decimals("12345678901234567890.12", "1.00"),
    "20 digits, the last of which vary": decimals("123456789012345678.12", "0.01"),
    "36 digits": decimals("1234567890123456789012345678901234.12", "0.01"),
    "38 decimals": decimals("0." + 37 * "0" + "1", "0.00012" + 33 * "7"),
    "negative": decimals("-50.00", "0.25"),
}
AMOUNTS_OF_FORMS = [
    (form, amount)
    for form in DECIMALS
    for amount, cells in AMOUNTS.items()
    if DECIMALS[form].holds(cells)
]


def assert_decimals(X, **options):
    seen, drawn, _ = resample(X, **options)
    values = [cell for cell in drawn if is_value(cell)]
    assert {type(value) for value in values} == {Decimal}
    exponents = {cell.as_tuple().exponent for cell in seen if is_value(cell)}
    found = {value.as_tuple().exponent for value in values}
    if len(exponents) == 1:
        assert found == exponents
    assert min(found) >= min(exponents)
    return seen, drawn


@pytest.mark.parametrize(("form", "amount"), AMOUNTS_OF_FORMS)
def test_decimals_keep_their_type_their_zeros_and_their_steps(form, amount):
    cells = AMOUNTS[amount]
    if amount in ("cents", "quarters"):
        cells = some_missing(cells)
    seen, drawn = assert_decimals(DECIMALS[form].make(cells))
    assert_could_be_held(drawn, seen)
    assert different(drawn) > 10


@pytest.mark.parametrize("form", DECIMALS)
def test_the_last_decimal_of_a_type_as_a_sentinel_repeats_exactly(form):
    precision, scale = DECIMALS[form].precision or 38, DECIMALS[form].scale or 0
    sentinel = Decimal(f"{precision * '9'}e-{scale}")
    cells = often(sentinel, some_missing([with_scale(cell, scale) for cell in ids(3, 1)]))
    seen, drawn = assert_decimals(DECIMALS[form].make(cells), share_of=sentinel)
    assert_could_be_held(drawn, seen, sentinels={sentinel})


@pytest.mark.parametrize("form", DECIMALS)
def test_one_huge_decimal_leaves_the_others_as_they_are(form):
    precision, scale = DECIMALS[form].precision or 30, DECIMALS[form].scale or 0
    huge = with_scale(10 ** (precision - scale - 1), scale)
    cells = once(huge, [with_scale(cell, scale) for cell in ids(3, 1)])
    seen, drawn = assert_decimals(DECIMALS[form].make(cells))
    assert_could_be_held(drawn, seen)


@pytest.mark.parametrize("form", OBJECTS)
def test_decimals_of_different_exponents_have_no_more_decimals_than_one_of_them(form):
    cells = [cell.normalize() for cell in AMOUNTS["cents"]]
    seen, drawn = assert_decimals(OBJECTS[form](cells))
    assert_could_be_held(drawn, seen)


# Floats.

FLOATS = {
    "pandas": in_pandas("f8"),
    "Float64": in_pandas("Float64"),
    "double[pyarrow]": in_arrow_backed_pandas(pa.float64()),
    "polars": in_polars(pl.Float64),
    "arrow": in_arrow(pa.float64()),
    "array": in_array("f8"),
    "csr": in_sparse(sparse.csr_array, "f8"),
    **OBJECTS,
}
NARROW_FLOATS = {
    "pandas float32": in_pandas("f4"),
    "Float32": in_pandas("Float32"),
    "float[pyarrow]": in_arrow_backed_pandas(pa.float32()),
    "polars Float32": in_polars(pl.Float32),
    "arrow float32": in_arrow(pa.float32()),
    "array float32": in_array("f4"),
    "csr float32": in_sparse(sparse.csr_array, "f4"),
}
floats = pytest.mark.parametrize("form", FLOATS)


def rounded(n_decimals, low=0.0, high=9.0):
    return [round(cell, n_decimals) for cell in generator().uniform(low, high, N_ROWS).tolist()]


def assert_floats(X, **options):
    seen, drawn, X_new = resample(X, **options)
    assert {type(cell) for cell in drawn if is_value(cell)} <= {float}
    if isinstance(X_new, list) or getattr(column_of(X_new, 0), "dtype", None) == np.dtype("O"):
        assert {type(cell) for cell in column_of(X_new, 0)} <= {float, type(None)}
    return seen, drawn


@floats
@pytest.mark.parametrize("n_decimals", [0, 1, 2, 5, 7, 8, 10, 12, 14])
def test_floats_have_as_many_decimals_as_were_seen(form, n_decimals):
    n_steps = 1 if n_decimals else 1000
    seen, drawn = assert_floats(FLOATS[form](rounded(n_decimals, high=9.0 * n_steps)))
    assert_could_be_held(drawn, seen)
    assert different(drawn) > 10


@floats
def test_coordinates_of_7_decimals_keep_them(form):
    seen, drawn = assert_floats(FLOATS[form](rounded(7, -180, 180)))
    assert_could_be_held(drawn, seen)


@floats
@pytest.mark.parametrize("huge", [1e14, 1e16, 1e22, 1e300])
def test_prices_keep_two_decimals_beside_one_huge_number(form, huge):
    seen, drawn = assert_floats(FLOATS[form](once(huge, rounded(2, 1, 90))))
    assert_could_be_held(drawn, seen)
    assert np.median(drawn) < 100


@floats
@pytest.mark.parametrize("sentinel", [-999.25, 1e14, 1e22, 1.7976931348623157e308, -1e300])
def test_a_float_as_a_sentinel_repeats_exactly(form, sentinel):
    cells = often(sentinel, rounded(2, 1, 90))
    seen, drawn = assert_floats(FLOATS[form](cells), share_of=sentinel)
    assert_could_be_held(drawn, seen, sentinels={sentinel})
    assert all(1 <= cell <= 90 for cell in drawn if cell != sentinel)


@floats
@pytest.mark.parametrize(("start", "step"), [("0.05", "0.05"), ("0.1", "0.25"), ("500", "500")])
def test_floats_in_steps_are_drawn_in_steps(form, start, step):
    seen, drawn = assert_floats(FLOATS[form]([float(cell) for cell in decimals(start, step)]))
    assert_could_be_held(drawn, seen)
    assert different(drawn) > 10


@pytest.mark.parametrize("form", NARROW_FLOATS)
@pytest.mark.parametrize("n_decimals", [0, 2, 4])
def test_narrow_floats_are_written_with_as_many_decimals(form, n_decimals):
    high = 99.0 if n_decimals else 9999.0
    seen, drawn = assert_floats(NARROW_FLOATS[form](rounded(n_decimals, high=high)))
    assert_could_be_held(drawn, seen)


@pytest.mark.parametrize("form", NARROW_FLOATS)
def test_a_narrow_float_as_a_sentinel_repeats_exactly(form):
    sentinel = float(str(np.finfo("f4").max))
    seen, drawn = assert_floats(
        NARROW_FLOATS[form](often(sentinel, rounded(2, 1, 90))), share_of=sentinel
    )
    assert_could_be_held(drawn, seen, sentinels={sentinel})


@pytest.mark.parametrize("form", OBJECTS)
@pytest.mark.parametrize("is_missing", [False, True])
def test_whole_floats_stay_floats(form, is_missing):
    cells = rounded(0, high=999.0)
    assert_floats(OBJECTS[form](some_missing(cells) if is_missing else cells))


@pytest.mark.parametrize("form", OBJECTS)
@pytest.mark.parametrize(
    "kind",
    [np.float16, np.float32, np.float64, np.int8, np.int32, np.int64, np.uint64, np.bool_],
)
def test_scalars_of_numpy_in_objects_stay_of_one_type(form, kind):
    if kind is np.bool_:
        cells = [kind(cell % 2) for cell in small_numbers()]
    else:
        cells = [kind(cell) for cell in np.arange(N_ROWS)]
    _, _, X_new = resample(OBJECTS[form](cells))
    assert {type(cell) for cell in column_of(X_new, 0)} == {kind}


@pytest.mark.parametrize("form", OBJECTS)
def test_fractions_stay_fractions_or_are_refused(form):
    X = OBJECTS[form]([Fraction(number, 7) for number in small_numbers()])
    message = ""
    try:
        _, _, X_new = resample(X)
    except ValueError as error:
        message = str(error)
    assert "Fraction" in message or {type(cell) for cell in column_of(X_new, 0)} == {Fraction}


@floats
@pytest.mark.parametrize("huge", [1e38, 1e300, 1.7e308, -1.7976931348623157e308])
def test_one_huge_number_does_not_outweigh_all_others(form, huge):
    cells = generator().normal(50, 10, N_ROWS).tolist()
    X = FLOATS[form](once(huge, cells))
    seen, drawn = assert_floats(X, max_iter=200, pretrain_iter=100, rejection_strength=0)
    assert min(seen) <= min(drawn) <= max(drawn) <= max(seen)
    assert 40 < np.median(drawn) < 60
    assert np.mean([0 < cell < 100 for cell in drawn]) > 0.8
    assert max(map(drawn.count, drawn)) < len(drawn) / 4, "they pile up"


@floats
@pytest.mark.parametrize("scale", [1e-300, 1e300, 1.79e308, 5e-322])
def test_numbers_near_the_ends_of_a_float_are_drawn_without_a_warning(form, scale):
    cells = (generator().uniform(-1, 1, N_ROWS) * scale).tolist()
    seen, drawn = assert_floats(FLOATS[form](cells))
    assert min(seen) <= min(drawn) <= max(drawn) <= max(seen)
    assert different(drawn) > 10


NANS_AND_NULLS = {
    "polars Float64": in_polars(pl.Float64),
    "polars Float32": in_polars(pl.Float32),
    "arrow float64": in_arrow(pa.float64()),
    "arrow float32": in_arrow(pa.float32()),
    **OBJECTS,
}


@pytest.mark.parametrize("form", NANS_AND_NULLS)
@pytest.mark.parametrize(("usual", "odd"), [(NAN, None), (None, NAN)])
def test_missing_cells_are_nan_where_nan_is_usual_and_null_where_null_is(form, usual, odd):
    cells = rounded(2)
    as_cell = {NAN: float("nan"), None: None}
    cells = [as_cell[usual] if index % 3 else cell for index, cell in enumerate(cells)]
    cells[0] = as_cell[odd]
    seen, drawn, _ = resample(NANS_AND_NULLS[form](cells))
    assert seen[0] is odd
    assert usual in drawn
    assert drawn.count(usual) > 3 * drawn.count(odd)


# Times.


class TimeForm:
    """A kind of times: how a table is made of whole numbers of its unit, in local time."""

    def __init__(self, make, unit_ns, first, last, *, origin=None, is_of_day=False):
        self.make, self.unit_ns, self.first, self.last = make, unit_ns, first, last
        self.is_of_day = is_of_day
        # 2023-11-01, from where on 4 months have no change of clocks.
        self.origin = 19_662 * NS_OF_DAY // unit_ns if origin is None else origin

    def every(self, step_ns, n_steps, n_rows=N_ROWS):
        """Return times in steps; None if the kind cannot hold them."""
        if step_ns % self.unit_ns or (self.is_of_day and step_ns * n_steps > NS_OF_DAY):
            return None
        steps = generator().integers(0, n_steps, n_rows).tolist()
        return [self.origin + step * (step_ns // self.unit_ns) for step in steps]


FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31


def ends_of(unit_ns):
    """Return the first and last time that both the unit and Python can hold."""
    if unit_ns == 1:
        return -(2**63) + 1, 2**63 - 1
    return FIRST_DAY * NS_OF_DAY // unit_ns, (LAST_DAY + 1) * NS_OF_DAY // unit_ns - 1


def as_numpy(ticks, dtype):
    missing = np.iinfo("i8").min
    return np.array([missing if tick is None else tick for tick in ticks], "i8").view(dtype)


def pandas_times(unit, kind="M8"):
    return lambda ticks: in_pandas(None)(pd.Series(as_numpy(ticks, f"{kind}[{unit}]")))


def zoned_pandas(unit, zone):
    return lambda ticks: in_pandas(None)(
        pd.Series(as_numpy(ticks, f"M8[{unit}]")).dt.tz_localize(zone)
    )


def arrow_array(ticks, dtype):
    if getattr(dtype, "tz", None):
        return in_zone(arrow_array(ticks, pa.timestamp(dtype.unit)), dtype.tz)
    width = pa.int32() if dtype.bit_width == 32 else pa.int64()
    return pa.array(ticks, width).view(dtype)


def arrow_times(dtype):
    return lambda ticks: in_arrow(dtype)(arrow_array(ticks, dtype))


def arrow_backed_times(dtype):
    return lambda ticks: in_pandas(pd.ArrowDtype(dtype))(arrow_array(ticks, dtype))


def polars_times(dtype):
    def make(ticks):
        series = pl.Series(ticks, dtype=pl.Int32 if dtype == pl.Date else pl.Int64)
        zone = getattr(dtype, "time_zone", None)
        if zone:
            local = series.cast(pl.Datetime(dtype.time_unit))
            return in_polars(dtype)(local.dt.replace_time_zone(zone))
        return in_polars(dtype)(series.cast(dtype))

    return make


def object_times(make, kind):
    """Make a table of Python's or pandas' objects of microseconds (dates: of days)."""
    epoch = datetime.datetime(1970, 1, 1)

    def as_object(tick):
        if tick is None:
            return None
        if kind == "date":
            return datetime.date.fromordinal(719_163 + tick)
        span = datetime.timedelta(microseconds=tick)
        moment = epoch + span if kind not in ("timedelta", "Timedelta") else None
        return {
            "datetime": lambda: moment,
            "datetime in UTC": lambda: moment.replace(tzinfo=datetime.UTC),
            "datetime in Berlin": lambda: moment.replace(tzinfo=ZoneInfo("Europe/Berlin")),
            "time": lambda: moment.time(),
            "timedelta": lambda: span,
            "Timestamp": lambda: pd.Timestamp(moment),
            "Timedelta": lambda: pd.Timedelta(span),
        }[kind]()

    return lambda ticks: make([as_object(tick) for tick in ticks])


ZONES = {
    "UTC": "UTC",
    "Berlin": "Europe/Berlin",
    "zoneinfo": ZoneInfo("America/New_York"),
    "dateutil": dateutil.tz.gettz("America/New_York"),
    "dateutil's UTC": dateutil.tz.tzutc(),
    "dateutil's offset": dateutil.tz.tzoffset("PDT", -7 * 3600),
    "offset": datetime.timezone(datetime.timedelta(hours=2)),
    "odd offset": datetime.timezone(datetime.timedelta(hours=5, minutes=30)),
    "offset named CEST": datetime.timezone(datetime.timedelta(hours=2), "CEST"),
    "offset named Europe/Berlin": datetime.timezone(
        datetime.timedelta(hours=-3), "Europe/Berlin"
    ),
}
try:
    import pytz
except ImportError:
    pass
else:
    ZONES["pytz"] = pytz.timezone("Asia/Kolkata")
    ZONES["pytz's offset"] = pytz.FixedOffset(90)


def time_forms():
    longest = {
        unit: min(2**63 - 1, 999_999_999 * NS_OF_DAY // ns) for unit, ns in NS_OF_UNIT.items()
    }
    for unit, ns in NS_OF_UNIT.items():
        ends = ends_of(ns)
        spans = -longest[unit], longest[unit]
        yield f"pandas M8[{unit}]", TimeForm(pandas_times(unit), ns, *ends)
        yield f"pandas m8[{unit}]", TimeForm(pandas_times(unit, "m8"), ns, *spans, origin=0)
        for library, make in (("arrow", arrow_times), ("pandas arrow", arrow_backed_times)):
            timestamp, duration = pa.timestamp(unit), pa.duration(unit)
            yield f"{library} timestamp[{unit}]", TimeForm(make(timestamp), ns, *ends)
            yield f"{library} duration[{unit}]", TimeForm(make(duration), ns, *spans, origin=0)
            time = pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
            of_day = {"first": 0, "last": NS_OF_DAY // ns - 1, "origin": 0, "is_of_day": True}
            yield f"{library} {time}", TimeForm(make(time), ns, **of_day)
        if unit != "s":
            yield (
                f"polars Datetime({unit})",
                TimeForm(polars_times(pl.Datetime(unit)), ns, *ends),
            )
            duration = polars_times(pl.Duration(unit))
            yield f"polars Duration({unit})", TimeForm(duration, ns, *spans, origin=0)
    for name, zone in ZONES.items():
        # A day less, as a zone may be ahead or behind.
        for unit in ("us", "ns") if name in ("UTC", "Berlin", "dateutil") else ("us",):
            ns = NS_OF_UNIT[unit]
            first, last = ends_of(ns)
            first, last = first + NS_OF_DAY // ns, last - NS_OF_DAY // ns
            form = TimeForm(zoned_pandas(unit, zone), ns, first, last)
            yield f"pandas M8[{unit}], zone {name}", form
    first, last = ends_of(1000)
    first, last = first + NS_OF_DAY // 1000, last - NS_OF_DAY // 1000
    for zone in ("UTC", "Europe/Berlin", "+02:00"):
        dtype = pa.timestamp("us", zone)
        yield f"arrow {zone}", TimeForm(arrow_times(dtype), 1000, first, last)
        yield f"pandas arrow {zone}", TimeForm(arrow_backed_times(dtype), 1000, first, last)
    for zone in ("UTC", "Europe/Berlin", "Etc/GMT-2"):
        form = TimeForm(polars_times(pl.Datetime("us", zone)), 1000, first, last)
        yield f"polars {zone}", form
    for library, make in (("arrow", arrow_times), ("pandas arrow", arrow_backed_times)):
        yield f"{library} date32", TimeForm(make(pa.date32()), NS_OF_DAY, FIRST_DAY, LAST_DAY)
        milliseconds = NS_OF_DAY // 10**6
        ends = FIRST_DAY * milliseconds, LAST_DAY * milliseconds
        yield f"{library} date64", TimeForm(make(pa.date64()), 10**6, *ends)
    yield "polars Date", TimeForm(polars_times(pl.Date), NS_OF_DAY, FIRST_DAY, LAST_DAY)
    of_day = {"first": 0, "last": NS_OF_DAY - 1, "origin": 0, "is_of_day": True}
    yield "polars Time", TimeForm(polars_times(pl.Time), 1, **of_day)
    for name, make in OBJECTS.items():
        date = object_times(make, "date")
        yield f"{name} of date", TimeForm(date, NS_OF_DAY, FIRST_DAY, LAST_DAY)
        for kind in ("datetime", "Timestamp"):
            yield f"{name} of {kind}", TimeForm(object_times(make, kind), 1000, *ends_of(1000))
        for kind in ("datetime in UTC", "datetime in Berlin"):
            yield f"{name} of {kind}", TimeForm(object_times(make, kind), 1000, first, last)
        for kind in ("timedelta", "Timedelta"):
            longest_us = longest["us"]
            form = TimeForm(object_times(make, kind), 1000, -longest_us, longest_us, origin=0)
            yield f"{name} of {kind}", form
        of_day = {"first": 0, "last": NS_OF_DAY // 1000 - 1, "origin": 0, "is_of_day": True}
        yield f"{name} of time", TimeForm(object_times(make, "time"), 1000, **of_day)


TIMES = dict(time_forms())
HOUR, MINUTE, SECOND = 3600 * 10**9, 60 * 10**9, 10**9
# Length of a step in nanoseconds, and the number of steps.
STEPS = {
    "days": (NS_OF_DAY, 1000),
    "weeks": (7 * NS_OF_DAY, 300),
    "quarter hours": (15 * MINUTE, 96),
    "seconds": (SECOND, 86_400),
    "tenths of a second": (SECOND // 10, 3_000),
}


def assert_times(X, *, sentinel=None):
    """Assert that times are drawn on the grid of the clock, and in the range of instants."""
    is_sentinel = (
        (lambda cell: cell == sentinel) if sentinel is not None else lambda cell: False
    )
    seen, drawn, X_new = resample(X, share_of=sentinel)
    observed, new = ([cell for cell in cells if cell is not None] for cells in (seen, drawn))
    assert None in seen or None not in drawn
    assert min(observed) <= min(new) <= max(new) <= max(observed)
    local = wall_cells(column_of(X, 0))
    local_drawn = wall_cells(column_of(rows_of(X_new, N_ROWS), 0))
    assert_could_be_held(
        [
            cell
            for cell, instant in zip(local_drawn, drawn, strict=True)
            if not is_sentinel(instant)
        ],
        [cell for cell, instant in zip(local, seen, strict=True) if not is_sentinel(instant)],
    )
    if isinstance(X_new, np.ndarray | list) or column_type(X_new) == np.dtype(object):
        cells = [cell for cell in column_of(X_new, 0) if cell is not None]
        assert len({type(cell) for cell in cells}) == 1
        assert len({str(getattr(cell, "tzinfo", None)) for cell in cells}) == 1
    return seen, drawn


def column_type(X):
    return getattr(column_of(X, 0), "dtype", None)


@pytest.mark.parametrize(
    ("form", "steps"),
    # Two of the steps each, so that all siblings have all of them.
    [
        (form, steps)
        for number, form in enumerate(TIMES)
        for steps in (list(STEPS)[number % 5], list(STEPS)[(number + 2) % 5])
        if TIMES[form].every(*STEPS[steps])
    ],
)
def test_times_in_steps_are_drawn_in_steps(form, steps):
    ticks = TIMES[form].every(*STEPS[steps])
    _, drawn = assert_times(TIMES[form].make(some_missing(ticks) if steps == "days" else ticks))
    assert different(drawn) > 10


@pytest.mark.parametrize("form", TIMES)
def test_times_are_as_fine_as_their_dtype(form):
    ticks = TIMES[form].every(TIMES[form].unit_ns, 900)
    if form.endswith("date64"):
        ticks = TIMES[form].every(NS_OF_DAY, 900)
    _, drawn = assert_times(TIMES[form].make(ticks))
    assert different(drawn) > 10


OLD_ZONES = ("Berlin", "dateutil", "pytz")


@pytest.mark.parametrize("form", TIMES)
@pytest.mark.parametrize("end", ["first", "last"])
def test_the_first_and_last_time_of_a_dtype_as_a_sentinel_repeat_exactly(form, end):
    if IS_PANDAS_2 and (
        form in ("pandas arrow duration[s]", "pandas arrow duration[ms]")
        or (end == "first" and form in [f"pandas M8[us], zone {zone}" for zone in OLD_ZONES])
    ):
        pytest.skip("pandas 2 cannot hold these times")
    times = TIMES[form]
    step = MINUTE if times.is_of_day else NS_OF_DAY
    ticks = some_missing(often(getattr(times, end), times.every(step, 1000)))
    X = times.make(ticks)
    where = next(index for index, tick in enumerate(ticks) if tick == getattr(times, end))
    assert_times(X, sentinel=exact_cells(column_of(X, 0))[where])


@pytest.mark.parametrize("form", TIMES)
def test_a_constant_time_stays_and_is_printed_as_a_time(form):
    times = TIMES[form]
    X = times.make([times.origin] * N_ROWS)
    _, drawn = assert_times(X)
    assert different(drawn) == 1
    first, _ = str(quick().fit(X, Y).schema_).splitlines()
    assert "constant" in first
    if times.origin != 0:
        assert "every value is 2023-11-01" in first
    elif times.is_of_day:
        assert "every value is 00:00:00" in first
    else:
        assert "every value is 0 " in first


@pytest.mark.parametrize(
    "make",
    [
        pandas_times("us"),
        polars_times(pl.Datetime("us")),
        arrow_times(pa.timestamp("us")),
        object_times(in_pandas(object), "datetime"),
    ],
    ids=["pandas", "polars", "arrow", "objects"],
)
def test_two_times_at_the_ends_of_a_dtype_are_copied(make):
    first, last = ends_of(1000)
    X = make([last if code else first for code in generator().integers(0, 2, N_ROWS)])
    seen, drawn = assert_times(X)
    assert set(drawn) == set(seen)


def test_the_last_time_of_a_zone_that_is_ahead_of_utc_repeats():
    last = ends_of(1000)[1]
    ticks = often(last, TIMES["pandas M8[us]"].every(NS_OF_DAY, 1000))
    instants = pd.Series(as_numpy(ticks, "M8[us]")).dt.tz_localize("UTC")
    X = in_pandas(None)(instants.dt.tz_convert("Europe/Berlin"))
    resample(X, share_of=last * 1000)


def test_seconds_far_beyond_the_range_of_microseconds_stay_in_range():
    ticks = (generator().integers(0, 1000, N_ROWS) * 4 * 10**10).tolist()
    seen, drawn, _ = resample(pandas_times("s")(ticks))
    assert_could_be_held(drawn, seen)


# Levels.

WORDS = generator().choice(["a", "b", "c"], N_ROWS).tolist()
BYTES = [word.encode() for word in WORDS]
PERIODS = pd.Series(pd.period_range("2024-01", periods=5, freq="M")).sample(
    N_ROWS, replace=True, random_state=0, ignore_index=True
)
INTERVALS = pd.Series(pd.arrays.IntervalArray.from_breaks(range(5))).sample(
    N_ROWS, replace=True, random_state=0, ignore_index=True
)
LEVELS = {
    "arrow string_view": lambda: in_arrow(pa.string_view())(some_missing(WORDS)),
    "arrow large_string": lambda: in_arrow(pa.large_string())(some_missing(WORDS)),
    "arrow binary": lambda: in_arrow(pa.binary())(some_missing(BYTES)),
    "arrow large_binary": lambda: in_arrow(pa.large_binary())(some_missing(BYTES)),
    "arrow binary_view": lambda: in_arrow(pa.binary_view())(some_missing(BYTES)),
    "arrow binary(1)": lambda: in_arrow(pa.binary(1))(some_missing(BYTES)),
    "arrow run-end encoded text": lambda: in_arrow(None)(
        pc.run_end_encode(pa.array(some_missing(WORDS)))
    ),
    "arrow run-end encoded codes": lambda: in_arrow(None)(
        pc.run_end_encode(pa.array([ord(word) for word in WORDS]))
    ),
    "arrow dictionary": lambda: in_arrow(None)(
        pa.array(some_missing(WORDS)).dictionary_encode()
    ),
    "arrow dictionary of numbers": lambda: in_arrow(None)(
        pa.array([2**62 + ord(word) for word in WORDS]).dictionary_encode()
    ),
    "pandas binary": lambda: in_arrow_backed_pandas(pa.binary())(some_missing(BYTES)),
    "pandas bytes": lambda: in_pandas(object)(some_missing(BYTES)),
    "pandas periods": lambda: in_pandas(None)(PERIODS),
    "pandas periods, some missing": lambda: in_pandas(None)(
        PERIODS.where(PERIODS.index % 5 > 0)
    ),
    "pandas intervals": lambda: in_pandas(None)(INTERVALS),
    "pandas intervals, some missing": lambda: in_pandas(None)(
        INTERVALS.where(INTERVALS.index % 5 > 0)
    ),
    "pandas categories of intervals": lambda: in_pandas("category")(INTERVALS),
    "pandas categories of large numbers": lambda: in_pandas("category")(
        [2**62 + ord(word) for word in WORDS]
    ),
    "pandas categories of dates": lambda: in_pandas("category")(
        [pd.Timestamp(2024, 1, ord(word) - 96) for word in WORDS]
    ),
    "polars Binary": lambda: in_polars(pl.Binary)(some_missing(BYTES)),
    "polars Categorical": lambda: in_polars(pl.Categorical)(some_missing(WORDS)),
    "polars Enum": lambda: in_polars(pl.Enum(["c", "b", "a"]))(some_missing(WORDS)),
    "array of bytes": lambda: np.array([BYTES, BYTES]).T,
    "array of objects": lambda: in_objects(some_missing(BYTES)),
    "list": lambda: in_list(some_missing(BYTES)),
}


@pytest.mark.parametrize("form", LEVELS)
def test_levels_of_every_dtype_are_copied(form):
    seen, drawn, _ = resample(LEVELS[form]())
    assert set(drawn) <= set(seen)
    assert different(drawn) > 1


def test_a_table_that_polars_hands_to_arrow_works():
    X = pa.table(pl.DataFrame({"a": some_missing(WORDS), "x": numbers_beside()}))
    seen, drawn, _ = resample(X)
    assert set(drawn) <= set(seen)


@pytest.mark.parametrize("values", [WORDS, small_numbers(), rounded(2)])
def test_run_end_encoded_columns_are_read_as_the_same_cells_in_full(values):
    encoded, plain = (
        resample(pa.table({"a": column, "x": numbers_beside()}))[1]
        for column in (pc.run_end_encode(pa.array(values)), pa.array(values))
    )
    assert encoded == plain
