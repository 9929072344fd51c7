"""Tables as people have them: any kinds of cells, any container; every drawn cell is legal."""

import datetime
import gc
import tracemalloc
import weakref
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import make_table, quick
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from vaesampler._encoding.bounds import Support
from vaesampler._encoding.encoder import TableEncoder, read_cells
from vaesampler._encoding.rows import DenseRows, LazyRows
from vaesampler._rejection.critic import Candidates
from vaesampler._table.columns import MOST_LEVELS_APART
from vaesampler._table.containers import Container

# Some of the tables that hypothesis makes hold nothing but one word.
may_be_all_equal = pytest.mark.filterwarnings(
    "ignore::vaesampler.exceptions.DuplicatedRowsWarning"
)


def numbers(rng, n_rows):
    return rng.normal(size=n_rows).tolist()


def prices(rng, n_rows):
    return rng.lognormal(3, 1, size=n_rows).round(2).tolist()


def amounts(rng, n_rows):
    return np.where(rng.random(n_rows) < 0.5, 0.0, rng.lognormal(size=n_rows)).tolist()


def counts(rng, n_rows):
    return rng.integers(-500, 5000, size=n_rows).tolist()


def grades(rng, n_rows):
    return rng.choice([0.5, 1.0, 4.0], size=n_rows).tolist()


def flags(rng, n_rows):
    return (rng.random(n_rows) < 0.3).tolist()


def colours(rng, n_rows):
    return rng.choice(["red", "green", "blue", "äöü"], size=n_rows).tolist()


def days(rng, n_rows):
    first = datetime.datetime(1969, 7, 20)
    return [first + datetime.timedelta(days=int(day)) for day in rng.integers(0, 999, n_rows)]


def one_word(rng, n_rows):
    return ["same"] * n_rows


KINDS = {
    make.__name__: make
    for make in (numbers, prices, amounts, counts, grades, flags, colours, days, one_word)
}


@st.composite
def tables(draw, kinds=tuple(KINDS)):
    """Columns by name, as lists of Python objects with None where a cell is missing, and y."""
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    n_rows = draw(st.integers(30, 60))
    columns = {}
    for number, kind in enumerate(
        draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=6))
    ):
        cells = KINDS[kind](rng, n_rows)
        share_missing = draw(st.sampled_from([0, 0, 0.3, 1]))
        is_missing = rng.random(n_rows) < share_missing
        columns[f"{kind} {number}"] = [
            None if missing else cell for cell, missing in zip(cells, is_missing, strict=True)
        ]
    y = np.where(np.arange(n_rows) % 3 == 0, "rare", "common")
    return columns, y


def dtype_of(name, arrow=pa):
    kind = name.split()[0]
    return {
        "counts": arrow.int64(),
        "flags": arrow.bool_(),
        "colours": arrow.string(),
        "one_word": arrow.string(),
        "days": arrow.timestamp("us"),
    }.get(kind, arrow.float64())


def as_arrow(columns):
    return pa.table({name: pa.array(cells, dtype_of(name)) for name, cells in columns.items()})


def as_polars(columns):
    return pl.from_arrow(as_arrow(columns))


def as_pandas(columns):
    return as_arrow(columns).to_pandas()


def as_arrow_backed_pandas(columns):
    return as_arrow(columns).to_pandas(types_mapper=pd.ArrowDtype)


def as_nullable_pandas(columns):
    return as_pandas(columns).convert_dtypes()


def as_objects(columns):
    return np.array(list(columns.values()), dtype=object).T


def as_list(columns):
    return [list(row) for row in zip(*columns.values(), strict=True)]


FRAMES = {
    make.__name__: make
    for make in (as_arrow, as_polars, as_pandas, as_arrow_backed_pandas, as_nullable_pandas)
}
WITHOUT_TIMES = tuple(kind for kind in KINDS if kind != "days")


