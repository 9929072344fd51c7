"""The report on synthetic rows: its verdict over many seeds, and how it is shown."""

import math
import re
import sys
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from test_any_table import FRAMES, as_arrow, tables

from vaesampler import synthetic_report
from vaesampler.metrics import (
    association_distances,
    column_distances,
    density_coverage,
    novelty,
    precision_recall,
)
from vaesampler.metrics._figures import FIGURES
from vaesampler.metrics._verdict import Verdict, verdict_of

# Fewer rows than this give no verdict.
FEW = 10


def normal_rows(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def mixed_rows(seed, n_rows):
    rng = np.random.default_rng(seed)
    wealth = rng.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "income": np.exp(wealth + 0.1 * rng.normal(size=n_rows)),
            "age": (40 + 10 * wealth + rng.normal(size=n_rows)).round(1),
            "debt": -wealth + 0.1 * rng.normal(size=n_rows),
            "plan": np.where(wealth > 0, "gold", "basic"),
            "rating": rng.normal(size=n_rows),
        }
    )
    frame.loc[rng.random(n_rows) < 0.2, "rating"] = None
    return frame


def report_on(synthetic, real, held_out=None, random_state=0):
    return synthetic_report(real, synthetic, held_out, random_state=random_state)


KINDS = {"numbers": lambda seed, n_rows: normal_rows(seed, n_rows, 5), "mixed": mixed_rows}
of_any_kind = pytest.mark.parametrize("rows", KINDS.values(), ids=list(KINDS))


# The verdict


@of_any_kind
@pytest.mark.parametrize(
    ("n_real", "n_held_out"), [(12, 0), (40, 0), (150, 0), (40, 10), (150, 60)]
)
def test_new_real_rows_are_realistic(rows, n_real, n_held_out):
    held_out = rows(n_real + 2, n_held_out) if n_held_out else None
    assert (
        report_on(rows(n_real, 100), rows(n_real + 1, n_real), held_out).verdict == "realistic"
    )


@pytest.mark.parametrize("seed", range(3))
def test_few_held_out_rows_of_many_columns_do_not_make_real_rows_weak(seed):
    rows = normal_rows(seed, 510, 30)
    assert report_on(rows[:200], rows[200:500], rows[500:]).verdict == "realistic"


@pytest.mark.parametrize(
    ("rows", "n_rows", "with_holdout"),
    [(KINDS["numbers"], 12, False), (mixed_rows, 12, False), (mixed_rows, 60, True)],
)
def test_jittered_copies_are_memorizing(rows, with_holdout, n_rows):
    real, held_out = rows(0, n_rows), rows(1, n_rows) if with_holdout else None
    jittered = real.copy()
    numbers = ["income", "age"] if isinstance(real, pd.DataFrame) else slice(None)
    jittered[numbers] *= 1 + 1e-4 * normal_rows(2, *jittered[numbers].shape)
    report = report_on(jittered, real, held_out)
    assert report.verdict == "memorizing"
    assert report.share_near_copies > 0.9
    assert "near copies" in report.reason
    copies = report_on(real, real, held_out)
    assert (copies.verdict, copies.share_copies) == ("memorizing", 1)


@pytest.mark.parametrize("with_holdout", [False, True])
def test_copies_are_memorizing_where_some_real_rows_are_copies_too(with_holdout):
    rows = normal_rows(0, 300, 3)
    real = np.vstack([rows[:100], rows[:20]])
    held_out = np.vstack([rows[:20], rows[100:200]]) if with_holdout else None
    assert report_on(real, real, held_out).verdict == "memorizing"
    as_often = np.vstack([real[:20], rows[200:]])
    assert report_on(as_often, real, held_out).verdict == "realistic"


def test_copies_are_no_reproach_where_all_real_rows_are_copies():
    rows = np.random.default_rng(0).choice(["a", "b"], (3, 60, 2)).astype(object)
    report = report_on(*rows)
    assert report.verdict == "realistic"
    assert report.share_copies == report.novelty.copies_of_real == 1


@pytest.mark.parametrize(
    ("rows", "with_holdout"), [(KINDS["numbers"], False), (mixed_rows, True)]
)
def test_shuffled_columns_and_one_point_are_too_weak(rows, with_holdout):
    real = pd.DataFrame(rows(0, 200))
    if "plan" not in real:
        real[[1, 2, 3, 4]] = real[[0]].to_numpy() + 0.05 * real[[1, 2, 3, 4]].to_numpy()
    held_out = real.iloc[100:] if with_holdout else None
    rng = np.random.default_rng(1)
    apart = pd.DataFrame({name: rng.permutation(real[name]) for name in real})
    apart = apart.astype(real.dtypes)
    shuffled = report_on(apart, real.iloc[:100], held_out)
    assert shuffled.verdict == "too weak"
    assert shuffled.associations.mean > 3 * shuffled.associations_of_real.mean
    point = report_on(real.iloc[[3] * 200], real.iloc[:100], held_out)
    assert point.verdict == "too weak"
    assert point.share_copies == 1
    assert "near copies" in point.reason, "it is both"


