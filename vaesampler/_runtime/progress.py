"""`Progress`: reports during training, to a bar, a log or several receivers."""

import logging
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

LOGGER = logging.getLogger("vaesampler")
# Class label to loss in nats per row; the key None is the VAE trained on all classes.
Losses = Mapping[Hashable, float]


class Progress(ABC):
    """Receives a report every few training steps; a context manager."""

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
    def begin(self, n_steps: int) -> None:
        """Record that training begins, which takes at most this many optimizer steps."""

    @abstractmethod
    def advance(self, n_steps: int, losses: Losses) -> None:
        """Record `n_steps` more optimizer steps, and the losses at the last of them."""

    @abstractmethod
    def close(self) -> None:
        """Record that training has ended, with or without an error."""

    @staticmethod
    def of_verbosity(verbose: int) -> "Progress":
        """Return no output for 0, a progress bar for 1, and a log for larger values."""
        if verbose <= 0:
            return SILENCE
        return ProgressBar() if verbose == 1 else ProgressLog()


class ManyProgresses(Progress):
    """Forward each report to several receivers, or to none."""

    def __init__(self, progresses: Sequence[Progress]) -> None:
        self.progresses = progresses

    def begin(self, n_steps: int) -> None:
        """Forward the number of steps."""
        for progress in self.progresses:
            progress.begin(n_steps)

    def advance(self, n_steps: int, losses: Losses) -> None:
        """Forward the report."""
        for progress in self.progresses:
            progress.advance(n_steps, losses)

    def close(self) -> None:
        """Close all receivers, also where one of them fails."""
        with ExitStack() as stack:
            for progress in reversed(self.progresses):
                stack.callback(progress.close)


SILENCE = ManyProgresses([])


class ProgressBar(Progress):
    """A bar with the losses and the remaining time, in a terminal or a notebook."""

    def __init__(self) -> None:
        self.bar: Any = None  # of tqdm

    def begin(self, n_steps: int) -> None:
        """Show the bar."""
        self.bar = _make_bar(n_steps)

    def advance(self, n_steps: int, losses: Losses) -> None:
        """Advance the bar."""
        self.bar.set_postfix_str(_describe(losses), refresh=False)
        self.bar.update(n_steps)

    def close(self) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.close()


class ProgressLog(Progress):
    """Messages of level INFO to the logger "vaesampler"."""

    def __init__(self) -> None:
        self.n_steps = 0
        self.steps_done = 0

    def begin(self, n_steps: int) -> None:
        """Do nothing: `advance` logs the number of steps."""
        self.n_steps = n_steps

    def advance(self, n_steps: int, losses: Losses) -> None:
        """Log the step and the losses."""
        self.steps_done += n_steps
        LOGGER.info(
            "step %d of %d, nats per row: %s", self.steps_done, self.n_steps, _describe(losses)
        )

    def close(self) -> None:
        """Do nothing: `advance` has logged the last step."""


def _make_bar(n_steps: int) -> Any:
    from tqdm import TqdmWarning

    with warnings.catch_warnings():
        # A notebook without ipywidgets gets a bar of text, without a warning.
        warnings.simplefilter("ignore", TqdmWarning)
        from tqdm.auto import tqdm
        from tqdm.notebook import tqdm_notebook

    class Bar(tqdm):  # type: ignore[misc]
        monitor_interval = 0  # seconds; otherwise a thread is started that never ends

    return Bar(
        total=n_steps,
        miniters=1,
        desc="VAEOversampler",
        unit="step",
        leave=False,
        # None disables the bar unless the output is a terminal, which a notebook's is not.
        disable=False if issubclass(tqdm, tqdm_notebook) or _is_kernels_stream() else None,
    )


def _is_kernels_stream() -> bool:
    """Return whether the error output is shown in a notebook."""
    return type(sys.stderr).__module__.partition(".")[0] == "ipykernel"


def _describe(losses: Losses) -> str:
    return ", ".join(
        f"{'all classes' if label is None else f'class {label!r}'} {loss:.2f}"
        for label, loss in losses.items()
    )
