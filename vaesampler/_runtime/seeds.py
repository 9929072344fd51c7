"""Independent random streams derived from one seed, by purpose and class label.

A stream depends only on the seed and on its key. A class gets the same random numbers
whichever other classes are trained with it, and in whatever order.
"""

import os
from dataclasses import dataclass
from hashlib import blake2b
from numbers import Integral
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Generator, device


@dataclass(frozen=True)
class RandomStream:
    """A random stream. Each call returns a new generator, at the start of the stream.

    Parameters
    ----------
    seeds : Seeds
        The seed.
    key : tuple
        The key of the stream, for example a purpose and a class label.

    Examples
    --------
    A `Critic` is given a stream, and gets the same numbers at each fit:

    >>> from sklearn.datasets import load_wine
    >>> from vaesampler import NeighborCritic, VAEOversampler
    >>> class PrintingCritic(NeighborCritic):
    ...     def fit(self, own_rows, other_rows, random):
    ...         print(random.numpy().random() == random.numpy().random())
    ...         return super().fit(own_rows, other_rows, random)
    >>> X, y = load_wine(return_X_y=True)
    >>> sampler = VAEOversampler(sampling_strategy={2: 60}, critic=PrintingCritic())
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    True
    """

    seeds: "Seeds"
    key: tuple[object, ...]

    def numpy(self) -> np.random.Generator:
        """Return a NumPy generator.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import NeighborCritic, VAEOversampler
        >>> class PrintingCritic(NeighborCritic):
        ...     def fit(self, own_rows, other_rows, random):
        ...         chosen = random.numpy().choice(len(other_rows), 10, replace=False)
        ...         print(chosen.shape)
        ...         return super().fit(own_rows, other_rows, random)
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(sampling_strategy={2: 60}, critic=PrintingCritic())
        >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
        (10,)
        """
        return self.seeds.numpy(*self.key)

    def torch(self, device: "device | str" = "cpu") -> "Generator":
        """Return a PyTorch generator on `device`.

        Examples
        --------
        >>> import torch
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import NeighborCritic, VAEOversampler
        >>> class PrintingCritic(NeighborCritic):
        ...     def fit(self, own_rows, other_rows, random):
        ...         print(torch.randn(3, generator=random.torch()).shape)
        ...         return super().fit(own_rows, other_rows, random)
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(sampling_strategy={2: 60}, critic=PrintingCritic())
        >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
        torch.Size([3])
        """
        return self.seeds.torch(*self.key, device=device)


class Seeds:
    """A seed, from which independent random streams are derived.

    Parameters
    ----------
    entropy : int
        The seed.
    """

    def __init__(self, entropy: int) -> None:
        self.entropy = entropy

    @classmethod
    def from_random_state(cls, random_state: int | np.random.RandomState | None) -> "Seeds":
        """Return the seed of scikit-learn's `random_state`.

        None takes fresh entropy from the operating system; unlike elsewhere, NumPy's global
        generator is not used.

        Raises
        ------
        ValueError
            If `random_state` is invalid.
        """
        if random_state is None:
            return cls(*_fresh_entropy())
        if isinstance(random_state, np.random.RandomState):
            return cls(int(random_state.randint(np.iinfo(np.int64).max, dtype=np.int64)))
        if isinstance(random_state, Integral) and 0 <= random_state < 2**32:
            return cls(int(random_state))
        raise ValueError(
            "random_state must be None, a RandomState or an integer from 0 to "
            f"2 ** 32 - 1; found {random_state!r}."
        )

    def stream(self, *key: object) -> RandomStream:
        """Return the stream of `key`, for example a purpose and a class label."""
        return RandomStream(self, key)

    def torch(self, *key: object, device: "device | str" = "cpu") -> "Generator":
        """Return a PyTorch generator for `key`, on `device`."""
        import torch

        seed = int(self._sequence(key).generate_state(1, np.uint64)[0])
        return torch.Generator(device=device).manual_seed(seed)

    def integer(self, *key: object) -> int:
        """Return an integer for `key`, for use as a `random_state`."""
        return int(self._sequence(key).generate_state(1, np.uint32)[0])

    def numpy(self, *key: object) -> np.random.Generator:
        """Return a NumPy generator for `key`."""
        return np.random.default_rng(self._sequence(key))

    def _sequence(self, key: tuple[object, ...]) -> np.random.SeedSequence:
        # repr distinguishes 1 from "1"; .item() gives NumPy scalars the repr of Python's.
        parts = [part.item() if isinstance(part, np.generic) else part for part in key]
        digest = blake2b(repr(parts).encode(), digest_size=16).digest()
        return np.random.SeedSequence([self.entropy, *np.frombuffer(digest, np.uint32)])


class UnseededCalls:
    """Keys for calls without a seed, each of which is to draw other rows.

    The keys are 1, 2, ... in the process in which this object was made. In forked processes,
    and where it was copied or unpickled, they also contain fresh entropy: no two workers have
    the same keys.
    """

    def __init__(self) -> None:
        self._start(entropy=())

    @classmethod
    def elsewhere(cls) -> "UnseededCalls":
        """Return keys for another process than that in which a sampler was fitted."""
        calls = cls()
        calls._start(_fresh_entropy())
        return calls

    def _start(self, entropy: tuple[int, ...]) -> None:
        self._entropy, self._n_calls = entropy, 0
        self._process, self._lock = os.getpid(), Lock()

    def next_key(self) -> tuple[int, ...]:
        """Return the key of the next call."""
        if self._process != os.getpid():
            self._start(_fresh_entropy())
        with self._lock:
            self._n_calls += 1
            return (*self._entropy, self._n_calls)

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._start(_fresh_entropy())


def _fresh_entropy() -> tuple[int, ...]:
    """Return entropy of the operating system."""
    return (int(np.random.SeedSequence().generate_state(1, np.uint64)[0]),)
