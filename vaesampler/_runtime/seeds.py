"""One seed to independent random streams, keyed by class label and purpose.

A stream depends on the seed and on its key alone: a class gets the same random numbers
whichever other classes are trained beside it, and in whatever order.
"""

from hashlib import blake2b
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Generator, device


class Seeds:
    """Independent random streams from one seed.

    Parameters
    ----------
    entropy : int
        The seed that all streams derive from.
    """

    def __init__(self, entropy: int) -> None:
        self.entropy = entropy

    @classmethod
    def from_random_state(cls, random_state: int | np.random.RandomState | None) -> "Seeds":
        """Read scikit-learn's `random_state`; None takes fresh entropy.

        NumPy's global generator, which None means elsewhere, is not touched.
        """
        if random_state is None:
            return cls(int(np.random.SeedSequence().generate_state(1, np.uint64)[0]))
        if isinstance(random_state, np.random.RandomState):
            return cls(int(random_state.randint(np.iinfo(np.int64).max, dtype=np.int64)))
        if isinstance(random_state, Integral) and 0 <= random_state < 2**32:
            return cls(int(random_state))
        raise ValueError(
            "random_state must be None, a RandomState or a whole number from 0 to "
            f"2 ** 32 - 1; found {random_state!r}."
        )

    def torch(self, *key: object, device: "device | str" = "cpu") -> "Generator":
        """Return PyTorch's generator for `key`, for example a purpose and a label."""
        import torch

        seed = int(self._sequence(key).generate_state(1, np.uint64)[0])
        return torch.Generator(device=device).manual_seed(seed)

    def integer(self, *key: object) -> int:
        """Return a whole number for `key` that others take for a `random_state`."""
        return int(self._sequence(key).generate_state(1, np.uint32)[0])

    def numpy(self, *key: object) -> np.random.Generator:
        """Return NumPy's generator for `key`, for example a purpose and a label."""
        return np.random.default_rng(self._sequence(key))

    def _sequence(self, key: tuple[object, ...]) -> np.random.SeedSequence:
        # repr tells 1 from "1"; .item() makes NumPy's scalars print as Python's do.
        parts = [part.item() if isinstance(part, np.generic) else part for part in key]
        digest = blake2b(repr(parts).encode(), digest_size=16).digest()
        return np.random.SeedSequence([self.entropy, *np.frombuffer(digest, np.uint32)])
