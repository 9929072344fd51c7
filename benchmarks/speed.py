"""How fast it is: every figure a ratio of medians, measured in turn on this machine.

    python benchmarks/speed.py                            # everything, about 20 minutes
    python benchmarks/speed.py --parts step,import,grid   # some of it

Nothing else should run meanwhile. Prints Markdown tables with the machine and versions above
them, and writes speed.csv, curve.csv and speed.png (time against rows) under --output.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
import sklearn
import torch
from imblearn.over_sampling import SMOTE, SMOTENC
from imblearn.pipeline import Pipeline, make_pipeline
from quality import to_markdown
from rivals import CTGANPackageSampler, MixedTVAE
from scipy import sparse
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tables import (
    N_FEATURES,
    load_mixed_table,
    load_numeric_table,
    load_optdigits,
    make_large_table,
    numeric_table_names,
)

from vaesampler import VAEOversampler
from vaesampler._encoding.layout import Layout
from vaesampler._encoding.rows import DenseRows
from vaesampler._runtime.settings import TrainingSettings
from vaesampler._training.loop import ClassRows, train
from vaesampler._training.smoothing import SmoothedRows
from vaesampler._vae.model import StackedVAE

mpl.use("Agg")
import matplotlib.pyplot as plt

N_STEPS = 500
ROWS_OF_CURVE = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)


class Measurement(NamedTuple):
    """Two medians, in seconds or MiB, and the ratio that was aimed at."""

    work: str
    against: str
    ours: float
    theirs: float
    ratio: float  # the smaller, the better
    aim: float


def in_turn(
    ours: Callable[[], float], theirs: Callable[[], float], n_rounds: int
) -> tuple[float, float]:
    """Return the medians of two measurements, taken A B A B."""
    pairs = [(ours(), theirs()) for _ in range(n_rounds)]
    first, second = np.median(pairs, axis=0)
    return float(first), float(second)


def seconds(work: Callable[[], object]) -> Callable[[], float]:
    """Make a measurement of something to be done."""

    def measure() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return measure


def processor_seconds(work: Callable[[], object]) -> float:
    """Return the processor time of some work, of all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def resample(sampler, X, y) -> Callable[[], float]:
    """Make a measurement of `fit_resample`."""
    return seconds(lambda: sampler.fit_resample(X, y))


def compare(work, against, ours, theirs, aim, n_rounds=3) -> Measurement:
    """Measure two things in turn."""
    first, second = in_turn(ours, theirs, n_rounds)
    return Measurement(work, against, first, second, first / second, aim)


def measure_step():
    """Time training, and the matrix products that it cannot do without, in one thread."""
    n_threads_before = torch.get_num_threads()
    torch.set_num_threads(1)
    for n_models, n_rows, aim in ((9, 380, 1.6), (1, 389, 2.5)):
        yield compare(
            f"a training step of {n_models} stacked 64-32-4 VAEs, batches of {n_rows}",
            "its bare matrix products",
            lambda n_models=n_models, n_rows=n_rows: time_step(n_models, n_rows),
            lambda n_models=n_models, n_rows=n_rows: time_products(n_models, n_rows),
            aim,
            n_rounds=7,
        )
    torch.set_num_threads(n_threads_before)


def time_step(n_models: int, n_rows: int) -> float:
    """Return seconds a step, with its rows, noise, gradient and Adam."""
    rng = np.random.default_rng(0)
    layout = Layout(64)
    generators = [torch.Generator().manual_seed(number) for number in range(n_models)]
    vaes = StackedVAE(n_models, layout, (32,), 4, "relu").initialize(generators)
    classes = []
    for number, generator in enumerate(generators):
        rows = DenseRows(rng.normal(size=(n_rows, 64)).astype(np.float32))
        classes.append(ClassRows(number, SmoothedRows.fit(rows, layout, 1, "cpu"), generator))
    settings = TrainingSettings(
        max_iter=N_STEPS, learning_rate_init=0.01, batch_size=n_rows, beta=1, alpha=1e-4
    )
    return seconds(lambda: train(vaes, classes, settings))() / N_STEPS


