"""What real rows, copies, shuffled columns, one point and extreme tables score."""

import ast
import datetime
import inspect
import re
import sys
from dataclasses import astuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import sparse
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr, wasserstein_distance
from sklearn.tree import DecisionTreeClassifier
from test_any_table import FRAMES, as_arrow, as_list, as_objects, tables

from vaesampler import SyntheticReport, synthetic_report
from vaesampler.metrics import (
    Novelty,
    _likeness,
    _skew,
    _verdict,
    association_distances,
    classifier_two_sample_test,
    column_distances,
    density_coverage,
    distance_to_closest_record,
    novelty,
    precision_recall,
)
from vaesampler.metrics._neighborhoods import (
    DENSITY_NEIGHBORS,
    density_coverage_of,
    precision_recall_of,
)
from vaesampler.metrics._novelty import NEAR_SHARE
from vaesampler.metrics._two_sample import CHANCE_AUC, N_FOLDS, N_TREES

# A tree that sees every cell, and is quicker than a forest.
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)


def balls_of(*tables, **options):
    return [*density_coverage(*tables, **options), *precision_recall(*tables, **options)]


def novelty_of(*tables, **options):
    return list(astuple(novelty(*tables, **options)))


def closest_of(*tables, **options):
    return [distance_to_closest_record(*tables, **options)]


def columns_of(*tables, **options):
    distances = column_distances(*tables, **options)
    return [distances.errors, distances.wasserstein]


def associations_of(*tables, **options):
    distances = association_distances(*tables, **options)
    return [distances.real, distances.synthetic]


def two_samples_of(*tables, **options):
    return [classifier_two_sample_test(*tables, **{"estimator": TREE, **options})]


# Each finds a list of figures for a real and a synthetic table.
OF_COLUMNS_AND_ROWS = [columns_of, associations_of, closest_of]
ALIKE_IN_ANY_ORDER = [balls_of, novelty_of, columns_of, associations_of]
FIGURES = [*ALIKE_IN_ANY_ORDER, closest_of, two_samples_of]
FUNCTIONS = [
    *(density_coverage, precision_recall, novelty, distance_to_closest_record),
    *(column_distances, association_distances, two_samples_of),
]
of_every_metric = pytest.mark.parametrize("figures", FIGURES, ids=lambda one: one.__name__)
every_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.__name__)


def assert_same_figures(tables, *others, kinds_of_figures=FIGURES, **options):
    """Assert that pairs of tables, of real and of synthetic rows, have the same figures."""
    for figures in kinds_of_figures:
        expected = figures(*tables, random_state=0, **options)
        for pair in others:
            found = figures(*pair, random_state=0, **options)
            for one, other in zip(found, expected, strict=True):
                assert_allclose(one, other, rtol=1e-4, atol=1e-4, err_msg=figures.__name__)


def normal_rows(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def mixed_rows(seed, n_rows):
    """Return customers whose columns go together, with some cells missing."""
    rng = np.random.default_rng(seed)
    wealth = rng.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "income": np.exp(wealth + 0.2 * rng.normal(size=n_rows)).round(3),
            "age": (40 + 10 * wealth + 2 * rng.normal(size=n_rows)).round(),
            "visits": rng.poisson(np.exp(wealth)),
            "plan": np.where(wealth + 0.3 * rng.normal(size=n_rows) > 0, "gold", "basic"),
            "member": wealth + 0.3 * rng.normal(size=n_rows) > 0.5,
            "rating": rng.normal(size=n_rows),
        }
    )
    frame.loc[rng.random(n_rows) < 0.3, "rating"] = None
    frame.loc[rng.random(n_rows) < 0.1, "plan"] = None
    return frame


