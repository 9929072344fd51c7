"""`Output`: a file or folder that is complete, or not there."""

import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vaesampler._command.source import PARQUET, format_of
from vaesampler._command.wording import CommandError

MARK = "is_synthetic"
UNNAMED_INDEX = r"__index_level_\d+__"  # the column of Parquet in which pandas writes it
# What pandas writes to Parquet of columns whose names are text.
TEXT_NAMES = {
    "name": None,
    "field_name": None,
    "pandas_type": "unicode",
    "numpy_type": "object",
    "metadata": {"encoding": "UTF-8"},
}


def check_output(name: str, inputs: Iterable[Path], *, overwrite: bool) -> Path:
    """Return the path of an output, which may be written.

    Raises
    ------
    CommandError
        If it has another suffix than .parquet and .csv, if its folder does not exist, if it is
        an input, or if it exists, unless `overwrite`.
    """
    path = Path(name).resolve()
    if format_of(path) is None:
        raise CommandError(f"The output must end in .parquet or .csv; found {name!r}.")
    check_free(name, inputs, overwrite=overwrite)
    return path


def check_free(name: str, inputs: Iterable[Path], *, overwrite: bool) -> Path:
    """Return a path at which a file may be written. See `check_output`."""
    path = Path(name).resolve()
    if any(path == one or path in one.parents for one in inputs):
        raise CommandError(f"The output must not be the input; found {name}. Name another one.")
    if not path.parent.is_dir():
        raise CommandError(
            f"The folder of the output must exist; {path.parent} does not. Create it first."
        )
    if path.exists() and not overwrite:
        raise CommandError(f"{name} exists. Pass --overwrite to replace it, or name another.")
    if path.is_dir() and not all(map(_is_part, path.iterdir())):
        raise CommandError(
            f"{name} is a folder, and holds other files than .parquet; it is not replaced. "
            "Name another output."
        )
    return path


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside another one, which replaces it if there is no error."""
    staging = path.with_name(f".{path.name}.{token_hex(8)}")
    staging.mkdir()
    try:
        new, old = staging / path.name, staging / "before"
        yield new
        if not path.is_dir() and not (path.exists() and new.is_dir()):
            new.replace(path)
            return
        try:
            path.rename(old)  # folders cannot be replaced in one step
            new.rename(path)
        except BaseException:
            if old.exists():
                old.rename(path)
            raise
    finally:
        _remove(staging)


@dataclass(frozen=True)
class Writer:
    """How rows are written.

    Attributes
    ----------
    kind : {"Parquet", "CSV"}
        The format.
    schema : pyarrow.Schema
        The columns, with the metadata, and the mark if there is one.
    compression : str
        The compression of Parquet.
    has_mark : bool
        Whether the last column is the mark.
    """

    kind: str
    schema: pa.Schema
    compression: str
    has_mark: bool

    def write_part(self, table: pa.Table, path: Path) -> None:
        """Write rows to a file; that of CSV has no header."""
        if self.kind == PARQUET:
            with self._parquet(path) as file:
                file.write_table(table.cast(self.schema))
        else:
            # Types of Arrow keep integers with missing cells, and dates, as they are.
            frame = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
            frame[self._csv_names()].to_csv(
                path, index=False, header=False, lineterminator="\n"
            )

    def join(self, parts: Sequence[Path], path: Path) -> None:
        """Write a file of the rows of parts, which are removed."""
        if self.kind == PARQUET:
            with self._parquet(path) as file:
                for part in parts:
                    _copy_row_groups(part, file)
                    part.unlink()
            return
        with path.open("wb") as stream:
            header = pd.DataFrame(columns=self._csv_names())
            stream.write(header.to_csv(index=False, lineterminator="\n").encode())
            for part in parts:
                with part.open("rb") as rows:
                    shutil.copyfileobj(rows, stream)
                part.unlink()

    def _csv_names(self) -> list[str]:
        """Return the columns without an index of pandas that has no name."""
        return [name for name in self.schema.names if not re.fullmatch(UNNAMED_INDEX, name)]

    def _parquet(self, path: Path) -> Any:
        return pq.ParquetWriter(path, self.schema, compression=self.compression)


def schema_of_output(schema: pa.Schema, n_rows: int, *, mark: bool) -> pa.Schema:
    """Return the schema of an output of `n_rows` rows; the input's metadata are kept."""
    if mark:
        schema = schema.append(pa.field(MARK, pa.bool_(), nullable=False))
    if schema.pandas_metadata is None:
        return schema
    pandas = dict(schema.pandas_metadata)
    pandas["index_columns"] = [
        one
        if isinstance(one, str)
        else {**one, "start": 0, "stop": n_rows, "step": 1}  # a RangeIndex, numbered anew
        for one in pandas.get("index_columns", [])
    ]
    if mark:
        column = {"name": MARK, "field_name": MARK, "pandas_type": "bool", "numpy_type": "bool"}
        n_index = sum(isinstance(one, str) for one in pandas["index_columns"])
        columns = pandas["columns"]
        columns.insert(len(columns) - n_index, {**column, "metadata": None})
        if [one["pandas_type"] for one in pandas["column_indexes"]] != ["unicode"]:
            pandas["column_indexes"] = [TEXT_NAMES]  # the mark's name is no number or tuple
    metadata = {**schema.metadata, b"pandas": json.dumps(pandas).encode()}
    return schema.with_metadata(metadata)


def _copy_row_groups(part: Path, file: Any) -> None:
    with pq.ParquetFile(part) as rows:
        for index in range(rows.num_row_groups):
            file.write_table(rows.read_row_group(index))


def _is_part(path: Path) -> bool:
    return path.is_file() and (format_of(path) == PARQUET or path.name.startswith(("_", ".")))


def _remove(folder: Path) -> None:
    """Remove a folder, in which threads may still write for a moment."""
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        time.sleep(0.1)
