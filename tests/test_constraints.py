"""`constraints`: every synthetic row meets them, however it is drawn."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_table, quick
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone

from vaesampler import Fixed
from vaesampler.exceptions import ConstraintViolationWarning

CITIES = {"10": "Bern", "11": "Bern", "20": "Basel", "30": "Zug", "31": "Zug"}


def bookings(n_rows=300):
    """Return a table of dependent columns, and a class of a third of the rows."""
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n_rows), unit="D")
    postcode = rng.choice(list(CITIES), n_rows)
    frame = pd.DataFrame(
        {
            "start": start,
            "end": start + pd.to_timedelta(rng.integers(0, 20, n_rows), unit="D"),
            "postcode": postcode,
            "city": [CITIES[one] for one in postcode],
            "cost": rng.normal(size=n_rows),
        }
    )
    return frame, np.arange(n_rows) % 3 // 2


def in_order(frame):
    return frame["start"] <= frame["end"]


def is_sound(frame):
    is_right_city = frame["city"] == frame["postcode"].map(CITIES)
    return bool(in_order(frame).all() and is_right_city.all())


@pytest.fixture(scope="module")
def fitted():
    X, y = bookings()
    sampler = quick(constraints=[in_order, Fixed("postcode", "city")], early_stopping=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConstraintViolationWarning)
        X_resampled, y_resampled = sampler.fit_resample(X, y)
    return sampler, X_resampled, y_resampled


def test_without_constraints_rows_break_them():
    X_resampled, _ = quick().fit_resample(*bookings())
    assert not in_order(X_resampled).all()
    assert (X_resampled["city"] != X_resampled["postcode"].map(CITIES)).any()


def test_every_row_of_fit_resample_meets_the_constraints(fitted):
    _, X_resampled, y_resampled = fitted
    assert is_sound(X_resampled)
    assert_array_equal(np.bincount(y_resampled), [200, 200])


def test_every_row_of_sample_meets_the_constraints(fitted):
    sampler, _, _ = fitted
    rows = sampler.sample(1, 5_000, random_state=0)
    assert len(rows) == 5_000
    assert is_sound(rows)
    assert rows.head(40).equals(sampler.sample(1, 40, random_state=0))


def test_conditions_and_constraints_hold_together(fitted):
    sampler, _, _ = fitted
    rows = sampler.sample(1, 200, given={"city": "Zug", "cost": (0, None)}, random_state=0)
    assert is_sound(rows)
    assert set(rows["city"]) == {"Zug"}
    assert (rows["cost"] >= 0).all()


def test_the_report_judges_rows_that_meet_the_constraints(fitted, monkeypatch):
    sampler, _, _ = fitted
    from vaesampler.metrics import _report

    judged, original = [], _report.synthetic_report

    def watched(own, synthetic, *rest, **options):
        judged.append(synthetic)
        return original(own, synthetic, *rest, **options)

    monkeypatch.setattr(_report, "synthetic_report", watched)
    assert sampler.report_
    assert judged
    assert all(map(is_sound, judged))


def test_the_acceptance_is_the_share_of_the_drawn_rows_that_meet_all(fitted):
    sampler, _, _ = fitted
    assert set(sampler.constraint_acceptance_) == {1}
    assert 0.05 < sampler.constraint_acceptance_[1] < 0.95
    X, y = make_table()
    loose = quick(constraints=lambda X: np.ones(len(X), dtype=bool))
    loose.fit_resample(X, y)
    assert loose.constraint_acceptance_ == {1: 1.0, 2: 1.0}
    assert not hasattr(loose.fit(X, y), "constraint_acceptance_")
    free = quick()
    free.fit_resample(X, y)
    assert not hasattr(free, "constraint_acceptance_")


def test_rows_do_not_depend_on_the_number_of_threads(fitted):
    import torch

    sampler, _, _ = fitted
    before = torch.get_num_threads()
    try:
        drawn = []
        for n_threads in (1, 3):
            torch.set_num_threads(n_threads)
            drawn.append(sampler.sample(1, 13_000, random_state=1))
    finally:
        torch.set_num_threads(before)
    assert drawn[0].equals(drawn[1])


def test_constraints_that_all_rows_meet_reject_nothing():
    X, y = make_table()
    free = quick().fit_resample(X, y)[0]
    loose = quick(constraints=[lambda X: np.isfinite(X).all(axis=1)]).fit_resample(X, y)[0]
    assert_array_equal(free, loose)


TABLES = {
    "array": (lambda X: X, lambda X: X[:, 0] <= X[:, 1] + 1),
    "list": (lambda X: X.tolist(), lambda X: [row[0] <= row[1] + 1 for row in X]),
    "sparse": (sparse.csr_array, lambda X: X.toarray()[:, 0] <= X.toarray()[:, 1] + 1),
    "pandas": (
        lambda X: pd.DataFrame(X, columns=list("abcde")).convert_dtypes(),
        lambda X: X["a"] <= X["b"] + 1,  # of the dtype boolean
    ),
    "polars": (lambda X: pl.DataFrame(X, schema=list("abcde")), lambda X: X["a"] <= X["b"] + 1),
}


@pytest.mark.filterwarnings("ignore::vaesampler.exceptions.ConstraintViolationWarning")
@pytest.mark.parametrize("kind", TABLES)
def test_a_constraint_takes_tables_of_the_users_kind(kind):
    X, y = make_table()
    make, constraint = TABLES[kind]
    rows = quick(constraints=constraint).fit(make(X), y).sample(2, 60)
    assert np.asarray(constraint(rows)).all()


def test_missing_cells_are_part_of_a_combination():
    X, y = bookings()
    X.loc[X["postcode"] == "20", "city"] = None
    rows = quick(constraints=Fixed("postcode", "city")).fit(X, y).sample(1, 500)
    assert (rows["city"].isna() == (rows["postcode"] == "20")).all()


def test_combinations_of_an_array_are_named_by_index():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, 200)
    X = np.column_stack([first, -first, rng.normal(size=200)])
    rows = quick(constraints=Fixed(0, 1)).fit(X, np.arange(200) % 3 // 2).sample(1, 500)
    assert_array_equal(rows[:, 1], -rows[:, 0])


def test_rows_that_break_a_constraint_are_counted_in_a_warning():
    X, y = bookings()
    X.loc[:4, "end"] = X["start"].min() - pd.Timedelta(days=1)
    message = r"but rows of X do not: 5 of 300 rows break the constraint in_order \(number 1\)"
    with pytest.warns(ConstraintViolationWarning, match=message) as caught:
        quick(constraints=in_order).fit(X, y)
    assert caught[0].filename == __file__


def never(X):
    return np.zeros(len(X), dtype=bool)


@pytest.mark.filterwarnings("ignore::vaesampler.exceptions.ConstraintViolationWarning")
def test_a_constraint_that_is_hardly_ever_met_is_named(table):
    message = (
        r"of class 1 did\. the constraint never \(number 2\): 0 of \d\d,\d+ drawn rows; the"
    )
    sampler = quick(constraints=[lambda X: X[:, 0] < 9, never])
    with pytest.raises(ValueError, match=message):
        sampler.fit_resample(*table)


def failing(X):
    raise KeyError("end")


INVALID = {
    "no callable": (3, "'constraints' parameter must be a callable.*found 3"),
    "names": (["a", "b"], "'constraints' parameter must be.*found 'a'"),
    "a class": (Fixed, "'constraints' parameter must be.*Fixed"),
    "too few": (lambda X: np.ones(len(X) - 1, dtype=bool), r"<lambda>.*shape \(60,\).*\(59,\)"),
    "one for all": (lambda X: True, r"<lambda> \(number 1\) must return one boolean"),
    "no booleans": (lambda X: X[:, 0], "one boolean for each row.*float64"),
    "missing booleans": (lambda X: pd.array([None] * len(X), "boolean"), "found .*object"),
    "unknown column": (Fixed(0, 9), r"Fixed\(0, 9\) holds 9"),
    "unknown name": (Fixed("a", "b"), r"Fixed\('a', 'b'\) names the column 'a'"),
    "a column twice": (Fixed(0, -5), r"Fixed\(0, -5\) names a column twice"),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_constraints_are_refused_by_name(case, table):
    constraints, message = INVALID[case]
    sampler = quick(constraints=constraints)
    with pytest.raises(ValueError, match=message):
        sampler.fit(*table)
    assert not hasattr(sampler, "schema_")


def test_errors_of_a_constraint_get_a_note(table):
    with pytest.raises(KeyError) as caught:
        quick(constraints=[never, failing]).fit(*table)
    assert caught.value.__notes__ == [
        "Raised by the constraint failing (number 2), for a table of 60 rows."
    ]


@pytest.mark.parametrize("columns", [(), ("a",)])
def test_fixed_names_at_least_two_columns(columns):
    with pytest.raises(ValueError, match="at least two columns"):
        Fixed(*columns)


def test_constraints_are_cloned_pickled_and_shown():
    sampler = quick(constraints=[Fixed("postcode", "city"), in_order])
    assert clone(sampler).get_params()["constraints"] == sampler.constraints
    assert "Fixed('postcode', 'city')" in repr(sampler)
    fitted = sampler.fit(*bookings())
    rows = pickle.loads(pickle.dumps(fitted)).sample(1, 30, random_state=0)
    assert rows.equals(fitted.sample(1, 30, random_state=0))


@pytest.mark.parametrize("constraints", [in_order, [Fixed("postcode", "city"), in_order]])
def test_a_sampler_with_functions_as_constraints_is_not_saved(constraints, tmp_path):
    sampler = quick(constraints=constraints).fit(*bookings())
    for _ in range(2):
        with pytest.raises(TypeError, match=r"the parameter 'constraints'.*in_order.*joblib"):
            sampler.save(tmp_path / "sampler")
        sampler.set_params(constraints=None)  # it was fitted with them
    assert list(tmp_path.iterdir()) == []


def test_a_loaded_sampler_has_the_combinations(tmp_path):
    X, y = bookings()
    X.loc[X["postcode"] == "20", "city"] = None
    sampler = quick(constraints=Fixed("postcode", 3)).fit(X, y)
    sampler.save(tmp_path / "sampler")
    loaded = type(sampler).load(tmp_path / "sampler")
    assert loaded.constraints == sampler.constraints
    rows = loaded.sample(1, 300, random_state=0)
    assert rows.equals(sampler.sample(1, 300, random_state=0))
    assert (rows["city"].isna() == (rows["postcode"] == "20")).all()


def test_rows_of_dask_collections_meet_the_constraints():
    dd = pytest.importorskip("dask.dataframe")
    X, y = bookings()
    parts = dd.from_pandas(X, npartitions=2), dd.from_pandas(pd.Series(y), npartitions=2)
    sampler = quick(constraints=[in_order, Fixed("postcode", "city")])
    X_resampled, _ = sampler.fit_resample(*parts)
    assert is_sound(X_resampled.compute())
    assert not hasattr(sampler, "constraint_acceptance_")
    drawn = sampler.sample(1, 40, given={"city": "Zug"}, random_state=0, npartitions=1)
    assert is_sound(drawn.compute())
