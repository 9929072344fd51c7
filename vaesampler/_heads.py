"""Likelihood of, and drawing from, each kind of slot, given the decoder's output."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vaesampler._devices import standard_normal
from vaesampler._errors import DecoderErrors, Neighborhood, RowErrors
from vaesampler._layers import gradient_of
from vaesampler._slots import Slots

# A column that the decoder predicts perfectly would drive its variance to zero and the
# likelihood to infinity; encoded columns have variance 1, and this is one part in 400.
LOWEST_LOG_VAR = -6.0
# Numbers that vary by less, in deviations of the class, are the same but for rounding.
LEAST_VARIANCE = 1e-6
# Beyond it, probabilities are 0 or 1 to float32, and sums of exponentials would overflow.
LARGEST_LOGIT = 40.0


class TableHead(nn.Module):
    """All slots of an encoded row: numbers, flags and binary columns, and categories.

    They are independent given the decoder's output. What a flag silences, because the
    number there is missing or sits at a spike, has no part in the likelihood.
    """

    silencing_flags: Tensor  # (n_pairs,): a flag, ...
    silenced_slots: Tensor  # (n_pairs,): ... and a slot that counts for nothing where it is 1

    def __init__(self, n_models: int, slots: Slots) -> None:
        super().__init__()
        self.slots = slots
        self.normal = GaussianHead(n_models, slots.n_normal)
        self.binary = BernoulliHead()
        self.groups = CategoricalHead(slots)
        pairs = torch.from_numpy(np.array(slots.silenced, dtype=np.int64).reshape(-1, 2))
        flags, silenced = pairs.T.contiguous()
        self.register_buffer("silencing_flags", flags + slots.n_normal, persistent=False)
        self.register_buffer("silenced_slots", silenced, persistent=False)

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        # (n_models, n_rows, width) twice -> (n_models, n_rows), in nats
        normal, yes_no, groups = self.parts
        counted = self.counted(rows) if counted is None else counted
        total = self.normal.negative_log_likelihood(
            output[..., normal], rows[..., normal], _part(counted, normal)
        )
        if yes_no.stop > yes_no.start:
            total = total + self.binary.negative_log_likelihood(
                output[..., yes_no], rows[..., yes_no], _part(counted, yes_no)
            )
        if groups.stop > groups.start:
            total = total + self.groups.negative_log_likelihood(
                output[..., groups], rows[..., groups]
            )
        return total

    def loss_of_columns_alone(self, rows: Tensor) -> float:
        """Return the mean loss of the best decoder that ignores z, in nats per row.

        It gives each number its mean and variance, and each category its frequency, in
        `rows` (1, n_rows, width).
        """
        normal, yes_no, groups = self.parts
        counted = self.counted(rows)
        counted = torch.ones_like(rows[0, :, : groups.start]) if counted is None else counted[0]
        share = counted.mean(dim=0)
        weights = counted / counted.sum(dim=0).clamp(min=1)
        numbers, weights_of_numbers = rows[0, :, normal], weights[:, normal]
        mean = (weights_of_numbers * numbers).sum(dim=0)
        variance = (weights_of_numbers * (numbers - mean).square()).sum(dim=0)
        # A column that does not vary tells nothing of either: it gets what was learned.
        learned = torch.exp(self.normal.log_var.detach())[0, 0]
        fitted = torch.where(variance > LEAST_VARIANCE, variance, learned)
        fitted = fitted.clamp(min=math.exp(LOWEST_LOG_VAR))
        terms = 0.5 * (torch.log(2 * math.pi * fitted) + variance / fitted)
        chance = (weights[:, yes_no] * (rows[0, :, yes_no] > 0)).sum(dim=0)
        entropy = -torch.xlogy(chance, chance) - torch.xlogy(1 - chance, 1 - chance)
        levels = rows[0, :, groups].mean(dim=0)
        loss = (share[normal] * terms).sum() + (share[yes_no] * entropy).sum()
        return float(loss - torch.xlogy(levels, levels).sum())

    def draw(
        self, output: Tensor, generator: torch.Generator, own: RowErrors | None = None
    ) -> Tensor:
        """Draw rows (n_models, n_rows, width); `own` as in `DecoderErrors.draw`."""
        normal, yes_no, groups = self.parts
        parts = [
            self.normal.draw(output[..., normal], generator, own),
            self.binary.draw(output[..., yes_no], generator),
            self.groups.draw(output[..., groups], generator),
        ]
        return torch.cat(parts, dim=-1)

    def learn_errors(self, errors: RowErrors, own: RowErrors, inflation: float) -> None:
        """Draw numbers that err so, and deviate `inflation` times as much.

        `errors` are made at a z drawn for each row, `own` at its mean; this is for the head of
        a single model.
        """
        learned = torch.exp(0.5 * self.normal.log_var.detach())[0, 0]
        self.normal.errors = DecoderErrors.fit(errors, own, learned, inflation)

    def keep_errors(
        self, sources: Tensor, output: Tensor, own: RowErrors, numbers: Tensor, rows: Tensor
    ) -> None:
        """Let drawn rows keep some of the errors on the row that they are drawn around.

        How much, is told by real `rows` (1, n_rows, width) of these `numbers`, and by decoded
        ones, the `output`, around the `sources` that have the errors `own`.
        """
        errors, normal = self.normal.errors, self.parts[0]
        assert errors is not None
        near = Neighborhood(sources, output[0, :, normal], own)
        self.normal.errors = errors.keeping(near, numbers, rows[0, :, normal])

    def errors_of(self, output: Tensor, rows: Tensor) -> RowErrors:  # (1, n_rows, width) twice
        """Return the errors in numbers."""
        normal, _, _ = self.parts
        counted = self.counted(rows)
        errors = (rows[..., normal] - output[..., normal])[0]
        return RowErrors(errors, None if counted is None else counted[0, :, normal])

    @property
    def parts(self) -> tuple[slice, slice, slice]:
        """The slots of numbers, of what is yes or no (flags first), and of groups."""
        slots = self.slots
        return slots.normal, slice(slots.flags.start, slots.binary.stop), slots.groups

    def counted(self, rows: Tensor) -> Tensor | None:
        """Return 0 where a flag silences a slot and 1 elsewhere; None if none can be."""
        # (n_models, n_rows, width) -> (n_models, n_rows, n_normal + n_flags + n_binary)
        if not self.slots.silenced:
            return None
        counted = torch.ones_like(rows[..., : self.slots.groups.start])
        counted.index_add_(-1, self.silenced_slots, rows[..., self.silencing_flags], alpha=-1)
        return counted.clamp_(min=0)


class HeadLoss(NamedTuple):
    """A head's loss, and its gradient at the decoder's output: `gradient * scale`."""

    twice_loss: Tensor  # (n_models,), in nats, less a constant
    gradient: Tensor  # (n_models, n_rows, width)
    scale: Tensor  # (n_models, 1, width)


class HeadTargets(NamedTuple):
    """What a head wants to know of encoded rows, told once for many steps."""

    rows: Tensor  # (n_models, n_rows, width)
    numbers: Tensor  # (n_models, n_rows, n_normal)
    is_one: Tensor  # (n_models, n_rows, n_yes_no), of 0 and 1
    levels: Tensor  # (n_models, n_rows, n_slots_of_groups), of 0 and 1
    # Of 0 and 1: see `TableHead.counted`; without columns where all is counted.
    counted_numbers: Tensor
    counted_yes_no: Tensor


class HeadGradient:
    """The mean over rows of a head's likelihood and its gradient, written by hand.

    Parameters
    ----------
    head : TableHead
        The head. Its parameters' `grad` must be there, and none may move in memory.
    output : Tensor of shape (n_models, n_rows, width)
        Where the decoder's output will stand; less the rows, if the head `wants_errors`.
    """

    def __init__(self, head: TableHead, output: Tensor) -> None:
        self.head = head
        self.output = output
        self.parts = head.parts
        self.outputs = [output[..., part] for part in self.parts]
        self.raw_log_var = head.normal.raw_log_var.detach()
        self.raw_log_var_gradient = gradient_of(head.normal.raw_log_var)
        # What is to be added to a half of `twice_loss`, in nats.
        self.constant = 0.5 * head.slots.n_normal * (LOWEST_LOG_VAR + math.log(2 * math.pi))
        self.wants_errors = head.slots.n_normal == head.slots.width
        n_models, self.n_rows, width = output.shape
        # Tensors spare each step the conversion of numbers.
        self.largest_log_scale = output.new_tensor(-LOWEST_LOG_VAR - math.log(self.n_rows))
        self.half = output.new_tensor(0.5)
        self.squares = output.new_empty(n_models, self.n_rows, head.slots.n_normal)
        self.scale = output.new_full((n_models, 1, width), 1 / self.n_rows)
        self.scale_of_numbers = self.scale[..., : head.slots.n_normal]

    def targets(self, rows: Tensor) -> HeadTargets:
        """Return what is to be known of rows (n_models, n_rows, width)."""
        normal, yes_no, groups = self.parts
        counted = self.head.counted(rows)
        counted = rows[..., :0] if counted is None else counted
        is_one = (rows[..., yes_no] > 0).to(rows.dtype)
        return HeadTargets(
            rows,
            rows[..., normal],
            is_one,
            rows[..., groups],
            counted[..., normal],
            counted[..., yes_no],
        )

    def write(self, targets: HeadTargets) -> HeadLoss:
        """Return the loss and its gradient, and write that of the head's own parameters."""
        if self.wants_errors:
            return HeadLoss(self._of_errors(self.output, None), self.output, self.scale)
        _, numbers, is_one, levels, counted_numbers, counted_yes_no = targets
        number_output, yes_no_output, group_output = self.outputs
        errors = number_output - numbers
        terms = torch.addcmul(
            nn.functional.softplus(yes_no_output), is_one, yes_no_output, value=-1
        )
        yes_no_gradient = torch.sigmoid(yes_no_output).sub_(is_one)
        is_all_counted = counted_yes_no.shape[-1] == 0
        if not is_all_counted:
            errors.mul_(counted_numbers)
            terms.mul_(counted_yes_no)
            yes_no_gradient.mul_(counted_yes_no)
        loss, gradients = terms.sum((1, 2)), [errors, yes_no_gradient]
        if levels.shape[-1] > 0:
            group_loss, gradient = self.head.groups.loss_and_gradient(group_output, levels)
            loss.add_(group_loss)
            gradients.append(gradient)
        twice_loss = self._of_errors(errors, None if is_all_counted else counted_numbers)
        twice_loss.add_(loss, alpha=2 / self.n_rows)
        return HeadLoss(twice_loss, torch.cat(gradients, -1), self.scale)

    def _of_errors(self, errors: Tensor, counted: Tensor | None) -> Tensor:  # (n_models,)
        """Return the loss of numbers, doubled and less a constant; write their scale."""
        slope = torch.sigmoid(self.raw_log_var)  # of the log-variance
        gradient = torch.mul(slope, self.half, out=self.raw_log_var_gradient)
        excess = nn.functional.softplus(self.raw_log_var)  # of it over the lowest
        scale = torch.exp(self.largest_log_scale - excess, out=self.scale_of_numbers)
        if counted is not None:
            share_counted = counted.mean(dim=1, keepdim=True)
            gradient.mul_(share_counted)
            lowest = LOWEST_LOG_VAR + math.log(2 * math.pi)
            excess.add_(lowest).mul_(share_counted).sub_(lowest)
        # Of the squares, sums over the rows are all that is needed.
        squares = torch.mul(errors, errors, out=self.squares).sum(1, True).mul_(scale)
        gradient.addcmul_(slope, squares, value=-0.5)
        return excess.add_(squares).sum((1, 2))


