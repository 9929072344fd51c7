"""`LossCurve`: the loss of a class during training."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)  # arrays have no single truth value
class LossCurve:
    """The negative evidence lower bound of a class's rows during training.

    Attributes
    ----------
    step : ndarray of int, of shape (n_points,)
        The optimizer step of each point, counted from 1.
    reconstruction : ndarray of shape (n_points,)
        Negative log-likelihood of the rows given their reconstruction, in nats per row.
    kl : ndarray of shape (n_points,)
        Kullback-Leibler divergence of the codes from the prior, in nats per row, not multiplied
        by `beta`.

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

    step: npt.NDArray[np.intp]
    reconstruction: npt.NDArray[np.float32]
    kl: npt.NDArray[np.float32]

    @property
    def total(self) -> npt.NDArray[np.float32]:
        """Sum of `reconstruction` and `kl`, of shape (n_points,), in nats per row.

        Examples
        --------
        >>> import numpy as np
        >>> from vaesampler import LossCurve
        >>> curve = LossCurve(np.array([1, 2]), np.array([9.0, 6.0]), kl=np.array([0.5, 1.0]))
        >>> curve.total
        array([9.5, 7. ])
        """
        return self.reconstruction + self.kl

    def __len__(self) -> int:
        return len(self.step)
