"""`Source`: the table that a user names, in pieces."""

import glob
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pyarrow as pa

from vaesampler._command.pieces import (
    CsvPiece,
    Piece,
    csv_pieces,
    dtype_of_kinds,
    index_columns,
    parquet_pieces,
)
from vaesampler._command.wording import CommandError
from vaesampler._table.wording import shorten

PARQUET, CSV = "Parquet", "CSV"
SUFFIXES = {".parquet": PARQUET, ".pq": PARQUET, ".parq": PARQUET, ".csv": CSV}
# Calls a function with each of some arguments, here or on a cluster.
Mapper = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]


@dataclass(frozen=True)
class Source:
    """A table in one file or in several ones.

    Attributes
    ----------
    name : str
        What the user typed.
    files : tuple of Path
        Its files, in the order of their rows.
    kind : {"Parquet", "CSV"}
        Their format.
    pieces : list of Piece
        Its rows.
    schema : pyarrow.Schema
        Its columns, with the metadata of the first file.
    compression : str
        The compression of the first file, if it is Parquet.
    is_file : bool
        Whether the user named one file, no folder or pattern.
    """

    name: str
    files: tuple[Path, ...]
    kind: str
    pieces: list[Piece]
    schema: pa.Schema
    compression: str
    is_file: bool

    @property
    def columns(self) -> list[str]:
        """The names of the columns, without an index of pandas."""
        index = index_columns(self.schema)
        return [name for name in self.schema.names if name not in index]


def open_source(name: str, mapper: Mapper = map) -> Source:
    """Return the table that a path or a pattern names.

    Raises
    ------
    CommandError
        If there is none, or if its files have different columns.
    """
    files, is_file = find_files(name)
    kinds = {format_of(file) for file in files}
    if len(kinds) > 1:
        raise CommandError(
            f"{name} must have files of one format; found Parquet and CSV. Name those of one "
            "with a pattern, such as 'folder/*.parquet'."
        )
    if kinds == {PARQUET}:
        return _parquet_source(name, files, is_file)
    return _csv_source(name, files, is_file, mapper)


def find_files(name: str) -> tuple[list[Path], bool]:
    """Return the files of a path or a pattern, and whether it is that of one file.

    Numbers in the names of files are sorted by value. Names that begin with "." or "_" are
    left out.

    Raises
    ------
    CommandError
        If there is none.
    """
    path = Path(name)
    if path.is_file():
        if format_of(path) is None:
            raise CommandError(f"{name} must end in .parquet or .csv. Rename it.")
        return [path.resolve()], True
    found = path.iterdir() if path.is_dir() else map(Path, glob.glob(name, recursive=True))
    files = [
        file.resolve()
        for file in found
        if file.is_file() and format_of(file) and not file.name.startswith((".", "_"))
    ]
    if files:
        return sorted(files, key=_natural), False
    if path.is_dir():
        raise CommandError(
            f"{name} must hold .parquet or .csv files; found none directly in it. Name those "
            "in folders below it with a pattern, such as 'folder/**/*.parquet'."
        )
    beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, beside)
    raise CommandError(
        f"{name} must be a file, a folder or a pattern of files; there is no such file"
        + (f". Similar names are [{shorten(near)}]." if near else ". Check the path.")
    )


def format_of(path: Path) -> str | None:
    """Return the format that the suffix of a file names."""
    return SUFFIXES.get(path.suffix.lower())


def _parquet_source(name: str, files: Sequence[Path], is_file: bool) -> Source:
    pieces, schema, compression = parquet_pieces(files[0])
    for file in files[1:]:
        more, other, _ = parquet_pieces(file)
        pieces += more
        if not schema.equals(other):
            _refuse_columns(files[0], schema, file, other)
    return Source(name, tuple(files), PARQUET, pieces, schema, compression, is_file)


def _refuse_columns(first: Path, schema: pa.Schema, file: Path, other: pa.Schema) -> None:
    own, theirs = ({field.name: str(field.type) for field in one} for one in (schema, other))
    names = [one for one in own | theirs if own.get(one) != theirs.get(one)]
    what = "the order or the nullability of columns"
    if names:
        there, here = own.get(names[0], "missing"), theirs.get(names[0], "missing")
        what = f"{names[0]!r} is {there} in the first and {here} in the second one"
    raise CommandError(
        f"{first} and {file.name} must have the same columns; found a difference: {what}. "
        "Write the files with one schema."
    )


def _csv_source(name: str, files: Sequence[Path], is_file: bool, mapper: Mapper) -> Source:
    pieces = [piece for file in files for piece in csv_pieces(file)]
    kinds = defaultdict(set)
    first: list[str] = []
    for piece, found in zip(pieces, mapper(CsvPiece.kinds, pieces), strict=True):
        first = first or list(found)
        if list(found) != first:
            raise CommandError(
                f"{files[0]} and {piece.path.name} must have the same columns in the same "
                f"order; found [{shorten(first)}] and [{shorten(list(found))}]."
            )
        for column, kind in found.items():
            kinds[column].add(kind)
    times = [column for column, some in kinds.items() if some - {"empty"} == {"times"}]
    if times:
        warnings.warn(
            f"The columns [{shorten(times)}] of {name} hold dates, which are text in CSV and "
            "copied like categories. Write the table as Parquet, with a type of dates.",
            stacklevel=2,
        )
    dtypes = {column: dtype_of_kinds(some) for column, some in kinds.items()}
    typed: list[Piece] = [replace(piece, dtypes=dtypes) for piece in pieces]
    schema = pa.schema([(column, _arrow_type(dtype)) for column, dtype in dtypes.items()])
    return Source(name, tuple(files), CSV, typed, schema, "SNAPPY", is_file)


def _arrow_type(dtype: str) -> pa.DataType:
    names = {"str": "string", "boolean": "bool", "float64": "double", "Int64": "int64"}
    return pa.type_for_alias(names.get(dtype, dtype))


def _natural(path: Path) -> list[Any]:
    parts = re.split(r"(\d+)", str(path))
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]