def shuffled(frame, seed):
    """Return the rows with each column in an order of its own."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame({name: rng.permutation(frame[name]) for name in frame})


# Real rows are ideal


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "rows", [mixed_rows, lambda seed, n_rows: normal_rows(seed, n_rows, 4)]
)
def test_new_real_rows_score_as_ideal(seed, rows):
    real, new, held_out = (rows(10 * seed + number, 400) for number in range(3))
    density, coverage = density_coverage(real, new)
    assert abs(density - 1) < 0.15
    assert coverage > 0.9
    precision, recall = precision_recall(real, new)
    assert abs(precision - recall) < 0.1
    assert recall > 0.75
    assert abs(classifier_two_sample_test(real, new, random_state=seed) - 0.5) < 0.12
    of_rows = novelty(real, new, held_out)
    assert of_rows.near_copies < 0.1
    assert abs(of_rows.closest_distance / of_rows.closest_distance_of_real - 1) < 0.2
    assert abs(of_rows.copies - of_rows.copies_of_real) < 0.05
    columns = column_distances(real, new)
    assert columns.mean < 0.13
    assert np.nanmax(columns.wasserstein) < 0.3
    assert association_distances(real, new).mean < 0.1


@pytest.mark.parametrize("seed", range(3))
def test_training_rows_stand_in_for_held_out_ones(seed):
    real, new, held_out = (normal_rows(10 * seed + number, 500, 3) for number in range(3))
    with_them, without = novelty(real, new, held_out), novelty(real, new)
    assert (with_them.is_held_out, without.is_held_out) == (True, False)
    assert (with_them.n_reference, without.n_reference) == (500, 500)
    assert_allclose(
        without.closest_distance_of_real, with_them.closest_distance_of_real, rtol=0.15
    )
    assert abs(without.near_copies - with_them.near_copies) < 0.05


# Copies


@given(table=tables(), view=st.sampled_from([*FRAMES.values(), as_objects, as_list]))
def test_copies_are_flagged_in_any_table(table, view):
    columns, _ = table
    if view in (as_objects, as_list):
        columns = {name: cells for name, cells in columns.items() if "days" not in name}
        if not columns:
            return
    X = view(columns)
    assert novelty(X, X).copies == 1
    assert (distance_to_closest_record(X, X) == 0).all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("held_out", [None, normal_rows(99, 100, 4)])
def test_the_smaller_the_jitter_the_more_near_copies(seed, held_out):
    real = normal_rows(seed, 200, 4)
    found = [
        novelty(real, real + jitter * normal_rows(seed + 50, 200, 4), held_out).near_copies
        for jitter in (0, 0.01, 0.1, 0.3, 3)
    ]
    assert found == sorted(found, reverse=True)
    assert found[1] > 0.99
    assert found[-1] < 0.1


@pytest.mark.parametrize("share_doubled", [0.1, 0.5])
@pytest.mark.parametrize("with_holdout", [False, True])
def test_copies_are_near_copies_where_some_real_rows_are_copies_too(
    share_doubled, with_holdout
):
    rows = normal_rows(0, 400, 3)
    n_doubled = int(share_doubled * 200)
    real = np.vstack([rows[:200], rows[:n_doubled]])
    held_out = np.vstack([rows[:n_doubled], rows[200 : 400 - n_doubled]])
    of_copies, of_new = (
        novelty(real, synthetic, held_out if with_holdout else None)
        for synthetic in (real, normal_rows(1, 200, 3))
    )
    assert of_copies.near_distance == 0
    assert of_copies.near_copies == of_copies.copies == 1
    assert of_copies.near_copies_of_real == of_copies.copies_of_real >= share_doubled
    assert of_new.near_copies == of_new.copies == 0


@pytest.mark.parametrize("n_rows", [20, 100, 500])
def test_a_twentieth_of_new_real_rows_would_be_near_copies(n_rows):
    real, new, held_out = (normal_rows(number, n_rows, 3) for number in range(3))
    assert novelty(real, new, held_out).near_copies_of_real == 0.05
    assert novelty(real, new).near_copies_of_real == 0.05


@pytest.mark.parametrize("seed", range(3))
def test_copies_are_looked_for_among_all_rows(seed):
    real = mixed_rows(seed, 300)
    some = real.sample(40, random_state=seed)
    of_some = novelty(real, some, max_samples=20, random_state=seed)
    assert (of_some.copies, of_some.n_reference) == (1, 20)
    assert of_some.closest_distance > 0


@pytest.mark.parametrize(
    "rows",
    [
        np.random.default_rng(0).standard_cauchy((300, 20)) ** 9,
        np.where(
            np.random.default_rng(0).random((300, 400)) < 0.02, normal_rows(1, 300, 400), 0.0
        ),
        np.hstack([normal_rows(0, 300, 5), 10.0 ** np.arange(300)[:, None]]),
    ],
    ids=["heavy tails", "mostly zero", "magnitudes"],
)
def test_a_copy_is_at_distance_0_however_far_out_it_lies(rows):
    assert_array_equal(distance_to_closest_record(rows, rows[::3]), 0)


# What fails


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_columns_have_their_distributions_and_fail_in_their_pairs(seed):
    real, new = mixed_rows(seed, 500), mixed_rows(seed + 10, 500)
    apart = shuffled(real, seed)
    columns = column_distances(real, apart)
    assert_allclose(columns.errors, 0, atol=1e-9)
    assert_allclose(columns.wasserstein[~columns.is_category], 0, atol=1e-9)
    pairs = association_distances(real, apart)
    assert pairs.mean > 5 * association_distances(real, new).mean
    assert abs(pairs.to_frame()["difference"].iloc[0]) > 0.7
    assert classifier_two_sample_test(new, apart, random_state=seed) > 0.8
    assert density_coverage(new, apart).density < 0.8


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "rows", [mixed_rows, lambda seed, n_rows: normal_rows(seed, n_rows, 2)]
)
def test_one_point_over_and_over_fails_in_coverage_and_recall(seed, rows):
    real = rows(seed, 300)
    point = pd.concat([pd.DataFrame(real).iloc[[seed]]] * 300)
    point = point if isinstance(real, pd.DataFrame) else point.to_numpy()
    assert density_coverage(real, point).coverage < 0.1
    assert precision_recall(real, point).precision == 1
    assert precision_recall(real, point).recall < 0.1
    assert classifier_two_sample_test(real, point, random_state=0) > 0.95


@pytest.mark.parametrize("seed", range(2))
def test_the_farther_rows_are_shifted_the_worse_they_score(seed):
    real, new = normal_rows(seed, 200, 3), normal_rows(seed + 10, 200, 3)
    scores = [
        (
            -two_samples_of(real, new + shift, random_state=0)[0],
            *density_coverage(real, new + shift),
            *precision_recall(real, new + shift),
            -column_distances(real, new + shift).mean,
        )
        for shift in (0, 1, 3, 9)
    ]
    for of_metric in zip(*scores, strict=True):
        assert list(of_metric) == sorted(of_metric, reverse=True)
    assert scores[-1] == (-1, 0, 0, 0, 0, -1)
    moved = column_distances(real, real + 9 * real.std(axis=0))
    assert_allclose(moved.wasserstein, 9)


# Against references written here


def balls_reference(points, centres, n_neighbors):  # (n_points, n_centres)
    """Tell which points lie in the ball around each centre."""
    between = np.sort(cdist(centres, centres), axis=1)  # the first is a centre itself
    return cdist(points, centres) <= between[:, n_neighbors] + 1e-9


@st.composite
def points(draw):
    """Two tables of points on a grid, on which many distances are equal."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    width, span = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    n_rows = draw(st.integers(5, 30)), draw(st.integers(5, 30))
    return [rng.integers(0, span, (n, width)).astype(float) for n in n_rows]


