"""Where and how PyTorch works: the user's `device`, threads, and noise on the device."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import TypeVar

import torch

Result = TypeVar("Result")


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the device to train on; "auto" is the processor.

    Raises
    ------
    ValueError
        If the device is not there.
    """
    if device == "auto":
        return torch.device("cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    # PyTorch raises whatever the missing backend raises: an AssertionError for CUDA left
    # out of the build, a RuntimeError for a missing driver or index, or for no device's name.
    except Exception as error:
        raise ValueError(
            "The 'device' parameter must be 'auto', 'cpu', 'cuda', 'mps' or a torch.device "
            f"that is there; PyTorch {torch.__version__} finds no {str(device)!r} on this "
            "machine. Use 'auto', or install a PyTorch built for the device."
        ) from error
    return resolved


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch use one thread, and as many as before afterwards.

    Networks of this size gain nothing from a second thread, and lose much where other
    processes want the core; and the rounding, hence the drawn rows, depends on the number.
    """
    # PyTorch keeps the number for each Python thread apart; only a thread that uses PyTorch for
    # the first time meanwhile begins with one, too.
    n_threads_before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads_before)


def in_order(function: Callable[[int], Result], n_threads: int) -> Generator[Result]:
    """Yield function(0), function(1), ... without end; close it when there is enough.

    They are computed by `n_threads` threads, each of which PyTorch uses alone, so that they
    are the same however many there are.
    """
    with one_thread():
        if n_threads == 1:
            yield from map(function, count())
            return
        with ThreadPoolExecutor(
            n_threads, initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            ahead = deque(pool.submit(function, number) for number in range(n_threads + 1))
            try:
                for number in count(len(ahead)):
                    yield ahead.popleft().result()
                    ahead.append(pool.submit(function, number))
            finally:
                for future in ahead:
                    future.cancel()
