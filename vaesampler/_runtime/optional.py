"""Imports of pandas and matplotlib, which are optional dependencies."""

from importlib import import_module
from types import ModuleType


def import_pandas(caller: str) -> ModuleType:
    """Return pandas.

    Raises
    ------
    ImportError
        If pandas is not installed. The message names `caller`, and how to install it.
    """
    return _import_optional("pandas", caller)


def require_matplotlib(caller: str) -> None:
    """Check that matplotlib can be imported.

    Raises
    ------
    ImportError
        If matplotlib is not installed. The message names `caller`, and how to install it.
    """
    _import_optional("matplotlib", caller)


def _import_optional(name: str, caller: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f'{caller} needs {name}. Install it with `pip install "vaesampler[plots]"`.'
        ) from error