@given(tables=points(), n_neighbors=st.integers(1, 4))
def test_balls_agree_with_the_definitions(tables, n_neighbors):
    real, synthetic = tables
    inside = balls_reference(synthetic, real, n_neighbors)
    assert_allclose(
        density_coverage_of(real, synthetic, n_neighbors),
        [inside.sum(axis=1).mean() / n_neighbors, inside.any(axis=0).mean()],
    )
    assert_allclose(
        precision_recall_of(real, synthetic, n_neighbors),
        [
            inside.any(axis=1).mean(),
            balls_reference(real, synthetic, n_neighbors).any(axis=1).mean(),
        ],
    )


@st.composite
def levels(draw):
    """Two tables of categories and missing cells."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    width = draw(st.integers(1, 5))
    some = np.array(["red", "green", "blue", None], dtype=object)
    tables = [rng.choice(some, (draw(st.integers(6, 25)), width)) for _ in range(2)]
    # All are found among the real rows: what is not, has nothing to be told by.
    tables[0][:4] = some[:, np.newaxis]
    return tables


@given(tables=levels())
def test_rows_of_categories_are_as_far_apart_as_the_root_of_the_cells_that_differ(tables):
    real, synthetic = tables
    numbers = [np.where(table == None, "-", table) for table in tables]  # noqa: E711
    between = np.sqrt((numbers[1][:, np.newaxis] != numbers[0]).sum(axis=2))
    assert_allclose(distance_to_closest_record(real, synthetic), between.min(axis=1), atol=1e-5)
    assert novelty(real, synthetic).copies == (between.min(axis=1) == 0).mean()
    one_hot = [
        np.hstack([numbers_of == level for level in ("red", "green", "blue", "-")]) / np.sqrt(2)
        for numbers_of in numbers
    ]
    assert_allclose(
        density_coverage(real, synthetic, n_neighbors=2), density_coverage_of(*one_hot, 2)
    )


@given(seed=st.integers(0, 1000), n_rows=st.integers(2, 40))
def test_columns_agree_with_the_definitions(seed, n_rows):
    rng = np.random.default_rng(seed)
    real = pd.DataFrame(
        {"x": rng.integers(0, 9, n_rows) / 4, "c": rng.choice(list("ab"), n_rows)}
    )
    synthetic = pd.DataFrame(
        {"x": rng.integers(0, 9, 20) / 4, "c": rng.choice(list("abc"), 20)}
    )
    found = column_distances(real, synthetic)
    at = np.arange(9)[:, None] / 4
    cumulative = [(table["x"].to_numpy() <= at).mean(axis=1) for table in (real, synthetic)]
    shares = [table["c"].value_counts(normalize=True) for table in (real, synthetic)]
    assert_allclose(
        found.distance,
        [
            np.abs(cumulative[0] - cumulative[1]).max(),
            shares[0].sub(shares[1], fill_value=0).abs().sum() / 2,
        ],
    )
    deviation = real["x"].std(ddof=0)
    if deviation > 0:
        expected = wasserstein_distance(real["x"], synthetic["x"]) / deviation
        assert_allclose(found.wasserstein[0], expected)
    assert np.isnan(found.wasserstein[1])


@given(seed=st.integers(0, 1000))
def test_associations_agree_with_the_definitions(seed):
    frame = mixed_rows(seed, 80)
    distances = association_distances(frame, frame.iloc[::-1])
    assert_allclose(distances.errors, 0, atol=1e-9)
    found = pd.DataFrame(distances.real, frame.columns, frame.columns)
    assert_array_equal(found, found.T)
    assert_array_equal(np.diag(found), 1)
    # By the rows in which neither is missing; where none is, as scipy has it.
    expected = spearmanr(frame["income"], frame["visits"]).statistic
    assert_allclose(found.loc["income", "visits"], expected)
    known = frame.dropna(subset="plan")
    table = pd.crosstab(known["plan"], known["member"]).to_numpy()
    phi = np.linalg.det(table) / np.sqrt(np.prod([*table.sum(axis=0), *table.sum(axis=1)]))
    assert_allclose(found.loc["plan", "member"], abs(phi))
    ranks = frame["age"].rank()
    between = ranks.groupby(frame["member"]).transform("mean").var(ddof=0)
    assert_allclose(found.loc["age", "member"], np.sqrt(between / ranks.var(ddof=0)))


# What a table is kept in, and how its columns are written, does not matter


def halves(columns):
    n_rows = len(next(iter(columns.values()))) // 2
    return [
        {name: cells[part] for name, cells in columns.items()}
        for part in (slice(n_rows), slice(n_rows, 2 * n_rows))
    ]


def as_categories(columns):
    frame = FRAMES["as_pandas"](columns)
    words = [name for name in frame if name.split()[0] in ("colours", "one_word")]
    return frame.astype(dict.fromkeys(words, "category"))


def as_polars_categories(columns):
    frame = FRAMES["as_polars"](columns)
    return frame.with_columns(pl.col(pl.String).cast(pl.Categorical))


@settings(max_examples=7)
@given(table=tables())
def test_every_frame_of_a_table_has_the_same_figures(table):
    pairs = [
        [view(half) for half in halves(table[0])]
        for view in [*FRAMES.values(), as_categories, as_polars_categories]
    ]
    assert_same_figures(*pairs, kinds_of_figures=OF_COLUMNS_AND_ROWS)


@settings(max_examples=7)
@given(table=tables(("numbers", "prices", "counts", "flags", "colours", "one_word")))
def test_arrays_and_lists_have_the_figures_of_the_frame_and_may_stand_beside_it(table):
    frames, arrays, lists = (
        [view(half) for half in halves(table[0])] for view in (as_arrow, as_objects, as_list)
    )
    assert_same_figures(
        *(frames, arrays, lists, [frames[0], arrays[1]]),
        kinds_of_figures=OF_COLUMNS_AND_ROWS,
    )


@of_every_metric
def test_every_figure_is_the_same_in_any_container(figures):
    frames = [mixed_rows(seed, 60).convert_dtypes() for seed in range(2)]
    polars = [pl.from_pandas(frame) for frame in frames]
    assert_same_figures(
        *(frames, polars, [frame.to_arrow() for frame in polars]),
        [np.array(frame.rows(), dtype=object) for frame in polars],
        [[list(row) for row in frame.rows()] for frame in polars],
        kinds_of_figures=[figures],
    )


@pytest.mark.parametrize(
    "view",
    [
        *(sparse.csr_array, sparse.csc_array, sparse.coo_array, sparse.csr_matrix),
        *(
            np.ndarray.tolist,
            pd.DataFrame,
            pd.DataFrame.sparse.from_spmatrix,
            np.asfortranarray,
        ),
    ],
)
def test_numbers_have_the_same_figures_in_any_container(view):
    rng = np.random.default_rng(0)
    pair = [np.where(rng.random((60, 6)) < 0.3, rng.normal(size=(60, 6)), 0) for _ in range(2)]
    if view == pd.DataFrame.sparse.from_spmatrix:
        assert_same_figures(pair, [view(sparse.csr_array(table)) for table in pair])
    else:
        assert_same_figures(pair, [view(table) for table in pair])


def test_times_are_compared_whatever_their_unit():
    first = datetime.datetime(2020, 1, 1)
    rng = np.random.default_rng(0)
    pair = [
        pl.DataFrame({"day": [first + datetime.timedelta(int(day)) for day in days]})
        for days in rng.integers(0, 300, (2, 50))
    ]
    as_dates = [table.with_columns(pl.col("day").cast(pl.Date)) for table in pair]
    in_milliseconds = [
        table.with_columns(pl.col("day").cast(pl.Datetime("ms"))) for table in pair
    ]
    for others in (as_dates, in_milliseconds, [table.to_pandas() for table in pair]):
        assert_same_figures(pair, others)
        assert_same_figures(pair, [pair[0], others[1]])
    later = [pair[0], pair[1].with_columns(pl.col("day") + datetime.timedelta(9999))]
    assert column_distances(*later).distance == [1]


@settings(max_examples=7)
@given(table=tables(), seed=st.integers(0, 100))
def test_the_order_of_rows_and_of_columns_does_not_matter(table, seed):
    rng = np.random.default_rng(seed)
    pair = [FRAMES["as_pandas"](half) for half in halves(table[0])]
    permuted = [half.iloc[rng.permutation(len(half))] for half in pair]
    assert_same_figures(pair, permuted, kinds_of_figures=ALIKE_IN_ANY_ORDER)
    order = rng.permutation(len(table[0]))
    turned = [half.iloc[:, order] for half in pair]
    assert_same_figures(pair, turned, kinds_of_figures=[balls_of, novelty_of, closest_of])
    assert_allclose(column_distances(*turned).errors, column_distances(*pair).errors[order])


@settings(max_examples=6)
@given(
    seed=st.integers(0, 1000),
    scale=st.floats(1e-6, 1e6),
    shift=st.floats(-1e3, 1e3),
)
def test_the_unit_and_the_zero_of_a_number_do_not_matter(seed, scale, shift):
    pair = [mixed_rows(seed + number, 60) for number in range(2)]
    # With few decimals, so that no two numbers become one and no one two.
    changed = [half.assign(age=(half["age"] + round(shift)) * scale) for half in pair]
    assert_same_figures(pair, changed)


@settings(max_examples=6)
@given(seed=st.integers(0, 1000))
def test_the_names_of_levels_and_columns_do_not_matter(seed):
    pair = [mixed_rows(seed + number, 60) for number in range(2)]
    renamed = [
        half.assign(plan=half["plan"].map({"gold": "a <b>", "basic": "Zürich"}))
        for half in pair
    ]
    assert_same_figures(pair, [half.rename(columns=str.upper) for half in renamed])


@of_every_metric
def test_numbers_may_be_categories(figures):
    codes = np.random.default_rng(0).integers(0, 4, (2, 60, 3))
    names = np.array(["n", "e", "s", "w"], dtype=object)[codes]
    assert_same_figures(
        names, codes, kinds_of_figures=[figures], categorical_features=[0, 1, 2]
    )
    assert_same_figures(
        names, codes * 1e9, kinds_of_figures=[figures], categorical_features=[True] * 3
    )
    mixed = [pd.DataFrame(half, columns=list("abc")) for half in codes]
    assert_same_figures(
        mixed,
        [half.astype("float32") for half in mixed],
        kinds_of_figures=[figures],
        categorical_features=["b"],
    )


# Cells


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA], ids=str)
@pytest.mark.parametrize("column", [[1.5, 2.5, 3.5], ["a", "b", "c"]], ids=["numbers", "text"])
def test_a_missing_cell_differs_from_all_but_a_missing_cell(column, missing):
    real = pd.DataFrame({"x": column, "same": 1.0}, dtype=object)
    gap = pd.DataFrame({"x": [missing], "same": [1.0]}, dtype=object)
    assert distance_to_closest_record(real, gap)[0] > 0.9
    assert novelty(real, gap).copies == 0
    with_gap = pd.concat([real, gap], ignore_index=True)
    assert distance_to_closest_record(with_gap, gap)[0] == 0
    assert novelty(with_gap, gap).copies == 1
    distances = column_distances(with_gap, gap)
    assert_array_equal(distances.missing_difference, [0.75, 0])
    assert_array_equal(distances.errors, [0.75, 0])


@pytest.mark.parametrize("categorical_features", ["auto", [0]])
@pytest.mark.parametrize("dtype", [float, "float32", object])
def test_minus_0_is_0(categorical_features, dtype):
    real = np.array([[0.0, 1.0], [2.0, 3.0], [0.0, 2.0]], dtype=dtype)
    negative = real * -1 * np.array([[1, -1]])
    negative[1, 0] = 2.0
    options = {"categorical_features": categorical_features}
    assert np.signbit(negative.astype(float)[0, 0])
    assert novelty(real, negative, **options).copies == 1
    assert (distance_to_closest_record(real, negative, **options) == 0).all()
    assert_array_equal(column_distances(real, negative, **options).distance, 0)


def test_a_column_that_is_all_missing_in_one_table_is_said_to_be():
    real = pd.DataFrame({"x": [1.0, 2.0, 3.0], "c": ["a", "b", "a"]})
    empty = pd.DataFrame({"x": [np.nan] * 3, "c": [None] * 3})
    for pair, sign in (((real, empty), 1), ((empty, real), -1)):
        distances = column_distances(*pair)
        assert np.isnan(distances.distance).all()
        assert_array_equal(distances.missing_difference, sign)
        assert distances.mean == 1
        assert_array_equal(association_distances(*pair).errors[0, 1] >= 0, True)
        assert (distance_to_closest_record(*pair) > 0).all()
        assert novelty(*pair).copies == 0
    assert column_distances(empty, empty).mean == 0
    assert novelty(empty, empty).copies == 1


def test_a_level_of_none_of_the_real_rows_is_a_difference():
    real = np.array([["a"], ["b"], ["a"]], dtype=object)
    other = np.array([["c"]], dtype=object)
    assert_allclose(distance_to_closest_record(real, other), 1)
    assert column_distances(real, other).distance == [1]


# Columns as they come


EXTREMES = {
    "constant": np.ones(40),
    "all missing": np.full(40, np.nan),
    "heavy tails": np.random.default_rng(0).standard_cauchy(40) ** 9,
    "huge": 1e300 * normal_rows(0, 40),
    "huge on both sides": np.resize([1.7e308, -1.7e308, 1e308], 40),
    "huge beside tiny": np.r_[np.full(30, 1e300), 1e-10 * np.arange(10)],
    "tiny": 1e-200 * normal_rows(0, 40),
    "tiniest": np.resize([0, 5e-324], 40),
    "one spike": np.r_[np.zeros(38), 1e300, 1e300],
    "all but one missing": np.r_[np.full(39, np.nan), 1.0],
    "one a row": np.arange(40.0),
    "far from 0": 1e15 + np.arange(40.0),
}


@of_every_metric
@pytest.mark.parametrize("name", EXTREMES)
def test_extreme_columns_have_figures_and_warn_of_nothing(figures, name):
    rows = np.column_stack([EXTREMES[name], EXTREMES[name], EXTREMES["one a row"]])
    for pair in ((rows[::2], -rows[1::2]), (rows, np.ones((9, 3)))):
        for number, found in enumerate(figures(*pair, random_state=0)):
            is_promised = figures is not columns_of or number == 0 or "missing" not in name
            assert not is_promised or not np.isnan(found).any()


@pytest.mark.parametrize("exponent", [-900, -300, 300, 900])
def test_figures_are_the_same_of_huge_and_of_tiny_numbers(exponent):
    pair = [normal_rows(seed, 60, 2) for seed in range(2)]
    assert_same_figures(pair, [table * 2.0**exponent for table in pair])


def test_what_does_not_vary_among_real_rows_is_infinitely_far_from_all_else():
    ones = np.ones((5, 1))
    assert column_distances(ones, ones).wasserstein == [0]
    assert column_distances(ones, ones + 1e-9).wasserstein == [np.inf]
    assert column_distances(ones, ones + 1e-9).distance == [1]
    assert_array_equal(distance_to_closest_record(ones, ones * 7), 1)
    assert_array_equal(association_distances(np.ones((5, 2)), normal_rows(0, 5, 2)).real, 0)


@pytest.mark.parametrize("rows", [np.ones((30, 2)), np.full((30, 2), "a", dtype=object)])
def test_a_table_of_one_row_over_and_over_is_ideal_for_another_of_it(rows):
    assert density_coverage(rows, rows) == (6, 1), "each row lies in all balls"
    assert precision_recall(rows, rows) == (1, 1)
    assert classifier_two_sample_test(rows, rows, random_state=0) == 0.5
    assert column_distances(rows, rows).mean == 0
    assert association_distances(rows, rows).mean == 0
    found = novelty(rows, rows)
    assert (found.copies, found.copies_of_real) == (1, 1)
    assert (found.near_copies, found.near_copies_of_real) == (1, 1)


def test_one_row_has_figures():
    one = np.array([[1.0, 2.0]])
    rows = normal_rows(0, 30, 2)
    assert column_distances(one, one).mean == 0
    assert association_distances(one, one).mean == 0
    assert_array_equal(distance_to_closest_record(one, one), 0)
    assert novelty(one, one, rows).copies == 1
    assert novelty(rows, one).copies == 0
    assert density_coverage(rows, one).coverage < 1
    assert precision_recall(rows[:, :1], rows[:4, :1], n_neighbors=1).recall <= 1


def test_one_column_has_no_pairs():
    distances = association_distances(normal_rows(0, 9, 1), normal_rows(1, 9, 1))
    assert np.isnan(distances.mean)
    assert len(distances.to_frame()) == 0


def test_hundreds_of_levels_are_compared():
    rng = np.random.default_rng(0)
    pair = [
        pd.DataFrame({"user": rng.integers(0, 300, 400).astype(str), "x": rng.normal(size=400)})
        for _ in range(2)
    ]
    assert_same_figures([pair[0]] * 2, [pair[0]] * 2)
    assert 0.2 < column_distances(*pair).distance[0] < 0.6, "all levels count"
    assert novelty(*pair).copies == 0
    assert density_coverage(*pair).coverage > 0.9


# Randomness


@every_function
def test_random_state_tells_which_rows_are_taken(function):
    pair = [normal_rows(seed, 80, 3) for seed in range(2)]

    def figures(random_state):
        return str(function(*pair, max_samples=30, random_state=random_state))

    assert figures(1) == figures(1) != figures(2)
    assert figures(np.random.RandomState(1)) == figures(np.random.RandomState(1))
    with pytest.raises(ValueError, match="random_state must be"):
        figures("one")


@pytest.mark.parametrize(
    "function", [*FUNCTIONS, classifier_two_sample_test], ids=lambda one: one.__name__
)
def test_numpys_global_generator_is_neither_read_nor_moved(function):
    pair = [normal_rows(seed, 80, 3) for seed in range(2)]
    np.random.seed(0)  # noqa: NPY002
    first = str(function(*pair, max_samples=30, random_state=1))
    np.random.seed(7)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert str(function(*pair, max_samples=30, random_state=1)) == first
    function(*pair, max_samples=30)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@every_function
def test_as_many_rows_as_there_are_may_be_taken(function):
    pair = [normal_rows(seed, 40, 3) for seed in range(2)]
    found = [
        str(function(*pair, max_samples=n, random_state=0))
        for n in (40, 41, np.int64(99), None)
    ]
    assert len(set(found)) == 1


def test_some_columns_are_taken_where_there_are_many():
    pair = [normal_rows(seed, 40, 30) for seed in range(2)]
    some = association_distances(*pair, max_columns=4, random_state=0)
    everything = association_distances(*pair, max_columns=None)
    assert len(everything.columns) == 30
    column_indices = [everything.columns.index(name) for name in some.columns]
    assert column_indices == sorted(set(column_indices))
    expected = everything.real[np.ix_(column_indices, column_indices)]
    assert_allclose(some.real, expected, atol=1e-12)


@pytest.mark.parametrize("function", [novelty, column_distances, association_distances])
@pytest.mark.parametrize("view", [*FRAMES.values(), as_objects, as_list])
def test_the_tables_are_left_as_they_were(function, view):
    columns = {
        "numbers": [0.0, -0.0, None, *range(20)],
        "colours": ["red", None, *["blue"] * 21],
        "flags": [True, None, *[False] * 21],
    }
    pair, before = ([view(columns), view(columns)] for _ in range(2))
    function(*pair, random_state=0)
    for table, expected in zip(pair, before, strict=True):
        if isinstance(table, pd.DataFrame):
            assert_frame_equal(table, expected)
        elif isinstance(table, pl.DataFrame | pa.Table):
            assert table.equals(expected)
        else:
            assert repr(table) == repr(expected)


# What is refused


ROWS = normal_rows(0, 20, 2)
FRAME = pd.DataFrame(ROWS, columns=["a", "b"])
TEXT = np.array([["x", "y"]] * 20, dtype=object)
DAYS = pd.DataFrame({"a": pd.date_range("2020", periods=20), "b": 1.0})
REFUSED = {
    "other number of columns": (ROWS, ROWS[:, :1], "X_synthetic|X must have the same columns"),
    "other names": (FRAME, FRAME.rename(columns={"b": "c"}), "'c' instead of 'b'"),
    "other order": (FRAME, FRAME[["b", "a"]], "in the same order.*'b' instead of 'a'"),
    "names twice": (FRAME, FRAME[["a", "a"]], "different names"),
    "no rows": (ROWS, ROWS[:0], r"at least 1 row and 1 column; found 0 sample\(s\)"),
    "no rows in a frame": (
        FRAME[:0],
        FRAME,
        r"at least 1 row and 1 column; found 0 sample\(s\)",
    ),
    "an empty list": (ROWS, [], "1D array|at least 1 row"),
    "no columns": (FRAME[[]], FRAME[[]], "at least 1 row and 1 column"),
    "one row as such": (ROWS, ROWS[0], "Expected 2D array, got 1D array"),
    "three dimensions": (ROWS, ROWS[None], "dim 3|3 dimensions"),
    "text for numbers": (ROWS, TEXT, "'column 0' holds numbers in X.* text in X"),
    "numbers for text": (TEXT, ROWS, "'column 0' holds text in X.* numbers in X"),
    "truth values for text": (TEXT, TEXT == "x", "holds text in X.* numbers in X"),
    "text for truth values": (
        (TEXT == "x").astype(object),
        TEXT,
        "holds truth values in X.*text",
    ),
    "truth values for numbers": (
        ROWS,
        (TEXT == "x").astype(object),
        "numbers in X.*truth values",
    ),
    "times for numbers": (FRAME, DAYS, "'a' holds numbers in X.* times in X"),
    "numbers for times": (DAYS, FRAME, "'a' holds times in X.* numbers in X"),
    "times in an array": (ROWS, DAYS[["a", "a"]].to_numpy(), "holds numbers in X.* times in X"),
    "infinity": (
        ROWS,
        np.where(ROWS > 1, np.inf, ROWS),
        r"X\w* .*infinity.*'column 0'",
    ),
    "complex numbers": (ROWS, ROWS * 1j, "[Cc]omplex"),
    "mixed cells": (ROWS, np.array([["x", 1.0], [2.0, 1.0]], dtype=object), "all be numbers"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compared_is_refused_and_named(case):
    X_real, X_synthetic, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        column_distances(X_real, X_synthetic)


@every_function
def test_every_function_refuses_what_cannot_be_compared(function):
    for case in ("other names", "text for numbers", "infinity"):
        X_real, X_synthetic, message = REFUSED[case]
        with pytest.raises(ValueError, match=message):
            function(X_real, X_synthetic)


@every_function
@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["z"], "names the column 'z'.*'a', 'b'"),
        ([2], "holds 2; a column's name, or an index"),
        ([True], "1 values for 2 columns"),
        ("b", "'auto', a mask, or a list"),
    ],
)
def test_categorical_features_that_are_not_there_are_named(function, chosen, message):
    with pytest.raises(ValueError, match=message):
        function(FRAME, FRAME, categorical_features=chosen)


@every_function
def test_text_that_categorical_features_leaves_out_is_named(function):
    with pytest.raises(ValueError, match="'column 1' holds text"):
        function(TEXT, TEXT, categorical_features=[0])


@every_function
@pytest.mark.parametrize("frame", [pl.LazyFrame({"a": [1.0], "b": [1.0]})])
def test_a_frame_that_is_not_in_memory_is_refused(function, frame):
    with pytest.raises(TypeError, match=r"in memory.*LazyFrame"):
        function(FRAME, frame)


@every_function
@pytest.mark.parametrize("max_samples", [0, 1, -3, 2.5, "all", True])
def test_a_wrong_number_of_samples_is_refused(function, max_samples):
    with pytest.raises(ValueError, match=f"max_samples must be.*at least 2.*{max_samples!r}"):
        function(ROWS, ROWS, max_samples=max_samples)


@pytest.mark.parametrize("max_columns", [0, 1, -3, 2.5, "all"])
def test_a_wrong_number_of_columns_is_refused(max_columns):
    with pytest.raises(ValueError, match=f"max_columns must be.*at least 2.*{max_columns!r}"):
        association_distances(ROWS, ROWS, max_columns=max_columns)


@pytest.mark.parametrize("n_neighbors", [0, -1, 20, 99, 2.5, "5", None])
@pytest.mark.parametrize("function", [density_coverage, precision_recall])
def test_a_wrong_number_of_neighbors_is_refused(function, n_neighbors):
    with pytest.raises(
        ValueError, match=rf"n_neighbors.*compared of X_real.*20.*{n_neighbors!r}"
    ):
        function(ROWS, ROWS, n_neighbors=n_neighbors)


def test_balls_of_synthetic_rows_need_neighbors_too():
    with pytest.raises(ValueError, match=r"n_neighbors.*compared of X_synthetic, 3; found 3"):
        precision_recall(ROWS, ROWS[:3])
    with pytest.raises(ValueError, match=r"n_neighbors.*compared of X_real, 4; found 5"):
        density_coverage(ROWS, ROWS, max_samples=4)


def test_more_folds_than_rows_are_refused():
    with pytest.raises(ValueError, match="each of the 5 folds; found 4 rows"):
        classifier_two_sample_test(ROWS, ROWS[:4])
    with pytest.raises(ValueError, match="each of the 30 folds; found 20 rows"):
        classifier_two_sample_test(ROWS, ROWS, cv=30)
    with pytest.raises(ValueError, match="cv must be"):
        classifier_two_sample_test(ROWS, ROWS, cv=1)
    with pytest.raises(ValueError, match="cv must be"):
        classifier_two_sample_test(ROWS, ROWS, cv=2.5)


def test_one_training_row_needs_held_out_ones():
    with pytest.raises(ValueError, match=r"X_train.*at least 2 rows.*found 1. Pass X_holdout"):
        novelty(ROWS[:1], ROWS)


# The rest of what is promised


def test_the_score_of_the_two_sample_test_may_be_another():
    real, new = normal_rows(0, 100, 3), normal_rows(1, 100, 3)
    for estimator in (None, TREE):
        accuracy = classifier_two_sample_test(
            real, new + 9, estimator=estimator, scoring="accuracy", random_state=0
        )
        assert accuracy == 1
    assert not hasattr(TREE, "tree_"), "clones are fitted"


def test_half_of_what_the_classifier_sees_is_synthetic():
    class Watching(DecisionTreeClassifier):
        def fit(self, X, y):
            assert abs(2 * y.sum() - len(y)) <= 1
            return super().fit(X, y)

    for n_synthetic in (20, 100, 400):
        rows = normal_rows(1, n_synthetic, 2)
        classifier_two_sample_test(normal_rows(0, 100, 2), rows, estimator=Watching())


def test_distances_come_as_frames_the_least_alike_first():
    real, new = mixed_rows(0, 200), mixed_rows(1, 200).assign(age=3.0, plan="basic")
    columns = column_distances(real, new)
    frame = columns.to_frame().set_index("column")
    assert set(frame.index[:2]) == {"age", "plan"}
    assert frame.loc["plan", "kind"] == frame.loc["member", "kind"] == "categories"
    assert frame.loc["age", "kind"] == "numbers"
    assert_array_equal(frame.loc[list(columns.columns), "distance"], columns.distance)
    pairs = association_distances(real, new)
    frame = pairs.to_frame()
    assert len(frame) == 15
    assert frame["difference"].abs().is_monotonic_decreasing
    assert_allclose(frame["synthetic"] - frame["real"], frame["difference"])
    assert_allclose(frame["difference"].abs().mean(), pairs.mean)
    measures = {frozenset(row[:2]): row[2] for row in frame.itertuples(index=False)}
    assert measures[frozenset({"age", "income"})] == "Spearman"
    assert measures[frozenset({"age", "plan"})] == "correlation ratio"
    assert measures[frozenset({"member", "plan"})] == "Cramér's V"


@pytest.mark.parametrize("distances", [column_distances, association_distances])
def test_without_pandas_all_but_the_frame_can_be_had(distances, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    found = distances(ROWS, ROWS)
    assert found.mean == 0
    with pytest.raises(ImportError, match=r"to_frame needs pandas. Install it with"):
        found.to_frame()


# What docstrings state


def assert_states(documented, sentence):
    assert sentence in " ".join(documented.__doc__.split())


def assert_defaults_are_documented(function):
    found = re.findall(r"^(\w+) : .*default=(.+)$", inspect.getdoc(function), re.MULTILINE)
    parameters = inspect.signature(function).parameters.values()
    assert {name: ast.literal_eval(default) for name, default in found} == {
        one.name: one.default for one in parameters if one.default is not one.empty
    }


def tenths(share):
    return f"{share:.2g}".removeprefix("0")


NEAR, NOT_NEAR = f"{NEAR_SHARE:.0%}", f"{1 - NEAR_SHARE:.0%}"
STATED = [
    (SyntheticReport, f"with an AUC above {tenths(_verdict.MOST_AUC)}"),
    (SyntheticReport, f"coverage is less than {({0.5: 'half'})[_verdict.LEAST_COVERAGE]} of"),
    (SyntheticReport, f"by more than {100 * _verdict.LEAST_EXCESS:.0f} percentage points"),
    (SyntheticReport, f"by more than {100 * _skew.LEAST_SKEW:.0f} percentage points"),
    (SyntheticReport, f"fewer than {_verdict.MIN_ROWS} synthetic or new real rows"),
    (SyntheticReport, f"{tenths(CHANCE_AUC)} is best. NaN if there are fewer than {N_FOLDS}"),
    (SyntheticReport, f"at most {_likeness.MOST_PARTS} parts"),
    (SyntheticReport, f"at most {_likeness.MOST_COLUMNS_IN_PAIRS} columns"),
    (SyntheticReport.share_near_copies, f"than {NOT_NEAR} of new real rows"),
    (synthetic_report, f"If fewer than {_verdict.MIN_ROWS} rows are held out"),
    (Novelty, f"than {NOT_NEAR} of new real rows"),
    (Novelty, f"The {NEAR} quantile"),
    (Novelty.near_copies_of_real, f"new real rows: {NEAR}, or more"),
    (classifier_two_sample_test, f"{N_TREES} extremely randomized trees"),
    (classifier_two_sample_test, f"is {tenths(CHANCE_AUC)} if the rows"),
    (density_coverage, f"About {tenths(1 - 2**-DENSITY_NEIGHBORS)} for as many"),
]


@pytest.mark.parametrize(("documented", "sentence"), STATED)
def test_docstrings_state_the_constants(documented, sentence):
    assert_states(documented, sentence)


@pytest.mark.parametrize(
    "function",
    [*FUNCTIONS[:-1], classifier_two_sample_test, synthetic_report],
    ids=lambda one: one.__name__,
)
def test_documented_defaults_equal_the_real_ones(function):
    assert_defaults_are_documented(function)
