"""How it scales through dask: time by rows, memory by process, and the overhead.

    python benchmarks/scale.py                                  # about an hour
    python benchmarks/scale.py --parts overhead,tables          # some of it
    python benchmarks/scale.py --parts sizes --sizes 1,5        # in millions of rows

Tables have 26 columns of numbers and 4 of categories, and one row in a hundred is rare. They
are written to Parquet under --folder, read from there, and written there again, balanced. A
cluster of one process for each core works, of one thread each. Nothing else should run
meanwhile.
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import tempfile
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import psutil
from distributed import Client, LocalCluster
from imblearn.over_sampling import SMOTENC
from quality import to_markdown
from tables import load_mixed_table, load_numeric_table

from vaesampler import VAEOversampler

ROWS_BY_FILE = 500_000
N_NUMBERS, CATEGORIES = 26, ("plan", "region", "channel", "device")
N_LEVELS = 12
RARE_SHARE = 0.01
MILLION = 1_000_000
# Seconds and bytes after which SMOTENC is given up.
PATIENCE, MOST_MEMORY = 1_800, 16 * 2**30
NUMERIC_TABLES = ("segment0", "yeast4", "winequality-red-4")
MIXED_TABLES = ("abalone9-18", "german-credit")


class Run(NamedTuple):
    """One table, resampled."""

    rows: int
    method: str
    seconds: float
    seconds_by_million: float  # rows of the input
    rows_written: int
    most_memory: float  # MB, of any process


def make_part(index: int, n_rows: int) -> pd.DataFrame:
    """Return some rows of the table."""
    rng = np.random.default_rng(index)
    is_rare = rng.random(n_rows) < RARE_SHARE
    factors = rng.standard_normal((n_rows, 4)) + is_rare[:, None] * [1.0, -0.5, 0.0, 0.5]
    loadings = np.random.default_rng(0).standard_normal((4, N_NUMBERS)) / 2
    numbers = factors @ loadings + rng.standard_normal((n_rows, N_NUMBERS))
    numbers[:, :6] = np.exp(numbers[:, :6])  # amounts
    numbers[:, 6:10] = np.round(numbers[:, 6:10] * 10)  # counts
    frame = pd.DataFrame(numbers, columns=[f"number {i}" for i in range(N_NUMBERS)])
    for position, name in enumerate(CATEGORIES):
        levels = np.clip(np.round(2 * factors[:, position] + N_LEVELS / 2), 0, N_LEVELS - 1)
        names = np.array([f"{name} {level}" for level in range(N_LEVELS)], dtype=object)
        frame[name] = names[levels.astype(int)]
    frame["is_rare"] = is_rare
    return frame


def write_table(folder: Path, n_rows: int) -> None:
    """Write the table to Parquet, file by file."""
    folder.mkdir(parents=True)
    for index, start in enumerate(range(0, n_rows, ROWS_BY_FILE)):
        part = make_part(index, min(ROWS_BY_FILE, n_rows - start))
        part.to_parquet(folder / f"part.{index:04}.parquet", index=False)


class MemoryWatch(threading.Thread):
    """The largest resident memory of any of some processes, in MB, while it runs."""

    def __init__(self, pids: list[int]) -> None:
        super().__init__(daemon=True)
        self.processes = [psutil.Process(pid) for pid in pids]
        self.most = 0.0
        self.is_over = threading.Event()

    def run(self) -> None:
        """Look every 50 ms."""
        while not self.is_over.wait(0.05):
            for process in self.processes:
                if process.is_running():
                    self.most = max(self.most, process.memory_info().rss / 1e6)

    def __enter__(self) -> "MemoryWatch":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.join()


def start_cluster() -> Client:
    """Start a process of one thread for each core."""
    cluster = LocalCluster(
        n_workers=os.cpu_count(), threads_per_worker=1, dashboard_address=None
    )
    return Client(cluster)


def resample_files(source: Path, target: Path) -> int:
    """Balance a table of files; return the number of rows that are written."""
    table = dd.read_parquet(source)
    X, y = table.drop(columns="is_rare"), table["is_rare"]
    X_new, y_new = VAEOversampler(random_state=0).fit_resample(X, y)
    X_new.assign(is_rare=y_new).to_parquet(target, write_index=False)
    return sum(
        pd.read_parquet(file, columns=["is_rare"]).shape[0] for file in target.glob("*.parquet")
    )


def run_dask(folder: Path, n_rows: int) -> Run:
    """Resample a table through dask."""
    source, target = folder / f"{n_rows}", folder / f"{n_rows}-balanced"
    if not source.exists():
        write_table(source, n_rows)
    with start_cluster() as client:
        pids = [os.getpid(), *client.run(os.getpid).values()]
        with MemoryWatch(pids) as watch:
            start = time.perf_counter()
            n_written = resample_files(source, target)
            seconds = time.perf_counter() - start
        client.cluster.close()
    shutil.rmtree(target)
    return Run(
        n_rows, "vaesampler, dask", seconds, seconds / n_rows * MILLION, n_written, watch.most
    )


def resample_in_memory(source: Path, target: Path, method: str) -> int:
    """Balance a table of files in memory."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    table = pd.read_parquet(source)
    X, y = table.drop(columns="is_rare"), table["is_rare"]
    sampler = VAEOversampler(random_state=0)
    if method == "SMOTENC":
        sampler = SMOTENC(list(CATEGORIES), random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    target.mkdir()
    X_new.assign(is_rare=y_new).to_parquet(target / "part.parquet", index=False)
    return len(X_new)


def run_in_memory(folder: Path, n_rows: int, method: str) -> Run:
    """Resample a table in a process of its own, which is given up after a while."""
    source, target = folder / f"{n_rows}", folder / f"{n_rows}-{method}"
    if not source.exists():
        write_table(source, n_rows)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pid = pool.submit(os.getpid).result()
        with MemoryWatch([pid]) as watch:
            start = time.perf_counter()
            future = pool.submit(resample_in_memory, source, target, method)
            try:
                n_written = future.result(timeout=PATIENCE)
            except Exception as error:
                warnings.warn(f"{method} of {n_rows:,} rows: {error!r}", stacklevel=1)
                n_written = 0
                psutil.Process(pid).kill()
            seconds = time.perf_counter() - start
    shutil.rmtree(target, ignore_errors=True)
    return Run(n_rows, method, seconds, seconds / n_rows * MILLION, n_written, watch.most)


def measure_sizes(folder: Path, sizes: list[float]) -> pd.DataFrame:
    """Resample tables of growing sizes, and try SMOTENC on each until it fails."""
    runs, smotenc_works = [], True
    for millions in sizes:
        n_rows = round(millions * MILLION)
        runs.append(run_dask(folder, n_rows))
        print(runs[-1], flush=True)
        if smotenc_works:
            runs.append(run_in_memory(folder, n_rows, "SMOTENC"))
            print(runs[-1], flush=True)
            smotenc_works = runs[-1].rows_written > 0
    return pd.DataFrame(runs).set_index(["rows", "method"])


def measure_overhead(folder: Path, n_rounds: int = 3) -> pd.DataFrame:
    """Compare dask with memory on a million rows, in turn."""
    runs = [
        run
        for _ in range(n_rounds)
        for run in (run_dask(folder, MILLION), run_in_memory(folder, MILLION, "in memory"))
    ]
    medians = pd.DataFrame(runs).groupby("method").median()
    print("ratio", medians["seconds"]["vaesampler, dask"] / medians["seconds"]["in memory"])
    return medians


def measure_tables() -> pd.DataFrame:
    """Return for real tables whether partitions give the schema and the rows of memory."""
    found = []
    numeric = map(load_numeric_table, NUMERIC_TABLES)
    tables = {table.name: (table.X, table.y) for table in numeric}
    tables |= {name: load_mixed_table(name) for name in MIXED_TABLES}
    for name, (X, y) in tables.items():
        frame, labels = pd.DataFrame(X).rename(columns=str), pd.Series(y, name="target")
        for npartitions in (1, 4, 16):
            dX = dd.from_pandas(frame, npartitions=npartitions)
            dy = dd.from_pandas(labels, npartitions=npartitions)
            X_memory, y_memory = dX.compute(), dy.compute()
            memory, partitions = (VAEOversampler(random_state=0) for _ in range(2))
            expected, _ = memory.fit_resample(X_memory, y_memory)
            drawn, _ = partitions.fit_resample(dX, dy)
            found.append(
                {
                    "table": name,
                    "partitions": npartitions,
                    "same schema": str(memory.schema_) == str(partitions.schema_),
                    "same rows": drawn.compute().reset_index(drop=True).equals(expected),
                }
            )
    return pd.DataFrame(found).set_index(["table", "partitions"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default="tables,overhead,sizes", help="with commas")
    parser.add_argument("--sizes", default="1,5,20", help="millions of rows, with commas")
    parser.add_argument("--folder", type=Path, help="where tables are written; kept if given")
    options = parser.parse_args()
    chosen = options.parts.split(",")
    folder = options.folder or Path(tempfile.mkdtemp())
    dask.config.set({"distributed.worker.memory.terminate": False})
    try:
        if "tables" in chosen:
            print(to_markdown(measure_tables()))
        if "overhead" in chosen:
            print(to_markdown(measure_overhead(folder).round(1)))
        if "sizes" in chosen:
            sizes = [float(size) for size in options.sizes.split(",")]
            print(to_markdown(measure_sizes(folder, sizes).round(1)))
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