def cells_of(table, columns):
    """Return a table's cells as lists of Python objects, with None where one is missing."""
    if isinstance(table, list | np.ndarray):
        cells = {name: [row[place] for row in table] for place, name in enumerate(columns)}
    elif isinstance(table, pa.Table):
        cells = table.to_pydict()
    elif isinstance(table, pl.DataFrame):
        cells = table.to_dict(as_series=False)
    else:
        cells = {name: table[name].tolist() for name in table}
    return {
        name: [None if cell is None or pd.isna(cell) else cell for cell in column]
        for name, column in cells.items()
    }


def assert_same_cells(found, expected):
    assert list(found) == list(expected)
    for name, cells in expected.items():
        assert found[name] == cells, name


@may_be_all_equal
@given(table=tables(WITHOUT_TIMES))
def test_every_container_of_a_table_gives_the_same_rows(table):
    columns, y = table
    sampler = quick(max_iter=3, pretrain_iter=3)
    expected = cells_of(sampler.fit_resample(as_arrow(columns), y)[0], columns)
    for view in [*FRAMES.values(), as_objects, as_list]:
        X_new, _ = sampler.fit_resample(view(columns), y)
        assert_same_cells(cells_of(X_new, columns), expected)


@may_be_all_equal
@given(table=tables(), view=st.sampled_from(list(FRAMES.values())))
def test_a_frame_comes_back_as_it_was_with_more_rows(table, view):
    columns, y = table
    X = view(columns)
    sampler = quick()
    X_new, y_new = sampler.fit_resample(X, y)
    drawn = sampler.sample("rare", 3)
    assert type(X_new) is type(drawn) is type(X)
    assert len(y_new) == len(X_new)
    assert_same_cells(
        {name: cells[: len(y)] for name, cells in cells_of(X_new, columns).items()},
        cells_of(X, columns),
    )
    for frame in (X_new, drawn):
        if isinstance(X, pd.DataFrame):
            assert_array_equal(frame.dtypes, X.dtypes)
            assert frame.index.equals(pd.RangeIndex(len(frame)))
        else:
            assert frame.schema == X.schema


@may_be_all_equal
@given(table=tables())
def test_every_drawn_cell_is_legal(table):
    columns, y = table
    rows = cells_of(quick().fit(as_arrow(columns), y).sample("rare", 50), columns)
    for name, cells in columns.items():
        seen = [cell for cell in cells if cell is not None]
        drawn = [cell for cell in rows[name] if cell is not None]
        if len(drawn) < len(rows[name]):
            assert len(seen) < len(cells), "missing cells are drawn where there were some"
        if not seen:
            assert not drawn
            continue
        kind = name.split()[0]
        if kind in ("flags", "colours", "one_word", "grades"):
            assert set(drawn) <= set(seen)
            continue
        assert all(min(seen) <= cell <= max(seen) for cell in drawn)
        if kind == "prices":
            assert drawn == [round(cell, 2) for cell in drawn]
        elif kind == "days":
            assert all(cell.time() == datetime.time() for cell in drawn)
        elif kind == "counts":
            assert all(isinstance(cell, int) for cell in drawn)


@may_be_all_equal
@given(table=tables(), view=st.sampled_from(list(FRAMES.values())))
def test_decoding_what_was_encoded_gives_the_cells_back(table, view):
    columns, y = table
    container = Container.of(view(columns))
    schema, all_cells = read_cells(container, "auto")
    encoder = TableEncoder.of(schema)
    is_rare = np.flatnonzero(y == "rare")
    support = Support.of(schema, all_cells, is_rare)
    encoded = encoder.rows(all_cells).take(is_rare)
    cells = encoder.decode(encoded, support, np.random.default_rng(0))
    for index, (column, values) in enumerate(
        zip(schema.columns, container.columns(), strict=True)
    ):
        expected = column.read(values)[is_rare]
        scale = np.nanmax(np.abs(expected), initial=1.0)
        np.testing.assert_allclose(cells[:, index], expected, atol=1e-5 * scale)