def time_products(n_models: int, n_rows: int) -> float:
    """Return seconds for the 4 products forward and the 7 backward."""
    widths = (64, 32, 8, 4, 32, 64)
    rows = {width: torch.randn(n_models, n_rows, width) for width in set(widths)}
    layers = [(64, 32), (32, 8), (4, 32), (32, 64)]
    weights = [torch.randn(n_models, *layer) for layer in layers]

    def multiply() -> None:
        for (n_inputs, n_outputs), weight in zip(layers, weights, strict=True):
            torch.bmm(rows[n_inputs], weight)
            torch.bmm(rows[n_inputs].transpose(1, 2), rows[n_outputs])
            if n_inputs != 64:  # no gradient is needed at the data
                torch.bmm(rows[n_outputs], weight.transpose(1, 2))

    with torch.no_grad():
        return seconds(lambda: [multiply() for _ in range(N_STEPS)])() / N_STEPS


def measure_ones():
    """Time fitting to the ones of the digits, and drawing as many."""
    X, y, _, _ = load_optdigits()
    n_ones = int((y == 1).sum())
    strategy = {1: 2 * n_ones}
    ours = VAEOversampler(sampling_strategy=strategy, random_state=0)
    theirs = CTGANPackageSampler("TVAE", sampling_strategy=strategy, random_state=0)
    work = f"fit on the {n_ones} ones and draw {n_ones}"
    yield compare(work, "TVAE", resample(ours, X, y), resample(theirs, X, y), 1 / 30)


def measure_tables():
    """Time `fit_resample` on all small tables of numbers."""
    tables = [load_numeric_table(name) for name in numeric_table_names()]

    def over_tables(sampler) -> Callable[[], float]:
        return seconds(lambda: [sampler.fit_resample(table.X, table.y) for table in tables])

    ours = over_tables(VAEOversampler(random_state=0))
    theirs = over_tables(CTGANPackageSampler("TVAE", random_state=0))
    work = f"fit_resample on {len(tables)} small tables"
    yield compare(work, "TVAE", ours, theirs, 1 / 15, n_rounds=1)


def measure_census():
    """Time the complete rows of census-income."""
    X, y = load_mixed_table("census-income")
    is_complete = X.notna().all(axis=1)
    X, y = X[is_complete].reset_index(drop=True), pd.Series(y[is_complete.to_numpy()])
    categorical = list(X.columns[X.dtypes == "category"])
    ours = resample(VAEOversampler(random_state=0), X, y)
    work = f"census-income, {len(X):,} rows"
    smotenc = resample(SMOTENC(categorical, random_state=0), X, y)
    yield compare(work, "SMOTENC", ours, smotenc, 1 / 3)
    yield compare(work, "TVAE", ours, resample(MixedTVAE(0), X, y), 1 / 30, n_rounds=1)


def measure_rows():
    """Time large tables of numbers against SMOTE."""
    for n_rows, aim in ((200_000, 1), (1_000_000, 0.1)):
        X, y = make_large_table(n_rows)
        yield compare(
            f"{n_rows:,} x {N_FEATURES}, {int(y.sum()):,} of the minority",
            "SMOTE",
            resample(VAEOversampler(random_state=0), X, y),
            resample(SMOTE(random_state=0), X, y),
            aim,
        )


def measure_sizes():
    """Time tables of many classes, many columns and many levels beside a limit in seconds."""
    rng = np.random.default_rng(0)
    categories = pd.DataFrame(
        {
            f"column {index}": rng.choice([f"level {k}" for k in range(30)], 1_000)
            for index in range(300)
        }
    )
    counts = sparse.random(300, 3_000, density=0.02, random_state=0, format="csr")
    counts.data = np.ceil(3 * counts.data)
    tables = {
        "1,000 classes of 3 rows": (*numbers_of_classes(1_000, 3, 5, rng), 5),
        "200 classes of 20 rows, 100 columns": (*numbers_of_classes(200, 20, 100, rng), 8),
        "300 columns of 30 levels": (categories, np.arange(1_000) < 200, 5),
        "3,000 columns of counts, sparse": (counts, np.arange(300) < 60, 6),
    }
    for name, (X, y, limit) in tables.items():
        ours = resample(VAEOversampler(random_state=0), X, y)
        yield compare(name, "limit", ours, lambda limit=limit: limit, 1)


def numbers_of_classes(n_classes, n_rows, n_columns, rng):
    """Return random numbers of classes of `n_rows` rows, and one of twice as many or 10."""
    y = np.append(np.repeat(np.arange(n_classes), n_rows), [n_classes] * max(10, 2 * n_rows))
    return rng.normal(size=(len(y), n_columns)), y


