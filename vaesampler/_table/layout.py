"""`Slots`: what stands where in an encoded row."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Slots:
    """What stands where in an encoded row.

    First the numbers, standardized; then flags, 1 or 0, which say that a number is missing
    or sits at a spike; then the binary columns, standardized; then a group of slots for each
    categorical column, one a level and one for a missing cell, of which one is 1.
    """

    n_normal: int
    n_flags: int = 0
    n_binary: int = 0
    group_sizes: tuple[int, ...] = ()
    # (flag, slot): where the flag is 1, what stands in the slot counts for nothing.
    silenced: tuple[tuple[int, int], ...] = ()

    @property
    def normal(self) -> slice:
        """Where the numbers are."""
        return slice(0, self.n_normal)

    @property
    def flags(self) -> slice:
        """Where the flags are."""
        return slice(self.n_normal, self.n_normal + self.n_flags)

    @property
    def binary(self) -> slice:
        """Where the binary columns are."""
        return slice(self.flags.stop, self.flags.stop + self.n_binary)

    @property
    def groups(self) -> slice:
        """Where the groups of all categorical columns are."""
        return slice(self.binary.stop, self.width)

    @property
    def width(self) -> int:
        """How many slots there are."""
        return self.n_normal + self.n_flags + self.n_binary + sum(self.group_sizes)

    @property
    def n_columns(self) -> int:
        """How many columns of the table there are."""
        return self.n_normal + self.n_binary + len(self.group_sizes)

    @property
    def categories(self) -> slice:
        """Where the binary columns and the groups are."""
        return slice(self.binary.start, self.width)

    @property
    def discrete(self) -> slice:
        """Where the flags, the binary columns and the groups are."""
        return slice(self.flags.start, self.width)

    @property
    def variable_of_discrete_slot(self) -> np.ndarray:  # (n_slots_of_discrete,)
        """The number, among flags, binary columns and groups, of each slot in `discrete`."""
        n_yes_no = self.n_flags + self.n_binary
        return np.concatenate([np.arange(n_yes_no), n_yes_no + self.group_of_slot])

    @property
    def variable_of_category_slot(self) -> np.ndarray:  # (n_slots_of_categories,)
        """The number, among binary columns and groups, of each slot in `categories`."""
        return self.variable_of_discrete_slot[self.n_flags :] - self.n_flags

    def is_silenced(self, rows: np.ndarray) -> np.ndarray:  # (n_rows, width) to (.., n_normal)
        """Tell which numbers count for nothing, since a flag speaks for them."""
        is_silenced = np.zeros((len(rows), self.n_normal), dtype=bool)
        flags, slots = np.array(self.silenced, dtype=np.intp).reshape(-1, 2).T
        is_number = slots < self.n_normal
        flags, slots = flags[is_number], slots[is_number]
        row_numbers, pairs = np.nonzero(rows[:, self.flags][:, flags] > 0)
        is_silenced[row_numbers, slots[pairs]] = True
        return is_silenced

    @property
    def group_of_slot(self) -> np.ndarray:  # (n_slots_of_groups,)
        """The number of the group of each slot in `groups`."""
        return np.repeat(np.arange(len(self.group_sizes)), self.group_sizes)
