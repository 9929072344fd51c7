"""`StackedVAE`: a stack of variational autoencoders, one a class, trained as one."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from vaesampler._errors import RowErrors
from vaesampler._heads import HeadGradient, HeadTargets, TableHead
from vaesampler._latent import Posterior
from vaesampler._layers import MLPPasses, StackedMLP
from vaesampler._slots import Slots


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

    def draw(
        self, z: Tensor, generator: torch.Generator, around: Tensor | None = None
    ) -> Tensor:
        """Draw a row from the decoder's distribution at each z, of shape as in `decode`.

        With the rows that each was drawn around, (n_rows, width), the decoder of a single model
        errs there as it does on these, where that depends on the row.
        """
        errors = self.head.normal.errors
        own = None
        if around is not None and errors is not None and errors.depend_on_row:
            own = self.own_errors(around[None])
        return self.head.draw(self.decode(z), generator, own)

    def own_errors(self, rows: Tensor) -> RowErrors:
        """Return a single model's errors on rows (1, n_rows, width), at their means of z."""
        return self.head.errors_of(self.decode(self.encode(rows).mean), rows)

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


class VAEGradient:
    """The loss of a stack and its gradient, written by hand.

    It does what autograd does to `evidence_bound`, in a third of the time. The parameters'
    `grad` must be there, and none of them may move in memory.

    Parameters
    ----------
    vaes : StackedVAE
        The stack.
    n_rows : int
        Number of rows that will be looked at, at once.
    beta : float
        Weight of the Kullback-Leibler term.
    """

    def __init__(self, vaes: StackedVAE, n_rows: int, beta: float) -> None:
        self.encoder = MLPPasses(vaes.encoder, n_rows)
        self.decoder = MLPPasses(vaes.decoder, n_rows)
        self.head = HeadGradient(vaes.head, self.decoder.outputs[-1])
        self.kl_weight = beta / n_rows
        # A tensor spares each step the conversion of a number.
        example = self.encoder.weights[0]
        self.minus_half_kl_weight = example.new_tensor(-0.5 * self.kl_weight)
        self.half_share = 0.5 / n_rows
        self.reconstruction_constant = example.new_tensor(self.head.constant)
        self.kl_constant = example.new_tensor(-0.5 * vaes.latent_dim)

    def write(self, targets: HeadTargets, noise: Tensor, bound: EvidenceBound) -> None:
        """Write the bound, each part (n_models,), and the gradient into the parameters' `grad`.

        The bound is the mean over rows; the gradient is that of reconstruction + beta * KL.
        The targets are `self.head.targets(rows)`, and `rows` and `noise` are as in
        `evidence_bound`.
        """
        rows = targets.rows
        # Of halves that lie apart in memory, arithmetic takes ten times as long.
        mean, log_var = (half.contiguous() for half in self.encoder.forward(rows).chunk(2, -1))
        variance = torch.exp(log_var)
        deviation = torch.sqrt(variance).mul_(noise)
        z = mean + deviation
        if self.head.wants_errors:
            self.decoder.errors(z, rows)
        else:
            self.decoder.forward(z)
        head = self.head.write(targets)
        z_gradient = self.decoder.backward(z, head.gradient, head.scale, is_input_data=False)
        assert z_gradient is not None
        twice_kl = torch.addcmul(variance, mean, mean).sub_(log_var).sum((1, 2))
        torch.add(
            self.reconstruction_constant, head.twice_loss, alpha=0.5, out=bound.reconstruction
        )
        torch.add(self.kl_constant, twice_kl, alpha=self.half_share, out=bound.kl)
        mean_gradient = torch.add(z_gradient, mean, alpha=self.kl_weight)
        log_var_gradient = torch.add(
            self.minus_half_kl_weight, variance, alpha=0.5 * self.kl_weight
        ).addcmul_(z_gradient, deviation, value=0.5)
        gradient = torch.cat([mean_gradient, log_var_gradient], -1)
        self.encoder.backward(rows, gradient, is_input_data=True)
