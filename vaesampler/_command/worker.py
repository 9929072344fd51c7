"""What the processes of `--n-workers` set up when they start: dask calls `dask_setup`."""

import signal
import warnings
from typing import Any

from vaesampler._command.wording import show_warning


def dask_setup(worker: Any) -> None:  # noqa: ARG001
    """Leave Ctrl-C to the process that started this one, and shorten warnings."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.showwarning = show_warning