def frame_for_shares(n_rows=600):
    rng = np.random.default_rng(0)
    y = np.where(np.arange(n_rows) % 5 < 2, "rare", "common")
    is_rare = y == "rare"
    frame = pd.DataFrame(
        {
            "amount": np.where(
                rng.random(n_rows) < np.where(is_rare, 0.6, 0.3), 0, rng.lognormal(size=n_rows)
            ),
            "income": np.where(
                rng.random(n_rows) < np.where(is_rare, 0.1, 0.5),
                np.nan,
                rng.normal(size=n_rows),
            ),
            "colour": rng.choice(["red", "green", "blue"], n_rows, p=[0.7, 0.2, 0.1]),
        }
    )
    frame["group"] = np.where(frame["income"].isna(), "unknown", "known")
    frame.loc[rng.random(n_rows) < np.where(is_rare, 0.4, 0.0), "colour"] = None
    return frame, y


@pytest.mark.parametrize("seed", range(3))
def test_zeros_missing_cells_and_categories_are_drawn_at_about_their_shares(seed):
    X, y = frame_for_shares()
    sampler = quick(max_iter=300, pretrain_iter=100, rejection_strength=0, random_state=seed)
    rows, real = sampler.fit(X, y).sample("rare", 2000), X[y == "rare"]
    assert abs((rows["amount"] == 0).mean() - (real["amount"] == 0).mean()) < 0.06
    for name in ("income", "colour"):
        assert abs(rows[name].isna().mean() - real[name].isna().mean()) < 0.06
    shares = [one["colour"].value_counts(normalize=True) for one in (rows, real)]
    assert shares[0].sub(shares[1]).abs().max() < 0.08


def test_cells_are_missing_together_with_what_they_go_with():
    X, y = frame_for_shares()
    sampler = quick(sampling_strategy={"common": 700}, max_iter=400, pretrain_iter=300)
    rows = sampler.fit(X, y).sample("common", 1000)
    agree = rows["income"].isna() == (rows["group"] == "unknown")
    assert agree.mean() > 0.85


@pytest.mark.parametrize("seed", range(3))
def test_cells_that_are_always_missing_or_zero_together_hardly_ever_part(seed):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(300, 4)), columns=list("abcd"))
    X.loc[rng.random(300) < 0.3, ["a", "b"]] = np.nan
    X.loc[rng.random(300) < 0.4, ["c", "d"]] = 0.0
    y = np.repeat(["rare", "common"], [60, 240])
    sampler = quick(max_iter=250, pretrain_iter=150, rejection_strength=0, random_state=seed)
    rows = sampler.fit(X, y).sample("rare", 1000)
    assert (rows["a"].isna() == rows["b"].isna()).mean() > 0.97
    assert ((rows["c"] == 0) == (rows["d"] == 0)).mean() > 0.97


def test_a_column_that_is_missing_throughout_a_class_stays_so(table):
    X, y = table
    X = pd.DataFrame(X, columns=list("abcde"))
    X.loc[y == 1, "b"] = np.nan
    rows = quick(max_iter=200).fit(X, y).sample(1, 100)
    assert rows["b"].isna().mean() > 0.9


def test_a_row_is_rejected_as_a_near_copy_only_where_there_are_numbers():
    rng = np.random.default_rng(0)
    y = np.repeat(["rare", "common"], [12, 48])
    categories = pd.DataFrame(rng.choice(list("abc"), (60, 8))).add_prefix("column ")
    for X, is_copy in (
        (categories, False),
        (categories.assign(amount=rng.normal(size=60)), True),
    ):
        generator = quick(rejection_strength=1).fit(X, y)._generators["rare"]
        rows = generator.own_rows.take(np.arange(12))
        verdict = generator._judge(generator.critic, Candidates(rows, np.arange(12)))
        assert (verdict.is_copy == is_copy).all()


