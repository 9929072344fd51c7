"""What every kind of column must do: be inferred, encoded, decoded, and drawn legally."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import quick
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from vaesampler._encoding.blocks import BLOCKS
from vaesampler._encoding.bounds import Support
from vaesampler._encoding.encoder import TableEncoder, read_cells
from vaesampler._encoding.numeric_block import NumericBlock
from vaesampler._table import columns
from vaesampler._table.containers import Container

SIZES = ["XS", "S", "M", "L", "XL"]
# A column of each kind, and of each way it is encoded: from a random generator and a number of
# rows, to objects, or to a frame of columns.
KINDS = {
    "continuous": lambda rng, n: rng.normal(size=n),
    "continuous, with decimals": lambda rng, n: rng.normal(size=n).round(2),
    "continuous, with a spike": lambda rng, n: np.where(rng.random(n) < 0.5, 0, rng.random(n)),
    "integer": lambda rng, n: rng.choice(10 * n, n, replace=False),
    "discrete": lambda rng, n: rng.integers(0, 5, n) / 2,
    "binary": lambda rng, n: np.resize(["no", "yes"], n).astype(object),
    "categorical": lambda rng, n: np.resize(["a", "b", "c", "d"], n).astype(object),
    "categorical, with rare levels": lambda rng, n: rng.integers(0, n, n).astype(str),
    "constant": lambda rng, n: np.full(n, 7.5),
    "indicator": lambda rng, n: pd.get_dummies(pd.Series(rng.permutation(np.resize(SIZES, n)))),
    "ordinal": lambda rng, n: pd.Categorical(rng.permutation(np.resize(SIZES, n)), SIZES, True),
}
# Whether cells are missing, which indicators never are.
CASES = pytest.mark.parametrize(
    ("kind", "has_missing"),
    [
        pytest.param(kind, missing, id=f"{kind}, {'with' if missing else 'no'} missing cells")
        for kind in KINDS
        for missing in (False, True)
        if not (missing and kind == "indicator")
    ],
)
N_ROWS = 150
seeds = st.integers(0, 1000)


def make_frame(kind, seed, has_missing):
    rng = np.random.default_rng(seed)
    column = KINDS[kind](rng, N_ROWS)
    if isinstance(column, pd.DataFrame):
        return column
    column = pd.Series(column, name="column")
    if has_missing:
        if column.dtype.kind == "i":
            column = column.astype(object)
        column[rng.choice(N_ROWS, 20, replace=False)] = None
    return column.to_frame()


def encode(frame, row_indices=None):
    schema, cells = read_cells(Container.of(frame))
    encoder = TableEncoder.of(schema)
    every = np.arange(N_ROWS)
    support = Support.of(schema, cells, every if row_indices is None else row_indices)
    return encoder, support, cells.take(every), encoder.rows(cells).take(every)


def test_every_kind_of_column_that_is_encoded_is_tested():
    kinds = {
        one.kind
        for one in vars(columns).values()
        if isinstance(one, type) and "kind" in vars(one) and one is not columns.Column
    } - {columns.InheritedColumn.kind}
    assert {kind.partition(",")[0] for kind in KINDS} == kinds


@CASES
@given(seed=seeds)
def test_a_column_is_inferred_encoded_and_decoded_by_one_block(kind, has_missing, seed):
    encoder, support, cells, rows = encode(make_frame(kind, seed, has_missing))
    for column in encoder.schema.columns:
        assert column.kind == kind.partition(",")[0]
        assert column.has_missing == has_missing
        assert [block.takes(column) for block in (NumericBlock, *BLOCKS)].count(True) == 1
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    decoded = encoder.decode(rows, support, np.random.default_rng(seed))
    if "rare" in kind:  # which share a slot
        is_apart = cells < columns.MOST_LEVELS_APART - 1
        assert_array_equal(decoded[is_apart], cells[is_apart])
        assert_array_equal(np.isnan(decoded), np.isnan(cells))
    else:
        assert_allclose(decoded, cells, rtol=1e-5, atol=1e-5)


@CASES
@given(seed=seeds, size=st.sampled_from([0.1, 1.0, 30.0]))
def test_whatever_is_drawn_decodes_to_cells_that_the_column_may_have(
    kind, has_missing, seed, size
):
    encoder, support, cells, _ = encode(make_frame(kind, seed, has_missing))
    rng = np.random.default_rng(seed)
    drawn = size * rng.normal(size=(200, encoder.layout.width)).astype(np.float32)
    decoded = encoder.decode(drawn, support, rng)
    column = encoder.schema.columns[0]
    if not has_missing:
        assert not np.isnan(decoded).any()
    observed = decoded[~np.isnan(decoded)]
    assert (observed >= np.nanmin(cells)).all()
    assert (observed <= np.nanmax(cells)).all()
    if column.has_levels or column.kind == "discrete":
        assert np.isin(observed, cells).all()
    # A template takes copies of levels, and new values, from these cells.
    template = Container.of(make_frame(kind, seed, has_missing)).template(encoder.schema)
    made = template.make([decoded], len(decoded))
    assert_array_equal(made.isna(), np.isnan(decoded))


# Ordered categories


def ordered_tables(seed=0, n_rows=400):
    """Return tables with a number, and a size that goes with it, in several libraries."""
    rng = np.random.default_rng(seed)
    number = rng.normal(size=n_rows)
    sizes = np.array(SIZES)[
        np.digitize(number + 0.2 * rng.normal(size=n_rows), [-1, 0, 1, 1.6])
    ]
    ordered = pd.Categorical(sizes, SIZES, ordered=True)
    enum = pl.Series(sizes, dtype=pl.Enum(SIZES))
    order = {"size": SIZES}
    return {
        "pandas, ordered": (pd.DataFrame({"x": number, "size": ordered}), None),
        "pandas, text": (pd.DataFrame({"x": number, "size": sizes}), order),
        "polars, enum": (pl.DataFrame({"x": number, "size": enum}), {"size": None}),
        "polars, text": (pl.DataFrame({"x": number, "size": sizes}), {1: SIZES}),
        "pyarrow, ordered": (pa.table({"x": number, "size": pa.array(ordered)}), None),
        "array of objects": (np.array([number, sizes], dtype=object).T, {-1: SIZES}),
        "array of codes": (np.column_stack([number, ordered.codes]), {1: None}),
        "integers": (
            np.column_stack([10 * number, ordered.codes]).astype(int),
            {1: [0, 1, 2, 3, 4]},
        ),
    }


def codes_of(table):
    if isinstance(table, np.ndarray):
        sizes = table[:, 1].tolist()
    else:
        sizes = table["size"]
        sizes = sizes.to_pylist() if hasattr(sizes, "to_pylist") else list(sizes)
    return np.array(
        [SIZES.index(size) if isinstance(size, str) else int(size) for size in sizes]
    )


@pytest.mark.parametrize("name", ordered_tables())
def test_ordered_levels_of_any_container_are_drawn_between_those_that_the_class_has(name):
    X, order = ordered_tables()[name]
    codes = codes_of(X)
    y = np.where((codes > 0) & (codes < 4) & (np.arange(400) % 3 == 0), "rare", "common")
    sampler = quick(ordinal_features=order, max_iter=100, rejection_strength=0).fit(X, y)
    assert [column.kind for column in sampler.schema_.columns][1] == "ordinal"
    drawn = sampler.sample("rare", 500)
    assert type(drawn) is type(X)
    found = codes_of(drawn)
    assert set(found) == {1, 2, 3}
    number = np.asarray(drawn[:, 0] if isinstance(X, np.ndarray) else drawn["x"], dtype=float)
    assert np.corrcoef(number, found)[0, 1] > 0.5


def test_tables_of_equal_ordered_cells_are_drawn_alike():
    tables = ordered_tables()
    y = np.arange(400) % 5 == 0
    drawn = [
        codes_of(quick(ordinal_features=order).fit(X, y).sample(True, 100, random_state=0))
        for X, order in (tables[name] for name in tables if name != "integers")
    ]
    for codes in drawn[1:]:
        assert_array_equal(codes, drawn[0])


def test_two_ordered_levels_are_a_binary_column_and_one_a_constant_one():
    sizes = pd.Categorical(["S", "M"] * 20, SIZES, ordered=True)
    frame = pd.DataFrame({"two": sizes, "one": sizes[:1].repeat(40), "x": np.arange(40.0)})
    schema = quick().fit(frame, [0] * 30 + [1] * 10).schema_
    assert [column.kind for column in schema.columns][:2] == ["binary", "constant"]


def test_ordered_levels_that_are_named_as_categories_are_categories():
    X, _ = ordered_tables()["pandas, ordered"]
    sampler = quick(categorical_features=["size"]).fit(X, np.arange(400) % 5 == 0)
    assert sampler.schema_.columns[1].kind == "categorical"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"ordinal_features": {"size": SIZES[:3]}}, "size.*must name all.*'L', 'XL'"),
        ({"ordinal_features": {"size": None}}, "size.*has no order"),
        ({"ordinal_features": {"size": "XS"}}, "sequence of its different levels.*'XS'"),
        ({"ordinal_features": {"size": ["XS", "XS"]}}, "sequence of its different levels"),
        ({"ordinal_features": {"colour": SIZES}}, "ordinal_features names.*'colour'"),
        ({"ordinal_features": {2: SIZES}}, "ordinal_features holds 2"),
        ({"ordinal_features": ["size"]}, "'ordinal_features' parameter"),
        (
            {"ordinal_features": {"size": SIZES}, "categorical_features": ["size"]},
            "'size' is named in categorical_features and in ordinal_features",
        ),
    ],
)
def test_orders_that_do_not_fit_are_refused_with_what_to_do(parameters, message):
    X, _ = ordered_tables()["pandas, text"]
    with pytest.raises(ValueError, match=message):
        quick(**parameters).fit(X, np.arange(400) % 5 == 0)


DATES = [datetime.date(2024, 1, day) for day in (1, 8, 15, 22)]
AMOUNTS = [Decimal(amount) for amount in ("0.1", "0.5", "1", "20")]


@pytest.mark.parametrize("levels", [DATES, AMOUNTS], ids=["dates", "decimals"])
@pytest.mark.parametrize("as_order", [list, lambda _: None], ids=["a list", "None"])
@pytest.mark.parametrize("make", [pl.Series, lambda cells: pd.Series(cells, dtype=object)])
def test_dates_and_decimals_can_be_ordered(make, as_order, levels):
    column = make([levels[index % 4] for index in range(N_ROWS)])
    X = type(column.to_frame())({"a": column, "x": np.arange(N_ROWS)})
    sampler = quick(ordinal_features={"a": as_order(levels)})
    drawn = sampler.fit_resample(X, np.arange(N_ROWS) % 3 == 0)[0]["a"].to_list()
    assert sampler.schema_.columns[0].kind == "ordinal"
    assert f"{levels[0]} to {levels[-1]}" in sampler.schema_.columns[0].reason.replace(
        ".0 ", " "
    )
    assert set(drawn) == set(levels)
