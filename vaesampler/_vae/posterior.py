"""`Posterior`: independent normal distributions over z."""

from typing import NamedTuple

import torch
from torch import Tensor


class Posterior(NamedTuple):
    """Independent normal distributions over z, given rows."""

    mean: Tensor  # (n_models, n_rows, latent_dim)
    log_var: Tensor  # (n_models, n_rows, latent_dim)

    def draw(self, noise: Tensor) -> Tensor:  # (n_models, n_rows, latent_dim), also out
        """Turn standard normal noise into draws of z."""
        return self.mean + torch.exp(0.5 * self.log_var) * noise

    def kl_to_prior(self) -> Tensor:  # (n_models, n_rows)
        """Kullback-Leibler divergence from the standard normal prior, in nats per row."""
        return self.kl_by_dimension().sum(dim=-1)

    def kl_by_dimension(self) -> Tensor:  # (n_models, n_rows, latent_dim)
        """Each latent dimension's part in it."""
        return 0.5 * (self.mean.square() + self.log_var.exp() - 1 - self.log_var)
