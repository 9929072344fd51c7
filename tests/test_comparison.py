"""Samplers are compared on the same folds, and failures are told, not raised."""

import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_table, quick
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn import FunctionSampler
from imblearn.metrics import geometric_mean_score
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline as ImblearnPipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import sparse, stats
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from vaesampler.comparison import compare_samplers, paired_differences, summarize

TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
METRICS = ["balanced_accuracy", "f1_macro"]
DEFAULT_METRICS = ["roc_auc", "average_precision", "balanced_accuracy", "f1", "geometric_mean"]
TIMES = ["fit_time", "score_time"]


class FailingSampler(BaseEstimator):
    """Fails where `fails` says so of the training rows."""

    def __init__(self, fails=lambda X: True):
        self.fails = fails

    def fit_resample(self, X, y):
        if self.fails(X):
            raise RuntimeError("these rows are not liked")
        return X, y


class WatchedSampler(RandomOverSampler):
    """Keeps the rows that it saw, over all its clones."""

    seen = []

    def fit_resample(self, X, y):
        self.seen.append(X)
        return super().fit_resample(X, y)


def samplers():
    return {
        "none": None,
        "random": RandomOverSampler(random_state=0),
        "under": RandomUnderSampler(random_state=0),
        "SMOTE": SMOTE(k_neighbors=2, random_state=0),
    }


def compare(chosen=None, table=None, **options):
    X, y = make_table() if table is None else table
    options = {"estimator": TREE, "cv": FOLDS, "scoring": METRICS, **options}
    return compare_samplers(samplers() if chosen is None else chosen, X, y, **options)


def by_key(comparison):
    keys = ["sampler", "fold", "metric"]
    return comparison.drop(columns=TIMES).sort_values(keys, ignore_index=True)


# Scores


@pytest.mark.parametrize("nothing", [None, "passthrough"])
@pytest.mark.parametrize(
    "cv", [FOLDS, RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=1)]
)
def test_without_a_sampler_the_scores_are_those_of_the_bare_classifier(table, cv, nothing):
    comparison = compare({"none": nothing}, table, cv=cv)
    bare = cross_validate(TREE, *table, cv=cv, scoring=METRICS)
    for metric in METRICS:
        scores = comparison.loc[comparison["metric"] == metric, "score"]
        assert_array_equal(scores, bare[f"test_{metric}"])


@settings(max_examples=6)
@given(seed=st.integers(0, 1000))
def test_the_scores_are_those_of_cross_validating_an_imbalanced_learn_pipeline(seed):
    table = make_table(seed=seed)
    comparison = compare(table=table)
    for name, sampler in samplers().items():
        pipeline = ImblearnPipeline([("s", sampler or "passthrough"), ("e", TREE)])
        expected = cross_validate(pipeline, *table, cv=FOLDS, scoring=METRICS)
        of_sampler = comparison[comparison["sampler"] == name]
        for metric in METRICS:
            scores = of_sampler.loc[of_sampler["metric"] == metric, "score"]
            assert_array_equal(scores, expected[f"test_{metric}"])


def test_every_sampler_has_one_row_a_fold_and_metric_in_the_order_asked_for():
    comparison = compare()
    expected = [
        (name, fold, metric) for name in samplers() for fold in range(3) for metric in METRICS
    ]
    found = comparison[["sampler", "fold", "metric"]].itertuples(index=False, name=None)
    assert list(found) == expected
    assert (comparison["error"] == "").all()
    assert (comparison[TIMES] > 0).all(axis=None)


@settings(max_examples=6)
@given(order=st.permutations(list(samplers())))
def test_the_order_of_samplers_does_not_matter(order):
    shuffled = compare({name: samplers()[name] for name in order})
    assert_frame_equal(by_key(shuffled), by_key(compare()))


def test_two_processes_find_what_one_finds():
    chosen = {**samplers(), "failing": FailingSampler(lambda X: X[0, 0] > 0)}
    with pytest.warns(FitFailedWarning):
        alone, together = (by_key(compare(chosen, n_jobs=n_jobs)) for n_jobs in (1, 2))
    assert_frame_equal(alone, together)


@given(seed=st.integers(0, 1000))
def test_all_samplers_see_the_same_training_rows(seed):
    WatchedSampler.seen.clear()
    compare(
        [WatchedSampler(random_state=0), WatchedSampler(random_state=1)],
        cv=None,
        random_state=seed,
    )
    first, second = WatchedSampler.seen[:5], WatchedSampler.seen[5:]
    assert len(first) == len(second) == 5
    for one, other in zip(first, second, strict=True):
        assert_array_equal(one, other)