def measure_memory():
    """Compare the peak memory of processes that resample a million rows."""
    yield compare(
        f"1,000,000 x {N_FEATURES}, peak memory in MiB",
        "SMOTE",
        lambda: peak_memory("vaesampler", "VAEOversampler"),
        lambda: peak_memory("imblearn.over_sampling", "SMOTE"),
        1,
        n_rounds=1,
    )


def peak_memory(module: str, name: str) -> float:
    """Return MiB, all of the process: imports, input and output included; on Linux only.

    `getrusage` would tell the peak of this process, which the new one inherits.
    """
    code = f"""
import re
import numpy as np
from {module} import {name}
rng = np.random.default_rng(0)
X = rng.standard_normal((1_000_000, {N_FEATURES}))
y = (rng.random(1_000_000) < 0.104).astype(int)
X[:, :3] += y[:, None]
{name}(random_state=0).fit_resample(X, y)
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024)
"""
    return float(subprocess.check_output([sys.executable, "-c", code]))


def measure_sample():
    """Time drawing a million rows against writing as many random numbers."""
    X, y = make_large_table(20_000)
    sampler = VAEOversampler(random_state=0).fit(X, y)
    n_rows = 1_000_000
    rng = np.random.default_rng(0)
    yield compare(
        f"sample {n_rows:,} rows of {N_FEATURES} columns",
        "numpy normal draws",
        seconds(lambda: sampler.sample(1, n_rows)),
        seconds(lambda: rng.standard_normal((n_rows, N_FEATURES))),
        4,
    )


def measure_import():
    """Time importing, each in a process of its own."""

    def process(module: str) -> Callable[[], float]:
        return seconds(lambda: subprocess.run([sys.executable, "-c", f"import {module}"]))

    ours, theirs = process("vaesampler"), process("imblearn.over_sampling")
    yield compare(
        "import vaesampler", "import imblearn.over_sampling", ours, theirs, 1.1, n_rounds=9
    )


def measure_grid():
    """Time a grid search over latent sizes with two processes and with one."""
    X, y = make_large_table(5_000)
    pipeline = make_pipeline(VAEOversampler(random_state=0), LogisticRegression(max_iter=500))
    grid = {"vaeoversampler__latent_dim": list(range(1, 9))}

    def search(n_jobs: int) -> Callable[[], float]:
        return seconds(lambda: GridSearchCV(pipeline, grid, n_jobs=n_jobs).fit(X, y))

    search(2)()  # the processes are started once
    work = "GridSearchCV over 8 latent sizes, n_jobs=2"
    yield compare(work, "n_jobs=1", search(2), search(1), 1 / 1.7)


def measure_cache():
    """Time fits that are found in a memory, and a search over parameters of drawing.

    In processor time, since these take a fraction of a second.
    """
    numbers = load_numeric_table("yeast4")
    tables = {
        "yeast4": ((numbers.X, numbers.y), {}),
        "yeast4, max_iter=1000": ((numbers.X, numbers.y), {"max_iter": 1_000}),
        "german-credit": (load_mixed_table("german-credit"), {}),
    }
    grid = {
        "sampler__sampling_strategy": [0.6, 0.8, 1.0],
        "sampler__rejection_strength": [1.0, 2.0, 4.0, 8.0],
    }

    def fit(table, parameters, folder: str | None) -> float:
        with tempfile.TemporaryDirectory() as memory:
            memory = folder and f"{memory}/{folder}"
            sampler = VAEOversampler(random_state=0, memory=memory, **parameters)
            sampler.fit(*table)
            return processor_seconds(lambda: sampler.fit(*table))

    def search(table, parameters, folder: str | None) -> float:
        with tempfile.TemporaryDirectory() as memory:
            sampler = VAEOversampler(
                random_state=0, memory=folder and f"{memory}/{folder}", **parameters
            )
            encoder = make_column_transformer(
                (
                    OneHotEncoder(handle_unknown="ignore"),
                    make_column_selector(dtype_exclude=float),
                ),
                remainder=StandardScaler(),
            )
            is_frame = isinstance(table[0], pd.DataFrame)
            pipeline = Pipeline(
                [
                    ("sampler", sampler),
                    ("encoder", encoder if is_frame else StandardScaler()),
                    ("classifier", LogisticRegression(max_iter=500)),
                ]
            )
            searching = GridSearchCV(pipeline, grid, scoring="average_precision", cv=3)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return processor_seconds(lambda: searching.fit(*table))

    for name, (table, parameters) in tables.items():
        for work, measure in (("fit again", fit), ("search over 3 x 4", search)):
            yield compare(
                f"{work}, {name}, with memory",
                "without",
                partial(measure, table, parameters, "cache"),
                partial(measure, table, parameters, None),
                0.25,
            )