@pytest.mark.parametrize("change", [lambda X: X + 4, lambda X: 0.05 * X, lambda X: 9 * X])
def test_shifted_narrow_and_wide_rows_are_too_weak(change):
    real, new = normal_rows(0, 150, 5), normal_rows(1, 150, 5)
    report = report_on(change(new), real)
    assert report.verdict == "too weak"
    assert re.search(r"AUC of (0.9\d|1.00)|\d% of real rows covered", report.reason)


@given(seed=st.integers(0, 1000), n_rows=st.sampled_from([20, 60, 400]))
def test_rows_of_the_same_distribution_are_not_skewed(seed, n_rows):
    rows = mixed_rows(seed, 3 * n_rows)
    report = report_on(rows[:n_rows], rows[n_rows : 2 * n_rows], rows[2 * n_rows :])
    assert report.verdict != "skewed"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("column", "n_chosen", "is_chosen"),
    [
        ("plan", 150, lambda rows: rows["plan"] == "gold"),
        ("income", 150, lambda rows: rows["income"] > rows["income"].median()),
        ("rating", 200, lambda rows: rows["rating"].notna()),
    ],
    ids=["categories", "numbers", "missing cells"],
)
def test_rows_of_other_shares_are_skewed_and_the_column_is_named(
    seed, column, n_chosen, is_chosen
):
    real, new, held_out = (mixed_rows(3 * seed + index, 600) for index in range(3))
    chosen, others = new[is_chosen(new)], new[~is_chosen(new)]
    skewed = pd.concat([chosen[:n_chosen], others[: 200 - n_chosen]])
    report = report_on(skewed, real, held_out)
    assert report.verdict == "skewed"
    assert re.search(rf"shares differ .* \d\d% in {column}", report.reason.split(";")[0])


def test_copies_of_other_shares_are_memorizing():
    real, held_out = mixed_rows(0, 400), mixed_rows(1, 400)
    assert report_on(real[real["plan"] == "gold"], real, held_out).verdict == "memorizing"


@pytest.mark.parametrize("n_columns", [2, 3, 4, 5])
def test_the_reason_names_at_most_three_skewed_columns(n_columns):
    real, new = normal_rows(0, 300, n_columns), normal_rows(1, 300, n_columns)
    report = report_on(new + 0.6, real)
    assert report.verdict == "skewed"
    named = report.reason.split("; ")[0].split(", ")
    assert len(named) == min(n_columns, 4)
    assert all("% in column " in one for one in named[:3])
    others = {4: "and in 1 other column", 5: "and in 2 other columns"}
    assert n_columns < 4 or named[3] == others[n_columns]


@pytest.mark.parametrize("n_real", range(2, 10))
def test_a_few_real_rows_leave_it_undecided(n_real):
    seeds = range(20) if n_real < 5 else range(1)  # below 5 rows there is nothing to train on
    for seed in seeds:
        rows = normal_rows(seed, n_real + 300, 1 + seed % 4)
        report = report_on(rows[n_real:], rows[:n_real])
        assert report.verdict == "undecided"
        assert "fewer than 10" in report.reason


@pytest.mark.parametrize("n_synthetic", [1, 2, 3, 4])
def test_a_few_new_rows_are_not_called_near_copies_by_chance(n_synthetic):
    verdicts = []
    for seed in range(25):
        rows = normal_rows(seed, 200 + n_synthetic, 3)
        verdicts.append(report_on(rows[200:], rows[:100], rows[100:200]).verdict)
    assert verdicts.count("undecided") >= 24


def test_a_few_copies_are_enough_where_there_are_many_real_rows():
    rows = normal_rows(0, 300, 3)
    assert report_on(rows[:4], rows[:200], rows[200:]).verdict == "memorizing"


def test_the_reason_gives_the_figures():
    real, new, held_out = (normal_rows(seed, 150, 3) for seed in range(3))
    report = report_on(new, real, held_out)
    assert f"{report.share_near_copies:.0%} near copies, against 5% of new" in report.reason
    assert f"AUC of {report.two_sample_auc:.2f}" in report.reason
    assert f"{report.density_coverage.coverage:.0%} of real rows covered" in report.reason


