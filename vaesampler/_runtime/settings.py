"""What the estimator is asked for, as the layers below take it; PyTorch is not needed."""

from collections.abc import Sequence
from dataclasses import dataclass

# The keys of `vaesampler._vae.layers.ACTIVATIONS`.
ACTIVATION_NAMES = ("identity", "logistic", "relu", "tanh")


@dataclass(frozen=True)
class EarlyStoppingSettings:
    """When training has converged; the names are the estimator's."""

    validation_fraction: float
    n_iter_no_change: int
    tol: float


@dataclass(frozen=True)
class TrainingSettings:
    """How a stack is trained; the names are the estimator's."""

    max_iter: int
    learning_rate_init: float
    batch_size: int
    beta: float
    alpha: float


@dataclass(frozen=True)
class GeneratorSettings:
    """What is trained, and how; the names are the estimator's."""

    hidden_layer_sizes: Sequence[int]
    latent_dim: int
    activation: str
    pretrain_iter: int
    training: TrainingSettings
    smoothing: float
    rejection_strength: float
    early_stopping: EarlyStoppingSettings | None = None
