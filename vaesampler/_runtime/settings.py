"""The estimator's parameters, in groups that the modules below it take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Choice = TypeVar("Choice")

# Keys of `vaesampler._vae.layers.ACTIVATIONS`, which cannot be imported without PyTorch.
ACTIVATION_NAMES = ("identity", "logistic", "relu", "tanh")
# Upper bounds of parameters: integers are sizes of tensors, numbers are multiplied in float32.
LARGEST_INTEGER = 2**31 - 1
LARGEST_NUMBER = 1e30


@dataclass(frozen=True)
class EarlyStoppingSettings:
    """Parameters of early stopping, as in `VAEOversampler`."""

    validation_fraction: float
    n_iter_no_change: int
    tol: float


@dataclass(frozen=True)
class TrainingSettings:
    """Parameters of training, as in `VAEOversampler`."""

    max_iter: int
    learning_rate_init: float
    batch_size: int
    beta: float
    alpha: float


@dataclass(frozen=True)
class GeneratorSettings:
    """Parameters of the generators, as in `VAEOversampler`."""

    hidden_layer_sizes: Sequence[int]
    latent_dim: int
    activation: str
    pretrain_iter: int
    training: TrainingSettings
    smoothing: float
    rejection_strength: float
    early_stopping: EarlyStoppingSettings | None = None


def resolve(
    parameter: str,
    value: str | Choice,
    by_name: Mapping[str, Choice],
    kind: type[Choice],
) -> Choice:
    """Return the object with this name, or the object that was passed.

    Raises
    ------
    ValueError
        If `value` is neither a known name nor an instance of `kind`.
    """
    if isinstance(value, kind):
        return value
    if isinstance(value, str) and value in by_name:
        return by_name[value]
    raise ValueError(
        f"The {parameter!r} parameter must be one of {sorted(by_name)} or an instance of a "
        f"subclass of {kind.__name__}; found {value!r}."
    )
