"""`Writer` and `Reader`: Python values as JSON and arrays, and back.

None, booleans, text, finite floats and integers below 2 ** 53 are values of JSON. Any other
value is a list, `[tag, *parts]`, with a tag of `KINDS`. Arrays are set apart, and named in the
JSON. Nothing is looked up by a name from the file except in the tables of this room.
"""

import datetime
import json
import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse

from vaesampler._generation.constraints import Fixed
from vaesampler._runtime.optional import import_pandas
from vaesampler._saving.records import RECORDS, fields_of, record_of
from vaesampler._table.objects import as_date, as_duration

Json: TypeAlias = Any
Array: TypeAlias = npt.NDArray[Any]

LARGEST_JSON_INTEGER = 2**53
DEEPEST_VALUE = 64
# Powers of 10 of decimals in a file. The largest number that a table can hold has 309 digits.
LARGEST_EXPONENT = 10_000
# Dtypes that safetensors knows. Arrays of other dtypes are kept as bytes.
NATIVE_DTYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2"},
    **{"I8": "|i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1"},
}
SPECIAL_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
SPARSE_TYPES = {
    one.__name__: one
    for one in (sparse.csr_array, sparse.csr_matrix, sparse.csc_array, sparse.csc_matrix)
}
TYPES: dict[str, Callable[..., Any]] = {
    f"{one.__module__}.{one.__name__}": one
    for one in (
        *(list, tuple, int, float, bool, np.ndarray, np.longdouble, np.datetime64),
        *(np.timedelta64, np.float16, np.float32, np.float64, np.bool_, np.int8, np.int16),
        *(np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64),
    )
}
TYPES |= {"as_date": as_date, "as_duration": as_duration}
NAMES_OF_TYPES = {one: name for name, one in TYPES.items()}
PANDAS_TYPES = ("Timestamp", "Timedelta")
PANDAS_TAGS = {
    **{"Timestamp": "timestamp", "Timedelta": "duration", "Period": "period"},
    **{"Interval": "interval", "NaTType": "NaT", "NAType": "NA"},
}