class GaussianHead(nn.Module):
    """Normal columns: the decoder gives the mean, and each column learns one variance.

    The learned variance balances reconstruction against the prior without a weight to
    tune, and it is what drawn rows spread with. The decoder's errors in different columns
    go together, and so do those of drawn rows once `errors` are known.

    References
    ----------
    Oleh Rybkin, Kostas Daniilidis, Sergey Levine (2021). Simple and Effective VAE
    Training with Calibrated Decoders (sigma-VAE).
    """

    def __init__(self, n_models: int, n_features: int) -> None:
        super().__init__()
        shape = (n_models, 1, n_features)
        self.raw_log_var = nn.Parameter(
            torch.full(shape, -LOWEST_LOG_VAR, dtype=torch.float32, device="cpu")
        )
        self.errors: DecoderErrors | None = None

    @property
    def log_var(self) -> Tensor:  # (n_models, 1, n_features)
        """The log-variances, held above a floor smoothly, so that they can leave it."""
        return LOWEST_LOG_VAR + nn.functional.softplus(self.raw_log_var)

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        # (n_models, n_rows, n_features) twice -> (n_models, n_rows), in nats
        log_var = self.log_var
        squared_error = (rows - output).square() * torch.exp(-log_var)
        if counted is None:
            constant = (log_var + math.log(2 * math.pi)).sum(dim=-1)  # (n_models, 1)
            return 0.5 * (squared_error.sum(dim=-1) + constant)
        terms = squared_error + log_var + math.log(2 * math.pi)
        return 0.5 * (terms * counted).sum(dim=-1)

    def draw(
        self, output: Tensor, generator: torch.Generator, own: RowErrors | None = None
    ) -> Tensor:
        # (n_models, n_rows, n_features) -> the same shape
        if self.errors is not None:
            return output + self.errors.draw(output.shape[1], generator, own)
        noise = standard_normal(output.shape, generator)
        return output + torch.exp(0.5 * self.log_var) * noise


