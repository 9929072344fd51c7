"""`group_one_hot`: recognize the one-hot encoded columns of a table."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import Cells
from vaesampler._table.columns import (
    BinaryColumn,
    Column,
    ConstantColumn,
    IndicatorColumn,
    InheritedColumn,
)
from vaesampler._table.notations import Times
from vaesampler._table.wording import shorten


def group_one_hot(read: Iterable[tuple[Column, Cells]]) -> list[Column]:
    """Return the columns of a table, the one-hot encoded ones as `IndicatorColumn`.

    A group of these are consecutive binary columns of 0 and 1, or of False and True, without
    missing cells, of which exactly one is 1 in every row. Columns that are 0 in every row, and
    inherited ones, may lie between them.

    Each column is read once. Only the rows with a 1 are kept, of the last columns that have no
    more ones than the table has rows, so that memory is at most that of one column.
    """
    columns: list[Column] = []
    # Index of each of the last binary columns, and the rows in which it is 1.
    last: deque[tuple[int, npt.NDArray[np.intp]]] = deque()
    n_ones = 0  # in the last columns
    for index, (column, cells) in enumerate(read):
        columns.append(column)
        if _is_always_zero(column) or isinstance(column, InheritedColumn):
            continue
        if not _is_flag(column):
            last.clear()
            n_ones = 0
            continue
        n_rows = len(cells.values)
        last.append((index, np.flatnonzero(cells.values.astype(bool))))
        n_ones += len(last[-1][1])
        # A group has as many ones as rows. At most one group ends here, since every column
        # has a 1.
        while n_ones > n_rows:
            n_ones -= len(last.popleft()[1])
        if n_ones == n_rows and _is_one_in_every_row([rows for _, rows in last]):
            for member, _ in last:
                columns[member] = _indicator(columns[member], last[0][0], len(last))
            last.clear()
            n_ones = 0
    return columns


def read_new_table(
    columns: Sequence[Column], table: Iterable[Cells]
) -> Iterator[npt.NDArray[np.float64]]:  # (n_rows,) each
    """Yield the cells of each column of a new table.

    Raises
    ------
    ValueError
        As `Column.read_new` does; or, at the end, if not exactly one of the one-hot encoded
        columns of a group is 1 in every row.
    """
    n_ones: dict[int, npt.NDArray[np.float64]] = {}  # in each row, by group
    for column, cells in zip(columns, table, strict=True):
        read = column.read_new(cells)
        if isinstance(column, IndicatorColumn):
            n_ones[column.group] = n_ones.get(column.group, 0) + read
        yield read
    for group, of_rows in n_ones.items():
        is_wrong = of_rows != 1
        if is_wrong.any():
            row = int(is_wrong.argmax())
            names = [
                column.name
                for column in columns
                if isinstance(column, IndicatorColumn) and column.group == group
            ]
            raise ValueError(
                f"Exactly one of the columns {shorten(names)} must be 1 in every "
                f"row, as when fitting; found {of_rows[row]:.0f} of them in row {row}, the "
                f"first of {is_wrong.sum()} such rows. Correct these rows, or drop them."
            )


def _is_always_zero(column: Column) -> bool:
    is_constant = isinstance(column, ConstantColumn) and not column.has_missing
    is_number = not isinstance(column.notation, Times)
    return is_constant and is_number and column.levels.tolist() == [0]


def _is_flag(column: Column) -> bool:
    """Return whether the cells are 0 and 1, or False and True, which are equal to these."""
    is_binary = isinstance(column, BinaryColumn) and not column.has_missing
    is_number = not isinstance(column.notation, Times)
    return is_binary and is_number and column.levels.tolist() in ([0, 1], [1, 0])


def _is_one_in_every_row(rows: Sequence[npt.NDArray[np.intp]]) -> bool:
    """Return whether n indices of rows, of several columns, are those of n different rows."""
    indices = np.concatenate(rows)
    is_found = np.zeros(len(indices), dtype=bool)
    is_found[indices] = True
    return bool(is_found.all())


def _indicator(column: Column, group: int, n_columns: int) -> IndicatorColumn:
    off_and_on = np.argsort(column.levels.astype(bool))
    others = f"one of {n_columns} one-hot encoded columns"
    return IndicatorColumn(
        name=column.name,
        reason=f"{others}, of which exactly one is 1 in every row",
        levels=column.levels[off_and_on],
        first_rows=column.first_rows[off_and_on],
        range_off_spikes=column.range_off_spikes,
        notation=column.notation,
        are_categories=isinstance(column, BinaryColumn) and column.are_categories,
        group=group,
    )
