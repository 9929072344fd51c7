"""Imports of optional dependencies: pandas, matplotlib, dask and pyarrow."""

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


def require_dask(caller: str) -> None:
    """Check that dask's data frames can be imported, with pandas and pyarrow.

    Raises
    ------
    ImportError
        If they cannot. The message names `caller`, and how to install them.
    """
    require_pyarrow(caller)
    _import_optional("dask.dataframe", caller, extra="dask")


def require_pyarrow(caller: str) -> None:
    """Check that pandas and pyarrow can be imported.

    Raises
    ------
    ImportError
        If one is not installed. The message names `caller`, and how to install it.
    """
    for name in ("pandas", "pyarrow"):
        _import_optional(name, caller, extra="dask")


def _import_optional(name: str, caller: str, extra: str = "plots") -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"{caller} needs {name.partition('.')[0]}. Install it with "
            f'`pip install "vaesampler[{extra}]"`.'
        ) from error
