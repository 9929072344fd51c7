"""`vaesampler sample`: rows that a saved sampler draws."""

import sys
from argparse import Namespace
from io import TextIOWrapper
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import sparse

from vaesampler._command.output import check_output, replaced
from vaesampler._command.source import PARQUET, format_of
from vaesampler._command.target import find_label
from vaesampler._command.wording import CommandError
from vaesampler._estimators.oversampler import VAEOversampler


def sample(options: Namespace) -> None:
    """Draw rows with a saved sampler, and write them.

    Raises
    ------
    CommandError
        If the sampler has no such class, or an option is invalid.
    """
    output = None
    if options.output is not None:
        output = check_output(options.output, [], overwrite=options.overwrite)
    sampler = _load(options.model)
    label = find_label(options.label, list(sampler.vaes_))
    rows = sampler.sample(label, options.n_samples, random_state=options.seed)
    table = _table_of(rows, sampler)
    if output is None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        _to_csv(table, sys.stdout)
        return
    with replaced(output) as temporary:
        if format_of(output) == PARQUET:
            pq.write_table(table, temporary)
        else:
            _to_csv(table, temporary)
    print(f"{options.output}: {options.n_samples:,} synthetic rows of class {label!r}")


def _load(name: str) -> VAEOversampler:
    try:
        return VAEOversampler.load(name)
    except FileNotFoundError as error:
        raise CommandError(
            f"{name} must be a file of VAEOversampler.save; there is no such file. Check the "
            "path."
        ) from error


def _table_of(rows: Any, sampler: VAEOversampler) -> pa.Table:
    """Return rows of any container as a table of Arrow."""
    if isinstance(rows, pd.DataFrame):
        rows.columns = rows.columns.map(str)
        return pa.Table.from_pandas(rows, preserve_index=False)
    frame = nw.from_native(rows, eager_only=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        return frame.to_arrow()
    cells = rows.toarray() if sparse.issparse(rows) else rows
    unnamed = [f"x{index}" for index in range(sampler.n_features_in_)]
    names = getattr(sampler, "feature_names_in_", unnamed)
    return pa.Table.from_pandas(pd.DataFrame(cells, columns=names), preserve_index=False)


def _to_csv(table: pa.Table, to: Any) -> None:
    # Types of Arrow keep integers with missing cells, and dates, as they are.
    frame = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
    frame.to_csv(to, index=False, lineterminator="\n")
