"""`LossCurve`: how a class's loss went during training."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)  # arrays are not one truth value
class LossCurve:
    """The negative evidence lower bound of a class's rows at some steps of training.

    Attributes
    ----------
    step : ndarray of int, of shape (n_looks,)
        Optimizer steps taken so far, counted from 1.
    reconstruction : ndarray of shape (n_looks,)
        How unlikely the rows are under what is decoded for them, in nats per row.
    kl : ndarray of shape (n_looks,)
        How far the rows' codes are from the prior (the Kullback-Leibler divergence), in nats
        per row, not multiplied by `beta`.

    References
    ----------
    Diederik P. Kingma, Max Welling (2014). Auto-Encoding Variational Bayes.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from vaesampler import VAEOversampler
    >>> X, y = load_wine(return_X_y=True)
    >>> sampler = VAEOversampler(random_state=0).fit(X, y)
    >>> curve = sampler.loss_curves_[2]
    >>> len(curve)
    250
    >>> bool(curve.total[-1] < curve.total[0])
    True
    """

    step: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """The sum of both parts, of shape (n_looks,), in nats per row."""
        total: np.ndarray = self.reconstruction + self.kl
        return total

    def __len__(self) -> int:
        return len(self.step)
