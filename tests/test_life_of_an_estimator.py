"""Whatever is done with a sampler, in any order, its promises hold.

The normal run takes some seconds. To search for longer, with other lives in each run:

    pytest tests/test_life_of_an_estimator.py --hypothesis-profile=long -n 0
"""

import copy
import pickle
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from conftest import quick
from exact import column_of, exact_cells, form_of
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from process_state import process_state
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import vaesampler
from vaesampler import (
    DenoisingSampling,
    ForestCritic,
    InterpolationSampling,
    NeighborCritic,
    VAEOversampler,
)
from vaesampler.exceptions import TrainingDivergedError

pytestmark = [
    pytest.mark.filterwarnings("ignore::vaesampler.exceptions.SmallClassWarning"),
    pytest.mark.filterwarnings("ignore::vaesampler.exceptions.DuplicatedRowsWarning"),
    # scikit-learn's, for a table without the names of the fitted one, or with some.
    pytest.mark.filterwarnings("ignore:X .*feature names:UserWarning"),
]

SOURCE = str(Path(vaesampler.__file__).parent)
HAS_CALLBACKS = hasattr(VAEOversampler, "set_callbacks")


# Tables: the same numbers and words each time they are made

SIZES = {"common": 20, "rare": 7, "rarer": 5}
LABELS = np.repeat(list(SIZES), list(SIZES.values()))
CODES = np.repeat(range(3), list(SIZES.values()))


def numbers(n_columns=4):
    rng = np.random.default_rng(n_columns)
    return rng.normal(size=(len(CODES), n_columns)).round(2) + CODES[:, None]


def frame():
    rng = np.random.default_rng(0)
    words = rng.choice(["a", "b", "c"], len(CODES))
    return pd.DataFrame({"x": numbers(1)[:, 0], "word": words, "kind": pd.Categorical(words)})


def one_hot():
    return pd.get_dummies(pd.Series(LABELS), dtype=float)


TABLES = {
    "array": lambda: (numbers(), CODES.copy()),
    "other array": lambda: (numbers(6), CODES.copy()),
    "small integers": lambda: (numbers().astype(np.int8), LABELS.copy()),
    "list": lambda: (numbers().tolist(), LABELS.tolist()),
    "text": lambda: (frame()[["word", "kind"]].to_numpy().astype(str), CODES.copy()),
    "tensor": lambda: (torch.from_numpy(numbers()), torch.from_numpy(CODES.copy())),
    "csr": lambda: (sparse.csr_array(numbers() * (numbers() > 1)), CODES.copy()),
    "csc": lambda: (sparse.csc_matrix(numbers() * (numbers() > 1)), LABELS.copy()),
    "pandas": lambda: (frame(), pd.Series(LABELS, name="class")),
    "categories": lambda: (frame()[["kind", "word"]], pd.Series(CODES)),
    "one-hot labels": lambda: (frame(), one_hot()),
    "polars": lambda: (pl.from_pandas(frame()), pl.Series("class", LABELS)),
    "pyarrow": lambda: (pa.Table.from_pandas(frame(), preserve_index=False), LABELS.tolist()),
}


def contents(table):
    """Return all cells of a table or labels, with its type, names and dtypes."""
    if isinstance(table, torch.Tensor):
        return "tensor", table.dtype, table.tolist()
    if isinstance(table, pd.Series | pl.Series):
        return type(table), table.dtype, table.name, table.to_list()
    if isinstance(table, list) and not isinstance(table[0], list):
        return list, table
    if isinstance(table, np.ndarray) and table.ndim == 1:
        return np.ndarray, table.dtype, table.tolist()
    n_columns = table.shape[1] if hasattr(table, "shape") else len(table[0])
    return form_of(table), [exact_cells(column_of(table, one)) for one in range(n_columns)]


def first_rows(table, n_rows):
    """Return the contents of the first rows of a table or labels."""
    if isinstance(table, pd.DataFrame | pd.Series):
        return contents(table.iloc[:n_rows])
    return contents(table[:n_rows])


def words_of(y):
    """Return labels as a list: of one-hot ones, the index of the column."""
    if isinstance(y, pd.DataFrame):
        return y.to_numpy().argmax(axis=1).tolist()
    return y.tolist() if hasattr(y, "tolist") else list(y)


# What is tried with them

