"""`memory`: later fits to the same table do not train again, and draw the same rows."""

import copy
import inspect
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import make_table, quick
from imblearn.pipeline import make_pipeline
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from vaesampler import NeighborCritic, VAEOversampler
from vaesampler._generation import fitting
from vaesampler._runtime.caching import ResultCache, digest_of


def is_not_large(rows):
    return rows[:, 0] < 20


# Parameters of drawing: others than these are ones of training.
DRAWING = {
    "sampling_strategy": {1: 30, 2: 25},
    "rejection_strength": 2.0,
    "latent_sampling": "prior",
    "critic": "forest",
    "verbose": 2,
    "constraints": is_not_large,
}
TRAINING = {
    "latent_dim": 2,
    "hidden_layer_sizes": (16,),
    "activation": "tanh",
    "beta": 0.5,
    "alpha": 0.01,
    "batch_size": 64,
    "learning_rate_init": 0.01,
    "max_iter": 12,
    "pretrain_iter": 12,
    "early_stopping": True,
    "smoothing": 0.5,
    "random_state": 1,
    "ordinal_features": {0: None},
    "inherited_features": [0],
}


@pytest.fixture
def trainings(monkeypatch):
    """Return a list that gets an item at each training."""
    calls = []
    train = fitting._train

    def counted(*args):
        calls.append(None)
        return train(*args)

    monkeypatch.setattr(fitting, "_train", counted)
    return calls


def mixed_table():
    X, y = make_table()
    frame = pd.DataFrame(X.round(1), columns=list("abcde"))
    frame["f"] = pd.Categorical(np.where(X[:, 0] > 2, "high", "low"))
    frame.loc[::7, "b"] = np.nan
    return frame, y


@pytest.mark.parametrize("make", [make_table, mixed_table])
@pytest.mark.parametrize("strength", [0.0, 4.0])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_rows_are_the_same_with_a_memory_at_the_first_fit_and_later(
    make, strength, early_stopping, trainings, tmp_path
):
    X, y = make()
    parameters = {"rejection_strength": strength, "early_stopping": early_stopping}
    expected = quick(**parameters).fit(X, y)
    n_before = len(trainings)
    for _ in range(3):
        sampler = quick(memory=tmp_path, **parameters)
        pd.testing.assert_frame_equal(
            pd.DataFrame(sampler.fit_resample(X, y)[0]),
            pd.DataFrame(quick(**parameters).fit_resample(X, y)[0]),
        )
        for label in expected.vaes_:
            assert_array_equal(
                sampler.loss_curves_[label].total, expected.loss_curves_[label].total
            )
            pd.testing.assert_frame_equal(
                *(
                    pd.DataFrame(one.sample(label, 7, random_state=3))
                    for one in (sampler, expected)
                )
            )
    assert len(trainings) - n_before == 3 + 1  # three without a memory, and one with it


@pytest.mark.parametrize("name", DRAWING)
def test_parameters_of_drawing_do_not_train_again(name, trainings, table, tmp_path):
    quick(memory=tmp_path).fit(*table)
    changed = {name: DRAWING[name]}
    drawn, _ = quick(memory=tmp_path, **changed).fit_resample(*table)
    assert len(trainings) == 1
    assert_array_equal(drawn, quick(**changed).fit_resample(*table)[0])


@pytest.mark.parametrize("name", TRAINING)
def test_parameters_of_training_train_again(name, trainings, table, tmp_path):
    X, y = table
    X = X.round() if name == "ordinal_features" else X
    quick(memory=tmp_path).fit(X, y)
    quick(memory=tmp_path, **{name: TRAINING[name]}).fit(X, y)
    assert len(trainings) == 2


def test_every_parameter_is_one_of_drawing_or_of_training():
    others = {"validation_fraction", "n_iter_no_change", "tol"}  # of early stopping
    others |= {"categorical_features", "device", "memory"}
    assert {*DRAWING, *TRAINING, *others} == set(inspect.signature(VAEOversampler).parameters)


@pytest.mark.parametrize(
    "change",
    [
        lambda X, y: (np.where(np.arange(X.size).reshape(X.shape) == 3, X + 1e-9, X), y),
        lambda X, y: (X[::-1], y[::-1]),
        lambda X, y: (X, y.astype(str)),
        lambda X, y: (X, np.where(np.arange(len(y)) == np.flatnonzero(y == 1)[0], 0, y)),
        lambda X, y: (X[:-1], y[:-1]),
        lambda X, y: (X.round(), y),
    ],
    ids=["a cell", "the order", "the type of labels", "a label", "fewer rows", "decimals"],
)
def test_other_data_train_again(change, trainings, table, tmp_path):
    quick(memory=tmp_path).fit(*table)
    quick(memory=tmp_path).fit(*change(*table))
    assert len(trainings) == 2


def test_other_classes_train_again_since_stacks_of_others_round_otherwise(
    trainings, table, tmp_path
):
    quick(memory=tmp_path).fit(*table)
    drawn, _ = quick(memory=tmp_path, sampling_strategy={1: 20}).fit_resample(*table)
    assert len(trainings) == 2
    assert_array_equal(drawn, quick(sampling_strategy={1: 20}).fit_resample(*table)[0])


def test_equal_tables_in_other_memory_are_the_same(trainings, table, tmp_path):
    X, y = table
    for one in (X, np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X.copy()):
        quick(memory=tmp_path).fit(one, y)
    assert len(trainings) == 1