class Writer:
    """Codes values as JSON, and collects their arrays in `arrays`."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self._shared: dict[int, str] = {}

    def share(self, name: str, value: object) -> None:
        """From now on, code this object as its name."""
        self._shared[id(value)] = name

    def code(self, value: Any) -> Json:
        """Return the JSON of a value.

        Raises
        ------
        TypeError
            If a file cannot hold the value.
        """
        if id(value) in self._shared:
            return ["shared", self._shared[id(value)]]
        if value is None or type(value) in (bool, str):
            return value
        if type(value) is int and abs(value) < LARGEST_JSON_INTEGER:
            return value
        if type(value) is float and math.isfinite(value):
            return value
        tag = _tag_of(value)
        if tag is None:
            kind = type(value)
            raise TypeError(f"found {value!r}, of {kind.__module__}.{kind.__qualname__}")
        return [tag, *KINDS[tag].write(self, value)]

    def codes(self, values: Iterable[Any]) -> list[Json]:
        """Return the JSON of values."""
        return [self.code(value) for value in values]

    def set_apart(self, array: Array) -> str:
        """Add an array, and return its name."""
        name = f"{len(self.arrays):05}"
        self.arrays[name] = array
        return name


class Reader:
    """Undoes `Writer`. Each array is read once, so that a file cannot multiply it.

    Its methods raise errors of many types if the JSON is malformed.
    """

    def __init__(self, arrays: dict[str, Array]) -> None:
        self.arrays = arrays
        self._shared: dict[str, object] = {}
        self._depth = 0

    def share(self, name: str, value: object) -> None:
        """Read this name as this object."""
        self._shared[name] = value

    def value(self, coded: Json) -> Any:
        """Return the value of some JSON."""
        if coded is None or type(coded) in (bool, int, float, str):
            return coded
        if type(coded) is not list or self._depth >= DEEPEST_VALUE:
            raise ValueError("a value is malformed, or too deep")
        tag, *parts = coded
        self._depth += 1
        value = self._shared[parts[0]] if tag == "shared" else KINDS[tag].read(self, parts)
        self._depth -= 1
        return value

    def values(self, coded: Iterable[Json]) -> list[Any]:
        """Return the values of some JSON."""
        return [self.value(one) for one in coded]

    def take(self, name: str) -> Array:
        """Return an array, which cannot be read again."""
        return self.arrays.pop(name)


@dataclass(frozen=True)
class Kind:
    """How values of some types are written and read."""

    types: tuple[type, ...]
    write: Callable[[Writer, Any], list[Json]]
    read: Callable[[Reader, list[Json]], Any]


def _tag_of(value: Any) -> str | None:
    for tag, kind in KINDS.items():
        if type(value) in kind.types:
            return tag
    if type(value).__name__ in RECORDS and type(value) is RECORDS[type(value).__name__]:
        return "record"
    if isinstance(value, np.dtype):
        return "dtype"
    if isinstance(value, np.generic):
        return "scalar"
    if _is_type(value):
        return "type"
    if isinstance(value, datetime.tzinfo) and type(value).__module__.startswith("pytz"):
        return "pytz zone"
    return PANDAS_TAGS.get(type(value).__name__) if is_of_pandas(type(value)) else None


def is_of_pandas(kind: type) -> bool:
    """Return whether a class is one of pandas."""
    return kind.__module__.partition(".")[0] == "pandas"


def _is_type(value: Any) -> bool:
    try:
        return value in NAMES_OF_TYPES or _is_pandas_type(value)
    except TypeError:  # not hashable
        return False


def _is_pandas_type(value: Any) -> bool:
    is_class = isinstance(value, type) and is_of_pandas(value)
    return is_class and value.__name__ in PANDAS_TYPES


def _write_type(writer: Writer, value: Any) -> list[Json]:  # noqa: ARG001
    return [NAMES_OF_TYPES.get(value) or value.__name__]


def _read_type(reader: Reader, parts: list[Json]) -> Any:  # noqa: ARG001
    (name,) = parts
    if name in PANDAS_TYPES:
        return getattr(_pandas(), name)
    return TYPES[name]


def _pandas() -> Any:
    return import_pandas("This saved sampler")


def _write_set(writer: Writer, value: Any) -> list[Json]:
    return sorted(writer.codes(value), key=json.dumps)


def _write_dict(writer: Writer, value: dict[Any, Any]) -> list[Json]:
    return [part for item in value.items() for part in writer.codes(item)]


def _read_dict(reader: Reader, parts: list[Json]) -> dict[Any, Any]:
    keys, values = reader.values(parts[::2]), reader.values(parts[1::2])
    found = dict(zip(keys, values, strict=True))
    if len(found) < len(keys):
        raise ValueError("a key is repeated")
    return found


def _read_decimal(reader: Reader, parts: list[Json]) -> Decimal:  # noqa: ARG001
    value = Decimal(parts[0])
    if value.is_finite() and abs(value.adjusted()) > LARGEST_EXPONENT:
        raise ValueError("a decimal is too large")
    return value


def _write_datetime(writer: Writer, value: datetime.datetime) -> list[Json]:
    return [value.replace(tzinfo=None).isoformat(), value.fold, writer.code(value.tzinfo)]


def _read_datetime(reader: Reader, parts: list[Json]) -> datetime.datetime:
    text, fold, zone = parts
    return datetime.datetime.fromisoformat(text).replace(fold=fold, tzinfo=reader.value(zone))


def _write_time(writer: Writer, value: datetime.time) -> list[Json]:
    return [value.replace(tzinfo=None).isoformat(), value.fold, writer.code(value.tzinfo)]


def _read_time(reader: Reader, parts: list[Json]) -> datetime.time:
    text, fold, zone = parts
    return datetime.time.fromisoformat(text).replace(fold=fold, tzinfo=reader.value(zone))


def _write_fixed_zone(writer: Writer, value: datetime.timezone) -> list[Json]:
    offset, *name = value.__getinitargs__()  # type: ignore[attr-defined]
    return [writer.code(offset), *name]


def _read_fixed_zone(reader: Reader, parts: list[Json]) -> datetime.timezone:
    offset, *name = parts
    zone = datetime.timezone(reader.value(offset), *name)
    return datetime.UTC if zone == datetime.UTC and not name else zone


def _write_zone(writer: Writer, value: ZoneInfo) -> list[Json]:  # noqa: ARG001
    if value.key is None:
        raise TypeError(f"found {value!r}, a time zone without a key")
    return [value.key]


def _write_pytz_zone(writer: Writer, value: Any) -> list[Json]:  # noqa: ARG001
    # What pytz unpickles: a zone's key and, of a part of its time, offsets and abbreviation.
    _, parts = value.__reduce__()
    key, *part = parts or ["UTC"]
    if type(key) is not str:
        raise TypeError(f"found {value!r}, a time zone without a key")
    return [key, *part]


def _read_pytz_zone(reader: Reader, parts: list[Json]) -> datetime.tzinfo:  # noqa: ARG001
    try:
        from pytz import _p
    except ImportError:  # pandas 3 does not require it, and gives this zone for the key
        return ZoneInfo(str(parts[0]))
    zone: datetime.tzinfo = _p(*parts)
    return zone


def _write_timestamp(writer: Writer, value: Any) -> list[Json]:
    naive = value.tz_convert(None) if value.tzinfo is not None else value
    return [writer.code(naive.asm8), writer.code(value.tzinfo)]


def _read_timestamp(reader: Reader, parts: list[Json]) -> Any:
    naive, zone = reader.values(parts)
    made = _pandas().Timestamp(naive)
    return made if zone is None else made.tz_localize("UTC").tz_convert(zone)


def _write_dtype(writer: Writer, value: Any) -> list[Json]:
    if value.kind == "T":
        has_na = hasattr(value, "na_object")
        return ["T", value.coerce, *writer.codes([value.na_object] if has_na else [])]
    if value.kind == "V":
        raise TypeError(f"found the dtype {value}")
    return [value.str]


def _read_dtype(reader: Reader, parts: list[Json]) -> Any:
    text, *rest = parts
    if text == "T":
        coerce, *na_object = rest
        named = dict(zip(["na_object"], reader.values(na_object), strict=False))
        return np.dtypes.StringDType(coerce=coerce, **named)
    dtype = np.dtype(str(text))
    if dtype.kind not in "biufcmMUSO" or dtype.str != text:
        raise ValueError("a dtype is malformed")
    return dtype


def _write_array(writer: Writer, array: Array) -> list[Json]:
    dtype, shape = array.dtype, list(array.shape)
    coded = writer.code(dtype)
    if dtype.kind in "OT":
        return [coded, shape, *writer.codes(array.ravel().tolist())]
    # The order of axes in memory is kept: rounding may depend on it.
    is_transposed = array.ndim == 2 and np.isfortran(array)
    plain = np.ascontiguousarray(array.T if is_transposed else array)
    if dtype.str not in NATIVE_DTYPES.values():
        plain = plain.ravel().view(np.uint8)
    return [coded, shape, is_transposed, writer.set_apart(plain)]


def _read_array(reader: Reader, parts: list[Json]) -> Array:
    coded, shape, *content = parts
    dtype = reader.value(coded)
    if dtype.kind in "OT":
        # Filled one by one, since tuples are no further axis.
        flat = np.empty(len(content), dtype=dtype)
        for index, value in enumerate(reader.values(content)):
            flat[index] = value
        return flat.reshape(shape)
    is_transposed, name = content
    array = reader.take(name)
    if dtype.str not in NATIVE_DTYPES.values():
        # Checked first: an array of no bytes may have rows of any size.
        if math.prod(shape) * dtype.itemsize != array.nbytes or array.dtype != np.uint8:
            raise ValueError("the shape of an array is malformed")
        array = array.view(dtype)
        array.tolist()  # raises if the text is no Unicode
    elif array.dtype != dtype:
        raise ValueError("the dtype of an array is malformed")
    if is_transposed is True:
        return array.reshape(shape[::-1]).T
    return array.reshape(shape)


def _write_tensor(writer: Writer, tensor: torch.Tensor) -> list[Json]:
    return _write_array(writer, tensor.detach().cpu().numpy())


def _read_tensor(reader: Reader, parts: list[Json]) -> torch.Tensor:
    # A clone is aligned as PyTorch's own tensors: rounding may depend on it.
    return torch.from_numpy(_read_array(reader, parts)).clone()


def _write_sparse(writer: Writer, matrix: Any) -> list[Json]:
    parts = writer.codes([matrix.data, matrix.indices, matrix.indptr])
    return [type(matrix).__name__, list(map(int, matrix.shape)), *parts]


def _read_sparse(reader: Reader, parts: list[Json]) -> Any:
    name, shape, *arrays = parts
    matrix = SPARSE_TYPES[name](tuple(reader.values(arrays)), shape=tuple(shape))
    matrix.check_format(full_check=True)
    return matrix


def _write_scalar(writer: Writer, value: np.generic) -> list[Json]:
    return [writer.code(value.dtype), value.tobytes().hex()]


def _read_scalar(reader: Reader, parts: list[Json]) -> Any:
    coded, text = parts
    dtype = reader.value(coded)
    if dtype.hasobject:
        raise ValueError("a scalar is malformed")
    return np.frombuffer(bytes.fromhex(text), dtype=dtype, count=1)[0]


def _write_random_state(writer: Writer, value: np.random.RandomState) -> list[Json]:
    state = value.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        raise TypeError(f"found {value!r}, of another generator than MT19937")
    parts = state["state"]["key"], state["state"]["pos"], state["has_gauss"], state["gauss"]
    return writer.codes(parts)


def _read_random_state(reader: Reader, parts: list[Json]) -> np.random.RandomState:
    made = np.random.RandomState()
    made.set_state(("MT19937", *reader.values(parts)))
    return made


def _write_record(writer: Writer, value: Any) -> list[Json]:
    kind: Any = type(value)
    fields = {name: writer.code(getattr(value, name)) for name in fields_of(kind)}
    return [kind.__name__, fields]


def _read_record(reader: Reader, parts: list[Json]) -> Any:
    name, coded = parts
    fields = {key: reader.value(one) for key, one in coded.items()}
    return record_of(RECORDS[name], fields)


def _parts_of(function: Callable[[Any], list[Json]]) -> Callable[[Writer, Any], list[Json]]:
    return lambda writer, value: function(value)  # noqa: ARG005


def _made_by(function: Callable[..., Any]) -> Callable[[Reader, list[Json]], Any]:
    return lambda reader, parts: function(*parts)  # noqa: ARG005


KINDS: dict[str, Kind] = {
    "int": Kind((int,), _parts_of(lambda value: [str(value)]), _made_by(int)),
    "float": Kind(
        (float,), _parts_of(lambda x: [repr(x)]), _made_by(SPECIAL_FLOATS.__getitem__)
    ),
    "list": Kind((list,), Writer.codes, Reader.values),
    "tuple": Kind((tuple,), Writer.codes, lambda reader, parts: tuple(reader.values(parts))),
    "set": Kind((set,), _write_set, lambda reader, parts: set(reader.values(parts))),
    "frozenset": Kind(
        (frozenset,), _write_set, lambda reader, parts: frozenset(reader.values(parts))
    ),
    "dict": Kind((dict,), _write_dict, _read_dict),
    "Fixed": Kind(
        (Fixed,),
        lambda writer, value: writer.codes(value.columns),
        lambda reader, parts: Fixed(*reader.values(parts)),
    ),
    "range": Kind((range,), _parts_of(lambda x: [x.start, x.stop, x.step]), _made_by(range)),
    "bytes": Kind((bytes,), _parts_of(lambda value: [value.hex()]), _made_by(bytes.fromhex)),
    "Decimal": Kind((Decimal,), _parts_of(lambda value: [str(value)]), _read_decimal),
    "Fraction": Kind(
        (Fraction,),
        lambda writer, value: writer.codes(value.as_integer_ratio()),
        # Text such as "1e999999999" would take all memory.
        lambda reader, parts: Fraction(*map(operator.index, reader.values(parts))),
    ),
    "UUID": Kind((UUID,), _parts_of(lambda value: [value.hex]), _made_by(UUID)),
    "date": Kind(
        (datetime.date,),
        _parts_of(lambda value: [value.isoformat()]),
        _made_by(datetime.date.fromisoformat),
    ),
    "datetime": Kind((datetime.datetime,), _write_datetime, _read_datetime),
    "time": Kind((datetime.time,), _write_time, _read_time),
    "timedelta": Kind(
        (datetime.timedelta,),
        _parts_of(lambda value: [value.days, value.seconds, value.microseconds]),
        _made_by(datetime.timedelta),
    ),
    "fixed zone": Kind((datetime.timezone,), _write_fixed_zone, _read_fixed_zone),
    "zone": Kind((ZoneInfo,), _write_zone, _made_by(ZoneInfo)),
    "pytz zone": Kind((), _write_pytz_zone, _read_pytz_zone),  # that pandas 2 gives for a key
    "timestamp": Kind((), _write_timestamp, _read_timestamp),
    "duration": Kind(
        (),
        lambda writer, value: [writer.code(value.asm8)],
        lambda reader, parts: _pandas().Timedelta(reader.value(*parts)),
    ),
    "period": Kind(
        (),
        _parts_of(lambda value: [value.freqstr, value.ordinal]),
        _made_by(lambda unit, ordinal: _pandas().Period(ordinal=ordinal, freq=unit)),
    ),
    "interval": Kind(
        (),
        lambda writer, value: writer.codes([value.left, value.right, value.closed]),
        lambda reader, parts: _pandas().Interval(*reader.values(parts)),
    ),
    "NaT": Kind((), _parts_of(lambda value: []), _made_by(lambda: _pandas().NaT)),  # noqa: ARG005
    "NA": Kind((), _parts_of(lambda value: []), _made_by(lambda: _pandas().NA)),  # noqa: ARG005
    "dtype": Kind((), _write_dtype, _read_dtype),
    "array": Kind((np.ndarray,), _write_array, _read_array),
    "tensor": Kind((torch.Tensor,), _write_tensor, _read_tensor),
    "sparse": Kind(tuple(SPARSE_TYPES.values()), _write_sparse, _read_sparse),
    "scalar": Kind((), _write_scalar, _read_scalar),
    "type": Kind((), _write_type, _read_type),
    "device": Kind(
        (torch.device,), _parts_of(lambda value: [str(value)]), _made_by(torch.device)
    ),
    "random state": Kind((np.random.RandomState,), _write_random_state, _read_random_state),
    "record": Kind((), _write_record, _read_record),
}
