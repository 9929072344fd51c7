"""After a call, whether it returned or failed, the process is as it was before."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from conftest import make_table, quick
from process_state import process_state
from scipy import sparse

from vaesampler import LatentSampler, PosteriorSampling
from vaesampler.exceptions import TrainingDivergedError


class Raises(LatentSampler):
    """Raises an error when rows are drawn."""

    def __init__(self, error):
        self.error = error

    def draw(self, vae, rows, n_samples, generator):
        PosteriorSampling().draw(vae, rows, n_samples, generator)
        raise self.error


CALLS = {
    "returns": ({}, None),
    "rejects nothing": ({"rejection_strength": 0}, None),
    "stops early": ({"early_stopping": True}, None),
    "diverges": ({"learning_rate_init": 1e30}, TrainingDivergedError),
    "is refused": ({"latent_dim": 0}, ValueError),
    "fails while drawing": ({"latent_sampling": Raises(OSError())}, OSError),
    "is interrupted": ({"latent_sampling": Raises(KeyboardInterrupt())}, KeyboardInterrupt),
}


@pytest.fixture(scope="module", params=[{0: 40, 1: 12, 2: 8}, {0: 10_000, 1: 2_000}], ids=str)
def fitted_table(request):
    table = make_table(request.param)
    quick().fit_resample(*table)  # modules are imported on first use
    return table


@pytest.mark.parametrize("call", CALLS)
def test_whatever_a_call_does_the_process_is_as_before(
    call, fitted_table, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    table = fitted_table
    parameters, error = CALLS[call]
    before = process_state()
    sampler = quick(**parameters)
    if error is None:
        sampler.fit_resample(*table)
        sampler.sample(1, 5)
        sampler.encode(1, table[0][:5])
    else:
        with pytest.raises(error):
            sampler.fit_resample(*table)
    after = process_state()
    assert {name for name in before if before[name] != after[name]} == set()


CONTAINERS = {
    "array": np.array,
    "read-only array": lambda rows: np.require(rows, requirements="O").copy(),
    "list": lambda rows: rows.tolist(),
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "pyarrow": lambda rows: pa.table({f"x{i}": column for i, column in enumerate(rows.T)}),
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
    "coo": sparse.coo_array,
    "tensor": torch.tensor,
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_x_and_y_are_left_as_they_were(container):
    rows, y = make_table({0: 40, 1: 12})
    rows[:, 0] *= np.arange(len(rows)) % 3 == 0  # some are zero
    X, untouched = CONTAINERS[container](rows), CONTAINERS[container](rows)
    labels = y.copy()
    if container == "read-only array":
        X.flags.writeable = labels.flags.writeable = False
    quick().fit_resample(X, labels)
    as_array = {
        "csr": lambda table: table.toarray(),
        "csc": lambda table: table.toarray(),
        "coo": lambda table: table.toarray(),
        "pyarrow": lambda table: table.to_pandas().to_numpy(),
    }.get(container, np.asarray)
    np.testing.assert_array_equal(as_array(X), as_array(untouched))
    np.testing.assert_array_equal(labels, y)
