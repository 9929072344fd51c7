"""`vaesampler resample`: the rows of a table, and synthetic ones, in a file or folder."""

from argparse import Namespace
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from vaesampler._command.output import MARK, Writer, check_output, replaced, schema_of_output
from vaesampler._command.pieces import Piece, index_columns
from vaesampler._command.scheduling import Scheduler, scheduler_of
from vaesampler._command.source import CSV, Source, find_files, format_of, open_source
from vaesampler._command.target import parse_names, parse_strategy, survey_target
from vaesampler._command.wording import CommandError, require_columns
from vaesampler._estimators.oversampler import VAEOversampler
from vaesampler._estimators.sampling_strategy import check_class_sizes, rows_to_add
from vaesampler._table.labels import Labels


def resample(options: Namespace) -> None:
    """Write the rows of a table, and synthetic ones.

    Raises
    ------
    CommandError
        If the input, the output or an option is invalid.
    """
    files, _ = find_files(options.input)
    output = check_output(options.output, files, overwrite=options.overwrite)
    if output.parent == Path(options.input).resolve():
        raise CommandError(
            "The output must not be in the folder of the input, of which it would be part; "
            f"found {options.output}. Name another folder."
        )
    with scheduler_of(options) as scheduler:
        scheduler.say(f"reading {options.input}")
        source = open_source(options.input, scheduler.map)
        _check_columns(source, options)
        labels = survey_target(source, options.target, scheduler.map)
        task = Resampling.of(source, labels, options)
        scheduler.say(f"training; rows by class: {_listed(task.n_rows)}")
        drawn = task.draw()
        n_rows = sum(task.n_rows.values()) + sum(task.n_new.values())
        scheduler.say(f"writing {n_rows:,} rows, of which synthetic: {_listed(task.n_new)}")
        writer = Writer(
            str(format_of(output)),
            schema_of_output(source.schema, n_rows, mark=options.mark),
            source.compression,
            options.mark,
        )
        with replaced(output) as temporary:
            parts = _write_parts(task, drawn, writer, temporary.with_name("parts"), scheduler)
            if source.is_file or writer.kind == CSV:
                writer.join(parts, temporary)
            else:
                parts[0].parent.rename(temporary)
    if not options.quiet:
        print(f"{options.output}: {n_rows:,} rows, of which synthetic: {_listed(task.n_new)}")


@dataclass(frozen=True)
class Resampling:
    """A table whose classes are known, and a sampler."""

    source: Source
    target: str
    sampler: VAEOversampler
    n_rows: Mapping[Hashable, int]  # by class
    n_new: Mapping[Hashable, int]

    @classmethod
    def of(cls, source: Source, labels: Labels, options: Namespace) -> "Resampling":
        """Return the task that the options describe.

        Raises
        ------
        ValueError
            If the strategy does not suit the classes.
        """
        strategy = parse_strategy(options.strategy, labels.classes)
        n_added = rows_to_add(strategy, labels)
        check_class_sizes(n_added, labels)
        categorical: Any = "auto"
        if options.categorical is not None:
            categorical = parse_names(options.categorical)
        sampler = VAEOversampler(
            sampling_strategy=strategy,
            categorical_features=categorical,
            random_state=options.seed,
        )
        n_new = {label: n for label, n in n_added.items() if n > 0}
        return cls(source, options.target, sampler, labels.count_by_class, n_new)

    def draw(self) -> list[tuple[Any, Any]]:
        """Train the sampler; return parts of the synthetic rows and their labels, delayed."""
        import dask
        import dask.dataframe as dd

        if not self.n_new:
            return []
        names = [name for name in self.source.columns if name != self.target]
        pieces = self.source.pieces
        # Otherwise dask makes text of all objects, such as decimals and dates.
        with dask.config.set({"dataframe.convert-string": False}):
            X, y = (
                dd.from_map(read, pieces, meta=read(pieces[0]).iloc[:0])
                for read in (partial(_frame, columns=names), partial(_series, name=self.target))
            )
            resampled = self.sampler.fit_resample(X, y)
            below = (one.partitions[len(pieces) :].to_delayed() for one in resampled)
            return list(zip(*below, strict=True))


def _check_columns(source: Source, options: Namespace) -> None:
    names = [options.target]
    if options.categorical is not None:
        names += parse_names(options.categorical)
    require_columns(names, source.columns, options.input)
    if options.target in names[1:]:
        raise CommandError(
            f"--categorical must not name the target {options.target!r}. Leave it out."
        )
    if len(source.columns) < 2:
        raise CommandError(
            f"{options.input} must have columns beside the target; found none. Name another "
            "table."
        )
    if options.mark and MARK in source.schema.names:
        raise CommandError(
            f"--mark adds the column {MARK!r}, which {options.input} has already. Rename or "
            "drop it, so that synthetic rows are not taken for real ones."
        )


def _write_parts(
    task: Resampling,
    drawn: list[tuple[Any, Any]],
    writer: Writer,
    folder: Path,
    scheduler: Scheduler,
) -> list[Path]:
    """Write all rows to files in a folder, and return their paths."""
    from dask import delayed

    folder.mkdir()
    n_parts = len(task.source.pieces) + len(drawn)
    # Sorted as text, too.
    width = max(5, len(str(n_parts)))
    parts = [folder / f"part.{index:0{width}}.parquet" for index in range(n_parts)]
    n_pieces = len(task.source.pieces)
    as_text = writer.kind == CSV
    originals = [
        delayed(_write_originals)(piece, writer, part, as_text)
        for piece, part in zip(task.source.pieces, parts[:n_pieces], strict=True)
    ]
    synthetic = [
        delayed(_write_synthetic)(*rows, task.target, task.source.schema, writer, part)
        for rows, part in zip(drawn, parts[n_pieces:], strict=True)
    ]
    scheduler.compute(originals + synthetic)
    return parts


def _write_originals(piece: Piece, writer: Writer, part: Path, as_text: bool) -> None:
    writer.write_part(_marked(piece.table(as_text=as_text), writer, False), part)


def _write_synthetic(
    X: pd.DataFrame, y: pd.Series, target: str, schema: pa.Schema, writer: Writer, part: Path
) -> None:
    frame = X.copy(deep=False)
    frame[target] = y.array  # not aligned by an index
    names = index_columns(schema)
    for name in names:
        # Integers are numbered on; other indices, and those of several levels, are missing.
        frame[name] = X.index.array if len(names) == 1 else None
    table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    writer.write_part(_marked(table, writer, True), part)


def _marked(table: pa.Table, writer: Writer, is_synthetic: bool) -> pa.Table:
    if not writer.has_mark:
        return table
    mark = pa.repeat(pa.scalar(is_synthetic), table.num_rows)
    return table.append_column(writer.schema.field(MARK), mark)


def _frame(piece: Piece, columns: list[str]) -> pd.DataFrame:
    return piece.frame(columns)


def _series(piece: Piece, name: str) -> pd.Series:
    return piece.frame([name])[name]


def _listed(counts: Mapping[Hashable, int]) -> str:
    return ", ".join(f"{n:,} of class {label!r}" for label, n in counts.items()) or "none"
