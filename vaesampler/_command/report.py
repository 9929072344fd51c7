"""`vaesampler report`: synthetic rows of each class, compared with real ones."""

from argparse import Namespace
from collections.abc import Hashable, Mapping
from html import escape
from pathlib import Path

import pandas as pd

from vaesampler._command.output import MARK, check_free, replaced
from vaesampler._command.source import Source, open_source
from vaesampler._command.target import is_class
from vaesampler._command.wording import CommandError, require_columns
from vaesampler._table.labels import labels_of
from vaesampler.metrics._report import SyntheticReport, synthetic_report


def report(options: Namespace) -> None:
    """Print a report on each class that has synthetic rows.

    Raises
    ------
    CommandError
        If a table cannot be read, or an option is invalid.
    """
    real, synthetic = open_source(options.real), open_source(options.synthetic)
    page = None
    if options.html is not None:
        inputs = [*real.files, *synthetic.files]
        page = check_free(options.html, inputs, overwrite=options.overwrite)
    columns = [name for name in real.columns if name != MARK]
    require_columns([options.target], columns, options.real)
    require_columns(columns, synthetic.columns, options.synthetic)
    drawn = _rows(synthetic, columns, is_synthetic=True)
    if len(drawn) == 0:
        raise CommandError(
            f"{options.synthetic} must have synthetic rows; its column {MARK!r} marks none."
        )
    reports = _reports(real, drawn, options)
    for label, one in reports.items():
        print(f"Class {label!r}\n{one}\n")
    if page is not None:
        with replaced(page) as temporary:
            temporary.write_text(_html(reports, options), encoding="utf-8")


def _reports(
    real: Source, drawn: pd.DataFrame, options: Namespace
) -> dict[Hashable, SyntheticReport]:
    target = options.target
    if drawn[target].isna().any():
        raise CommandError(
            f"The target {target!r} must have a label in every synthetic row; found "
            f"{int(drawn[target].isna().sum())} missing ones. Drop these rows first."
        )
    reports: dict[Hashable, SyntheticReport] = {}
    for label in labels_of(drawn[target]).classes:
        own = _rows(real, list(drawn.columns), is_synthetic=False, target=target, label=label)
        if len(own) == 0:
            raise CommandError(
                f"{options.real} must have rows of class {label!r}, since {options.synthetic} "
                "has; found none. Compare with the table that they were drawn from."
            )
        reports[label] = synthetic_report(
            own.drop(columns=target),
            drawn[is_class(drawn[target], label)].drop(columns=target),
            random_state=options.seed,
        )
    return reports


def _rows(
    source: Source,
    columns: list[str],
    *,
    is_synthetic: bool,
    target: str | None = None,
    label: Hashable = None,
) -> pd.DataFrame:
    """Return the real or the synthetic rows of a table: of all classes, or of one."""
    names = [*columns, MARK] if MARK in source.columns else columns
    parts = []
    for piece in source.pieces:
        part = piece.frame(names)
        if MARK in names:
            part = part[part[MARK].astype(bool) == is_synthetic].drop(columns=MARK)
        if target is not None:
            part = part[is_class(part[target], label)]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _html(reports: Mapping[Hashable, SyntheticReport], options: Namespace) -> str:
    sections = "\n".join(
        f"<h2>Class {escape(repr(label))}</h2>\n{one._repr_html_()}"
        for label, one in reports.items()
    )
    title = escape(f"Synthetic rows of {Path(options.synthetic).name}")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font-family:sans-serif;margin:2em auto;max-width:60em}"
        "td,th{padding:.2em .6em;text-align:right}</style></head>\n"
        f"<body><h1>{title}</h1>\n<p>Compared with {escape(options.real)}.</p>\n{sections}\n"
        "</body></html>\n"
    )