def test_only_training_rows_are_resampled(table):
    X, _ = table
    WatchedSampler.seen.clear()
    comparison = compare([WatchedSampler(random_state=0)], table)
    folds = comparison.drop_duplicates("fold")
    assert [len(rows) for rows in WatchedSampler.seen] == folds["n_train"].tolist()
    assert (folds["n_train"] + folds["n_test"] == len(X)).all()


@pytest.mark.parametrize("n_folds", [2, 4])
def test_a_number_of_folds_means_stratified_and_shuffled_ones(table, n_folds):
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=7)
    by_number = compare(table=table, cv=n_folds, random_state=7)
    assert_frame_equal(by_key(by_number), by_key(compare(table=table, cv=splitter)))
    rows = np.random.RandomState(7)
    assert_frame_equal(by_key(compare(cv=n_folds, random_state=rows)), by_key(by_number))


def test_no_number_of_folds_means_five(table):
    assert compare([None], table, cv=None, random_state=0)["fold"].nunique() == 5


def test_folds_may_be_given_as_indices_and_groups_are_kept_together(table):
    X, y = table
    groups = np.random.default_rng(0).permutation(len(y)) % 6  # all classes in each fold
    splits = list(GroupKFold(3).split(X, y, groups))
    by_group = compare([None], table, cv=GroupKFold(3), groups=groups)
    assert_frame_equal(by_key(by_group), by_key(compare([None], table, cv=splits)))


@pytest.mark.parametrize(
    "container",
    [
        np.asarray,
        np.ndarray.tolist,
        sparse.csr_array,
        lambda X: pd.DataFrame(X, columns=list("abcde")),
        lambda X: pl.DataFrame(X, schema=list("abcde")),
    ],
    ids=["array", "list", "sparse", "pandas", "polars"],
)
def test_every_container_gives_the_same_scores_with_vae_and_without(table, container):
    X, y = table
    chosen = {"none": None, "VAE": quick()}
    expected, found = (compare(chosen, (rows, y)) for rows in (X, container(X)))
    assert (found["error"] == "").all()
    without = found["sampler"] == "none"
    assert_array_equal(found["score"][without], expected["score"][without])


@pytest.mark.parametrize(
    "labels",
    [list, pd.Series, lambda y: pl.Series(y.tolist()), lambda y: np.array(list("abc"))[y]],
    ids=["list", "pandas", "polars", "text"],
)
def test_labels_may_stand_in_any_container(table, labels):
    X, y = table
    expected, found = (compare(table=(X, one)) for one in (y, labels(y)))
    assert_array_equal(found["score"], expected["score"])


# Where the sampler stands


@pytest.mark.parametrize("kind", [Pipeline, ImblearnPipeline])
def test_a_step_named_sampler_is_where_the_sampler_stands(table, kind):
    before, after = MinMaxScaler(), LogisticRegression()
    estimator = kind([("scale", before), ("sampler", "passthrough"), ("classify", after)])
    chosen = {"none": None, "SMOTE": SMOTE(k_neighbors=2, random_state=0)}
    comparison = compare(chosen, table, estimator=estimator, scoring="accuracy")
    for name, sampler in chosen.items():
        expected = cross_validate(
            ImblearnPipeline([("a", before), ("b", sampler), ("c", after)]), *table, cv=FOLDS
        )
        scores = comparison.loc[comparison["sampler"] == name, "score"]
        assert_array_equal(scores, expected["test_score"])


def test_before_a_pipeline_the_sampler_sees_the_rows_as_they_are(table):
    X, _ = table
    WatchedSampler.seen.clear()
    estimator = make_pipeline(StandardScaler(), TREE)
    compare([WatchedSampler(random_state=0)], table, estimator=estimator)
    for rows in WatchedSampler.seen:
        assert np.isin(rows, X).all()


# Names


def test_samplers_of_a_list_are_called_by_their_class_each_by_another_name():
    chosen = [SMOTE(k_neighbors=2), None, SMOTE(k_neighbors=3), RandomOverSampler()]
    names = compare(chosen)["sampler"].unique().tolist()
    assert names == ["SMOTE-1", "none", "SMOTE-2", "RandomOverSampler"]


def accuracy(estimator, X, y):
    return estimator.score(X, y)


