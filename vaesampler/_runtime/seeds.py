"""One seed to independent random streams, keyed by class label and purpose.

A stream depends on the seed and on its key alone: a class gets the same random numbers
whichever other classes are trained beside it, and in whatever order.
"""

from dataclasses import dataclass
from hashlib import blake2b
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Generator, device


@dataclass(frozen=True)
class RandomStream:
    """A random stream: each call returns a generator at its start.

    Parameters
    ----------
    seeds : Seeds
        What the stream comes from.
    key : tuple
        Its key, for example a purpose and a class label.
    """

    seeds: "Seeds"
    key: tuple[object, ...]

    def numpy(self) -> np.random.Generator:
        """Return NumPy's generator."""
        return self.seeds.numpy(*self.key)

    def torch(self, device: "device | str" = "cpu") -> "Generator":
        """Return PyTorch's generator."""
        return self.seeds.torch(*self.key, device=device)


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

    def stream(self, *key: object) -> RandomStream:
        """Return the stream of `key`, for example a purpose and a label."""
        return RandomStream(self, key)

    def torch(self, *key: object, device: "device | str" = "cpu") -> "Generator":
        """Return PyTorch's generator for `key`."""
        import torch

        seed = int(self._sequence(key).generate_state(1, np.uint64)[0])
        return torch.Generator(device=device).manual_seed(seed)

    def integer(self, *key: object) -> int:
        """Return an integer for `key`, to be used as a `random_state`."""
        return int(self._sequence(key).generate_state(1, np.uint32)[0])

    def numpy(self, *key: object) -> np.random.Generator:
        """Return NumPy's generator for `key`."""
        return np.random.default_rng(self._sequence(key))

    def _sequence(self, key: tuple[object, ...]) -> np.random.SeedSequence:
        # repr tells 1 from "1"; .item() makes NumPy's scalars print as Python's do.
        parts = [part.item() if isinstance(part, np.generic) else part for part in key]
        digest = blake2b(repr(parts).encode(), digest_size=16).digest()
        return np.random.SeedSequence([self.entropy, *np.frombuffer(digest, np.uint32)])
