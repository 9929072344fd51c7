"""`Piece`: adjacent rows of a file, which a task reads: of Parquet or CSV."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vaesampler._command.wording import CommandError, described

# Size of a piece. A row group of Parquet, and a row of CSV, are never divided.
PIECE_BYTES = 64 * 2**20


class Piece(ABC):
    """Adjacent rows of a file."""

    path: Path

    @abstractmethod
    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows as pandas reads them, with all columns or these."""

    @abstractmethod
    def table(self, *, as_text: bool) -> pa.Table:
        """Return the rows as they are in the file.

        Cells of CSV are text if `as_text`, and otherwise what `frame` has.
        """


@dataclass(frozen=True)
class ParquetPiece(Piece):
    """Row groups of a Parquet file."""

    path: Path
    row_groups: tuple[int, ...]

    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows as pandas reads them; the index is no column."""
        table = self._read(columns)
        index = index_columns(table.schema)
        frame = table.to_pandas()
        # Names of other types than text are text in Parquet.
        frame.columns = pd.Index([name for name in table.column_names if name not in index])
        return frame if columns is None else frame[list(columns)]

    def table(self, *, as_text: bool = False) -> pa.Table:  # noqa: ARG002
        """Return the rows as they are in the file, with the index as columns."""
        return self._read(None)

    def _read(self, columns: Sequence[str] | None) -> pa.Table:
        names = None if columns is None else list(columns)
        with _readable(self.path, "Parquet"), pq.ParquetFile(self.path) as file:
            return file.read_row_groups(
                list(self.row_groups), columns=names, use_pandas_metadata=True
            )


@dataclass(frozen=True)
class CsvPiece(Piece):
    """Lines of a CSV file, from one byte to another one.

    Attributes
    ----------
    header : bytes
        The first line of the file.
    dtypes : mapping of str to str, or None
        The dtype of each column in the whole input; None if it is not known yet.
    """

    path: Path
    header: bytes
    start: int
    stop: int
    dtypes: Mapping[str, str] | None = None

    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows as pandas reads the whole input."""
        names = None if columns is None else list(columns)
        dtypes = None if self.dtypes is None else dict(self.dtypes)
        return self._read(dtype=dtypes, usecols=names, low_memory=False)

    def table(self, *, as_text: bool) -> pa.Table:
        """Return the rows as text, or typed."""
        frame = self._read(dtype=str, keep_default_na=False) if as_text else self.frame()
        return pa.Table.from_pandas(frame, preserve_index=False)

    def kinds(self) -> dict[str, str]:
        """Return the kind of each column in this piece, as `dtype_of_kinds` takes it."""
        frame = self.frame()
        kinds = {str(name): _kind(column) for name, column in frame.items()}
        unclear = [
            name for name, kind in kinds.items() if kind == "float64" and frame[name].hasnans
        ]
        if unclear:
            # A float, unlike an integer beside missing cells, stays one with nullable dtypes.
            nullable = self._read(usecols=unclear, dtype_backend="numpy_nullable")
            kinds |= {name: "Int64" for name in unclear if nullable[name].dtype == "Int64"}
        return kinds

    def _read(self, **options: Any) -> pd.DataFrame:
        with _readable(self.path, "CSV"):
            with self.path.open("rb") as file:
                file.seek(self.start)
                lines = file.read(self.stop - self.start)
            frame = pd.read_csv(BytesIO(self.header + lines), **options)
            if not isinstance(frame.index, pd.RangeIndex):
                raise ValueError("rows have more fields than the header")
            return frame