@pytest.mark.parametrize(("auc", "is_said"), [(0.2, True), (0.45, False), (0.7, False)])
def test_an_auc_far_below_half_is_said_to_be_chance(auc, is_said):
    rows = normal_rows(0, 100, 2)
    novelty_of_rows = novelty(rows[:50], rows[50:], random_state=0)
    _, reason = verdict_of(novelty_of_rows, 50, auc, 0.9, 0.9, {})
    assert ("less is chance" in reason) == is_said


# Tables of any kind and size


def test_the_representation_of_a_report_is_its_verdict_with_the_reason():
    rows = np.random.default_rng(0).normal(size=(40, 2))
    report = report_on(rows[:20], rows[20:])
    assert (
        repr(report) == f"SyntheticReport(verdict={report.verdict!r}, reason={report.reason!r})"
    )


@settings(max_examples=8)
@given(table=tables(), n_synthetic=st.sampled_from([1, 4, 30]), view=st.sampled_from([*FRAMES]))
def test_any_table_has_a_report_without_nan_in_words(table, n_synthetic, view):
    columns = table[0]
    real = FRAMES[view](columns)
    some = FRAMES[view]({name: cells[:n_synthetic] for name, cells in columns.items()})
    report = report_on(some, real)
    assert report.verdict in get_args(Verdict)
    for text in (str(report), report.reason, report._repr_html_()):
        assert not re.search(r"\b(nan|inf|None)\b", text)
    assert report.n_real == len(next(iter(columns.values())))
    if n_synthetic < 30:
        some = {name: cells[:n_synthetic] for name, cells in columns.items()}
        assert str(report) == str(report_on(as_arrow(some), as_arrow(columns)))


@pytest.mark.parametrize(
    ("n_real", "n_held_out"),
    [pair for pair in product([1, 2, 3, 5, 6, 11, 12], [0, 1, 9, 10]) if pair != (1, 0)],
)
@pytest.mark.parametrize("n_synthetic", [1, 4])
def test_a_few_rows_of_each_have_a_report(n_real, n_held_out, n_synthetic):
    rows = normal_rows(0, 30, 2)
    held_out = rows[12 : 12 + n_held_out] if n_held_out else None
    report = report_on(rows[-n_synthetic:], rows[:n_real], held_out)
    assert (report.n_real, report.n_synthetic) == (n_real, n_synthetic)
    assert report.n_holdout == n_held_out
    assert math.isnan(report.two_sample_auc)
    assert "nan" not in str(report)


def test_reports_can_be_compared_and_kept_in_sets():
    one, other = (report_on(normal_rows(seed, 30, 2), normal_rows(9, 30, 2)) for seed in (0, 1))
    assert one == one
    assert one != other
    assert len({one, other, one.columns, one.associations}) == 4


@pytest.mark.parametrize(
    "column",
    [
        np.ones(60),
        np.full(60, np.nan),
        1e300 * normal_rows(0, 60),
        np.random.default_rng(0).standard_cauchy(60) ** 9,
        np.r_[np.zeros(58), 1e300, 1e-300],
    ],
    ids=["constant", "all missing", "huge", "heavy tails", "spike"],
)
def test_extreme_columns_neither_warn_nor_decide(column):
    rows = np.column_stack(
        [np.random.default_rng(1).permutation(column), normal_rows(0, 60, 2)]
    )
    report = report_on(rows[30:], rows[:30])
    assert report.verdict == "realistic"
    assert not re.search(r"\b(nan|inf)\b", str(report))
    alone = report_on(rows[30:34, :1], rows[:30, :1])
    assert alone.verdict == "undecided"
    assert not re.search(r"\b(nan|inf)\b", str(alone))


# Held-out rows


def test_held_out_rows_are_what_synthetic_rows_are_compared_with():
    real, new, held_out = (mixed_rows(seed, 80) for seed in range(3))
    report = report_on(new, real, held_out)
    assert report.novelty == novelty(real, new, held_out, random_state=0)
    found = report.density_coverage, report.density_coverage_of_real
    assert found == (density_coverage(real, new), density_coverage(real, held_out))
    found = report.precision_recall, report.precision_recall_of_real
    assert found == (precision_recall(real, new), precision_recall(real, held_out))
    for others, columns, pairs in (
        (new, report.columns, report.associations),
        (held_out, report.columns_of_real, report.associations_of_real),
    ):
        assert_allclose(columns.distance, column_distances(real, others).distance)
        assert_allclose(pairs.errors, association_distances(real, others).errors)


