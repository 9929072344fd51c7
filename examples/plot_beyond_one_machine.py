"""
================================
A table in partitions, with dask
================================

Tables that do not fit into memory are passed as dask collections, and come back as such. Here a
table of eight Parquet files is balanced by two threads. The picture shows which tasks run when.
See :doc:`Beyond one machine </beyond_one_machine>` for what they do.
"""

# %%
# A table of files
# ----------------
# Each file has 40,000 rows, of which one in fifty is rare.

import tempfile
from pathlib import Path

import dask
import dask.dataframe as dd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch  # noqa: F401, here, since the first fit would wait for it
from dask.diagnostics import Profiler

from vaesampler import VAEOversampler

rng = np.random.default_rng(0)
folder = Path(tempfile.mkdtemp())
for part in range(8):
    is_rare = rng.random(40_000) < 0.02
    numbers = rng.normal(size=(40_000, 6)) + is_rare[:, None]
    frame = pd.DataFrame(numbers, columns=[f"number {index}" for index in range(6)])
    frame["plan"] = np.where(numbers[:, 0] > rng.normal(size=40_000), "yearly", "monthly")
    frame.assign(is_rare=is_rare).to_parquet(folder / f"part.{part}.parquet", index=False)

# %%
# Balance it
# ----------
# ``fit_resample`` surveys the table and trains. Rows are drawn when the result is computed,
# here to count the rows of each partition.

table = dd.read_parquet(folder)
X, y = table.drop(columns="is_rare"), table["is_rare"]
with Profiler() as profiler, dask.config.set(num_workers=2):
    sampler = VAEOversampler(random_state=0)
    X_resampled, y_resampled = sampler.fit_resample(X, y)
    balanced = X_resampled.assign(is_rare=y_resampled)
    counts = balanced.map_partitions(len, meta=(None, int)).compute()
print(f"{X.npartitions} partitions in, {X_resampled.npartitions} out")
print(y_resampled.value_counts().compute())

# %%
# Which tasks run when
# --------------------
# The survey reads each file once. A single task gathers rows and trains. Then partitions of the
# table pass through beside those that are drawn.

TASKS = {
    "survey": ("of", "merged"),
    "gather": ("take", "gather"),
    "train": ("_fit_gathered",),
    "draw": ("_draw_chunk",),
}
COLORS = {
    "read": "#bbbbbb",
    "survey": "#0072B2",
    "gather": "#009E73",
    "train": "#D55E00",
    "draw": "#CC79A7",
}


def kind_of(key):
    """Return what a task does, by the name of its function."""
    name = str(key[0] if isinstance(key, tuple) else key).split("-")[0]
    return next((kind for kind, names in TASKS.items() if name in names), "read")


first = min(task.start_time for task in profiler.results)
threads = sorted({task.worker_id for task in profiler.results})
figure, ax = plt.subplots(figsize=(9, 2.8), layout="constrained")
for kind, color in COLORS.items():
    tasks = [task for task in profiler.results if kind_of(task.key) == kind]
    ax.barh(
        [threads.index(task.worker_id) for task in tasks],
        [task.end_time - task.start_time for task in tasks],
        left=[task.start_time - first for task in tasks],
        color=color,
        edgecolor="white",
        linewidth=0.4,
        label=kind,
    )
ax.set_yticks(range(len(threads)), [f"thread {index + 1}" for index in range(len(threads))])
ax.set_xlabel("seconds")
ax.spines[["top", "right"]].set_visible(False)
figure.legend(loc="outside upper center", ncols=len(COLORS), frameon=False)
plt.show()
