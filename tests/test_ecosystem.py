"""It stands wherever SMOTE stands."""

import copy
import inspect
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from conftest import make_table, quick
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import EditedNearestNeighbours, TomekLinks
from numpy.testing import assert_array_equal
from packaging.version import Version
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate, train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from vaesampler import InterpolationSampling, VAEOversampler


def make_pipeline(sampler):
    return Pipeline(
        [("scale", StandardScaler()), ("sample", sampler), ("classify", LogisticRegression())]
    )


@pytest.mark.parametrize("sampler", [quick(), SMOTE(k_neighbors=3)], ids=["VAE", "SMOTE"])
def test_a_pipeline_resamples_while_fitting_only(sampler, table):
    X, y = table
    pipeline = make_pipeline(sampler).fit(X, y)
    assert pipeline.predict(X).shape == y.shape
    assert pipeline.score(X, y) > 0.9


def test_it_follows_a_step_whose_output_is_a_frame(table):
    X, y = table
    frame = pd.DataFrame(X, columns=list("abcde"))
    pipeline = make_pipeline(quick())
    pipeline.named_steps["scale"].set_output(transform="pandas")
    pipeline.fit(frame, y)
    assert list(pipeline.named_steps["classify"].feature_names_in_) == list("abcde")


def test_a_grid_search_over_the_latent_size_runs_in_two_processes():
    X, y = make_table({0: 60, 1: 20})
    search = GridSearchCV(
        make_pipeline(quick()), {"sample__latent_dim": [1, 2, 3]}, n_jobs=2, cv=2
    ).fit(X, y)
    assert search.best_params_["sample__latent_dim"] in (1, 2, 3)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_cross_validation_runs_and_repeats_itself():
    X, y = make_table({0: 60, 1: 20})
    scores = [cross_validate(make_pipeline(quick()), X, y, cv=3) for _ in range(2)]
    assert_array_equal(scores[0]["test_score"], scores[1]["test_score"])


def test_clone_keeps_parameters_and_forgets_the_fit(table):
    sampler = quick(latent_sampling=InterpolationSampling(n_neighbors=2), latent_dim=3)
    copied = clone(sampler.fit(*table))
    assert copied.get_params() == sampler.get_params()
    assert not hasattr(copied, "vaes_")


def test_parameters_can_be_set_and_read():
    sampler = VAEOversampler().set_params(latent_dim=7, beta=2.0)
    assert sampler.get_params()["latent_dim"] == 7
    assert sampler.get_params()["beta"] == 2.0


def test_notebooks_show_it_as_scikit_learn_estimators(table):
    sampler = VAEOversampler(latent_dim=3, latent_sampling=InterpolationSampling(2))
    for shown in (sampler._repr_html_(), make_pipeline(sampler)._repr_html_()):
        assert "VAEOversampler" in shown
    assert "InterpolationSampling(n_neighbors=2)" in repr(sampler)


def joblib_round_trip(sampler, folder):
    joblib.dump(sampler, folder / "sampler.joblib")
    return joblib.load(folder / "sampler.joblib")


@pytest.mark.parametrize(
    "copy_of",
    [
        lambda sampler, _: copy.deepcopy(sampler),
        lambda sampler, _: pickle.loads(pickle.dumps(sampler)),
        joblib_round_trip,
    ],
    ids=["deepcopy", "pickle", "joblib"],
)
def test_a_copy_draws_the_same_rows_with_a_seed_and_others_without(copy_of, table, tmp_path):
    sampler = quick().fit(*table)
    copied = copy_of(sampler, tmp_path)
    assert_array_equal(
        copied.sample(1, 5, random_state=0), sampler.sample(1, 5, random_state=0)
    )
    assert not np.array_equal(copied.sample(1, 5), sampler.sample(1, 5))


@pytest.mark.parametrize(
    ("dump", "load"),
    [
        (lambda sampler, path: path.write_bytes(pickle.dumps(sampler)), "pickle.loads(data)"),
        (joblib.dump, "joblib.load(sys.argv[1])"),
    ],
    ids=["pickle", "joblib"],
)
def test_a_stored_sampler_draws_the_same_rows_in_a_new_process(dump, load, table, tmp_path):
    sampler = quick().fit(*table)
    path = tmp_path / "sampler"
    dump(sampler, path)
    script = (
        "import joblib, pickle, sys; data = open(sys.argv[1], 'rb').read();"
        f"s = {load}; sys.stdout.buffer.write(s.sample(1, 5, random_state=0).tobytes())"
    )
    finished = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, check=True
    )
    assert finished.stdout == sampler.sample(1, 5, random_state=0).tobytes()


# Beside other steps


def mixed_frame():
    X, y = make_table({0: 90, 1: 20})
    frame = pd.DataFrame(X, columns=list("abcde"))
    frame["size"] = pd.Categorical(np.array(["S", "M", "L"])[np.arange(len(y)) % 3])
    return frame, y


def test_it_stands_before_a_column_transformer_and_draws_levels():
    X, y = mixed_frame()
    encoder = make_column_transformer(
        (OneHotEncoder(), make_column_selector(dtype_include="category")),
        remainder=StandardScaler(),
    )
    pipeline = Pipeline(
        [("sample", quick()), ("encode", encoder), ("classify", LogisticRegression())]
    ).fit(X, y)
    assert pipeline.score(X, y) > 0.9
    seen = pipeline.named_steps["encode"].transform(pipeline[:1].fit_resample(X, y)[0])
    assert_array_equal(seen[:, :3].sum(axis=1), 1)


