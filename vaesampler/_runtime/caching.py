"""`ResultCache`: results that are kept in a `joblib.Memory`."""

import io
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self, TypeVar

import numpy as np
import sklearn
from sklearn.utils.validation import check_memory

from vaesampler._runtime.version import __version__

Result = TypeVar("Result")


@dataclass(frozen=True)
class ResultCache:
    """Results that are computed from the same data, and kept for later fits.

    Parameters
    ----------
    memory : joblib.Memory or None
        Where results are kept. If None, they are not kept.
    data : str
        Hash of the data that all results depend on.
    """

    memory: Any = None
    data: str = ""

    @classmethod
    def of(cls, memory: Any, *data: object) -> Self:
        """Return the cache in a folder or a `joblib.Memory`, of results from these data.

        Raises
        ------
        OSError
            If the folder cannot be created or written. The message names it.
        """
        return cls(_writable_memory(memory), digest_of(data))

    def result(self, key: object, compute: Callable[[], Result]) -> Result:
        """Return what `compute` returned for this key, if that is known; else call it.

        Parameters
        ----------
        key : object
            Everything but the data and the versions of libraries that the result depends on.
            It is pickled, and the pickle is hashed.
        compute : callable
            Returns the result.

        Returns
        -------
        result : object
            An unpickled copy of the result, or without a memory the result.
        """
        if self.memory is None:
            return compute()
        digest = digest_of((self.data, key, _versions()))
        kept = self.memory.cache(_pickled, ignore=["compute"])(digest, compute)
        try:
            result: Result = pickle.loads(kept)
        except Exception:  # whichever a damaged pickle raises
            return compute()
        return result


def digest_of(value: object) -> str:
    """Return a hash of the pickle of a value, equal for equal values in all processes.

    Pickles refer to objects that they hold already. `fast` prevents it, so that the hash does
    not depend on which equal objects are one. Five times as fast as `joblib.hash`.
    """
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    pickler.fast = True
    pickler.dump(value)
    return blake2b(buffer.getbuffer(), digest_size=16).hexdigest()


def _pickled(digest: str, compute: Callable[[], object]) -> bytes:  # noqa: ARG001
    # Bytes are read in a third of the time of many arrays, and are not mapped to memory.
    return pickle.dumps(compute())


def _versions() -> tuple[str, ...]:
    """Return the versions of the libraries that results depend on."""
    import torch

    return (__version__, str(torch.__version__), np.__version__, sklearn.__version__)


def _writable_memory(memory: Any) -> Any:
    if isinstance(memory, os.PathLike):
        memory = os.fspath(memory)
    try:
        checked = check_memory(memory)
    except OSError as error:
        raise OSError(
            f"The folder {memory!r}, of the parameter 'memory', cannot be created: {error}"
        ) from error
    location = getattr(checked, "location", None)
    if isinstance(location, str) and not os.access(location, os.W_OK):
        raise PermissionError(
            f"The folder {location!r}, of the parameter 'memory', cannot be written."
        )
    return checked
