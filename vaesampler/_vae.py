"""`StackedVAE`: a stack of variational autoencoders, one a class, trained as one."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from vaesampler._heads import TableHead
from vaesampler._latent import Posterior
from vaesampler._layers import StackedMLP
from vaesampler._seeds import standard_normal
from vaesampler._slots import Slots


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
    slots : Slots
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
        slots: Slots,
        hidden_layer_sizes: Sequence[int],
        latent_dim: int,
        activation: str,
    ) -> None:
        super().__init__()
        self.n_models = n_models
        self.slots = slots
        self.hidden_layer_sizes = tuple(hidden_layer_sizes)
        self.latent_dim = latent_dim
        self.activation = activation
        encoder_widths = [slots.width, *hidden_layer_sizes, 2 * latent_dim]
        decoder_widths = [latent_dim, *reversed(hidden_layer_sizes), slots.width]
        self.encoder = StackedMLP(n_models, encoder_widths, activation)
        self.decoder = StackedMLP(n_models, decoder_widths, activation)
        self.head = TableHead(n_models, slots)

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

    def draw(self, z: Tensor, generator: torch.Generator) -> Tensor:
        """Draw a row from the decoder's distribution at each z, of shape as in `decode`."""
        return self.head.draw(self.decode(z), generator)

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
    def correlate_errors(
        self, rows: Tensor, generator: torch.Generator, inflation: float
    ) -> None:
        """Let drawn rows err, column with column, as reconstructions of these rows do.

        `rows` is (1, n_rows, width); their deviations are multiplied by `inflation`.
        """
        posterior = self.encode(rows)
        noise = standard_normal(posterior.mean.shape, generator)
        self.head.correlate_errors(self.decode(posterior.draw(noise)), rows, inflation)

    def accumulate_gradient(
        self, rows: Tensor, noise: Tensor, beta: float
    ) -> Tensor:  # (n_models,)
        """Return each model's loss, and add its gradient to the parameters' `grad`.

        The loss is the mean over rows of reconstruction + beta * KL, in nats. It does what
        autograd does to `evidence_bound`, in half the time: at these sizes autograd's
        bookkeeping costs more than the arithmetic.
        """
        encoder_values = self.encoder.forward_pass(rows)
        posterior = Posterior(*encoder_values[-1].chunk(2, dim=-1))
        deviation = torch.exp(0.5 * posterior.log_var) * noise
        decoder_values = self.decoder.forward_pass(posterior.mean + deviation)
        output = decoder_values[-1]
        counted = self.head.counted(rows)
        reconstruction = self.head.negative_log_likelihood(output, rows, counted)
        per_row = reconstruction + beta * posterior.kl_to_prior()

        gradient = self.head.backward_pass(output, rows, counted)
        gradient = self.decoder.backward_pass(decoder_values, gradient)
        z_gradient = self.decoder.input_gradient(gradient)
        kl_weight = beta / rows.shape[1]
        mean_gradient = z_gradient + kl_weight * posterior.mean
        log_var_gradient = 0.5 * (
            z_gradient * deviation + kl_weight * (posterior.log_var.exp() - 1)
        )
        self.encoder.backward_pass(
            encoder_values, torch.cat([mean_gradient, log_var_gradient], dim=-1)
        )
        return per_row.mean(dim=1)

    @torch.no_grad()
    def select(self, models: Sequence[int]) -> Self:
        """Return the named models, one of them any number of times, in memory of their own."""
        chosen = type(self)(
            len(models),
            self.slots,
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
