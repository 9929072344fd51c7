"""`Posterior`: normal distributions over the latent space."""

from typing import NamedTuple

import torch
from torch import Tensor


class Posterior(NamedTuple):
    """The posteriors q(z | x) of rows: normal, and independent across dimensions.

    Attributes
    ----------
    mean : torch.Tensor of shape (n_models, n_rows, latent_dim)
        Means: the codes of the rows.
    log_var : torch.Tensor of shape (n_models, n_rows, latent_dim)
        Logarithms of the variances.

    References
    ----------
    Diederik P. Kingma, Max Welling (2014). Auto-Encoding Variational Bayes.

    Examples
    --------
    >>> import torch
    >>> from vaesampler import Posterior
    >>> posterior = Posterior(torch.zeros(1, 1, 2), torch.zeros(1, 1, 2))
    >>> posterior.kl_to_prior()
    tensor([[0.]])
    """

    mean: Tensor  # (n_models, n_rows, latent_dim)
    log_var: Tensor  # (n_models, n_rows, latent_dim)

    def draw(self, noise: Tensor) -> Tensor:  # (n_models, n_rows, latent_dim), both
        """Return mean + deviation * noise: draws of z if the noise is standard normal.

        Examples
        --------
        >>> import torch
        >>> from vaesampler import Posterior
        >>> posterior = Posterior(torch.tensor([[[2.0, 0.0]]]), log_var=torch.zeros(1, 1, 2))
        >>> posterior.draw(noise=torch.ones(1, 1, 2))
        tensor([[[3., 1.]]])
        """
        return self.mean + torch.exp(0.5 * self.log_var) * noise

    def kl_to_prior(self) -> Tensor:  # (n_models, n_rows)
        """Return the Kullback-Leibler divergence from the prior N(0, I), in nats per row.

        Examples
        --------
        >>> import torch
        >>> from vaesampler import Posterior
        >>> posterior = Posterior(torch.tensor([[[2.0, 0.0]]]), log_var=torch.zeros(1, 1, 2))
        >>> posterior.kl_to_prior()
        tensor([[2.]])
        """
        return self.kl_by_dimension().sum(dim=-1)

    def kl_by_dimension(self) -> Tensor:  # (n_models, n_rows, latent_dim)
        """Return the contribution of each latent dimension to `kl_to_prior`.

        Examples
        --------
        >>> import torch
        >>> from vaesampler import Posterior
        >>> posterior = Posterior(torch.tensor([[[2.0, 0.0]]]), log_var=torch.zeros(1, 1, 2))
        >>> posterior.kl_by_dimension()
        tensor([[[2., 0.]]])
        """
        return 0.5 * (self.mean.square() + self.log_var.exp() - 1 - self.log_var)
