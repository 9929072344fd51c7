"""Time what takes the time, for comparison with an earlier version of the library.

    python -m pip install pytest-benchmark
    python -m pytest -n 0 tests/benchmarks/bench_hot_paths.py --benchmark-autosave  # before
    python -m pytest -n 0 tests/benchmarks/bench_hot_paths.py --benchmark-compare \
        --benchmark-compare-fail=median:20%

Not a part of the ordinary run: a machine that does something else meanwhile would fail it.
"""

import numpy as np
import pandas as pd
import pytest
import torch

from vaesampler import VAEOversampler
from vaesampler._encoding.bounds import Support
from vaesampler._encoding.encoder import TableEncoder, read_cells
from vaesampler._encoding.layout import Layout, Part
from vaesampler._encoding.rows import DenseRows
from vaesampler._rejection.critic import Candidates
from vaesampler._rejection.neighbors import NeighborCritic
from vaesampler._rejection.network import NetworkCritic
from vaesampler._runtime.seeds import Seeds
from vaesampler._runtime.settings import TrainingSettings
from vaesampler._table.containers import Container
from vaesampler._training.gradients import VAEGradient
from vaesampler._training.loop import ClassRows, train
from vaesampler._training.optimizer import FlatParameters
from vaesampler._training.smoothing import SmoothedRows
from vaesampler._vae.model import EvidenceBound, StackedVAE

N_STEPS = 200
MIXED = Layout(10, 2, (Part("bernoulli", (1,) * 3), Part("categorical", (5, 8, 40))))
N_ROWS = 20_000


@pytest.fixture(autouse=True)
def one_thread():
    n_threads_before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads_before)


@pytest.mark.parametrize("layout", [Layout(64), MIXED], ids=["numbers", "mixed"])
@pytest.mark.parametrize(("n_models", "n_rows"), [(1, 128), (1, 389), (9, 380)])
def test_training_steps(benchmark, n_models, n_rows, layout):
    rng = np.random.default_rng(0)
    generators = [torch.Generator().manual_seed(number) for number in range(n_models)]
    vaes = StackedVAE(n_models, layout, (32,), 4, "relu").initialize(generators)
    rows = DenseRows((rng.random((n_rows, layout.width)) < 0.5).astype(np.float32))
    classes = [
        ClassRows(number, SmoothedRows.fit(rows, layout, 1, "cpu"), generator)
        for number, generator in enumerate(generators)
    ]
    settings = TrainingSettings(
        max_iter=N_STEPS, learning_rate_init=0.01, batch_size=n_rows, beta=1, alpha=1e-4
    )
    benchmark(train, vaes, classes, settings)


def write_by_hand(vaes, rows, noise):
    gradient = VAEGradient(vaes, rows.shape[1], beta=1.0)
    targets = gradient.head.targets(rows)
    bound = EvidenceBound(*rows.new_zeros(2, len(rows)))

    def step():
        with torch.inference_mode():
            gradient.write(targets, noise, bound)

    return step


def take_autograds(vaes, rows, noise):
    def step():
        bound = vaes.evidence_bound(rows, noise)
        (bound.reconstruction + bound.kl).mean(dim=1).sum().backward()

    return step


ORDERED = Layout(10, 0, (Part("ordinal", (1,) * 10, ((-1.0, 0.0, 1.0),) * 10),))


@pytest.mark.parametrize(
    "layout", [Layout(64), MIXED, ORDERED], ids=["numbers", "mixed", "ordered"]
)
@pytest.mark.parametrize("n_models", [1, 9])
@pytest.mark.parametrize("way", [write_by_hand, take_autograds])
def test_gradient(benchmark, way, n_models, layout):
    """Each table that is printed has the ratio of both ways in parentheses."""
    benchmark.group = f"gradient of {n_models} models of {layout.width} slots"
    generators = [torch.Generator().manual_seed(number) for number in range(n_models)]
    vaes = StackedVAE(n_models, layout, (32,), 4, "relu").initialize(generators)
    FlatParameters(vaes)  # in which the parameters have gradients
    rows = (torch.rand(n_models, 128, layout.width, generator=generators[0]) < 0.5).float()
    benchmark(way(vaes, rows, torch.randn(n_models, 128, 4, generator=generators[0])))


def make_table(kind):
    rng = np.random.default_rng(0)
    y = (rng.random(N_ROWS) < 0.1).astype(int)
    X = rng.normal(size=(N_ROWS, 30)) + y[:, None]
    if kind == "numbers":
        return X, y
    frame = pd.DataFrame(X).add_prefix("column ")
    for number in range(0, 30, 3):
        frame[f"column {number}"] = pd.cut(X[:, number], 8).astype(str)
    frame["column 1"] = frame["column 1"].round(1).where(rng.random(N_ROWS) < 0.8)
    frame["column 2"] = frame["column 2"].clip(lower=0)
    return frame, y


@pytest.fixture(params=["numbers", "mixed"])
def large_table(request):
    return make_table(request.param)


def read_and_encode(X, y):
    schema, cells = read_cells(Container.of(X), "auto")
    encoder = TableEncoder.of(schema)
    support = Support.of(schema, cells, np.flatnonzero(y == 1))
    return encoder, support, encoder.rows(cells)


def test_encode(benchmark, large_table):
    benchmark(read_and_encode, *large_table)


def test_decode(benchmark, large_table):
    encoder, support, rows = read_and_encode(*large_table)
    encoded = rows.take(np.arange(N_ROWS))
    benchmark(encoder.decode, encoded, support, np.random.default_rng(0))


@pytest.mark.parametrize("strength", [0.0, 3.0], ids=["all kept", "some rejected"])
def test_draw(benchmark, large_table, strength):
    sampler = VAEOversampler(
        max_iter=100, pretrain_iter=100, rejection_strength=strength, random_state=0
    )
    sampler.fit(*large_table)
    benchmark(sampler.sample, 1, N_ROWS, random_state=0)


@pytest.fixture
def rows():
    X, y = make_table("numbers")
    return X[y == 1].astype(np.float32), X[y == 0].astype(np.float32)


def fit_neighbors(own, others):
    return NeighborCritic().fit(DenseRows(own), DenseRows(others), Seeds(0).stream())


def fit_network(own, others):
    return NetworkCritic().fit(DenseRows(own), DenseRows(others), Seeds(0).stream())


@pytest.mark.parametrize("fit", [fit_neighbors, fit_network])
def test_fit_critic(benchmark, rows, fit):
    benchmark(fit, *rows)


@pytest.mark.parametrize("fit", [fit_neighbors, fit_network])
def test_judge(benchmark, rows, fit):
    own, others = rows
    critic = fit(own, others)
    benchmark(critic.judge, Candidates(own.copy(), np.arange(len(own))))
