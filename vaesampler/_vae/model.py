"""`StackedVAE`: a stack of variational autoencoders, one per class, trained together."""

from collections.abc import Callable, Sequence
from copy import copy
from typing import NamedTuple, Self, TypeVar

import torch
from torch import Tensor, nn

from vaesampler._encoding.layout import Layout
from vaesampler._vae.heads import TableHead
from vaesampler._vae.layers import StackedMLP
from vaesampler._vae.posterior import Posterior

Module = TypeVar("Module", bound=nn.Module)


class EvidenceBound(NamedTuple):
    """The two terms of the negative evidence lower bound (ELBO), in nats per row."""

    reconstruction: Tensor  # (n_models, n_rows), or the mean over rows (n_models,)
    kl: Tensor  # as `reconstruction`


class StackedVAE(nn.Module):
    """`n_models` variational autoencoders of the same architecture, without shared weights.

    Parameters
    ----------
    n_models : int
        Number of models in the stack.
    layout : Layout
        The slots of an encoded row.
    hidden_layer_sizes : sequence of int
        Widths of the encoder's hidden layers; the decoder mirrors them.
    latent_dim : int
        Number of dimensions of the latent space.
    activation : str
        The activation of the hidden layers, a key of `ACTIVATIONS`.

    References
    ----------
    Diederik P. Kingma, Max Welling (2014). Auto-Encoding Variational Bayes.
    """

    def __init__(
        self,
        n_models: int,
        layout: Layout,
        hidden_layer_sizes: Sequence[int],
        latent_dim: int,
        activation: str,
    ) -> None:
        super().__init__()
        self.n_models = n_models
        self.layout = layout
        self.hidden_layer_sizes = tuple(hidden_layer_sizes)
        self.latent_dim = latent_dim
        self.activation = activation
        encoder_widths = [layout.width, *hidden_layer_sizes, 2 * latent_dim]
        decoder_widths = [latent_dim, *reversed(hidden_layer_sizes), layout.width]
        self.encoder = StackedMLP(n_models, encoder_widths, activation)
        self.decoder = StackedMLP(n_models, decoder_widths, activation)
        self.head = TableHead(n_models, layout)

    def initialize(self, generators: Sequence[torch.Generator]) -> Self:
        """Draw each model's initial parameters from its own generator."""
        for network in (self.encoder, self.decoder):
            network.initialize(generators)
        return self

    def encode(self, rows: Tensor) -> Posterior:
        """Return the posteriors q(z | x) of rows x (n_models, n_rows, width)."""
        mean, log_var = self.encoder(rows).chunk(2, dim=-1)
        return Posterior(mean, log_var)

    def decode(self, z: Tensor) -> Tensor:
        """Return the decoder's output (n_models, n_rows, width), from which the head draws.

        `z` is (n_models, n_rows, latent_dim).
        """
        output: Tensor = self.decoder(z)
        return output

    def draw(
        self, z: Tensor, generator: torch.Generator, residuals: Tensor | None = None
    ) -> Tensor:
        """Draw rows (n_models, n_rows, width), one at each z (n_models, n_rows, latent_dim).

        `residuals` are as in `TableHead.draw`.
        """
        return self.head.draw(self.decode(z), generator, residuals)

    def evidence_bound(self, rows: Tensor, noise: Tensor) -> EvidenceBound:
        """Return the terms of the negative ELBO, each (n_models, n_rows).

        `rows` are (n_models, n_rows, width). `noise` (n_models, n_rows, latent_dim) is standard
        normal; z is the posterior mean plus the noise times the posterior deviation.
        """
        posterior = self.encode(rows)
        output = self.decode(posterior.draw(noise))
        return EvidenceBound(
            self.head.negative_log_likelihood(output, rows), posterior.kl_to_prior()
        )

    @torch.no_grad()
    def select(self, models: Sequence[int]) -> Self:
        """Return a stack of copies of the models with these indices, which may repeat."""
        indices = list(models)
        chosen = _with_parameters(self, lambda values: nn.Parameter(values[indices]))
        chosen.n_models = len(indices)
        return chosen


def _with_parameters(module: Module, copied: Callable[[nn.Parameter], nn.Parameter]) -> Module:
    """Return a module with copied parameters, which shares all constants.

    This is ten times faster than to make a module and to fill it.
    """
    chosen = copy(module)
    chosen._parameters = {
        name: None if values is None else copied(values)
        for name, values in module._parameters.items()
    }
    chosen._buffers = dict(module._buffers)
    chosen._modules = {
        name: None if child is None else _with_parameters(child, copied)
        for name, child in module._modules.items()
    }
    return chosen
