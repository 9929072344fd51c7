"""Does it hold in a long-lived process? Fits without end, in threads, and interrupted.

    python benchmarks/endurance.py                   # about five minutes

Prints, of 1,000 fits in one process, how much memory grows after the first 50 and how the
time changes; of 64 fits in 8 threads, how many have the rows of a serial fit; and of 200
fits that are interrupted at random moments, how many leave a state that is not as before.
"""

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import torch

from vaesampler import VAEOversampler

N_FITS, N_FIRST = 1_000, 50
N_IN_THREADS, N_THREADS = 64, 8
N_INTERRUPTS = 200


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
        memory.append(process.memory_info().rss / 2**20)
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


if __name__ == "__main__":
    measure_growth()
    compare_threads()
    interrupt_at_random()
