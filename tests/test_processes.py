"""Rows are the same in every process, thread and environment, and nothing hangs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from joblib import Parallel, delayed
from rows_anywhere import digest

HERE = Path(__file__).parent
PREAMBLE = f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
SECONDS = 120


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
        (PRINTS, "1"),
        (PRINTS, "4"),
        ("import torch\n" + PRINTS, "2"),
        ("import sklearn.neighbors, torch; torch.set_num_threads(3)\n" + PRINTS, "2"),
    ],
    ids=["one thread", "four threads", "torch imported first", "scikit-learn first"],
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


IN_PROCESSES = """
import multiprocessing
from rows_anywhere import digest

if __name__ == "__main__":
    print(digest())
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        print(*pool.starmap(digest, [()] * 2))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_children_of_a_process_that_has_fitted_fit_alike_and_do_not_hang(method, expected):
    found = output_of(IN_PROCESSES.format(method=method), OMP_NUM_THREADS="2")
    assert found == [expected] * 3