LEGAL = {
    "random_state": [0, 1, np.int64(2), None],
    "critic": ["auto", "neighbors", "network", NeighborCritic(3), ForestCritic(2)],
    "latent_sampling": ["prior", "posterior", InterpolationSampling(2), DenoisingSampling(0.1)],
    "latent_dim": [1, 2, np.int32(3)],
    "hidden_layer_sizes": [4, (3, 5), [4]],
    "activation": ["tanh", "relu"],
    "sampling_strategy": ["auto", "minority", "all"],
    "max_iter": [1, 3],
    "pretrain_iter": [0, 2],
    "batch_size": [1, 7, 200],
    "early_stopping": [False, True],
    "rejection_strength": [0, 0.0, 4],
    "smoothing": [0, 1.0],
    "categorical_features": ["auto", [-1, -2], {-1, -2}],
}
ILLEGAL = {
    "latent_dim": [0, 1.5, "2", 2**40],
    "hidden_layer_sizes": [(), (3, 0), "wide"],
    "critic": ["magic", ForestCritic, None],
    "latent_sampling": ["magic", 3],
    "sampling_strategy": ["majority", {"none": 50}, {9: 50}, 0.5, lambda y: 3],
    "categorical_features": [[0.5], [99], ["no such column"], [[True]]],
    "ordinal_features": [{99: None}, {0: [1]}],
    "device": ["abacus", None],
    "learning_rate_init": [-1, np.nan, 1e30],
    "random_state": [-1, "seed"],
    "beta": [np.inf],
}
ERRORS = (ValueError, TypeError, TrainingDivergedError)


def of(values):
    """Return a strategy of pairs of a name and one of its values."""
    return st.sampled_from([(name, one) for name, some in values.items() for one in some])


def without_a_label(y):
    y = np.array(words_of(y), dtype=object)
    y[3] = None
    return y


BAD_LABELS = {
    "a missing label": without_a_label,
    "a label that is NaN": lambda y: np.where(CODES > 0, CODES, np.nan),
    "one class": lambda y: np.zeros(len(CODES)),
    "a class of one row": lambda y: np.arange(len(CODES)) == 3,
    "too few labels": lambda y: CODES[:-1],
    "too many labels": lambda y: np.append(CODES, 1),
    "no labels": lambda y: [],
    "numbers that are no labels": lambda y: np.linspace(0, 1, len(CODES)),
    "three dimensions": lambda y: np.zeros((len(CODES), 2, 2)),
    "nothing": lambda y: None,
}
BAD_TABLES = {
    "infinity": np.where(numbers() > 2, np.inf, numbers()),
    "one dimension": numbers()[:, 0],
    "no columns": numbers()[:, :0],
    "dates among numbers": np.where(numbers() > 2, pd.Timestamp(5), numbers().astype(object)),
    "complex numbers": 1j * numbers(),
    "a lazy frame": pl.LazyFrame({"x": CODES}),
    "nothing": None,
    "a number": 3,
}


class Interrupting:
    """A callback that is interrupted at an event."""

    def __init__(self, n_events):
        self.n_left = n_events

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context):
        self._count()

    on_fit_task_end = on_fit_task_begin

    def _count(self):
        self.n_left -= 1
        if self.n_left == 0:
            raise KeyboardInterrupt


def interrupted_at(n_calls, call):
    """Call something, and interrupt it at some call of a function of the library."""
    n_left = n_calls

    def count(code_frame, event, argument):
        nonlocal n_left
        if event == "call" and code_frame.f_code.co_filename.startswith(SOURCE):
            n_left -= 1
            if n_left == 0:
                raise KeyboardInterrupt

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return call()
    finally:
        sys.setprofile(before)


@contextmanager
def inputs_stay(table, X, y):
    """Assert that X and y are not changed."""
    yield
    assert [contents(one) for one in (X, y)] == [contents(one) for one in TABLES[table]()]


@dataclass(frozen=True)
class Fit:
    """What a sampler was fitted to, and what it draws and tells since then."""

    table: str
    parameters: dict[str, Any]
    behaviour: dict[str, Any]


def behaviour(sampler, table):
    """Return what a fitted sampler draws and tells."""
    X, _ = TABLES[table]()
    few = X[:4] if not isinstance(X, pd.DataFrame) else X.head(4)
    label = next(iter(sampler.vaes_), None)
    return {
        "rows": {
            label: contents(sampler.sample(label, 3, random_state=0)) for label in sampler.vaes_
        },
        "codes": label and sampler.encode(label, few).tobytes(),
        "matrix": label and sampler.to_matrix(label, few).tobytes(),
        "names": sampler.get_feature_names_out().tolist(),
        "has names": hasattr(sampler, "feature_names_in_"),
        "columns": sampler.n_features_in_,
        "schema": str(sampler.schema_),
        "to add": sampler.sampling_strategy_,
        "losses": {one: curve.total.tolist() for one, curve in sampler.loss_curves_.items()},
        "steps": sampler.n_iter_,
        "held out": set(sampler.validation_curves_),
        "mask": getattr(sampler, "synthetic_mask_", np.zeros(0)).tolist(),
    }