def test_a_level_that_is_not_in_the_table_is_never_drawn():
    X, y = make_table({"no": 40, "yes": 12})
    levels = ["a", "b", "c", "never"]
    frame = pd.DataFrame(X, columns=list("vwxyz")).assign(
        colour=pd.Categorical(np.resize(["a", "b", "c"], len(X)), levels, ordered=True)
    )
    rows = quick().fit(frame, y).sample("yes", 300)
    assert set(rows["colour"]) <= {"a", "b", "c"}
    assert rows["colour"].dtype == frame["colour"].dtype


@pytest.mark.parametrize("columns", [[1, 3], ["b", "d"], [False, True, False, True, False]])
def test_categorical_features_are_named_by_index_name_or_mask(columns, table):
    X, y = table
    X[:, [1, 3]] = np.round(X[:, [1, 3]])
    frame = pd.DataFrame(X, columns=list("abcde"))
    sampler = quick(categorical_features=columns)
    X_new, _ = sampler.fit_resample(frame, y)
    kinds = [column.kind for column in sampler.schema_.columns]
    assert kinds == ["continuous", "categorical", "continuous", "categorical", "continuous"]
    assert set(X_new["b"]) <= set(frame["b"])


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(["a", "b", "b"] * 10, dtype="category"),
        pd.Series([True, False, False] * 10, dtype="boolean", name="bought"),
        pd.Series(["a", "b", "b"] * 10, dtype="string", index=range(5, 35)),
        pl.Series("bought", [1, 2, 2] * 10),
        pl.Series("bought", ["a", "b", "b"] * 10, dtype=pl.Categorical),
        pa.chunked_array([[1, 2, 2] * 10]),
        np.array(["a", "b", "b"] * 10, dtype=object),
        np.array([True, False, False] * 10),
        ["a", "b", "b"] * 10,
    ],
    ids=lambda y: f"{type(y).__module__}.{getattr(y, 'dtype', '')}",
)
def test_labels_of_any_container_come_back_in_it(y):
    X = np.random.default_rng(0).normal(size=(30, 3))
    _, y_new = quick().fit_resample(X, y)
    assert type(y_new) is type(y)
    assert len(y_new) == 40
    assert getattr(y_new, "dtype", None) == getattr(y, "dtype", None)
    assert getattr(y_new, "name", None) == getattr(y, "name", None)
    values = (
        [y_new[number] for number in range(30)] if not hasattr(y_new, "iloc") else y_new[:30]
    )
    assert list(values) == list(y)
    assert {str(label) for label in list(y_new)[30:]} == {str(next(iter(y)))}


@pytest.mark.parametrize("kind", ["flags", "colours", "one_word"])
@pytest.mark.parametrize("n_columns", [1, 4])
def test_tables_of_nothing_but_categories_work(kind, n_columns):
    rng = np.random.default_rng(0)
    X = np.array([KINDS[kind](rng, 40) for _ in range(n_columns)], dtype=object).T
    y = np.arange(40) % 4 == 0
    sampler = quick()
    if kind == "one_word":
        with pytest.warns(UserWarning, match="are the same"):
            X_new, _ = sampler.fit_resample(X, y)
    else:
        X_new, _ = sampler.fit_resample(X, y)
    for seen, drawn in zip(X.T, X_new.T, strict=True):
        assert set(drawn) <= set(seen)


def test_thousands_of_levels_share_few_slots_and_are_all_drawable():
    rng = np.random.default_rng(0)
    n_rows = 20_000
    frame = pd.DataFrame({"user": rng.integers(0, 8000, n_rows).astype(str), "x": 1.5})
    frame["x"] = rng.normal(size=n_rows)
    y = np.arange(n_rows) % 10 == 0
    sampler = quick(sampling_strategy={True: 6000})
    X_new, _ = sampler.fit_resample(frame, y)
    assert sampler.vaes_[True].layout.width == 1 + MOST_LEVELS_APART
    drawn = X_new["user"][n_rows:]
    assert set(drawn) <= set(frame["user"])
    assert drawn.nunique() > 500
    from_elsewhere = drawn[~drawn.isin(frame["user"][y])]
    assert from_elsewhere.nunique() < MOST_LEVELS_APART, "only frequent ones may be"


def test_a_sparse_table_is_never_made_dense():
    rng = np.random.default_rng(0)
    n_rows, n_columns, n_by_row = 20_000, 1_000, 10
    X = sparse.csr_array(
        (
            rng.lognormal(size=n_rows * n_by_row),
            rng.integers(0, n_columns, n_rows * n_by_row),
            np.arange(0, n_rows * n_by_row + 1, n_by_row),
        ),
        shape=(n_rows, n_columns),
    )
    X.sum_duplicates()
    y = np.arange(n_rows) % 100 == 0
    sampler = quick(sampling_strategy={True: 250}, max_iter=3, pretrain_iter=3)
    tracemalloc.start()
    X_new, _ = sampler.fit_resample(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.75 * 8 * n_rows * n_columns
    assert X_new.shape == (n_rows + 50, n_columns)
    drawn_by_row = X_new[n_rows:].nnz / 50
    assert drawn_by_row < 0.5 * n_columns


def test_rows_of_a_large_sparse_table_are_encoded_when_they_are_asked_for(table, monkeypatch):
    X, _ = table
    schema, cells = read_cells(Container.of(sparse.csr_array(X)), "auto")
    dense = TableEncoder.of(schema).rows(cells)
    assert isinstance(dense, DenseRows)
    monkeypatch.setattr("vaesampler._encoding.encoder.MOST_CELLS_IN_MEMORY", 0)
    encoded = TableEncoder.of(schema).rows(cells)
    assert isinstance(encoded, LazyRows)
    indices = np.array([3, 0, 3])
    assert_array_equal(encoded.take(indices), dense.take(indices))
    subset = encoded.subset(indices)
    assert isinstance(subset, LazyRows)
    assert_array_equal(subset.take(np.arange(3)), dense.take(indices))
    of_array = TableEncoder.of(schema).rows(read_cells(Container.of(X), "auto")[1])
    assert isinstance(of_array, LazyRows)
    assert isinstance(of_array.subset(indices), DenseRows)
    assert_array_equal(of_array.subset(indices).take(np.arange(3)), dense.take(indices))


@pytest.mark.parametrize("n_columns", [1, 2000])
def test_frames_of_any_width_work(n_columns):
    X, y = make_table({0: 30, 1: 10}, n_features=n_columns)
    frame = pd.DataFrame(X, columns=[f"column {number}" for number in range(n_columns)])
    X_new, _ = quick(max_iter=2, pretrain_iter=2).fit_resample(frame, y)
    assert X_new.shape == (60, n_columns)


def test_the_schema_says_what_each_column_was_taken_for_and_why():
    columns = {name: make(np.random.default_rng(0), 100) for name, make in KINDS.items()}
    columns["colours"][3] = None
    y = np.arange(100) % 3 == 0
    printed = str(quick().fit(as_arrow(columns), y).schema_).splitlines()
    expected = {
        "numbers": ("continuous", "most values are found once"),
        "prices": ("continuous", "at most 2 decimals"),
        "amounts": ("continuous", "many rows at 0.0"),
        "counts": ("integer", "whole number"),
        "grades": ("discrete", "3 values in 100 rows"),
        "flags": ("binary", "2 levels"),
        "colours": ("categorical", "4 levels, 1 missing cell"),
        "days": ("integer", "times, in days"),
        "one_word": ("constant", "1 level"),
    }
    for line, (name, words) in zip(printed, expected.items(), strict=True):
        assert line.startswith(name)
        for word in words:
            assert word in line


@pytest.mark.parametrize("dtype", [object, "U5", np.dtypes.StringDType()])
def test_arrays_of_text_keep_their_dtype(dtype):
    X = np.array([["a", "x"], ["b", "y"], ["a", "y"]] * 10, dtype=dtype)
    X_new, _ = quick().fit_resample(X, [0, 1, 0, 0, 1] * 6)
    assert X_new.dtype == X.dtype
    assert set(X_new[:, 0]) == {"a", "b"}


@pytest.mark.parametrize("library", ["pandas", "pandas with arrow", "polars"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Etc/GMT+3", "UTC"])
def test_days_of_any_time_zone_stay_days(zone, library):
    rng = np.random.default_rng(0)
    days = pd.Series(pd.date_range("2020-01-01", periods=120, tz=zone))
    X = pd.DataFrame({"day": days, "x": rng.normal(size=120)})
    y = np.repeat([0, 1], [90, 30])
    if library == "pandas with arrow":
        X = X.convert_dtypes(dtype_backend="pyarrow")
    if library == "polars":
        X = pl.DataFrame({"day": pl.Series(days.dt.tz_localize(None)), "x": X["x"].to_list()})
        X = X.with_columns(pl.col("day").dt.replace_time_zone(zone))
    drawn = quick().fit(X, y).sample(1, 200)
    assert drawn["day"].dtype == X["day"].dtype
    local = [time.replace(tzinfo=None) for time in cells_of(drawn, X.columns)["day"]]
    assert all(time.time() == datetime.time(0) for time in local)
    assert len(set(local)) > 20


def test_times_that_clocks_never_show_are_drawn_an_hour_off():
    half_hours = pd.date_range("2024-03-30", "2024-04-01", freq="30min", tz="Europe/Berlin")
    X = pd.DataFrame({"when": half_hours, "x": np.arange(len(half_hours)) % 7})
    y = np.arange(len(X)) % 3 == 0
    drawn = quick().fit(X, y).sample(True, 500)["when"]
    assert drawn.dtype == X["when"].dtype
    assert drawn.between(half_hours[0], half_hours[-1]).all()


def test_codes_of_a_row_do_not_depend_on_the_rows_beside_it():
    rng = np.random.default_rng(0)
    when = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 10**7, 60), unit="s")
    X = pd.DataFrame({"when": when, "x": rng.normal(size=60)})
    X.loc[0, "when"] = pd.Timestamp("2020-02-02")  # midnight, which alone is a whole day
    sampler = quick().fit(X, np.arange(60) % 3 == 0)
    np.testing.assert_allclose(
        sampler.encode(True, X[:1]), sampler.encode(True, X)[:1], atol=1e-5
    )
    with pytest.raises(ValueError, match="Column 'when' held times when fitting; found others"):
        sampler.encode(True, X.assign(when=X["when"].astype("int64")))
    with pytest.raises(ValueError, match="Column 'x' held no times when fitting; found times"):
        sampler.encode(True, X.assign(x=X["when"]))


def test_codes_of_a_sparse_table_are_those_of_the_dense_one():
    X = sparse.random(60, 30, density=0.3, format="csr", random_state=0)
    y = np.arange(60) % 3 == 0
    sampler = quick().fit(X, y)
    np.testing.assert_allclose(
        sampler.encode(True, X), sampler.encode(True, X.toarray()), atol=1e-6
    )


def test_fields_of_arrow_that_are_never_null_stay_so():
    rng = np.random.default_rng(0)
    fields = [pa.field("x", pa.float64(), nullable=False), pa.field("z", pa.float64())]
    X = pa.table([rng.normal(size=40), rng.normal(size=40)], schema=pa.schema(fields))
    sampler = quick()
    X_resampled, _ = sampler.fit_resample(X, np.arange(40) % 4 == 0)
    assert X_resampled.schema == X.schema
    assert sampler.sample(True, 5).schema == X.schema


@pytest.mark.parametrize(
    "columns",
    [
        pd.Index(["a", "b"], name="feature"),
        pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["outer", "inner"]),
        pd.CategoricalIndex(["a", "b"]),
    ],
    ids=["named", "of two levels", "of categories"],
)
@pytest.mark.parametrize("balanced", [False, True])
def test_the_columns_of_a_frame_of_pandas_stay_what_they_are(columns, balanced):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=columns)
    y = np.arange(40) % (2 if balanced else 4) == 0
    X_resampled, _ = quick().fit_resample(X, y)
    pd.testing.assert_index_equal(X_resampled.columns, columns)


@pytest.mark.parametrize(
    "make",
    [
        pl.DataFrame,
        pa.table,
        lambda cells: pd.DataFrame(cells).astype({"none": "null[pyarrow]"}),
    ],
    ids=["polars", "arrow", "pandas"],
)
def test_a_column_of_nothing_but_nulls_stays_so(make):
    nothing = {"none": [None] * 40, "x": list(range(40))}
    X = make(nothing)
    drawn = quick().fit(X, np.arange(40) % 4 == 0).sample(True, 5)
    assert cells_of(drawn, nothing)["none"] == [None] * 5


@pytest.mark.parametrize("make", [pd.DataFrame, as_objects])
@pytest.mark.parametrize("n_decimals", [0, 2, 12])
def test_decimals_of_python_stay_decimals(make, n_decimals):
    rng = np.random.default_rng(0)
    prices = [Decimal(f"{price:.{n_decimals}f}") for price in rng.lognormal(5, 1, size=60)]
    missing = [None if number % 7 == 0 else price for number, price in enumerate(prices)]
    X = make({"price": np.array(prices, dtype=object), "some": np.array(missing, dtype=object)})
    X_resampled, _ = quick().fit_resample(X, np.arange(60) % 3 == 0)
    cells = cells_of(X_resampled, ["price", "some"])
    assert {type(cell) for cell in cells["price"]} == {Decimal}
    assert {type(cell) for cell in cells["some"]} == {Decimal, type(None)}
    if n_decimals == 2:
        assert all(cell == round(cell, 2) for cell in cells["price"])