class BernoulliHead(nn.Module):
    """Slots of two values, of which one is above 0: the decoder gives the logit of that."""

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None
    ) -> Tensor:
        # (n_models, n_rows, n_slots) twice -> (n_models, n_rows), in nats
        terms = nn.functional.softplus(output) - (rows > 0) * output
        return (terms if counted is None else terms * counted).sum(dim=-1)

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        # (n_models, n_rows, n_slots) -> the same shape, of 0 and 1
        chance = torch.rand(
            output.shape, generator=generator, device=generator.device, dtype=torch.float32
        )
        return (chance < torch.sigmoid(output)).to(output.dtype)


class CategoricalHead(nn.Module):
    """Groups of slots of which one is 1: the decoder gives their logits (a softmax)."""

    membership: Tensor  # (n_slots, n_groups)

    def __init__(self, slots: Slots) -> None:
        super().__init__()
        self.group_sizes = slots.group_sizes
        membership = np.eye(len(slots.group_sizes), dtype=np.float32)[slots.group_of_slot]
        self.register_buffer("membership", torch.from_numpy(membership), persistent=False)

    def negative_log_likelihood(self, output: Tensor, rows: Tensor) -> Tensor:
        # (n_models, n_rows, n_slots) twice -> (n_models, n_rows), in nats
        logits = output.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
        log_totals = torch.log(torch.exp(logits) @ self.membership)
        return log_totals.sum(dim=-1) - (rows * logits).sum(dim=-1)

    def loss_and_gradient(self, output: Tensor, rows: Tensor) -> tuple[Tensor | float, Tensor]:
        """Return the rows' sum (n_models,) and its gradient at the decoder's output."""
        if len(self.group_sizes) == 0:
            return 0.0, output
        logits = output.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
        weights = torch.exp(logits)
        totals = weights @ self.membership
        loss = torch.log(totals).sum(dim=(1, 2)) - (rows * logits).sum(dim=(1, 2))
        probabilities = weights.mul_(totals.reciprocal_() @ self.membership.T)
        return loss, probabilities.sub_(rows).mul_(logits == output)

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        # (n_models, n_rows, n_slots) -> the same shape, of 0 and 1
        uniform = torch.rand(
            output.shape, generator=generator, device=generator.device, dtype=torch.float32
        )
        # The largest of logits with Gumbel noise falls on each as its softmax says.
        exponential = -torch.log(uniform.clamp(1e-20, 1 - 1e-7))
        keys = output.clamp(-LARGEST_LOGIT, LARGEST_LOGIT) - torch.log(exponential)
        drawn = torch.zeros_like(output)
        start = 0
        for size in self.group_sizes:
            group = slice(start, start + size)
            best = keys[..., group].argmax(dim=-1, keepdim=True)
            drawn[..., group].scatter_(-1, best, 1)
            start += size
        return drawn


def _part(counted: Tensor | None, part: slice) -> Tensor | None:
    return None if counted is None else counted[..., part]
