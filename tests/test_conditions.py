"""`sample(..., given=...)`: every row meets what was asked, and the rest stays associated."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_table, quick
from numpy.testing import assert_array_equal
from scipy import sparse

DAY = datetime.timedelta(days=1)
START = datetime.datetime(2024, 1, 1)
UTC_START = START.replace(tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def dependent():
    """Return a sampler of y = 2 x + noise, and of b, which equals a in 90% of the rows."""
    rng = np.random.default_rng(0)
    n_rows = 1_000
    x = rng.normal(size=n_rows)
    a = rng.choice(["low", "mid", "top"], size=n_rows)
    is_same = rng.random(n_rows) < 0.85  # and a third of the others
    X = pd.DataFrame(
        {
            "x": x,
            "y": 2 * x + 0.5 * rng.normal(size=n_rows),
            "a": a,
            "b": np.where(is_same, a, rng.choice(["low", "mid", "top"], size=n_rows)),
        }
    )
    labels = np.repeat([0, 1], n_rows // 2)
    strategy = {1: n_rows}
    return quick(sampling_strategy=strategy, max_iter=250, pretrain_iter=150).fit(X, labels)


@pytest.mark.parametrize(
    ("interval", "mean_of_x"),
    [((1, None), 1.525), ((-1, -0.5), -0.725), ((None, -1), -1.525)],
)
def test_a_number_keeps_its_conditional_mean(dependent, interval, mean_of_x):
    rows = dependent.sample(1, 2_000, given={"x": interval}, random_state=0)
    low, high = interval
    assert rows["x"].between(-9 if low is None else low, 9 if high is None else high).all()
    assert abs(rows["y"].mean() - 2 * mean_of_x) < 0.3  # the unconditional mean is 0
    assert np.std(rows["y"] - 2 * rows["x"]) < 0.8  # that of y is above 2


@pytest.mark.parametrize("level", ["low", "mid", "top"])
def test_a_category_keeps_its_conditional_share(dependent, level):
    rows = dependent.sample(1, 2_000, given={"a": level}, random_state=0)
    assert (rows["a"] == level).all()
    assert abs((rows["b"] == level).mean() - 0.9) < 0.1  # the unconditional share is .33


def test_several_conditions_hold_together(dependent):
    given = {"x": (0.5, None), "a": ["low", "mid"], "b": {"mid"}}
    rows = dependent.sample(1, 300, given=given, random_state=0)
    assert len(rows) == 300
    assert (rows["x"] >= 0.5).all()
    assert set(rows["a"]) <= {"low", "mid"}
    assert set(rows["b"]) == {"mid"}
    assert rows["y"].mean() > 1


def test_rows_are_reproducible_and_fewer_are_the_first_of_more(dependent):
    given = {"a": "low", "x": (0, 2)}
    many = dependent.sample(1, 9_000, given=given, random_state=3)
    assert many.equals(dependent.sample(1, 9_000, given=given, random_state=3))
    few = dependent.sample(1, 100, given=given, random_state=3)
    assert few.equals(many.head(100))
    assert not few.equals(dependent.sample(1, 100, given=given, random_state=4))
    assert len(dependent.sample(1, 0, given=given)) == 0


def test_nothing_that_is_given_changes_nothing(dependent):
    rows = dependent.sample(1, 50, random_state=0)
    assert rows.equals(dependent.sample(1, 50, given={}, random_state=0))
    assert rows.equals(dependent.sample(1, 50, given=None, random_state=0))


def mixed(n_rows=240):
    rng = np.random.default_rng(1)
    days = rng.integers(0, 300, n_rows)
    amount = rng.normal(100, 20, n_rows)
    amount[::4] = np.nan
    return pd.DataFrame(
        {
            "day": pd.Series([START + int(day) * DAY for day in days]).astype("M8[us]"),
            "zoned": pd.to_datetime([UTC_START + int(day) * DAY for day in days]).tz_convert(
                "Europe/Berlin"
            ),
            "price": [Decimal(int(one)).scaleb(-2) for one in rng.integers(100, 9_000, n_rows)],
            "visits": rng.integers(0, 100_000, n_rows),
            "stars": rng.integers(1, 6, n_rows),
            "amount": amount,
            "single": rng.choice(np.array([0.1, 0.2, 0.3, 0.7], dtype=np.float32), n_rows),
            "plan": rng.choice(["monthly", "yearly"], n_rows),
            "is_new": rng.random(n_rows) < 0.5,
            "size": pd.Categorical(
                rng.choice(["S", "M", "L", "XL"], n_rows), ["S", "M", "L", "XL"], ordered=True
            ),
            "red": (days % 3 == 0).astype(int),
            "green": (days % 3 == 1).astype(int),
            "blue": (days % 3 == 2).astype(int),
        }
    )


@pytest.fixture(scope="module")
def sampler():
    return quick().fit(mixed(), [0, 0, 1] * 80)


def berlin(day):
    return pd.Timestamp(START + day * DAY).tz_localize("UTC").tz_convert("Europe/Berlin")


CONDITIONS = {
    "time": ({"day": (START + 50 * DAY, START + 90 * DAY)}, "day >= @s50 and day <= @s90"),
    "date": ({"day": (None, (START + 90 * DAY).date())}, "day <= @s90"),
    "time of NumPy": ({"day": (np.datetime64(START + 50 * DAY), None)}, "day >= @s50"),
    "between two units": ({"day": (START + 49.5 * DAY, START + 90.5 * DAY)}, "day >= @s50"),
    "zone": ({"zoned": (UTC_START + 50 * DAY, None)}, "zoned >= @z50"),
    "own zone": ({"zoned": (berlin(50), None)}, "zoned >= @z50"),
    "decimal": ({"price": (Decimal("20"), 40.5)}, "price >= 20 and price <= 40.5"),
    "integer": ({"visits": (20_000, 50_000.5)}, "visits >= 20000 and visits <= 50000"),
    "discrete": ({"stars": 4}, "stars == 4"),
    "several": ({"stars": np.array([1, 5])}, "stars in [1, 5]"),
    "missing": ({"amount": None}, "amount.isna()"),
    "NaN": ({"amount": float("nan")}, "amount.isna()"),
    "float": ({"amount": (90, float("inf"))}, "amount >= 90"),
    "float32": ({"single": (0.1, 0.2)}, "single < 0.25"),
    "value of float32": ({"single": 0.7}, "single > 0.5"),
    "text": ({"plan": "yearly"}, "plan == 'yearly'"),
    "boolean": ({"is_new": True}, "is_new"),
    "boolean of NumPy": ({"is_new": np.False_}, "not is_new"),
    "ordinal": ({"size": "XL"}, "size == 'XL'"),
    "ordinal interval": ({"size": ("M", "L")}, "size in ['M', 'L']"),
    "open ordinal interval": ({"size": (None, "M")}, "size in ['S', 'M']"),
    "one-hot": ({"green": 1}, "green == 1 and red == 0 and blue == 0"),
    "not one-hot": ({"green": 0}, "green == 0 and red + blue == 1"),
    "index": ({4: [2, 3]}, "stars in [2, 3]"),
    "all at once": (
        {"plan": "yearly", "visits": (10_000, None), "size": ["M", "L"], "is_new": True},
        "plan == 'yearly' and visits >= 10000 and size in ['M', 'L'] and is_new",
    ),
}


@pytest.mark.parametrize("case", CONDITIONS)
def test_every_row_meets_what_is_given(case, sampler):
    given, query = CONDITIONS[case]
    s50, s90, z50 = pd.Timestamp(START + 50 * DAY), pd.Timestamp(START + 90 * DAY), berlin(50)
    rows = sampler.sample(1, 60, given=given, random_state=0)
    assert len(rows) == 60
    names = {"s50": s50, "s90": s90, "z50": z50}
    assert len(rows.query(query, engine="python", local_dict=names)) == 60
    assert (rows[["red", "green", "blue"]].sum(axis=1) == 1).all()


REFUSED = {
    "no such column": ({"plans": "yearly"}, "given names the column 'plans'.*'plan'"),
    "no such index": ({99: 1}, "given holds 99"),
    "a column twice": ({"stars": 4, 4: 4}, "names the column 'stars' twice"),
    "names and indices": ({"stars": "x"}, r"'x' is not a finite number.*\[1, 2, 3, 4, 5\]"),
    "unknown level": (
        {"plan": "daily"},
        r"plan = 'daily': 'daily' is not one .*\['\w+ly', '\w+ly'\]",
    ),
    "unknown level in a list": ({"plan": ["daily", "yearly"]}, "'daily' is not one of"),
    "unhashable level": ({"plan": [["yearly"]]}, r"\['yearly'\] is not one of its levels"),
    "unknown discrete value": ({"stars": 4.5}, "cannot be 4.5.*levels"),
    "beyond the range": ({"visits": 10**9}, "cannot be 1000000000.*values from"),
    "interval beyond": ({"visits": (10**9, None)}, "no value there.*values from"),
    "interval between levels": ({"stars": (4.2, 4.8)}, "no value there"),
    "wrong way round": ({"visits": (9, 3)}, r"visits in the interval \(9, 3\).*the lower"),
    "ordinal wrong way round": ({"size": ("L", "M")}, "the first end"),
    "interval of text": ({"plan": ("monthly", "yearly")}, "plan.*no order; pass a list"),
    "interval of booleans": ({"is_new": (False, True)}, "is_new.*no order"),
    "interval of three": ({"stars": (1, 2, 3)}, "a tuple of two"),
    "no values": ({"stars": []}, "an empty collection"),
    "missing where none is": ({"stars": None}, "stars missing.*no missing cells"),
    "number for a time": ({"day": 5}, "5 is not one of datetimes"),
    "text for a time": (
        {"day": "2024-05-01"},
        "'2024-05-01' is text; pass a date or time object",
    ),
    "duration for a time": ({"day": DAY}, "is not one of datetimes"),
    "zone for local times": ({"day": UTC_START}, "day.*no time zone"),
    "no mapping": (["plan"], "given must map columns"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_column_cannot_hold_is_refused_by_name(case, sampler):
    given, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        sampler.sample(1, 5, given=given)


def test_a_condition_that_is_hardly_ever_met_is_named_with_its_counts(dependent):
    message = (
        r"of class 1 did\. x = 0\.12345: 0 of 2\d,\d+ drawn rows and 0 of 500 real rows; "
        r"a = 'low': \d+,\d+ of 2\d,\d+ drawn rows and 1\d\d of 500 real rows\."
    )
    with pytest.raises(ValueError, match=message):
        dependent.sample(1, 5, given={"a": "low", "x": 0.12345}, random_state=0)


TABLES = {
    "array": lambda X: X,
    "float32": lambda X: X.astype(np.float32),
    "list": lambda X: X.tolist(),
    "sparse": sparse.csr_array,
    "polars": lambda X: pl.DataFrame(X, schema=[f"c{index}" for index in range(X.shape[1])]),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_of_every_kind_are_drawn_on_condition(kind):
    X, y = make_table({0: 40, 1: 30})
    rows = quick().fit(TABLES[kind](X), y).sample(1, 40, given={1: (3, None)}, random_state=0)
    cells = rows.toarray() if kind == "sparse" else np.asarray(rows)
    assert cells.shape == (40, 5)
    assert (cells[:, 1] >= 3).all()


@pytest.mark.parametrize("latent_sampling", ["prior", "posterior", "interpolate", "denoise"])
@pytest.mark.parametrize("n_meeting", [0, 1, 2, 15])
def test_any_number_of_real_rows_may_meet_a_condition(latent_sampling, n_meeting):
    X, y = make_table({0: 40, 1: 30})
    X[:, 2] = X[:, 2].round(1)
    ascending = np.sort(X[y == 1, 2])
    high = ascending[n_meeting - 1] if n_meeting else (ascending[0] - 0.1).round(1)
    sampler = quick(latent_sampling=latent_sampling).fit(X, y)
    rows = sampler.sample(1, 20, given={2: (None, high)}, random_state=0)
    assert rows.shape == (20, 5)
    assert (rows[:, 2] <= high).all()


def test_integers_that_no_float_holds_are_compared_exactly():
    rng = np.random.default_rng(0)
    start = 2**60
    X = pd.DataFrame({"id": start + rng.integers(0, 1_000, 90), "x": rng.normal(size=90)})
    sampler = quick().fit(X, [0, 0, 1] * 30)
    rows = sampler.sample(1, 200, given={"id": (start + 401, start + 600)}, random_state=0)
    assert rows["id"].between(start + 401, start + 600).all()
    chosen = int(X["id"][2])
    rows = sampler.sample(1, 20, given={"id": chosen}, random_state=0)
    assert_array_equal(rows["id"], np.full(20, chosen))


def test_a_loaded_sampler_draws_the_same_rows_on_condition(tmp_path):
    one, given = quick().fit(*make_table({0: 40, 1: 30})), {0: (3, 4)}
    one.save(tmp_path / "sampler")
    loaded = type(one).load(tmp_path / "sampler")
    assert_array_equal(
        loaded.sample(1, 30, given=given, random_state=0),
        one.sample(1, 30, given=given, random_state=0),
    )


def test_a_sampler_without_its_real_rows_draws_on_condition(tmp_path):
    X, y = make_table({0: 40, 1: 30})
    sampler = quick(latent_sampling="prior", rejection_strength=0).fit(X, y)
    sampler.save(tmp_path / "sampler", include_rows=False)
    rows = type(sampler).load(tmp_path / "sampler").sample(1, 30, given={0: (3, 4)})
    assert ((rows[:, 0] >= 3) & (rows[:, 0] <= 4)).all()


def test_a_condition_that_is_refused_leaves_the_next_rows_as_they_were():
    X, y = make_table({0: 40, 1: 30})
    drawn = []
    for given in ({9: 1}, None):
        sampler = quick().fit(X, y)
        if given is not None:
            with pytest.raises(ValueError, match="given holds 9"):
                sampler.sample(1, 5, given=given)
        drawn.append(sampler.sample(1, 5))
    assert_array_equal(*drawn)


def test_a_collection_of_dask_has_the_same_rows_on_condition():
    pytest.importorskip("dask.dataframe")
    X = pd.DataFrame(make_table({0: 40, 1: 30})[0], columns=list("abcde"))
    sampler = quick().fit(X, make_table({0: 40, 1: 30})[1])
    given = {"a": (3, None)}
    drawn = sampler.sample(1, 50, given=given, random_state=0, npartitions=2).compute()
    in_memory = sampler.sample(1, 50, given=given, random_state=0)
    assert drawn.reset_index(drop=True).equals(in_memory)
