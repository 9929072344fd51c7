"""`StackedVAE`: a stack of variational autoencoders, one a class, trained as one."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from vaesampler._encoding.layout import Layout
from vaesampler._vae.heads import TableHead
from vaesampler._vae.layers import StackedMLP
from vaesampler._vae.posterior import Posterior


class EvidenceBound(NamedTuple):
    """The two parts of the negative evidence lower bound, in nats per row."""

    reconstruction: Tensor  # (n_models, n_rows), or their means (n_models,)
    kl: Tensor


class StackedVAE(nn.Module):
    """`n_models` variational autoencoders of one shape, with nothing shared between them.

    Parameters
    ----------
    n_models : int
        How many autoencoders stand in the stack; a single one is a stack of one.
    layout : Layout
        What stands where in an encoded row.
    hidden_layer_sizes : sequence of int
        Widths of the encoder's hidden layers; the decoder mirrors them.
    latent_dim : int
        Dimensions of the latent space.
    activation : str
        Name of the activation between layers, a key of `ACTIVATIONS`.

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
        """Draw each model's first weights from its own generator."""
        for network in (self.encoder, self.decoder):
            network.initialize(generators)
        return self

    def encode(self, rows: Tensor) -> Posterior:
        """Return q(z | row): rows (n_models, n_rows, width) to normal posteriors."""
        mean, log_var = self.encoder(rows).chunk(2, dim=-1)
        return Posterior(mean, log_var)

    def decode(self, z: Tensor) -> Tensor:
        """Return the head's parameters at each z: (n_models, n_rows, latent_dim) to width."""
        output: Tensor = self.decoder(z)
        return output

    def draw(
        self, z: Tensor, generator: torch.Generator, residuals: Tensor | None = None
    ) -> Tensor:
        """Draw a row at each z, of shape as in `decode`; `residuals` as in `TableHead.draw`."""
        return self.head.draw(self.decode(z), generator, residuals)

    def evidence_bound(self, rows: Tensor, noise: Tensor) -> EvidenceBound:
        """Return the negative evidence bound of rows, z being drawn with `noise`.

        `rows` is (n_models, n_rows, width) and `noise`, standard normal, is
        (n_models, n_rows, latent_dim).
        """
        posterior = self.encode(rows)
        output = self.decode(posterior.draw(noise))
        return EvidenceBound(
            self.head.negative_log_likelihood(output, rows), posterior.kl_to_prior()
        )

    @torch.no_grad()
    def select(self, models: Sequence[int]) -> Self:
        """Return the named models, one of them any number of times, in memory of their own."""
        chosen = type(self)(
            len(models),
            self.layout,
            self.hidden_layer_sizes,
            self.latent_dim,
            self.activation,
        )
        chosen.to(next(self.parameters()).device)
        numbers = list(models)
        chosen.load_state_dict(
            {name: values[numbers] for name, values in self.state_dict().items()}
        )
        return chosen
