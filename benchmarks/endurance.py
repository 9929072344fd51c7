"""Does it hold? Fits without end, in threads, interrupted, and of a million rows.

    python benchmarks/endurance.py                   # about eight minutes
    python benchmarks/endurance.py --parts memory    # some of it

Prints, of 1,000 fits in one process, how much memory grows after the first 50 and how the
time changes; of 64 fits in 8 threads, how many have the rows of a serial fit; of 200 fits that
are interrupted at random moments, how many leave a state that is not as before; and by how
much a million rows of 30 columns make memory grow, compared with the table and the result.
"""

import argparse
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import psutil
import torch

from vaesampler import VAEOversampler

N_FITS, N_FIRST = 1_000, 50
N_IN_THREADS, N_THREADS = 64, 8
N_INTERRUPTS = 200
N_LARGE, N_COLUMNS, N_CATEGORICAL = 1_000_000, 30, 4
MIB = 2**20


def make_table(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 300 rows of numbers and categories as numbers, of two classes."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=(300, 5)), rng.integers(4, size=(300, 3))])
    return X, np.arange(300) % 10 == 0


def rows(seed: int) -> bytes:
    """Fit, resample, and return the bits of the result."""
    X, y = make_table(seed)
    sampler = VAEOversampler(max_iter=60, pretrain_iter=40, random_state=seed)
    return sampler.fit_resample(X, y)[0].tobytes()


def measure_growth() -> None:
    process = psutil.Process()
    memory, seconds = [], []
    for seed in range(N_FITS):
        start = time.perf_counter()
        rows(seed)
        seconds.append(time.perf_counter() - start)
        memory.append(process.memory_info().rss / MIB)
    first, last = (np.median(seconds[part]) for part in (slice(50, 150), slice(-100, None)))
    print(
        f"{N_FITS} fits: {memory[-1] - memory[N_FIRST]:+.1f} MiB after the first {N_FIRST}; "
        f"the last 100 take {last / first:.2f} times as long as the first"
    )


def compare_threads() -> None:
    expected = [rows(seed) for seed in range(N_IN_THREADS)]
    with ThreadPoolExecutor(N_THREADS) as pool:
        found = list(pool.map(rows, range(N_IN_THREADS)))
    n_equal = sum(map(bytes.__eq__, found, expected))
    print(f"{N_IN_THREADS} fits in {N_THREADS} threads: {n_equal} equal to the serial ones")


def interrupt_at_random() -> None:
    random.seed(0)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    X, y = make_table(0)
    sampler = VAEOversampler(max_iter=60, pretrain_iter=40, random_state=0).fit(X, y)
    expected = sampler.sample(True, 20, random_state=1).tobytes()
    threads, n_interrupted, n_bad = torch.get_num_threads(), 0, 0
    for _ in range(N_INTERRUPTS):
        before = dict(vars(sampler))
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.001, 0.15))
        try:
            sampler.fit_resample(X, y)
        except KeyboardInterrupt:
            n_interrupted += 1
            now = vars(sampler)
            n_bad += {*now} != {*before} or any(now[key] is not before[key] for key in now)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        n_bad += torch.get_num_threads() != threads
        n_bad += sampler.sample(True, 20, random_state=1).tobytes() != expected
    print(f"{n_interrupted} of {N_INTERRUPTS} fits interrupted: {n_bad} bad states")


def measure_memory() -> None:
    """Print the growth of memory in processes of their own; on Linux only."""
    for container in CONTAINERS:
        for share in (0.01, 0.2):
            code = f"import endurance; endurance.print_growth_of({container!r}, {share})"
            subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)


def as_pandas(X: np.ndarray) -> pd.DataFrame:
    """Return a frame whose first columns are categories."""
    words = np.array([f"level {code}" for code in range(10)])
    codes = np.clip(2 * X[:, :N_CATEGORICAL] + 5, 0, 9).astype(np.int8)
    categories = [pd.Categorical.from_codes(column, words) for column in codes.T]
    frame = pd.DataFrame({f"x{index}": column for index, column in enumerate(X.T)})
    return frame.assign(**{f"x{index}": column for index, column in enumerate(categories)})


CONTAINERS = {
    "array": lambda X: X,
    "pandas": as_pandas,
    "polars": lambda X: pl.from_pandas(as_pandas(X)),
}
SIZES = {
    np.ndarray: lambda table: table.nbytes,
    pd.DataFrame: lambda table: table.memory_usage(deep=True).sum(),
    pl.DataFrame: lambda table: table.estimated_size(),
}


def print_growth_of(container: str, share: float) -> None:
    """Print the peak of memory above what imports take, with the table and the result."""
    rng, make = np.random.default_rng(0), CONTAINERS[container]
    sampler = VAEOversampler(random_state=0)
    sampler.fit_resample(make(rng.normal(size=(300, N_COLUMNS))), np.arange(300) % 9 == 0)
    before = psutil.Process().memory_info().rss
    X = rng.normal(size=(N_LARGE, N_COLUMNS))
    y = (rng.random(N_LARGE) < share).astype(int)
    X[:, 1::2] += 2 * X[:, ::2]
    X[y == 1, :8] += 1
    X = make(X)
    reset_peak()
    start = time.perf_counter()
    X_resampled, _ = sampler.fit_resample(X, y)
    seconds = time.perf_counter() - start
    size, of_result = (SIZES[type(table)](table) for table in (X, X_resampled))
    growth = peak_memory() - before
    print(
        f"{N_LARGE:,} x {N_COLUMNS}, {container}, {share:.0%} rare: {size / MIB:.0f} MiB, "
        f"result {of_result / MIB:.0f} MiB; memory grows by {growth / MIB:.0f} MiB, "
        f"{growth / (size + of_result):.2f} times both; {seconds:.1f} s"
    )


def reset_peak() -> None:
    """Let Linux measure the peak of memory from here."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """Return the peak of memory in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


PARTS = {
    "growth": measure_growth,
    "threads": compare_threads,
    "interrupts": interrupt_at_random,
    "memory": measure_memory,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default=",".join(PARTS), help="with commas")
    for part in parser.parse_args().parts.split(","):
        PARTS[part]()
