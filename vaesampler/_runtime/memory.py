"""`memory_explained`: out of memory, and what to ask for instead."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Parts of the messages of NumPy and PyTorch where a table or a tensor is too large. Their types
# are those of other errors.
FOUND_IN_MESSAGES = (
    "not enough memory",
    "out of memory",
    "allocate memory",
    "size calculation overflowed",
    "array is too big",
    "dimension exceeded",
    "negative dimensions",
    "too large to convert to C",
    "Overflow when unpacking",
)


@contextmanager
def memory_explained(asked_for: Callable[[], str], remedy: str) -> Iterator[None]:
    """Raise a MemoryError that says what was asked for, where memory does not suffice."""
    try:
        yield
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
        raise MemoryError(f"Not enough memory for {asked_for()}. {remedy}") from error


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error)
    return isinstance(error, MemoryError) or any(part in text for part in FOUND_IN_MESSAGES)
