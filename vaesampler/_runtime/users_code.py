"""Latent samplers, critics and callbacks of a user: their errors and their results."""

from collections.abc import Iterator
from contextlib import contextmanager

# The page that states what latent samplers and critics must do.
CONTRACT = "https://vaesampler.readthedocs.io/en/latest/extending.html"


@contextmanager
def errors_noted(note: str) -> Iterator[None]:
    """Add a note to the errors of a user's code, which keep their type."""
    try:
        yield
    except Exception as error:
        error.add_note(note)
        raise


def require(is_right: bool, required: str, found: str) -> None:
    """Raise a ValueError unless a user's code returned what is required."""
    if not is_right:
        raise ValueError(f"{required}; found {found}. See {CONTRACT}.")
