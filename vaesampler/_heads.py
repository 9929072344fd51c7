"""Likelihood of, and drawing from, each kind of column, given the decoder's output."""

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from vaesampler._seeds import standard_normal
from vaesampler._smoothing import ShrunkNormal

# A column that the decoder predicts perfectly would drive its variance to zero and the
# likelihood to infinity; encoded columns have variance 1, and this is one part in 400.
LOWEST_LOG_VAR = -6.0


class GaussianHead(nn.Module):
    """Normal columns: the decoder gives the mean, and each column learns one variance.

    The learned variance balances reconstruction against the prior without a weight to
    tune, and it is what drawn rows spread with. The decoder's errors in different columns
    go together, and so do those of drawn rows once `correlate_errors` was called.

    References
    ----------
    Oleh Rybkin, Kostas Daniilidis, Sergey Levine (2021). Simple and Effective VAE
    Training with Calibrated Decoders (sigma-VAE).
    """

    def __init__(self, n_models: int, n_features: int) -> None:
        super().__init__()
        self.raw_log_var = nn.Parameter(
            torch.zeros(n_models, 1, n_features, dtype=torch.float32, device="cpu")
        )
        self.errors: ShrunkNormal | None = None

    @property
    def log_var(self) -> Tensor:  # (n_models, 1, n_features)
        """The log-variances, held above a floor smoothly, so that they can leave it."""
        return LOWEST_LOG_VAR + nn.functional.softplus(self.raw_log_var - LOWEST_LOG_VAR)

    def negative_log_likelihood(self, output: Tensor, rows: Tensor) -> Tensor:
        # (n_models, n_rows, n_features) twice -> (n_models, n_rows), in nats
        log_var = self.log_var
        squared_error = (rows - output).square() * torch.exp(-log_var)
        constant = (log_var + math.log(2 * math.pi)).sum(dim=-1)  # (n_models, 1)
        return 0.5 * (squared_error.sum(dim=-1) + constant)

    def backward_pass(self, output: Tensor, rows: Tensor) -> Tensor:
        """Add the gradient of the rows' mean to `grad`; return it at the decoder's output."""
        assert self.raw_log_var.grad is not None
        error = output - rows
        gradient = error * torch.exp(-self.log_var)
        scaled_squares = (error * gradient).mean(dim=1, keepdim=True)
        slope = torch.sigmoid(self.raw_log_var - LOWEST_LOG_VAR)
        self.raw_log_var.grad += 0.5 * (1 - scaled_squares) * slope
        return gradient / rows.shape[1]

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        # (n_models, n_rows, n_features) -> the same shape
        if self.errors is not None:
            return output + self.errors.draw(output.shape[1], generator)
        noise = standard_normal(output.shape, generator)
        return output + torch.exp(0.5 * self.log_var) * noise

    def correlate_errors(self, output: Tensor, rows: Tensor, inflation: float) -> None:
        """Draw with the correlations of these errors, and deviations `inflation` as large.

        Both are (1, n_rows, n_features): this is for the head of a single model.
        """
        errors = ShrunkNormal.fit((rows - output)[0])
        learned = torch.exp(0.5 * self.log_var.detach())[0, 0]
        self.errors = replace(errors, deviation=inflation * learned)
