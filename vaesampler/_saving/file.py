"""`write_file` and `read_file`: arrays and JSON in a file of the safetensors format."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from vaesampler._runtime.version import __version__
from vaesampler._saving.values import NATIVE_DTYPES, Json
from vaesampler.exceptions import SavedSamplerError

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

# Versions of the format up to this one can be read. Increase it when older versions of the
# library cannot read what this one writes.
FORMAT = 1
# Key of the metadata of safetensors, of which only one has an order.
KEY = "vaesampler"
# The length of the header is the first 8 bytes of a file. safetensors has the same limit.
LENGTH_BYTES = 8
LONGEST_HEADER = 100_000_000


def write_file(path: str | os.PathLike[str], content: Json, arrays: Arrays) -> None:
    """Write a file, or leave the one that is there as it is if this fails.

    Raises
    ------
    ValueError
        If the JSON is too long.
    """
    document = {"format": FORMAT, "version": __version__, "content": content}
    checked = {**document, "sha256": _digest(document, arrays)}
    data = save(arrays, metadata={KEY: _text(checked)})
    if int.from_bytes(data[:LENGTH_BYTES], "little") > LONGEST_HEADER:
        raise ValueError(
            "The names and levels of all columns must fit into 100 MB of JSON. Leave out "
            "columns with a different text in every row, or keep the sampler with joblib."
        )
    _replace(Path(os.path.realpath(path)), data)


def read_file(path: str | os.PathLike[str]) -> tuple[Json, Arrays]:
    """Return the JSON and the arrays of a file; call it within `errors_of_file`.

    Raises
    ------
    SavedSamplerError
        If the file is of a later format.
    OSError
        If it cannot be read.
    """
    data = Path(path).read_bytes()
    header, start = _header(data)
    document = json.loads(header.pop("__metadata__")[KEY], object_pairs_hook=_unique)
    version = document["format"]
    if type(version) is not int or version < 1:
        raise ValueError("its format has no version")
    if version > FORMAT:
        raise SavedSamplerError(
            f"{os.fspath(path)!r} has format {version}, of vaesampler "
            f"{document.get('version')}; vaesampler {__version__} reads formats up to "
            f"{FORMAT}. Upgrade vaesampler."
        )
    arrays = dict(_arrays(header, memoryview(data)[start:]))
    digest = document.pop("sha256")
    if digest != _digest(document, arrays):
        raise ValueError("its content was changed")
    return document["content"], arrays


@contextmanager
def errors_of_file(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise what a malformed file causes as a `SavedSamplerError`."""
    try:
        yield
    except (SavedSamplerError, ImportError, OSError):
        raise
    except BaseException as error:
        # polars raises a BaseException for what its Rust code does not expect.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = str(error) if isinstance(error, ValueError) else repr(error)
        raise SavedSamplerError(
            f"{os.fspath(path)!r} is not a sampler saved by vaesampler, or it is damaged: "
            f"{reason[:200]}. Fit and save the sampler again."
        ) from error


def _replace(path: Path, data: bytes) -> None:
    """Write a temporary file, and give it the name of the file when it is complete."""
    temporary = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """Return the JSON of a header, and where it ends."""
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    end = LENGTH_BYTES + length
    if not 2 <= length <= LONGEST_HEADER or end > len(data):
        raise ValueError("the length of its header is wrong")
    header = json.loads(data[LENGTH_BYTES:end].decode(), object_pairs_hook=_unique)
    if type(header) is not dict:
        raise ValueError("its header is malformed")
    return header, end


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is repeated")
    return found


def _arrays(
    header: Mapping[str, Any], buffer: memoryview
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Yield the arrays of a file, whose sizes are checked before any memory is taken."""
    entries = sorted(header.items(), key=lambda item: (*item[1]["data_offsets"], item[0]))
    ends = [0]
    for name, entry in entries:
        if entry.keys() != {"dtype", "shape", "data_offsets"}:
            raise ValueError(f"the entry of {name} is malformed")
        shape, (start, end) = entry["shape"], entry["data_offsets"]
        dtype = np.dtype(NATIVE_DTYPES[entry["dtype"]])
        if any(type(one) is not int or one < 0 for one in (*shape, start, end)):
            raise ValueError(f"the shape of {name} is malformed")
        if start != ends[-1] or end - start != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"the size of {name} is wrong")
        ends.append(end)
    if ends[-1] != len(buffer):
        raise ValueError("its size is wrong")
    for (name, entry), (start, end) in zip(entries, pairwise(ends), strict=True):
        found = np.frombuffer(buffer[start:end], dtype=NATIVE_DTYPES[entry["dtype"]])
        if found.dtype == bool and found.view(np.uint8).max(initial=0) > 1:
            raise ValueError(f"{name} is malformed")
        yield name, found.reshape(entry["shape"]).copy()


def _digest(document: Json, arrays: Arrays) -> str:
    """Return the SHA-256 of the content of a file."""
    digest = sha256(_text(document).encode())
    for name, array in sorted(arrays.items()):
        digest.update(_text([name, array.dtype.str, array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _text(content: Json) -> str:
    return json.dumps(content, allow_nan=False, separators=(",", ":"))
