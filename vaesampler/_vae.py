"""`StackedVAE`: a stack of variational autoencoders, one a class, trained as one."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from vaesampler._heads import GaussianHead
from vaesampler._latent import Posterior
from vaesampler._layers import StackedMLP


class EvidenceBound(NamedTuple):
    """The two parts of the negative evidence lower bound, in nats per row."""

    reconstruction: Tensor  # (n_models, n_rows)
    kl: Tensor  # (n_models, n_rows)


class StackedVAE(nn.Module):
    """`n_models` variational autoencoders of one shape, with nothing shared between them.

    Parameters
    ----------
    n_models : int
        How many autoencoders stand in the stack; a single one is a stack of one.
    n_features : int
        Width of the encoded rows.
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
        n_features: int,
        hidden_layer_sizes: Sequence[int],
        latent_dim: int,
        activation: str,
    ) -> None:
        super().__init__()
        self.n_models = n_models
        self.n_features = n_features
        self.hidden_layer_sizes = tuple(hidden_layer_sizes)
        self.latent_dim = latent_dim
        self.activation = activation
        encoder_widths = [n_features, *hidden_layer_sizes, 2 * latent_dim]
        decoder_widths = [latent_dim, *reversed(hidden_layer_sizes), n_features]
        self.encoder = StackedMLP(n_models, encoder_widths, activation)
        self.decoder = StackedMLP(n_models, decoder_widths, activation)
        self.head = GaussianHead(n_models, n_features)

    def initialize(self, generators: Sequence[torch.Generator]) -> Self:
        """Draw each model's first weights from its own generator."""
        for network in (self.encoder, self.decoder):
            network.initialize(generators)
        return self

    def encode(self, rows: Tensor) -> Posterior:
        """Return q(z | row): rows (n_models, n_rows, n_features) to normal posteriors."""
        mean, log_var = self.encoder(rows).chunk(2, dim=-1)
        return Posterior(mean, log_var)

    def decode(self, z: Tensor) -> Tensor:
        """Return the mean row at each z: (n_models, n_rows, latent_dim) to n_features."""
        output: Tensor = self.decoder(z)
        return output

    def draw(self, z: Tensor, generator: torch.Generator) -> Tensor:
        """Draw a row from the decoder's distribution at each z, of shape as in `decode`."""
        return self.head.draw(self.decode(z), generator)

    def evidence_bound(self, rows: Tensor, noise: Tensor) -> EvidenceBound:
        """Return the negative evidence bound of rows, z being drawn with `noise`.

        `rows` is (n_models, n_rows, n_features) and `noise`, standard normal, is
        (n_models, n_rows, latent_dim).
        """
        posterior = self.encode(rows)
        output = self.decode(posterior.draw(noise))
        return EvidenceBound(
            self.head.negative_log_likelihood(output, rows), posterior.kl_to_prior()
        )

    @torch.no_grad()
    def select(self, model: int) -> Self:
        """Return one model of the stack as a stack of one that shares no memory."""
        alone = type(self)(
            1, self.n_features, self.hidden_layer_sizes, self.latent_dim, self.activation
        )
        alone.load_state_dict(
            {name: values[model : model + 1] for name, values in self.state_dict().items()}
        )
        return alone.to(next(self.parameters()).device)
