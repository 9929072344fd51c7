"""`CommandError`, and all else that a user reads on stderr, a line each."""

import errno
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from vaesampler._table.wording import shorten


class CommandError(Exception):
    """Tells in one line what was required, what was found and what to do."""


def require_columns(names: Iterable[str], columns: Sequence[str], where: str) -> None:
    """Check that a table has columns.

    Raises
    ------
    CommandError
        If one is missing. The message suggests names that are spelled similarly.
    """
    for name in names:
        if name not in columns:
            near = get_close_matches(name, columns)
            found = f"similar ones are [{shorten(near)}]" if near else ""
            found = found or f"its columns are [{shorten(columns)}]"
            raise CommandError(f"{where} must have the column {name!r}; {found}.")


def described(error: BaseException) -> str:
    """Return the message of an error in one line."""
    if isinstance(error, OSError) and _is_full(error):
        return (
            "The disk of the output must have room for the rows and a temporary copy of them; "
            "it is full. Free some space, or write to another disk."
        )
    text = " ".join(str(error).split())
    return text or type(error).__name__


def say(message: str) -> None:
    """Print a line on stderr."""
    print(f"vaesampler: {message}", file=sys.stderr, flush=True)


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning in one line; it takes the arguments of `warnings.showwarning`."""
    say(f"warning: {' '.join(str(message).split())}")


def _is_full(error: OSError) -> bool:
    # Errors of pyarrow carry the number in their text only.
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)