def measure_device():
    """Time a graphics processor against this machine's own, where there is one."""
    name = next((name for name, is_there in DEVICES.items() if is_there()), None)
    if name is None:
        return
    wide = {"hidden_layer_sizes": (1_024, 1_024), "batch_size": 1_024}
    for shape, network in (
        ((10_000, N_FEATURES), {}),
        ((1_000_000, N_FEATURES), {}),
        ((2_000, 2_000), {}),
        ((10_000, N_FEATURES), wide),
    ):
        X, y = make_classification(*shape, weights=[0.9], random_state=0)
        there, here = (
            resample(VAEOversampler(random_state=0, device=device, **network), X, y)
            for device in (name, "cpu")
        )
        there()  # the device is got ready once
        layers = "layers of 1,024, as many rows a step" if network else "the defaults"
        work = f'{shape[0]:,} x {shape[1]:,}, {layers}, device="{name}"'
        yield compare(work, 'device="cpu"', there, here, 1)


def measure_curve() -> pd.DataFrame:
    """Return seconds for tables of more and more rows, medians of three."""
    ours = VAEOversampler(random_state=0)
    curves = pd.DataFrame(
        index=pd.Index(ROWS_OF_CURVE, name="rows"),
        columns=["VAEOversampler", "its fit alone", "SMOTE"],
    )
    for n_rows in ROWS_OF_CURVE:
        X, y = make_large_table(n_rows)
        measurements = (
            resample(ours, X, y),
            seconds(lambda X=X, y=y: ours.fit(X, y)),
            resample(SMOTE(random_state=0), X, y),
        )
        rounds = [[measure() for measure in measurements] for _ in range(3)]
        curves.loc[n_rows] = np.median(rounds, axis=0)
    return curves


def draw_curve(curves: pd.DataFrame, path: Path) -> None:
    """Draw time against rows, ours and SMOTE's."""
    figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for (name, curve), style in zip(curves.items(), ("o-C0", "o:C0", "s-C1"), strict=True):
        ax.loglog(curve.index, curve, style)
        place = (curve.index[-1], curve.iloc[-1])
        ax.annotate(
            f"{name}: {place[1]:.1f} s",
            place,
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
        )
    ax.set(xlabel=f"rows (of {N_FEATURES} columns)", ylabel="seconds for fit_resample")
    ax.set_xlim(right=ROWS_OF_CURVE[-1] * 40)
    ax.set_xticks([10**power for power in range(3, 7)])
    ax.set_xticks([], minor=True)
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


DEVICES = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}

PARTS = {
    "step": measure_step,
    "import": measure_import,
    "ones": measure_ones,
    "sample": measure_sample,
    "grid": measure_grid,
    "cache": measure_cache,
    "rows": measure_rows,
    "sizes": measure_sizes,
    "memory": measure_memory,
    "census": measure_census,
    "tables": measure_tables,
    "device": measure_device,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default=",".join([*PARTS, "curve"]), help="with commas")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    versions = {module.__name__: module.__version__ for module in (np, sklearn, torch)}
    print(f"{platform.machine()}, {os.cpu_count()} cores, {json.dumps(versions)}\n")
    VAEOversampler(random_state=0).fit_resample(*make_large_table(1_000))  # warm up
    chosen = options.parts.split(",")
    measured = []
    for name in PARTS:
        if name in chosen:
            for measurement in PARTS[name]():
                measured.append(measurement)
                print(f"{name}: ratio {measurement.ratio:.3g}", file=sys.stderr, flush=True)
                pd.DataFrame(measured).to_csv(options.output / "speed.csv", index=False)
    if measured:
        frame = pd.DataFrame(measured)
        for column in frame.select_dtypes("number"):
            frame[column] = frame[column].map("{:.3g}".format)
        print(to_markdown(frame.set_index("work")))
    if "curve" in chosen:
        curves = measure_curve()
        print(to_markdown(curves.astype(float).round(3)))
        curves.to_csv(options.output / "curve.csv")
        draw_curve(curves, options.output / "speed.png")


if __name__ == "__main__":
    main()