@pytest.mark.parametrize("n_held_out", [1, FEW - 1])
def test_fewer_than_ten_held_out_rows_are_no_reference(n_held_out):
    real, new, held_out = normal_rows(0, 40, 3), normal_rows(1, 4, 3), normal_rows(2, FEW, 3)
    with_few, without = report_on(new, real, held_out[:n_held_out] + 99), report_on(new, real)
    assert_frame_equal(with_few.to_frame(), without.to_frame())
    assert with_few.verdict == without.verdict
    assert (with_few.n_holdout, without.n_holdout) == (n_held_out, 0)
    assert f"{n_held_out} held out (too few): halves" in str(with_few)
    assert "none held out: halves" in str(without)
    with_ten = report_on(new, real, held_out)
    assert with_ten.novelty.is_held_out
    assert f"{FEW} held out." in str(with_ten)
    assert "stand in" not in str(with_ten)


def test_more_synthetic_than_held_out_rows_are_used_in_parts():
    real, held_out = normal_rows(0, 200, 3), normal_rows(1, 20, 3)
    coverages = [
        report_on(normal_rows(seed, 200, 3), real, held_out).density_coverage.coverage
        for seed in range(2, 4)
    ]
    expected = density_coverage(real, held_out).coverage
    assert np.ptp(coverages) < 0.1
    assert abs(np.mean(coverages) - expected) < 0.15, "of as many rows as are held out"


# How it is shown