@pytest.mark.parametrize(
    ("scoring", "names"),
    [
        ("accuracy", ["accuracy"]),
        (accuracy, ["score"]),
        (("accuracy", "f1_macro"), ["accuracy", "f1_macro"]),
        ({"right": "accuracy", "mine": accuracy}, ["right", "mine"]),
    ],
)
def test_metrics_are_called_as_scikit_learn_calls_them(scoring, names):
    assert compare([None], scoring=scoring)["metric"].unique().tolist() == names


# Metrics by default


@pytest.mark.parametrize("labels", [(0, 1), (1, 0), ("yes", "no"), ("a", "b"), (False, True)])
def test_of_two_classes_the_rarer_is_the_positive_one_whatever_its_label(labels):
    table = make_table(dict(zip(labels, (40, 9), strict=True)), seed=3)
    rarer = labels[1]
    # One metric at a time: scikit-learn's scorers of several share their probabilities.
    scoring = {
        "average_precision": make_scorer(
            average_precision_score, response_method="predict_proba", pos_label=rarer
        ),
        "f1": make_scorer(f1_score, pos_label=rarer, zero_division=0),
        "geometric_mean": make_scorer(geometric_mean_score, pos_label=rarer),
    }
    found = compare([None], table, scoring=None)
    assert found["metric"].unique().tolist() == DEFAULT_METRICS
    for metric, scorer in scoring.items():
        expected = cross_validate(TREE, *table, cv=FOLDS, scoring=scorer)["test_score"]
        assert_array_equal(found.loc[found["metric"] == metric, "score"], expected)


@pytest.mark.parametrize("names", [[0, 1, 2], [0, 5, 7], ["a", "b", "c"]])
def test_with_more_classes_every_default_metric_is_known_and_between_0_and_1(names):
    table = make_table(dict(zip(names, (40, 12, 8), strict=True)))
    comparison = compare(table=table, scoring=None)
    assert comparison["metric"].unique().tolist() == DEFAULT_METRICS
    assert comparison["score"].between(0, 1).all()


# Failures


@pytest.mark.parametrize("position", [0, 2, 4])
def test_a_failing_sampler_does_not_stop_the_others(position):
    chosen = list(samplers().items())
    chosen.insert(position, ("failing", FailingSampler()))
    with pytest.warns(FitFailedWarning, match="'failing' failed on 3 of 3 folds.* not liked"):
        comparison = compare(dict(chosen))
    failed = comparison["sampler"] == "failing"
    assert_frame_equal(by_key(comparison[~failed]), by_key(compare()), check_column_type=False)
    assert comparison.loc[failed, ["score", *TIMES]].isna().all(axis=None)
    assert (comparison.loc[failed, "error"] == "RuntimeError: these rows are not liked").all()


def test_a_sampler_may_fail_on_one_fold_only(table):
    X, _ = table
    first_row = X[0]
    sampler = FailingSampler(lambda rows: (rows == first_row).all(axis=1).any())
    with pytest.warns(FitFailedWarning, match="failed on 2 of 3 folds"):
        comparison = compare([sampler], table)
    failed = comparison["error"] != ""
    assert_array_equal(failed, comparison["score"].isna())
    assert comparison[failed]["fold"].nunique() == 2  # the third has the row in its test


def test_a_classifier_that_fails_behind_every_sampler_is_told_of_in_every_row():
    X, y = make_table()
    X[3, 1] = np.nan
    with (
        pytest.warns(FitFailedWarning, match="'none' failed on 2 of 3 folds.*NaN"),
        pytest.warns(UserWarning, match="'f1_macro' of 'none' failed on 1 of 3.*NaN"),
    ):
        comparison = compare({"none": None}, (X, y), estimator=LinearSVC())
    assert comparison["score"].isna().any()
    assert comparison.loc[comparison["score"].isna(), "error"].str.contains("NaN").all()


def test_a_metric_that_fails_leaves_the_others_their_scores():
    message = "'roc_auc_ovr' of 'none' failed on 3 of 3 folds.*predict_proba"
    with pytest.warns(UserWarning, match=message) as warned:
        comparison = compare([None], estimator=LinearSVC(), scoring=["roc_auc_ovr", "accuracy"])
    assert [one.filename for one in warned] == [__file__]
    failed = comparison["metric"] == "roc_auc_ovr"
    assert_array_equal(comparison["score"].isna(), failed)
    assert comparison.loc[failed, "error"].str.contains("predict_proba").all()
    assert (comparison.loc[~failed, "error"] == "").all()


# An estimator for each sampler