def test_one_hot_encoded_columns_before_it_are_kept_together_unless_they_are_scaled():
    X, y = mixed_frame()
    flags = pd.get_dummies(X["size"], dtype=float)
    rest = X.drop(columns="size")
    drawn = quick().fit(pd.concat([rest, flags], axis=1), y).sample(1, 300)
    assert_array_equal(drawn[list(flags)].sum(axis=1), 1)
    scaled = pd.DataFrame(StandardScaler().fit_transform(flags), columns=flags.columns)
    drawn = quick().fit(pd.concat([rest, scaled], axis=1), y).sample(1, 300)
    n_levels = (drawn[list(flags)] > 0).sum(axis=1)
    assert (n_levels != 1).any()


@pytest.mark.parametrize(
    "cleaning",
    [TomekLinks(sampling_strategy="all"), EditedNearestNeighbours(sampling_strategy="all")],
)
def test_rows_are_cleaned_after_drawing(cleaning, table):
    X, y = table
    pipeline = Pipeline([("scale", StandardScaler()), ("sample", quick()), ("clean", cleaning)])
    cleaned, labels = pipeline.fit_resample(X, y)
    assert len(cleaned) == len(labels) <= 3 * 40
    assert set(labels) == set(y)


def fit_hist_gradient_boosting(drawn, untouched):
    if "X_val" not in inspect.signature(HistGradientBoostingClassifier.fit).parameters:
        pytest.skip("HistGradientBoostingClassifier takes X_val from scikit-learn 1.7 on")
    model = HistGradientBoostingClassifier(
        max_iter=500, early_stopping=True, n_iter_no_change=5, tol=0.01, random_state=0
    )
    model.fit(*drawn, X_val=untouched[0], y_val=untouched[1])
    return model, model.n_iter_


def fit_lightgbm(drawn, untouched):
    lightgbm = pytest.importorskip("lightgbm", reason="LightGBM is not installed")
    model = lightgbm.LGBMClassifier(n_estimators=500, n_jobs=1, verbose=-1)
    stopping = lightgbm.early_stopping(5, verbose=False)
    has_parts = "eval_X" in inspect.signature(model.fit).parameters  # not in older versions
    X, y = untouched
    seen = {"eval_X": X, "eval_y": y} if has_parts else {"eval_set": [(X, y)]}
    model.fit(*drawn, **seen, callbacks=[stopping])
    return model, model.best_iteration_


def fit_xgboost(drawn, untouched):
    xgboost = pytest.importorskip("xgboost", reason="XGBoost is not installed")
    model = xgboost.XGBClassifier(n_estimators=500, early_stopping_rounds=5, n_jobs=1)
    model.fit(*drawn, eval_set=[untouched], verbose=False)
    return model, model.best_iteration


@pytest.mark.parametrize("fit", [fit_hist_gradient_boosting, fit_lightgbm, fit_xgboost])
def test_boosting_stops_early_by_rows_that_were_not_resampled(fit):
    X, y = make_table({0: 200, 1: 60})
    train, untouched, y_train, y_untouched = train_test_split(X, y, stratify=y, random_state=0)
    drawn = quick().fit_resample(train, y_train)
    model, n_iter = fit(drawn, (untouched, y_untouched))
    assert 0 < n_iter < 500
    assert model.score(untouched, y_untouched) > 0.9


def test_bags_have_samplers_with_seeds_of_their_own():
    X, y = make_table({0: 60, 1: 20})
    bagging = BalancedBaggingClassifier(
        LogisticRegression(), sampler=quick(), n_estimators=3, random_state=0
    ).fit(X, y)
    samplers = [pipeline[0] for pipeline in bagging.estimators_]
    assert len({sampler.random_state for sampler in samplers}) == 3
    assert bagging.score(X, y) > 0.9


@pytest.mark.skipif(
    Version(sklearn.__version__) < Version("1.8"),
    reason="scikit-learn before 1.8 requires that the pipeline's score requests weights",
)
def test_groups_reach_the_splitter_and_weights_the_scorer():
    X, y = make_table({0: 60, 1: 30})
    groups, weights = np.arange(90) // 9, np.linspace(1, 2, 90)
    model = make_pipeline(quick())
    expected = cross_validate(model, X, y, cv=GroupKFold(3).split(X, y, groups))
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(quick())
        model.named_steps["scale"].set_fit_request(sample_weight=False)
        model.named_steps["classify"].set_fit_request(sample_weight=False)
        model.named_steps["classify"].set_score_request(sample_weight=True)
        params = {"groups": groups, "sample_weight": weights}
        found = cross_validate(model, X, y, cv=GroupKFold(3), params=params)
    assert found["test_score"] == pytest.approx(expected["test_score"], abs=0.1)


def test_weights_cannot_reach_a_classifier_behind_a_sampler():
    X, y = make_table({0: 60, 1: 30})
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(quick())
        model.named_steps["scale"].set_fit_request(sample_weight=False)
        model.named_steps["classify"].set_fit_request(sample_weight=True)
        with pytest.raises(ValueError, match=r"inconsistent|sample_weight"):
            model.fit(X, y, sample_weight=np.ones(90))
