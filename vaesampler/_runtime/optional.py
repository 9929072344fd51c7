"""Libraries that not every installation has."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


def import_pandas(what: str) -> Any:
    """Return pandas, for the method that is named.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            f'{what} needs pandas. Install it with `pip install "vaesampler[plots]"`.'
        ) from error
    return pd


def require_matplotlib(caller: str) -> None:
    """Raise an ImportError that says what to install if matplotlib is not there."""
    try:
        import_module("matplotlib")
    except ImportError as error:
        raise ImportError(
            f"{caller} needs matplotlib, which is not installed. Install it with "
            '`pip install "vaesampler[plots]"`.'
        ) from error
