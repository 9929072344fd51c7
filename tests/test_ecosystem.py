"""It stands wherever SMOTE stands."""

import copy
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import make_table, quick
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.preprocessing import StandardScaler

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