class LifeOfASampler(RuleBasedStateMachine):
    """A sampler, and what must be known of it."""

    def __init__(self):
        super().__init__()
        self.sampler = VAEOversampler(
            max_iter=2,
            pretrain_iter=1,
            hidden_layer_sizes=4,
            latent_dim=2,
            critic="neighbors",
            random_state=0,
        )
        self.parameters = self.sampler.get_params(deep=False)
        self.fit = None
        self.process = process_state()

    # Fits

    @rule(table=st.sampled_from(sorted(TABLES)), method=st.sampled_from(["fit", "resample"]))
    def fit_or_resample(self, table, method):
        X, y = TABLES[table]()
        with inputs_stay(table, X, y):
            if method == "fit":
                assert self.sampler.fit(X, y) is self.sampler
            else:
                self.check_result(X, y, *self.sampler.fit_resample(X, y))
        self.remember_fit(table)

    def check_result(self, X, y, X_resampled, y_resampled):
        n_rows = len(CODES)
        assert first_rows(X_resampled, n_rows) == contents(X)
        assert first_rows(y_resampled, n_rows) == contents(y)
        counts, found = Counter(words_of(y)), Counter(words_of(y_resampled))
        assert found == counts + Counter(self.sampler.sampling_strategy_)
        mask = self.sampler.synthetic_mask_
        assert mask.tolist() == [index >= n_rows for index in range(found.total())]

    def remember_fit(self, table):
        self.fit = Fit(table, dict(self.parameters), behaviour(self.sampler, table))
        n_steps = dict.fromkeys(self.sampler.vaes_, self.parameters["max_iter"])
        assert self.fit.behaviour["steps"] == n_steps

    @rule(table=st.sampled_from(sorted(TABLES)), name=st.sampled_from(sorted(BAD_LABELS)))
    def fail_for_labels(self, table, name):
        X, y = TABLES[table]()
        with pytest.raises(ERRORS):
            self.sampler.fit_resample(X, BAD_LABELS[name](y))

    @rule(name=st.sampled_from(sorted(BAD_TABLES)))
    def fail_for_a_table(self, name):
        with pytest.raises(ERRORS):
            self.sampler.fit(BAD_TABLES[name], CODES)

    @rule(table=st.sampled_from(sorted(TABLES)), parameter=of(ILLEGAL))
    def fail_for_a_parameter(self, table, parameter):
        name, value = parameter
        self.sampler.set_params(**{name: value})
        with pytest.raises(ERRORS):
            self.sampler.fit_resample(*TABLES[table]())
        assert self.sampler.get_params(deep=False)[name] is value
        self.sampler.set_params(**{name: self.parameters[name]})

    @rule(table=st.sampled_from(sorted(TABLES)), n_calls=st.integers(1, 4_000))
    def interrupt_at_a_call(self, table, n_calls):
        X, y = TABLES[table]()
        with inputs_stay(table, X, y):
            try:
                interrupted_at(n_calls, lambda: self.sampler.fit_resample(X, y))
            except KeyboardInterrupt:
                return
        self.remember_fit(table)

    @precondition(lambda self: HAS_CALLBACKS)
    @rule(table=st.sampled_from(sorted(TABLES)), n_events=st.integers(1, 9))
    def interrupt_in_a_callback(self, table, n_events):
        callback = Interrupting(n_events)
        self.sampler.set_callbacks(callback)
        try:
            self.sampler.fit(*TABLES[table]())
        except KeyboardInterrupt:
            return
        finally:
            self.sampler.set_callbacks()
        self.remember_fit(table)

    # Other calls

    @rule(parameter=of(LEGAL))
    def set_a_parameter(self, parameter):
        name, value = parameter
        assert self.sampler.set_params(**{name: value}) is self.sampler
        self.parameters[name] = value

    @precondition(lambda self: self.fit)
    @rule(n_rows=st.sampled_from([0, 1, 3, 40]), seed=st.sampled_from([0, np.int64(0), None]))
    def sample(self, n_rows, seed):
        for label, expected in self.fit.behaviour["rows"].items():
            drawn = self.sampler.sample(label, n_rows, random_state=seed)
            shape = drawn.shape if hasattr(drawn, "shape") else (len(drawn),)
            assert shape[0] == n_rows
            if n_rows >= 3 and seed is not None:
                assert first_rows(drawn, 3) == expected

    @rule(label=st.sampled_from(["common", "none", 0, 9, None, np.nan, (), 1.5]))
    def ask_for_a_label_without_a_vae(self, label):
        if self.fit and label in self.sampler.vaes_:
            return
        error = ValueError if self.fit else NotFittedError
        for method, argument in (("sample", 2), ("encode", numbers())):
            with pytest.raises(error):
                getattr(self.sampler, method)(label, argument)

    @precondition(lambda self: self.fit and self.sampler.vaes_)
    @rule(n_rows=st.sampled_from([-1, 1.5, "2", None, 10**30]))
    def ask_for_what_is_no_number_of_rows(self, n_rows):
        with pytest.raises((ValueError, MemoryError)):
            self.sampler.sample(next(iter(self.sampler.vaes_)), n_rows)

    @precondition(lambda self: self.fit and self.sampler.vaes_)
    @rule(table=st.sampled_from(sorted(TABLES)))
    def encode_any_table(self, table):
        X, y = TABLES[table]()
        with inputs_stay(table, X, y):
            for label in self.sampler.vaes_:
                try:
                    codes = self.sampler.encode(label, X)
                except ValueError:
                    assert table != self.fit.table
                else:
                    n_dimensions = self.fit.parameters["latent_dim"]
                    assert codes.shape == (len(CODES), n_dimensions)

    @precondition(lambda self: self.fit)
    @rule()
    def read_the_report(self):
        if self.fit.behaviour["held out"]:
            return
        with pytest.raises(AttributeError, match="early_stopping=True"):
            self.sampler.report_  # noqa: B018

    # Copies

    @rule(how=st.sampled_from(["pickle", "copy", "file"]))
    def go_on_with_a_copy(self, how):
        original = self.sampler
        if how == "pickle":
            self.sampler = pickle.loads(pickle.dumps(original))
        elif how == "copy":
            self.sampler = copy.deepcopy(original)
        elif self.fit:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "sampler.safetensors"
                original.save(path)
                self.sampler = VAEOversampler.load(path)
        self.check_parameters(original)
        if self.fit:
            assert behaviour(original, self.fit.table) == self.fit.behaviour
        copied = self.sampler.get_params(deep=False)
        for name, value in self.parameters.items():
            assert type(copied[name]) is type(value)
            assert repr(copied[name]) == repr(value) or vars(copied[name]) == vars(value)
        self.parameters = copied

    @rule()
    def go_on_with_a_clone(self):
        cloned = clone(self.sampler)
        assert not hasattr(cloned, "vaes_")
        if self.fit and self.fit.parameters["random_state"] is not None:
            # A fit depends on the parameters and the table, not on what was done before.
            cloned.set_params(**self.fit.parameters)
            X, y = TABLES[self.fit.table]()
            repeated = cloned.fit_resample if self.fit.behaviour["mask"] else cloned.fit
            repeated(X, y)
            assert behaviour(cloned, self.fit.table) == self.fit.behaviour
            cloned.set_params(**self.parameters)
        else:
            self.fit = None
            self.parameters = cloned.get_params(deep=False)
        self.sampler = cloned

    # What always holds

    def check_parameters(self, sampler):
        found = sampler.get_params(deep=False)
        assert found.keys() == self.parameters.keys()
        assert all(found[name] is self.parameters[name] for name in found)

    @invariant()
    def parameters_are_those_that_were_set(self):
        self.check_parameters(self.sampler)

    @invariant()
    def it_draws_and_tells_what_it_did_after_its_last_fit(self):
        if self.fit:
            assert behaviour(self.sampler, self.fit.table) == self.fit.behaviour
        else:
            fitted = [name for name in vars(self.sampler) if name.endswith("_")]
            assert fitted == []
            with pytest.raises(NotFittedError):
                self.sampler.get_feature_names_out()

    @invariant()
    def the_process_is_as_before(self):
        now = process_state()
        assert {name for name in now if now[name] != self.process[name]} == set()


def test_whatever_is_done_with_a_sampler_in_any_order_its_promises_hold():
    # On first use, modules are imported, and polars opens files.
    for critic in ("neighbors", "forest", "network"):
        quick(critic=critic).fit(frame(), LABELS)
    for make in TABLES.values():
        quick().fit(*make())
    # To shrink what fails takes minutes: that is for the long run.
    phases = [Phase.generate] if settings().derandomize else list(Phase)
    run_state_machine_as_test(
        LifeOfASampler,
        settings=settings(
            stateful_step_count=20,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )
