"""Time and memory of this version of the library, against another one.

    git worktree add ../before COMMIT
    python benchmarks/two_versions.py ../before

Both versions resample the same tables in processes of their own, in turn, so that what else
the machine does weighs on both. Prints the median of the ratios of seconds, this version to the
other one, and the peak memory of a process that resamples a million rows.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tables import load_mixed_table, load_numeric_table, make_large_table, numeric_table_names

from vaesampler import VAEOversampler

HERE = Path(__file__).parent.parent
N_ROUNDS = {"tables": 12, "frames": 12, "rows": 16, "million rows": 8}


def resample(tables) -> Callable[[], None]:
    """Return a function that resamples tables."""

    def work() -> None:
        for X, y in tables:
            VAEOversampler(random_state=0).fit_resample(X, y)

    return work


def make_work(name: str) -> Callable[[], None]:
    """Return what is timed."""
    if name == "tables":
        read = [load_numeric_table(one) for one in numeric_table_names()]
        return resample([(table.X, table.y) for table in read])
    if name == "frames":
        return resample([load_mixed_table(one) for one in numeric_table_names()])
    return resample([make_large_table(1_000_000 if name == "million rows" else 200_000)])


def serve(name: str) -> None:
    """Print the seconds of the work, or the peak memory in MiB, for each line of the input."""
    if name == "memory":
        make_work("million rows")()
        status = Path("/proc/self/status").read_text()
        print(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024, flush=True)
        return
    work = make_work(name)
    work()  # warm up
    for _ in sys.stdin:
        start = time.perf_counter()
        work()
        print(time.perf_counter() - start, flush=True)


def start(version: Path, name: str) -> subprocess.Popen:
    """Start a process that serves the work with a version of the library."""
    environment = {**os.environ, "PYTHONPATH": str(version)}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", __file__, "--serve", name],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def seconds(process: subprocess.Popen) -> float:
    """Ask a process for the seconds of its work."""
    process.stdin.write("\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def compare(other: Path, name: str) -> str:
    """Return a line of the table of results."""
    processes = [start(version, name) for version in (HERE, other)]
    ratios = []
    for turn in range(N_ROUNDS[name]):
        ordered = processes if turn % 2 else processes[::-1]
        times = {process: seconds(process) for process in ordered}
        ratios.append(times[processes[0]] / times[processes[1]])
    for process in processes:
        process.communicate()
    low, median, high = np.quantile(ratios, (0.25, 0.5, 0.75))
    return f"| {name}, seconds | {median:.3f} | {low:.3f} to {high:.3f} |"


def compare_memory(other: Path, n_rounds: int = 3) -> str:
    """Return a line of the table of results."""
    peaks = [
        [float(start(version, "memory").communicate()[0]) for version in (HERE, other)]
        for _ in range(n_rounds)
    ]
    ours, theirs = np.median(peaks, axis=0)
    return f"| a million rows, peak MiB | {ours / theirs:.3f} | {ours:.0f} to {theirs:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", nargs="?", type=Path, help="a checkout of the other version")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    print("| work | this to the other | quartiles, or both |\n|---|---|---|")
    for name in N_ROUNDS:
        print(compare(options.other.resolve(), name), flush=True)
    print(compare_memory(options.other.resolve()))


if __name__ == "__main__":
    main()
