"""PyTorch's device, precision and threads, and OpenMP's."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count, islice
from threading import Lock, Thread, local
from typing import TypeVar

import sklearn.neighbors  # noqa: F401, loads the OpenMP library of its neighbour search
import torch
from threadpoolctl import ThreadpoolController

Result = TypeVar("Result")


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the device to train on; "auto" is the CPU.

    Raises
    ------
    ValueError
        If the device is not available.
    """
    if device == "auto":
        return torch.device("cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    # The type depends on the backend: AssertionError if PyTorch was built without CUDA,
    # RuntimeError for a missing driver, an invalid index or an unknown name.
    except Exception as error:
        raise ValueError(
            "The 'device' parameter must be 'auto', 'cpu', 'cuda', 'mps' or a torch.device "
            f"that is available; PyTorch {torch.__version__} finds no {str(device)!r} on this "
            "machine. Use 'auto', or install a PyTorch built for the device."
        ) from error
    return resolved


# Device types of which PyTorch may be set to compute in half precision.
AUTOCAST_DEVICES = ("cpu", "cuda", "mps", "xpu")


@contextmanager
def full_precision() -> Iterator[None]:
    """Compute in float32, whatever `torch.autocast` and the precision of products are."""
    with ExitStack() as stack:
        for device_type in filter(torch.is_autocast_enabled, AUTOCAST_DEVICES):
            stack.enter_context(torch.autocast(device_type, enabled=False))
        stack.enter_context(_matmul_precision.highest())
        yield


class _MatmulPrecision:
    """PyTorch's precision of products of matrices, which all threads share."""

    def __init__(self) -> None:
        self.n_inside = 0  # calls that need the highest precision now
        self.lock = Lock()
        self.before = "highest"

    @contextmanager
    def highest(self) -> Iterator[None]:
        """Set the highest precision; the last call that ends restores what was set before."""
        with self.lock:
            if self.n_inside == 0:
                self.before = torch.get_float32_matmul_precision()
                self._set("highest")
            self.n_inside += 1
        try:
            yield
        finally:
            with self.lock:
                self.n_inside -= 1
                if self.n_inside == 0:
                    self._set(self.before)

    def _set(self, precision: str) -> None:
        if torch.get_float32_matmul_precision() != precision:
            torch.set_float32_matmul_precision(precision)


_matmul_precision = _MatmulPrecision()


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit PyTorch and OpenMP to one thread, and restore the numbers of threads on exit.

    Networks of this size gain nothing from a second thread and are slowed down by it when
    other processes use the cores. Rounding and the order of equal distances, hence the drawn
    rows, also depend on the number of threads. And after a fork, OpenMP waits for threads
    that exist only in the parent process.
    """
    _thread_limit.enter()
    try:
        yield
    finally:
        _thread_limit.leave()


def usable_threads() -> int:
    """Return PyTorch's number of threads for this thread, outside of `one_thread`."""
    return _thread_limit.n_threads_before or torch.get_num_threads()


class _ThreadLimit(local):
    """The limit of a thread; the last call that ends restores what was set before."""

    def __init__(self) -> None:
        self.n_inside = 0  # calls that need the limit now
        self.n_threads_before = 0  # 0 outside
        self.restoring = ExitStack()

    def enter(self) -> None:
        """Limit this thread, unless it is limited."""
        if self.n_inside == 0:
            with ExitStack() as restoring:
                n_threads_before = torch.get_num_threads()
                of_new_threads = _in_new_thread(torch.get_num_threads)
                restoring.enter_context(_openmp_libraries().limit(limits=1))
                restoring.callback(_set_threads, n_threads_before, of_new_threads)
                _set_threads(1, of_new_threads)
                self.restoring = restoring.pop_all()
            self.n_threads_before = n_threads_before
        self.n_inside += 1

    def leave(self) -> None:
        """Restore what was set before, unless another call needs the limit."""
        self.n_inside -= 1
        if self.n_inside == 0:
            self.n_threads_before = 0
            self.restoring.close()


_thread_limit = _ThreadLimit()


@cache
def _openmp_libraries() -> ThreadpoolController:
    """Return the OpenMP libraries of PyTorch and scikit-learn. Limits are local to a thread."""
    return ThreadpoolController().select(user_api="openmp")


def _limit_new_thread() -> None:
    """Limit PyTorch and OpenMP to one thread in a thread that ends with its pool."""
    of_new_threads = torch.get_num_threads()
    _openmp_libraries().limit(limits=1)
    _set_threads(1, of_new_threads)


def _set_threads(of_this_thread: int, of_new_threads: int) -> None:
    """Set PyTorch's numbers of threads: of this thread, and of those that are started later.

    `torch.set_num_threads` sets both.
    """
    restoring = Thread(target=torch.set_num_threads, args=(of_new_threads,))
    torch.set_num_threads(of_this_thread)
    if of_new_threads != of_this_thread:
        restoring.start()
        restoring.join()


def _in_new_thread(function: Callable[[], Result]) -> Result:
    results: list[Result] = []
    thread = Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def in_order(
    function: Callable[[int], Result], n_calls: int | None, n_threads: int
) -> Generator[Result]:
    """Yield function(0), ..., function(n_calls - 1), until the generator is closed.

    If `n_calls` is None, there is no last call.

    The calls run in `n_threads` threads. PyTorch uses one thread in each of them, and full
    precision, so the results depend neither on `n_threads` nor on `torch.autocast`.
    """
    indices = iter(count() if n_calls is None else range(n_calls))
    with one_thread(), full_precision():
        if n_threads == 1:
            yield from map(function, indices)
            return
        with ThreadPoolExecutor(n_threads, initializer=_limit_new_thread) as pool:
            ahead = deque(
                pool.submit(function, index) for index in islice(indices, n_threads + 1)
            )
            try:
                while ahead:
                    yield ahead.popleft().result()
                    ahead.extend(pool.submit(function, index) for index in islice(indices, 1))
            finally:
                for future in ahead:
                    future.cancel()