class Tags(HTMLParser):
    """Reads the cells of tables, and holds that every tag is closed in turn."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.cells, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        if tag == "br":
            return
        self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if {"td", "th"} & set(self.open):
            self.cells[-1][-1] += data


def read(html):
    tags = Tags()
    tags.feed(html)
    tags.close()
    assert not tags.open, "every tag is closed"
    return tags


@pytest.fixture(scope="module")
def report():
    real, new, held_out = (
        mixed_rows(seed, 60).rename(columns={"age": "a<b> & 'c' \"d\"", "plan": "<script>"})
        for seed in range(3)
    )
    return report_on(new.assign(**{"rating": 9.0, "<script>": "gold"}), real, held_out)


def test_text_html_and_frame_give_the_same_figures(report):
    frame = report.to_frame()
    assert list(frame) == ["figure", "synthetic", "real", "meaning"]
    cells = read(report._repr_html_()).cells
    assert cells[0] == ["", "synthetic", "new real", ""]
    lines = str(report).splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:1] == ["synthetic"]) + 1
    for line, row, of_html in zip(lines[start:], frame.itertuples(), cells[1:], strict=False):
        for shown, value in zip(of_html[1:3], (row.synthetic, row.real), strict=True):
            number = float(shown.rstrip("%")) / (100 if shown.endswith("%") else 1)
            assert abs(number - value) <= 0.0051
        assert of_html[0] == row.figure
        assert line.split() == " ".join(of_html).split()
    assert len(cells) == len(frame) + 1


def test_the_figures_are_the_attributes(report):
    figures = report.to_frame().set_index("figure")
    for name, synthetic, real in [
        ("copies", report.share_copies, report.novelty.copies_of_real),
        ("near copies", report.share_near_copies, report.novelty.near_copies_of_real),
        ("two-sample AUC", report.two_sample_auc, 0.5),
        (
            "coverage",
            report.density_coverage.coverage,
            report.density_coverage_of_real.coverage,
        ),
        ("recall", report.precision_recall.recall, report.precision_recall_of_real.recall),
        ("columns differ by", report.columns.mean, report.columns_of_real.mean),
        ("pairs differ by", report.associations.mean, report.associations_of_real.mean),
    ]:
        assert tuple(figures.loc[name, ["synthetic", "real"]]) == (synthetic, real)


BADNESS = {
    "lower": lambda value, real: value,
    "higher": lambda value, real: -value,
    "like real": lambda value, real: abs(value - real),
}


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_a_figure_is_worse_for_copies_or_for_unrealistic_rows(figure):
    real, new, held_out = (mixed_rows(seed, 100) for seed in range(3))
    rng = np.random.default_rng(0)
    unrealistic = new.assign(income=rng.permutation(new["income"]) + 9, debt=0.0)
    worst, good = (report_on(one, real, held_out) for one in (unrealistic, new))
    if figure.name in ("copies", "near copies", "closest real row"):
        worst = report_on(real, real, held_out)
    badness = BADNESS[figure.better]
    assert badness(*figure.read(worst)) > badness(*figure.read(good))


def test_the_documentation_explains_each_figure():
    page = Path(__file__).parents[1] / "docs" / "judging.md"
    table = page.read_text().partition("| line | meaning | good |")[2].partition("\n\n")[0]
    documented = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()[2:]]
    assert documented == [figure.name for figure in FIGURES]


def test_every_text_names_the_verdict_the_rows_and_the_worst_columns(report):
    for text in (str(report), read(report._repr_html_()).text):
        assert f"Synthetic rows: {report.verdict}" in text
        assert all(figure in text for figure in report.reason.split("; "))
        assert "Rows: 60 synthetic; 60 real, 60 held out." in text
        assert "differ most: rating (1.00)" in text
        assert all(meaning in text for meaning in report.to_frame()["meaning"])


def test_names_of_columns_are_escaped(report):
    html = report._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html.replace("<b>Synthetic rows", "")
    for name in ("<script>", "a<b> & 'c' \"d\""):
        assert name in read(html).text
        assert name in str(report)


def test_lines_of_text_are_short_enough_for_a_terminal(report):
    assert max(map(len, str(report).splitlines())) <= 100


@pytest.mark.parametrize("n_columns", [1, 2])
def test_few_columns_are_shown_without_what_there_is_not(n_columns):
    report = report_on(normal_rows(0, 4, n_columns), normal_rows(1, 30, n_columns))
    assert ("Pairs that differ most" in str(report)) == (n_columns > 1)
    frame = report.to_frame().set_index("figure")
    assert math.isnan(frame.loc["pairs differ by", "real"]) == (n_columns == 1)


class NoPandas:
    """Finds no pandas."""

    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            raise ImportError("there is none")


def test_without_pandas_all_but_the_frame_can_be_had(monkeypatch):
    monkeypatch.delitem(sys.modules, "pandas")
    monkeypatch.setattr(sys, "meta_path", [NoPandas(), *sys.meta_path])
    real = pl.DataFrame({"x": normal_rows(0, 20), "c": ["a", "b"] * 10})
    report = report_on(real[:4], real)
    assert str(report).startswith("Synthetic rows: memorizing")
    assert "memorizing" in report._repr_html_()
    with pytest.raises(ImportError, match=r"SyntheticReport.to_frame needs pandas"):
        report.to_frame()


# Randomness, and what is refused


def test_random_state_makes_a_report_repeatable_and_numpys_generator_is_left_alone():
    real, new = normal_rows(0, 30, 3), normal_rows(1, 30, 3)
    np.random.seed(0)  # noqa: NPY002
    first = str(report_on(new, real, random_state=1))
    np.random.seed(7)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert str(report_on(new, real, random_state=1)) == first
    assert str(report_on(new, real, random_state=2)) != first
    report_on(new[:4], real, random_state=None)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_so_many_rows_as_are_asked_for_are_compared_and_all_are_looked_for_copies():
    rows = normal_rows(0, 300, 3)
    report = synthetic_report(rows[:100], rows[:50], rows[100:], max_samples=20, random_state=0)
    assert (report.n_real, report.n_synthetic, report.n_holdout) == (100, 50, 200)
    assert (report.novelty.n_reference, report.share_copies) == (20, 1)


def test_the_tables_are_left_as_they_were():
    real, new, held_out = (mixed_rows(seed, 20) for seed in range(3))
    report_on(new, real, held_out)
    for seed, table in enumerate((real, new, held_out)):
        assert_frame_equal(table, mixed_rows(seed, 20))


def test_what_cannot_be_judged_is_refused_and_named():
    rows = normal_rows(0, 20, 2)
    with pytest.raises(ValueError, match=r"X_real must have at least 2 rows .*Pass X_holdout"):
        report_on(rows, rows[:1])
    with pytest.raises(ValueError, match="X_holdout must have at least 1 row"):
        report_on(rows, rows, rows[:0])
    with pytest.raises(ValueError, match="X_holdout must have the same columns as X_real"):
        report_on(rows, rows, rows[:, :1])
    with pytest.raises(ValueError, match="numbers in X_real, and text in X_holdout"):
        report_on(rows, rows, rows.astype(str))
    with pytest.raises(ValueError, match=r"X_synthetic cannot be read.*infinity"):
        report_on(rows * np.inf, rows)
    with pytest.raises(ValueError, match="max_samples must be"):
        synthetic_report(rows, rows, max_samples=1)
    with pytest.raises(ValueError, match="names the column 'z'"):
        synthetic_report(rows, rows, categorical_features=["z"])
