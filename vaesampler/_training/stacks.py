"""`train_in_stacks`: train the classes in stacks of a bounded number of VAEs."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from vaesampler._runtime.devices import in_order, usable_threads
from vaesampler._runtime.progress import SILENCE, Progress
from vaesampler._runtime.settings import EarlyStoppingSettings, TrainingSettings
from vaesampler._training.loop import ClassRows
from vaesampler._training.retries import Trained, train_with_retries
from vaesampler._vae.model import StackedVAE

# Number of rows in a step, of all VAEs of a stack: larger stacks do not fit into CPU caches.
# 1,000 VAEs in one stack take a fifth longer.
MOST_ROWS_BY_STEP = 4_096
# Bounds of a batch: its rows for each real row of a class (of 2, 4, 8, ... rows), its cells,
# and its rows in very wide tables. At the defaults, batches are smaller for classes of fewer
# than 8 rows, and for more than 3,125 slots.
ROWS_BY_REAL_ROW = 16
MOST_CELLS_BY_BATCH = 400_000
LEAST_ROWS_IN_WIDE_TABLES = 40


@dataclass(frozen=True)
class Stack:
    """The classes whose VAEs are trained together, and the size of their batches."""

    labels: Sequence[Hashable]
    batch_size: int


def train_in_stacks(
    stacks: Sequence[Stack],
    rows_of: Callable[[Hashable], ClassRows],
    make_vaes: Callable[[int], StackedVAE],
    settings: TrainingSettings,
    early_stopping: EarlyStoppingSettings | None,
    progress: Progress,
) -> dict[Hashable, Trained]:
    """Train a VAE on the rows of each class. Several stacks are trained in threads.

    No VAE depends on the others, nor on how they are divided into stacks.

    Parameters
    ----------
    stacks : sequence of Stack
        The classes.
    rows_of, make_vaes, settings, early_stopping
        As in `train_with_retries`.
    progress : Progress
        Receives the steps of a single stack as they are taken, else those of each stack after
        its last.

    Returns
    -------
    trained : dict of label to Trained
        The VAE of each class.

    Raises
    ------
    TrainingDivergedError
        If the loss of a class is not finite, with smaller steps either.
    """

    def train_stack(index: int, watching: Progress = SILENCE) -> dict[Hashable, Trained]:
        stack = stacks[index]
        own_settings = replace(settings, batch_size=stack.batch_size)
        return train_with_retries(
            stack.labels, rows_of, make_vaes, own_settings, early_stopping, watching
        )

    if len(stacks) == 1:
        return train_stack(0, progress)
    trained: dict[Hashable, Trained] = {}
    for of_stack in in_order(train_stack, len(stacks), min(usable_threads(), len(stacks))):
        trained |= of_stack
        losses = {
            label: float(entry.history.curve.total[-1]) for label, entry in of_stack.items()
        }
        progress.advance(settings.max_iter, losses)
    return trained


def stacks_of(n_rows: Mapping[Hashable, int], width: int, batch_size: int) -> list[Stack]:
    """Divide classes of these numbers of rows into stacks of equal batch sizes."""

    def own_batch_size(label: Hashable) -> int:
        return suited_batch_size(batch_size, n_rows[label], width)

    by_size = groupby(sorted(n_rows, key=own_batch_size), own_batch_size)
    return [
        Stack(labels, size)
        for size, classes in by_size
        for labels in _parts(list(classes), max(1, MOST_ROWS_BY_STEP // size))
    ]


def suited_batch_size(batch_size: int, n_rows: int, width: int) -> int:
    """Return the size of batches of `n_rows` real rows, `width` slots each: at most this."""
    power_of_2 = 1 << n_rows.bit_length() - 1
    by_width = max(LEAST_ROWS_IN_WIDE_TABLES, MOST_CELLS_BY_BATCH // width)
    return min(batch_size, ROWS_BY_REAL_ROW * power_of_2, by_width)


def _parts(labels: list[Hashable], most: int) -> Iterable[list[Hashable]]:
    for first in range(0, len(labels), most):
        yield labels[first : first + most]