def parquet_pieces(path: Path) -> tuple[list[Piece], pa.Schema, str]:
    """Return the pieces of a Parquet file, its schema and its compression."""
    with _readable(path, "Parquet"), pq.ParquetFile(path) as file:
        metadata, schema = file.metadata, file.schema_arrow
    pieces: list[Piece] = []
    group: list[int] = []
    size = 0
    for index in range(metadata.num_row_groups):
        n_bytes = metadata.row_group(index).total_byte_size
        if group and size + n_bytes > PIECE_BYTES:
            pieces.append(ParquetPiece(path, tuple(group)))
            group, size = [], 0
        group.append(index)
        size += n_bytes
    pieces.append(ParquetPiece(path, tuple(group)))
    has_cells = metadata.num_row_groups > 0 and metadata.num_columns > 0
    compression = metadata.row_group(0).column(0).compression if has_cells else "SNAPPY"
    return pieces, schema, "NONE" if compression == "UNCOMPRESSED" else compression


def csv_pieces(path: Path) -> list[CsvPiece]:
    """Return the pieces of a CSV file."""
    with path.open("rb") as file:
        header = _through_end_of_row(file)
        if not header.strip():
            raise CommandError(f"{path} must begin with a line of column names; it is empty.")
        if not header.endswith(b"\n"):
            header += b"\n"
        starts = [*_starts(file)]
    size = max(path.stat().st_size, starts[0])
    stops = [*starts[1:], size]
    return [
        CsvPiece(path, header, start, stop) for start, stop in zip(starts, stops, strict=True)
    ]


def dtype_of_kinds(kinds: set[str]) -> str:
    """Return the dtype of a column that has these kinds in its pieces.

    It is that with which pandas reads the whole column, but integers beside missing cells stay
    integers.
    """
    some = kinds - {"empty"}
    if not some:
        return "float64"
    if some <= {"int64", "Int64"}:
        return "int64" if kinds == {"int64"} else "Int64"
    if some <= {"bool", "boolean"}:
        return "bool" if kinds == {"bool"} else "boolean"
    if some <= {"int64", "Int64", "uint64", "float64"}:
        return some.pop() if len(kinds) == 1 else "float64"
    return "str"


def index_columns(schema: pa.Schema) -> list[str]:
    """Return the names of the columns of a Parquet file that are pandas' index."""
    metadata = schema.pandas_metadata or {}
    return [name for name in metadata.get("index_columns", []) if isinstance(name, str)]


def _kind(column: pd.Series) -> str:
    if column.isna().all():
        return "empty"
    if column.dtype == object and set(map(type, column.dropna())) == {bool}:
        return "boolean"
    if column.dtype.kind in "biuf":
        return str(column.dtype)
    observed = column.dropna()
    # Most columns of text hold no time in their first cell, and need not be read further.
    return "times" if _are_times(observed[:1]) and _are_times(observed) else "str"


def _are_times(cells: pd.Series) -> bool:
    times = pd.to_datetime(cells, format="ISO8601", errors="coerce", utc=True)
    return bool(times.notna().all())


def _starts(file: Any) -> Iterator[int]:
    """Yield where the pieces of an open file begin, from its position on."""
    while True:
        yield file.tell()
        block = file.read(PIECE_BYTES)
        if len(block) < PIECE_BYTES:
            return
        # A line break within quotes is part of a cell.
        _through_end_of_row(file, is_quoted=block.count(b'"') % 2 == 1)
        if not file.peek(1):
            return


def _through_end_of_row(file: Any, *, is_quoted: bool = False) -> bytes:
    """Read an open file to the next line break that is not within quotes."""
    row = b""
    while line := file.readline():
        row += line
        is_quoted ^= line.count(b'"') % 2 == 1
        if not is_quoted:
            break
    return row


@contextmanager
def _readable(path: Path, kind: str) -> Iterator[None]:
    """Raise what an unreadable file causes as a `CommandError` that names it."""
    try:
        yield
    except (FileNotFoundError, PermissionError, CommandError):
        raise
    except (ValueError, OSError, pa.ArrowException) as error:
        raise CommandError(
            f"{path} must be a {kind} file; it cannot be read: "
            f"{described(error)[:300].rstrip('.')}. Write it again."
        ) from error
