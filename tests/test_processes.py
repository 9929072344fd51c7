"""Rows are the same in every process, thread and environment, and nothing hangs."""

import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
from conftest import quick
from joblib import Parallel, delayed
from rows_anywhere import digest, make_table_with_ties

HERE = Path(__file__).parent
PREAMBLE = f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
SECONDS = 120
needs_fork = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"),
    reason="Windows cannot fork, and on macOS system libraries fail in forked processes",
)


def output_of(script, **environment):
    """Run a script in a new process; fail if it hangs."""
    finished = subprocess.run(
        [sys.executable, "-c", PREAMBLE + script],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**os.environ, **environment},
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.split()


@pytest.fixture(scope="module")
def expected():
    return digest()


PRINTS = "from rows_anywhere import digest; print(digest())"


@pytest.mark.parametrize(
    ("script", "n_threads"),
    [
        (PRINTS, "4"),
        ("import torch; torch.set_num_threads(3)\n" + PRINTS, "2"),
    ],
    ids=["scikit-learn first", "torch first"],
)
def test_rows_depend_on_neither_numbers_of_threads_nor_the_order_of_imports(
    script, n_threads, expected
):
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    assert output_of(script, **dict.fromkeys(names, n_threads)) == [expected]


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_rows_are_the_same_in_workers_of_joblib(backend, expected):
    workers = Parallel(n_jobs=2, backend=backend)
    assert workers(delayed(digest)() for _ in range(3)) == [expected] * 3


IN_CHILDREN = """
import multiprocessing
from conftest import quick
from rows_anywhere import digest, make_table_with_ties

def draw_unseeded(_):
    return hash(sampler.sample(1, 20).tobytes())

if __name__ == "__main__":
    sampler = quick(max_iter=20).fit(*make_table_with_ties())
    print(digest())
    for method in ("fork", "forkserver", "spawn"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            print(*pool.starmap(digest, [()] * 2))
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(*pool.map(draw_unseeded, range(3), chunksize=1))
"""


@pytest.fixture(scope="module")
def printed_by_children():
    return output_of(IN_CHILDREN, OMP_NUM_THREADS="2", PYTHONHASHSEED="0")


@needs_fork
def test_children_of_a_process_that_has_fitted_fit_alike_and_do_not_hang(
    printed_by_children, expected
):
    assert printed_by_children[:-3] == [expected] * 7


@needs_fork
def test_forked_workers_draw_other_rows_than_each_other(printed_by_children):
    assert len(set(printed_by_children[-3:])) == 3


def test_a_sampler_without_a_seed_draws_other_rows_in_every_worker_and_thread():
    X, y = make_table_with_ties()
    sampler = quick(max_iter=20).fit(X, y)
    draw = delayed(draw_unseeded)
    here = [draw_unseeded(sampler) for _ in range(2)]
    in_processes = Parallel(n_jobs=2)(draw(sampler) for _ in range(4))
    in_threads = Parallel(n_jobs=2, backend="threading")(draw(sampler) for _ in range(4))
    copies = [draw_unseeded(copy) for copy in (deepcopy(sampler), deepcopy(sampler))]
    every = [*here, *in_processes, *in_threads, *copies]
    assert len(set(every)) == len(every)
    again = quick(max_iter=20).fit(X, y)
    assert [draw_unseeded(again) for _ in range(2)] == here


def draw_unseeded(sampler):
    return sampler.sample(1, 20).tobytes()