def test_a_fitted_sampler_does_not_keep_the_table_in_memory():
    array, y = make_table()
    kept = weakref.ref(array)
    X = pd.DataFrame(array, copy=False)
    sampler = quick().fit(X, y)
    del array, X
    gc.collect()
    assert kept() is None
    assert len(sampler.sample(1, 5)) == 5


def test_the_schema_is_shown_as_text_and_as_a_table():
    frame = pd.DataFrame({"<b>": [0.5, 1.25, 3.0, 7.5] * 10, "city": ["Ulm", "Bonn"] * 20})
    schema = quick().fit(frame, [0] * 30 + [1] * 10).schema_
    assert repr(schema) == "FeatureSchema(2 columns: 1 discrete, 1 binary)"
    for column in schema.columns:
        assert f"{column.kind:<11}  {column.reason}" in str(schema)
        assert column.reason in schema._repr_html_()
    assert "&lt;b&gt;" in schema._repr_html_()


@pytest.mark.parametrize("make", [np.array, sparse.csr_array], ids=["array", "csr array"])
@pytest.mark.parametrize("dtype", ["i8", "u1", "f4"])
def test_categories_named_in_an_array_of_numbers_are_drawn_as_such(make, dtype):
    codes = np.random.default_rng(0).choice([0, 3, 7, 9], (60, 3)).astype(dtype)
    sampler = quick(categorical_features=[0, 2])
    X_new, _ = sampler.fit_resample(make(codes), [0] * 45 + [1] * 15)
    assert X_new.dtype == codes.dtype
    drawn = (X_new.toarray() if sparse.issparse(X_new) else X_new)[60:]
    assert np.isin(drawn, [0, 3, 7, 9]).all()