def test_without_a_seed_nothing_is_kept(trainings, table, tmp_path):
    for _ in range(2):
        quick(memory=tmp_path / "cache", random_state=None).fit(*table)
    assert len(trainings) == 2
    assert not (tmp_path / "cache").exists()


def test_a_critic_of_the_users_is_fitted_each_time(table, tmp_path):
    fits = []

    class CountingCritic(NeighborCritic):
        def fit(self, *args):
            fits.append(None)
            return super().fit(*args)

    for _ in range(2):
        quick(memory=tmp_path, critic=CountingCritic()).fit(*table)
    assert len(fits) == 2 * 2  # of two classes


@pytest.mark.parametrize(
    "make_memory",
    [
        str,
        lambda path: path,
        lambda path: joblib.Memory(path, verbose=0),
        lambda path: joblib.Memory(path, mmap_mode="r", verbose=0),
        lambda path: joblib.Memory(path, compress=True, verbose=0),
    ],
    ids=["str", "path", "Memory", "mapped", "compressed"],
)
def test_a_memory_is_a_path_or_one_of_joblib(make_memory, trainings, table, tmp_path):
    for _ in range(2):
        sampler = clone(quick(memory=make_memory(tmp_path)))
        drawn, _ = sampler.fit_resample(*table)
    assert len(trainings) == 1
    assert_array_equal(drawn, quick().fit_resample(*table)[0])


@pytest.mark.parametrize("memory", [3, object()])
def test_anything_else_is_refused(memory, table):
    with pytest.raises(ValueError, match="memory"):
        quick(memory=memory).fit(*table)


def test_a_folder_that_cannot_be_made_is_named(table, tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(OSError, match=r"file'.*'memory', cannot be created"):
        quick(memory=path).fit(*table)


def test_a_folder_that_cannot_be_written_is_named(table, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match=f"{tmp_path}.*cannot be written"):
        quick(memory=tmp_path).fit(*table)


@pytest.mark.parametrize("damage", [lambda data: data[:100], lambda _: pickle.dumps(b"other")])
def test_damaged_entries_are_computed_again(damage, trainings, table, tmp_path):
    expected, _ = quick(memory=tmp_path).fit_resample(*table)
    entries = list(Path(tmp_path).rglob("output.pkl"))
    assert len(entries) == 1 + 2  # the VAEs, and a critic for each class
    for entry in entries:
        entry.write_bytes(damage(entry.read_bytes()))
    assert_array_equal(quick(memory=tmp_path).fit_resample(*table)[0], expected)
    assert len(trainings) == 2


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_is_the_same_and_trains_once_a_fold(n_jobs, trainings, tmp_path):
    X, y = make_table({0: 90, 1: 18})
    grid = {
        "vaeoversampler__sampling_strategy": [0.5, 1.0],
        "vaeoversampler__rejection_strength": [1.0, 4.0],
    }
    scores = [
        GridSearchCV(
            make_pipeline(quick(memory=memory), LogisticRegression()),
            grid,
            scoring="neg_log_loss",
            cv=3,
            refit=False,
            n_jobs=jobs,
        )
        .fit(X, y)
        .cv_results_["mean_test_score"]
        for memory, jobs in ((None, 1), (tmp_path, n_jobs))
    ]
    assert_array_equal(*scores)
    assert len(list(Path(tmp_path).rglob("output.pkl"))) == 3 * 2
    if n_jobs == 1:
        assert len(trainings) == 3 * 4 + 3


def test_threads_share_a_memory(table, tmp_path):
    expected, _ = quick().fit_resample(*table)
    with ThreadPoolExecutor(4) as pool:
        drawn = pool.map(lambda _: quick(memory=tmp_path).fit_resample(*table)[0], range(8))
        for one in drawn:
            assert_array_equal(one, expected)


def test_fits_do_not_share_their_vaes(table, tmp_path):
    first, second = (quick(memory=tmp_path).fit(*table) for _ in range(2))
    expected = second.sample(1, 5, random_state=0)
    for parameter in first.vaes_[1].parameters():
        parameter.data.zero_()
    assert_array_equal(second.sample(1, 5, random_state=0), expected)
    third = quick(memory=tmp_path).fit(*table)
    assert_array_equal(third.sample(1, 5, random_state=0), expected)


def test_a_saved_sampler_has_no_memory_and_copies_have_it(table, tmp_path):
    sampler = quick(memory=joblib.Memory(tmp_path / "cache", verbose=0)).fit(*table)
    sampler.save(tmp_path / "sampler.safetensors")
    loaded = VAEOversampler.load(tmp_path / "sampler.safetensors")
    assert loaded.memory is None
    expected = sampler.sample(1, 5, random_state=0)
    for copied in (loaded, copy.deepcopy(sampler), pickle.loads(pickle.dumps(sampler))):
        assert_array_equal(copied.sample(1, 5, random_state=0), expected)
    assert clone(sampler).memory.location == sampler.memory.location


def test_digests_depend_on_values_only():
    text = "".join(["a", "b"])
    assert digest_of(["ab", text, (1.5, 2)]) == digest_of([text, text, (1.5, 2)])
    pair, equal = (1, 2.5), pickle.loads(pickle.dumps((1, 2.5)))
    assert digest_of([pair, pair]) == digest_of([pair, equal])
    assert len({digest_of(one) for one in (1, 1.0, True, "1", None)}) == 5


def test_without_a_memory_results_are_computed():
    assert ResultCache().result("key", lambda: [1]) == [1]
