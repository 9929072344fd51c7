"""`Progress`: what is told of training while it goes on, and to whom."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

LOGGER = logging.getLogger("vaesampler")
# Losses in nats per row, by class; the class None stands for all rows.
Losses = Mapping[Hashable, float]


class Progress(ABC):
    """Hears of every stretch of training steps; to be used in a `with` statement."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def advance(self, n_steps: int, losses: Losses) -> None:
        """Take note of so many steps, and of the last one's losses."""

    @abstractmethod
    def close(self) -> None:
        """Take note that training has ended, well or badly."""

    @staticmethod
    def of_verbosity(verbose: int, n_steps: int) -> "Progress":
        """Return silence for 0, a bar for 1, and lines in a log for more."""
        if verbose <= 0:
            return ManyProgresses([])
        return ProgressBar(n_steps) if verbose == 1 else ProgressLog(n_steps)


class ManyProgresses(Progress):
    """Tells all of several; of none of them, it is silence."""

    def __init__(self, progresses: Sequence[Progress]) -> None:
        self.progresses = progresses

    def advance(self, n_steps: int, losses: Losses) -> None:
        """Tell each."""
        for progress in self.progresses:
            progress.advance(n_steps, losses)

    def close(self) -> None:
        """Tell each."""
        for progress in self.progresses:
            progress.close()


class ProgressBar(Progress):
    """A bar with the losses and the time left, where there is a terminal or a notebook."""

    def __init__(self, n_steps: int) -> None:
        self.bar = _make_bar(n_steps)

    def advance(self, n_steps: int, losses: Losses) -> None:
        """Move the bar."""
        self.bar.set_postfix_str(_describe(losses), refresh=False)
        self.bar.update(n_steps)

    def close(self) -> None:
        """Take the bar away."""
        self.bar.close()


class ProgressLog(Progress):
    """Lines of level INFO in the log named vaesampler."""

    def __init__(self, n_steps: int) -> None:
        self.n_steps = n_steps
        self.steps_done = 0

    def advance(self, n_steps: int, losses: Losses) -> None:
        """Write a line."""
        self.steps_done += n_steps
        LOGGER.info(
            "step %d of %d, nats per row: %s", self.steps_done, self.n_steps, _describe(losses)
        )

    def close(self) -> None:
        """Write nothing: the last line has been written."""


def _make_bar(n_steps: int) -> Any:
    from tqdm.auto import tqdm
    from tqdm.notebook import tqdm_notebook

    return tqdm(
        total=n_steps,
        desc="VAEOversampler",
        unit="step",
        leave=False,
        # None is silence where the output is no terminal, and a notebook's never is one.
        disable=False if issubclass(tqdm, tqdm_notebook) else None,
    )


def _describe(losses: Losses) -> str:
    return ", ".join(
        f"{'all classes' if label is None else f'class {label!r}'} {loss:.2f}"
        for label, loss in losses.items()
    )
