"""How messages count things, and list them."""

from collections.abc import Sequence

# Number of names that a message lists.
MOST_NAMES = 8


def count(number: int, noun: str) -> str:
    """Return a number with its noun: "1 row", "2 rows"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def shorten(names: Sequence[object]) -> str:
    """Return the first names, and the number of all if there are more."""
    shown = ", ".join(repr(name) for name in names[:MOST_NAMES])
    return shown if len(names) <= MOST_NAMES else f"{shown}, ... ({len(names)} in all)"
