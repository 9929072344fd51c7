"""Seeds decide everything, and nothing global is touched."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import numpy as np
import pytest
import torch
from conftest import make_table, quick
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import vaesampler._generation.generator as generator_module
from vaesampler import LatentSampler, PosteriorSampling, PriorSampling
from vaesampler._generation.generator import DrawRequest
from vaesampler._runtime.noise import (
    MOST_ROWS_BY_SAMPLE_TO_SHUFFLE,
    MOST_ROWS_TO_SHUFFLE_AT_ONCE,
    choose_rows,
)
from vaesampler._runtime.seeds import Seeds
from vaesampler.exceptions import TrainingDivergedError


def test_equal_seeds_give_bit_equal_rows_in_one_process(table):
    assert_array_equal(quick().fit_resample(*table)[0], quick().fit_resample(*table)[0])


def test_other_seeds_give_other_rows(table):
    n = len(table[0])
    rows = [quick(random_state=seed).fit_resample(*table)[0][n:] for seed in range(3)]
    assert not np.array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[1], rows[2])


def test_no_seed_gives_other_rows_at_each_call(table):
    sampler = quick(random_state=None)
    assert not np.array_equal(sampler.fit_resample(*table)[0], sampler.fit_resample(*table)[0])


def test_a_random_state_instance_moves_on_at_each_fit(table):
    sampler = quick(random_state=np.random.RandomState(0))
    first, second = sampler.fit_resample(*table)[0], sampler.fit_resample(*table)[0]
    assert not np.array_equal(first, second)
    again = quick(random_state=np.random.RandomState(0)).fit_resample(*table)[0]
    assert_array_equal(first, again)


@pytest.mark.parametrize("random_state", [0, None])
@pytest.mark.parametrize("latent_sampling", ["prior", "posterior", "interpolate", "denoise"])
def test_global_generators_and_threads_are_left_as_they_were(random_state, latent_sampling):
    X, y = make_table()
    numpy_before, torch_before = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    threads_before = torch.get_num_threads()
    sampler = quick(random_state=random_state, latent_sampling=latent_sampling)
    sampler.fit_resample(X, y)
    sampler.sample(1, 3)
    for before, after in zip(numpy_before, np.random.get_state(), strict=True):  # noqa: NPY002
        assert_array_equal(before, after)
    assert torch.equal(torch_before, torch.get_rng_state())
    assert torch.get_num_threads() == threads_before


SETTINGS = {
    "bfloat16 by default": (torch.set_default_dtype, torch.bfloat16, torch.float32),
    "float16 by default": (torch.set_default_dtype, torch.float16, torch.float32),
    "float64 by default": (torch.set_default_dtype, torch.float64, torch.float32),
    # "meta" stands in for "cuda": tensors without values.
    "another device by default": (torch.set_default_device, "meta", None),
    "products in bfloat16": (torch.set_float32_matmul_precision, "medium", "highest"),
    "deterministic algorithms": (torch.use_deterministic_algorithms, True, False),
    "no gradients": (torch.set_grad_enabled, False, True),
    "denormals are zero": (torch.set_flush_denormal, True, False),
    "anomalies are detected": (torch.autograd.set_detect_anomaly, True, False),
}


@pytest.fixture(
    scope="module",
    params=[({0: 40, 1: 12, 2: 8}, {"early_stopping": True}), ({0: 10_000, 1: 200}, {})],
    ids=["early stopping", "a large table"],
)
def resample_and_rows(request):
    """Return how to resample a table, and the rows without any settings."""
    counts, parameters = request.param
    table = make_table(counts)

    def resample():
        return quick(**parameters).fit_resample(*table)[0]

    return resample, resample()


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("setting", SETTINGS)
def test_what_the_user_set_in_torch_changes_nothing_and_stays(setting, resample_and_rows):
    resample, expected = resample_and_rows
    change, value, usual = SETTINGS[setting]
    change(value)
    try:
        rows = resample()
        found = torch.get_default_dtype(), torch.get_float32_matmul_precision()
        assert value in found or value not in (torch.bfloat16, torch.float16, "medium")
    finally:
        change(usual)
    assert_array_equal(rows, expected)


@pytest.mark.parametrize("parameters", [{}, {"critic": "network"}, {"early_stopping": True}])
def test_autocast_around_the_calls_changes_nothing(parameters):
    table = make_table({0: 10_000, 1: 200}, seed=1)

    def results():
        sampler = quick(**parameters)
        rows = sampler.fit_resample(*table)[0]
        return rows, sampler.sample(1, 5_000), sampler.encode(1, table[0][:20])

    expected = results()
    for dtype in (torch.bfloat16, torch.float16):
        with torch.autocast("cpu", dtype=dtype):
            found = results()
            assert torch.is_autocast_enabled("cpu")
        for one, other in zip(expected, found, strict=True):
            assert_array_equal(one, other)


def test_samplers_fitted_side_by_side_in_threads_do_not_feel_each_other(table):
    def rows(seed):
        return quick(random_state=seed).fit_resample(*table)[0]

    with ThreadPoolExecutor(max_workers=2) as pool:
        side_by_side = list(pool.map(rows, range(4)))
    assert_array_equal(side_by_side, [rows(seed) for seed in range(4)])


@pytest.fixture
def three_threads():
    threads_before = torch.get_num_threads()
    torch.set_num_threads(3)  # where torch starts with one, nothing would be seen to change
    yield
    torch.set_num_threads(threads_before)


@pytest.mark.parametrize("latent_sampling", ["prior", "posterior", "interpolate", "denoise"])
@pytest.mark.parametrize("strength", [0.0, 3.0])
def test_rows_are_the_same_however_many_threads_draw_them(
    latent_sampling, strength, three_threads
):
    X, y = make_table({0: 10_000, 1: 200})
    sampler = quick(latent_sampling=latent_sampling, rejection_strength=strength).fit(X, y)
    drawn = []
    for n_threads in (1, 2, 3):
        torch.set_num_threads(n_threads)
        drawn.append(sampler.sample(1, 40_000, random_state=0))
        assert torch.get_num_threads() == n_threads
    assert_array_equal(drawn[0], drawn[1])
    assert_array_equal(drawn[0], drawn[2])
    assert len(np.unique(drawn[0], axis=0)) > 35_000  # no block repeats another


class FailsAtLast(LatentSampler):
    def __init__(self):
        self.n_calls = 0

    def draw(self, vae, rows, n_samples, generator):
        self.n_calls += 1
        if self.n_calls > 4:
            raise RuntimeError("no more")
        return PriorSampling().draw(vae, rows, n_samples, generator)


def test_an_error_in_a_drawing_thread_reaches_the_caller_and_leaves_the_threads(three_threads):
    X, y = make_table({0: 10_000, 1: 200})
    sampler = quick(latent_sampling=FailsAtLast()).fit(X, y)
    with pytest.raises(RuntimeError, match="no more"):
        sampler.sample(1, 100_000)
    assert torch.get_num_threads() == 3


class Waits(LatentSampler):
    def __init__(self, arrived, let_go):
        self.arrived = arrived
        self.let_go = let_go

    def draw(self, vae, rows, n_samples, generator):
        self.arrived.set()
        self.let_go.wait(timeout=5)
        return PriorSampling().draw(vae, rows, n_samples, generator)


# PyTorch keeps the number for each Python thread apart: both have to get theirs back.
def test_fits_that_overlap_leave_each_its_number_of_threads(table, three_threads):
    first_inside, second_inside, first_done = Event(), Event(), Event()

    def fit_first():
        before = torch.get_num_threads()
        both_ready.wait()
        quick(latent_sampling=Waits(first_inside, second_inside)).fit_resample(*table)
        first_done.set()
        return before, torch.get_num_threads()

    def fit_second():
        before = torch.get_num_threads()
        both_ready.wait()
        first_inside.wait(timeout=5)
        quick(latent_sampling=Waits(second_inside, first_done)).fit_resample(*table)
        return before, torch.get_num_threads()

    both_ready = Barrier(2, timeout=60)
    with ThreadPoolExecutor(max_workers=2) as pool:
        first, second = pool.submit(fit_first), pool.submit(fit_second)
        assert first.result() == (3, 3)
        assert second.result() == (3, 3)
    with ThreadPoolExecutor(max_workers=1) as later:
        assert later.submit(torch.get_num_threads).result() == 3


def test_a_failed_fit_leaves_the_number_of_threads_as_it_was(table, three_threads):
    with pytest.raises(TrainingDivergedError):
        quick(learning_rate_init=1e30).fit_resample(*table)
    assert torch.get_num_threads() == 3


def test_samples_from_a_random_state_instance_move_on(table):
    sampler = quick().fit(*table)

    def two_samples(random_state):
        return [sampler.sample(1, 4, random_state=random_state) for _ in range(2)]

    first, second = two_samples(np.random.RandomState(0))
    assert not np.array_equal(first, second)
    assert_array_equal(two_samples(np.random.RandomState(0)), [first, second])


def test_without_a_seed_two_samplers_draw_different_samples(table):
    first, second = (quick(random_state=None).fit(*table).sample(1, 4) for _ in range(2))
    assert not np.array_equal(first, second)


def test_the_rows_do_not_depend_on_the_number_of_threads():
    table = make_table({0: 400, 1: 200}, n_features=64)
    threads_before = torch.get_num_threads()
    try:
        rows = []
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            rows.append(quick().fit_resample(*table)[0])
    finally:
        torch.set_num_threads(threads_before)
    assert_array_equal(*rows)


def test_streams_of_different_keys_are_independent():
    seeds = Seeds(0)
    keys = [("training", 1), ("training", "1"), ("training", 1.0), ("sample", 1), ("training",)]
    first = [tuple(seeds.numpy(*key).integers(2**32, size=4)) for key in keys]
    assert len(set(first)) == len(keys)
    assert seeds.numpy("a", np.int64(1)).random() == seeds.numpy("a", 1).random()
    assert torch.rand(1, generator=seeds.torch("a")) != torch.rand(
        1, generator=seeds.torch("b")
    )


@pytest.fixture(scope="module", params=[0.0, 4.0], ids=["all kept", "some rejected"])
def fitted(request):
    return quick(rejection_strength=request.param).fit(*make_table({0: 400, 1: 60}))


@given(n_few=st.integers(0, 2_000), n_many=st.integers(0, 2_000), seed=st.integers(0, 1000))
def test_fewer_rows_are_the_first_of_more(fitted, n_few, n_many, seed):
    few, many = (fitted.sample(1, n, random_state=seed) for n in sorted((n_few, n_many)))
    assert_array_equal(few, many[: len(few)])


def cells_of(blocks):
    return np.concatenate([drawn.cells for drawn in blocks])


def test_a_block_is_drawn_alike_without_those_before_it(fitted):
    generator, seeds = fitted._generators[1], Seeds(5)
    request = DrawRequest(PosteriorSampling(), seeds, torch.device("cpu"), ("purpose",))
    backwards = [generator.draw_block(block, request).cells for block in (5, 4, 3, 2, 1, 0)]
    together = np.concatenate(backwards[::-1])
    drawn = cells_of(generator.draw(len(together), request))
    assert_array_equal(drawn, together)
    sizes = [generator._block_size(block) for block in range(100)]
    assert sizes == sorted(sizes)
    assert max(sizes) == generator._largest_block


@pytest.mark.parametrize("n_rows", range(1, MOST_ROWS_TO_SHUFFLE_AT_ONCE + 3))
@pytest.mark.parametrize("n_samples", [1, 5, 64, 1000])
def test_rows_are_chosen_as_by_a_shuffle_of_each_round(n_rows, n_samples):
    one, other = (torch.Generator().manual_seed(n_rows) for _ in range(2))
    chosen = choose_rows(n_rows, n_samples, one)
    if n_rows > MOST_ROWS_BY_SAMPLE_TO_SHUFFLE * n_samples:
        return
    n_rounds = -(-n_samples // n_rows)
    rounds = [torch.randperm(n_rows, generator=other) for _ in range(n_rounds)]
    assert torch.equal(chosen, torch.cat(rounds)[:n_samples])
    assert torch.equal(*(torch.randn(3, generator=generator) for generator in (one, other)))


@pytest.mark.parametrize("n_rows", [0, 1, 39, 40, 41, 100])
def test_chunks_are_drawn_anywhere_and_fewer_rows_are_the_first_of_more(
    n_rows, table, monkeypatch
):
    monkeypatch.setattr(generator_module, "MOST_ROWS_BY_CHUNK", 40)
    generator = quick().fit(*table)._generators[1]
    request = DrawRequest(PosteriorSampling(), Seeds(0), torch.device("cpu"), ("purpose",))
    sizes = generator.chunk_sizes(n_rows)
    assert sum(sizes) == n_rows
    assert all(size == 40 for size in sizes[:-1])
    backwards = [
        cells_of(generator.draw_chunk(chunk, sizes[chunk], request))
        for chunk in reversed(range(len(sizes)))
    ]
    found = np.concatenate([np.empty((0, table[0].shape[1])), *reversed(backwards)])
    assert_array_equal(found, cells_of(generator.draw(100, request))[:n_rows])
    assert len(np.unique(found, axis=0)) == n_rows  # chunks differ