def mixed_table():
    X, y = make_table()
    frame = pd.DataFrame(X, columns=[f"x{index}" for index in range(X.shape[1])])
    return frame.assign(plan=np.where(X[:, 0] > 0, "basic", "plus")), y


def encoder():
    return make_column_transformer(
        (OneHotEncoder(), make_column_selector(dtype_exclude="number")), remainder="passthrough"
    )


def test_a_dict_of_estimators_puts_each_sampler_where_it_can_work():
    chosen = {"none": None, "SMOTE": SMOTE(k_neighbors=2, random_state=0), "VAE": quick()}
    before = make_pipeline(encoder(), TREE)
    with pytest.warns(
        FitFailedWarning, match=r"'SMOTE' failed on 3 of 3.* `estimator` as a dict"
    ):
        compare(chosen, mixed_table(), estimator=before)
    after = Pipeline([("encoder", encoder()), ("sampler", "passthrough"), ("tree", TREE)])
    estimators = {"VAE": before, "none": before, "SMOTE": after}
    comparison = compare(chosen, mixed_table(), estimator=estimators)
    assert (comparison["error"] == "").all()
    assert comparison["sampler"].unique().tolist() == list(chosen)


def test_each_sampler_is_scored_with_the_estimator_of_its_name(table):
    estimators = {
        "plain": TREE,
        "weighted": DecisionTreeClassifier(
            max_depth=1, class_weight="balanced", random_state=0
        ),
    }
    comparison = compare(dict.fromkeys(estimators), table, estimator=estimators)
    for name, estimator in estimators.items():
        alone = compare({name: None}, table, estimator=estimator)
        assert_frame_equal(by_key(comparison[comparison["sampler"] == name]), by_key(alone))


@pytest.mark.parametrize("names", [["none"], ["none", "SMOTE", "other"], ["none", "smote"], []])
def test_a_dict_of_estimators_has_the_names_of_the_samplers(names):
    with pytest.raises(ValueError, match=r"names of the samplers, \['none', 'SMOTE'\]; found"):
        compare({"none": None, "SMOTE": SMOTE()}, estimator=dict.fromkeys(names, TREE))


# What is the user's


def test_samplers_classifier_and_data_stay_as_they_are():
    X, y = make_table()
    before = X.copy(), y.copy()
    vae = quick(random_state=np.random.RandomState(0))
    estimator = LogisticRegression()
    chosen = [vae, FunctionSampler(), None]
    draws = vae.random_state.get_state()[1].copy()
    global_draws = np.random.get_state()[1].copy()  # noqa: NPY002
    compare(chosen, (X, y), estimator=estimator)
    assert_array_equal(X, before[0])
    assert_array_equal(y, before[1])
    assert not hasattr(vae, "vaes_")
    assert not hasattr(estimator, "coef_")
    assert chosen[0] is vae
    assert_array_equal(vae.random_state.get_state()[1], draws)
    assert_array_equal(np.random.get_state()[1], global_draws)  # noqa: NPY002


# Wrong arguments


@pytest.mark.parametrize(
    ("chosen", "error", "message"),
    [
        ([], ValueError, "at least one sampler"),
        ({}, ValueError, "at least one sampler"),
        (SMOTE(), TypeError, "Put a single one into a list"),
        ("SMOTE", TypeError, "Put a single one into a list"),
        ([SMOTE], TypeError, "Pass an instance"),
        (["SMOTE"], TypeError, "`fit_resample`"),
        ({"scale": StandardScaler()}, TypeError, "'scale' is StandardScaler"),
        ({1: None}, TypeError, "named by text; found the name 1"),
    ],
)
def test_what_is_no_sampler_is_told_before_anything_is_fitted(chosen, error, message):
    with pytest.raises(error, match=message):
        compare(chosen)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"scoring": "nonsense"}, ValueError, "nonsense"),
        ({"scoring": []}, ValueError, "at least one metric"),
        ({"scoring": [accuracy]}, ValueError, "Give a scorer its name in a dict"),
        ({"cv": []}, ValueError, "at least one fold"),
        ({"cv": 1}, ValueError, "n_splits=1"),
        ({"cv": "many"}, ValueError, r"Expected `?cv"),
        ({"estimator": object()}, TypeError, "fit"),
        ({"table": (np.zeros((4, 2)), [0, 1, 0])}, ValueError, "inconsistent numbers"),
        ({"table": (np.zeros((4, 2)), [0.1, 0.2, 0.3, 0.4])}, ValueError, "continuous"),
    ],
)
def test_wrong_arguments_are_raised_not_recorded(options, error, message):
    with pytest.raises(error, match=message):
        compare(**options)


def test_without_pandas_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r'pip install "vaesampler\[plots\]"'):
        compare()


# Summary


def made_up(scores, n_train=80, n_test=20):
    """Return a comparison: `scores` maps a sampler to its scores fold by fold."""
    return pd.DataFrame(
        [
            {
                "sampler": name,
                "fold": fold,
                "metric": "f1",
                "score": score,
                "fit_time": 0.5,
                "score_time": 0.1,
                "n_train": n_train,
                "n_test": n_test,
                "error": "" if np.isfinite(score) else "RuntimeError",
            }
            for name, of_name in scores.items()
            for fold, score in enumerate(of_name)
        ]
    )


def paired_scores(min_folds=2):
    """Draw the scores of two samplers, in thousandths, on the same folds."""
    pairs = st.tuples(st.integers(0, 1000), st.integers(0, 1000))
    return st.lists(pairs, min_size=min_folds, max_size=12).map(
        lambda drawn: dict(zip("ab", np.array(drawn).T / 1000, strict=True))
    )


@given(scores=paired_scores())
def test_the_summary_has_the_means_and_deviations_of_the_folds(scores):
    summary = summarize(made_up(scores)).set_index("sampler")
    for name, of_name in scores.items():
        assert summary.loc[name, "mean_score"] == pytest.approx(np.mean(of_name))
        assert summary.loc[name, "std_score"] == pytest.approx(np.std(of_name, ddof=1))
        assert summary.loc[name, "n_folds"] == len(of_name)
    assert summary["mean_rank"].sum() == pytest.approx(3)
    assert (summary["mean_fit_time"] == 0.5).all()


def test_a_sampler_that_always_wins_has_rank_1_and_a_failure_comes_last():
    scores = {"bad": [0.1, 0.2], "best": [0.8, 0.9], "failing": [np.nan, 0.5]}
    summary = summarize(made_up(scores)).set_index("sampler")
    assert summary["mean_rank"].to_dict() == {"bad": 2.5, "best": 1.0, "failing": 2.5}
    assert summary["n_failures"].to_dict() == {"bad": 0, "best": 0, "failing": 1}
    assert summary.loc["failing", "mean_score"] == 0.5


def test_the_summary_keeps_the_order_of_metrics_and_samplers():
    summary = summarize(compare({"z": None, "a": RandomOverSampler(random_state=0)}))
    assert summary["metric"].tolist() == ["balanced_accuracy"] * 2 + ["f1_macro"] * 2
    assert summary["sampler"].tolist() == ["z", "a"] * 2


# Paired differences


@given(scores=paired_scores())
def test_differences_turn_their_sign_with_the_baseline(scores):
    comparison = made_up(scores)
    forward, backward = (paired_differences(comparison, name).iloc[0] for name in "ab")
    assert (forward["sampler"], backward["sampler"]) == ("b", "a")
    assert forward["mean_difference"] == -backward["mean_difference"]
    assert_allclose(forward["ci_low"], -backward["ci_high"])
    assert_allclose(forward["standard_error"], backward["standard_error"])
    assert_allclose(forward["p_value"], backward["p_value"])


@given(scores=paired_scores())
def test_a_sampler_does_not_differ_from_itself(scores):
    twice = made_up({"one": scores["a"], "same": scores["a"]})
    found = paired_differences(twice, "one").iloc[0]
    zeros = ["mean_difference", "standard_error", "ci_low", "ci_high"]
    assert (found[zeros] == 0).all()
    assert found["p_value"] == 1


@given(scores=paired_scores(), level=st.floats(0.5, 0.999))
def test_the_interval_holds_zero_where_the_p_value_says_it_may(scores, level):
    found = paired_differences(made_up(scores), "a", confidence_level=level).iloc[0]
    if abs(found["p_value"] - (1 - level)) > 1e-9:
        holds_zero = found["ci_low"] <= 0 <= found["ci_high"]
        assert holds_zero == (found["p_value"] > 1 - level)


@given(scores=paired_scores(min_folds=3))
def test_with_hardly_any_test_rows_it_is_the_paired_t_test(scores):
    if np.ptp(scores["b"] - scores["a"]) < 1e-6:
        return  # of which scipy warns
    found = paired_differences(made_up(scores, n_train=10**9, n_test=1), "a").iloc[0]
    expected = stats.ttest_rel(scores["b"], scores["a"])
    interval = expected.confidence_interval()
    assert_allclose(found["p_value"], expected.pvalue, rtol=1e-4, atol=1e-9)
    assert_allclose(
        [found["ci_low"], found["ci_high"]], [interval.low, interval.high], atol=1e-6
    )


@given(scores=paired_scores(), n_test=st.integers(1, 80))
def test_more_test_rows_for_the_same_training_rows_make_it_less_sure(scores, n_test):
    fewer, more = (
        paired_differences(made_up(scores, n_test=n), "a").iloc[0] for n in (n_test, n_test + 9)
    )
    assert fewer["standard_error"] <= more["standard_error"]
    assert fewer["p_value"] <= more["p_value"] + 1e-12


def test_the_correction_holds_the_error_rate_where_the_usual_test_does_not():
    """Judge two classifiers that learn nothing, on many resampled tables."""
    rng = np.random.default_rng(0)
    splitter = ShuffleSplit(10, test_size=0.2, random_state=0)
    n_tables = 100
    corrected, usual = 0, 0
    for _ in range(n_tables):
        gain_of_row = rng.normal(size=100)  # of "b", which is zero in the mean
        differences = [gain_of_row[test].mean() for _, test in splitter.split(gain_of_row)]
        scores = {"a": np.zeros(10), "b": np.array(differences)}
        corrected += paired_differences(made_up(scores), "a")["p_value"].item() < 0.05
        usual += stats.ttest_1samp(differences, 0).pvalue < 0.05
    assert usual / n_tables > 0.15
    assert corrected / n_tables < 0.1


def test_folds_that_failed_are_left_out_of_the_differences():
    scores = {"a": [0.5, 0.6, np.nan, 0.4], "b": [0.7, np.nan, 0.9, 0.5]}
    found = paired_differences(made_up(scores), "a").iloc[0]
    assert found["n_folds"] == 2
    assert found["mean_difference"] == pytest.approx(0.15)


@pytest.mark.parametrize("n_folds", [0, 1])
def test_fewer_than_two_folds_tell_no_interval(n_folds):
    scores = {"a": [0.5] * 3, "b": [0.7] * n_folds + [np.nan] * (3 - n_folds)}
    found = paired_differences(made_up(scores), "a").iloc[0]
    assert found["n_folds"] == n_folds
    assert np.isnan(found["mean_difference"]) == (n_folds == 0)
    unknown = ["standard_error", "ci_low", "ci_high", "p_value"]
    assert found[unknown].isna().all()


def test_differences_have_a_row_for_each_metric_and_other_sampler():
    differences = paired_differences(compare(), "random")
    found = differences[["metric", "sampler"]].itertuples(index=False, name=None)
    others = ["none", "under", "SMOTE"]
    assert list(found) == [(metric, name) for metric in METRICS for name in others]
    assert paired_differences(compare([None]), "none").empty


def test_comparisons_of_two_classifiers_can_be_put_together():
    weighted = DecisionTreeClassifier(max_depth=3, class_weight="balanced", random_state=0)
    both = pd.concat([compare(), compare({"class weight": None}, estimator=weighted)])
    assert set(paired_differences(both, "SMOTE")["sampler"]) == {
        "none",
        "random",
        "under",
        "class weight",
    }
    assert set(summarize(both)["n_folds"]) == {3}


# Wrong frames

SCORES = {"a": [0.5, 0.6], "b": [0.7, 0.8]}


@pytest.mark.parametrize("condense", [summarize, lambda frame: paired_differences(frame, "a")])
@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (made_up(SCORES).drop(columns="metric"), "there is no metric"),
        (np.zeros((2, 2)), "Pass what `compare_samplers` returned"),
        (pd.concat([made_up(SCORES)] * 2), "'a' has several for fold 0 and 'f1'"),
    ],
)
def test_a_frame_of_something_else_is_refused(condense, frame, message):
    with pytest.raises(ValueError, match=message):
        condense(frame)


def test_differences_are_taken_to_a_sampler_that_is_there_on_the_same_folds():
    with pytest.raises(ValueError, match=r"one of the samplers, \['a', 'b'\]; found 'c'"):
        paired_differences(made_up(SCORES), "c")
    with pytest.raises(ValueError, match="share between 0 and 1; found 95"):
        paired_differences(made_up(SCORES), "a", confidence_level=95)
    other_folds = made_up({"c": [0.1, 0.2]}, n_test=30)
    with pytest.raises(ValueError, match="fold 0 have different numbers of rows"):
        paired_differences(pd.concat([made_up(SCORES), other_folds]), "a")
