"""`VAEEstimator`: base class of estimators that train VAEs."""

import os
from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import validate_data

from vaesampler._estimators.callbacks import CallbackProgress, CallbackSupportMixin
from vaesampler._estimators.checks import layer_widths
from vaesampler._partitioned.collections import is_collection
from vaesampler._runtime.memory import memory_explained
from vaesampler._runtime.progress import ManyProgresses, Progress
from vaesampler._runtime.seeds import Seeds
from vaesampler._runtime.settings import (
    ACTIVATION_NAMES,
    LARGEST_INTEGER,
    LARGEST_NUMBER,
    EarlyStoppingSettings,
    GeneratorSettings,
    TrainingSettings,
    resolve,
)
from vaesampler._table.containers import Container
from vaesampler._table.named_features import (
    CategoricalFeatures,
    InheritedFeatures,
    OrdinalFeatures,
)
from vaesampler._table.reading import read_table

if TYPE_CHECKING:
    import torch

    from vaesampler._generation.constraints import Constraints
    from vaesampler._generation.latent import LatentSampler
    from vaesampler._rejection.critic import Critic

REMEDY = (
    "Add fewer rows (`sampling_strategy`), drop columns, or decrease `batch_size`, "
    "`hidden_layer_sizes`, `latent_dim` or `max_iter`."
)


@dataclass(frozen=True)
class Resources:
    """The objects that the parameters `device`, `random_state`, ... name."""

    device: "torch.device"
    seeds: Seeds
    latent_sampler: "LatentSampler"
    critic: "Critic"


class VAEEstimator(CallbackSupportMixin, ABC):
    """Base class of estimators that train VAEs: parameters, reading of tables, progress.

    The `__init__` of a subclass sets the parameters below.
    """

    categorical_features: CategoricalFeatures
    ordinal_features: OrdinalFeatures | None
    inherited_features: InheritedFeatures | None
    latent_dim: int
    hidden_layer_sizes: int | Sequence[int]
    activation: str
    latent_sampling: "str | LatentSampler"
    critic: "str | Critic"
    beta: float
    alpha: float
    batch_size: int
    learning_rate_init: float
    max_iter: int
    pretrain_iter: int
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    tol: float
    smoothing: float
    rejection_strength: float
    constraints: "Constraints"
    device: "str | torch.device"
    memory: Any
    verbose: bool | int
    random_state: int | np.random.RandomState | None

    _vae_parameter_constraints: ClassVar[dict[str, Any]] = {
        "categorical_features": [StrOptions({"auto"}), "array-like"],
        "ordinal_features": [Mapping, None],
        "inherited_features": ["array-like", None],
        "latent_dim": [Interval(Integral, 1, LARGEST_INTEGER, closed="both")],
        "hidden_layer_sizes": [
            Interval(Integral, 1, LARGEST_INTEGER, closed="both"),
            "array-like",
        ],
        "activation": [StrOptions(set(ACTIVATION_NAMES))],
        "beta": [Interval(Real, 0, LARGEST_NUMBER, closed="both")],
        "alpha": [Interval(Real, 0, LARGEST_NUMBER, closed="both")],
        "batch_size": [Interval(Integral, 1, LARGEST_INTEGER, closed="both")],
        "learning_rate_init": [Interval(Real, 0, LARGEST_NUMBER, closed="right")],
        "max_iter": [Interval(Integral, 1, LARGEST_INTEGER, closed="both")],
        "pretrain_iter": [Interval(Integral, 0, LARGEST_INTEGER, closed="both")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, LARGEST_INTEGER, closed="both")],
        "tol": [Interval(Real, 0, LARGEST_NUMBER, closed="both")],
        "smoothing": [Interval(Real, 0, LARGEST_NUMBER, closed="both")],
        "rejection_strength": [Interval(Real, 0, LARGEST_NUMBER, closed="both")],
        "memory": [str, os.PathLike, HasMethods(["cache"]), None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        # Validated by `_resources`, since their classes need PyTorch.
        "latent_sampling": "no_validation",
        "critic": "no_validation",
        # Validated by `_fit`, by messages that name the constraint.
        "constraints": "no_validation",
        "device": "no_validation",
    }

    def _resources(self) -> Resources:
        """Return the objects that the parameters name.

        PyTorch is imported here, so that importing the package does not import it.
        """
        from vaesampler._generation.latent import LATENT_SAMPLERS, LatentSampler
        from vaesampler._rejection.choice import CRITICS
        from vaesampler._rejection.critic import Critic
        from vaesampler._runtime.devices import resolve_device

        return Resources(
            device=resolve_device(self.device),
            seeds=Seeds.from_random_state(self.random_state),
            latent_sampler=resolve(
                "latent_sampling",
                self.latent_sampling,
                LATENT_SAMPLERS,
                LatentSampler,  # type: ignore[type-abstract]
            ),
            critic=resolve("critic", self.critic, CRITICS, Critic),  # type: ignore[type-abstract]
        )

    def _settings(self) -> GeneratorSettings:
        training = TrainingSettings(
            max_iter=self.max_iter,
            learning_rate_init=self.learning_rate_init,
            batch_size=self.batch_size,
            beta=self.beta,
            alpha=self.alpha,
        )
        early_stopping = EarlyStoppingSettings(
            validation_fraction=self.validation_fraction,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
        )
        return GeneratorSettings(
            hidden_layer_sizes=layer_widths(self.hidden_layer_sizes),
            latent_dim=self.latent_dim,
            activation=self.activation,
            pretrain_iter=self.pretrain_iter,
            training=training,
            smoothing=self.smoothing,
            rejection_strength=self.rejection_strength,
            early_stopping=early_stopping if self.early_stopping else None,
        )

    def _read_table(self, X: Any, *, reset: bool) -> Container:
        """Read the user's table; remember its column names if `reset`, else check them."""
        container = read_table(X)
        validate_data(self, X=X, reset=reset, skip_check_array=True)
        return container

    @contextmanager
    def _fitting(self, X: Any) -> Iterator[Progress]:
        """Report progress; if fitting fails, restore the attributes of the estimator."""
        listeners = [CallbackProgress(self), Progress.of_verbosity(int(self.verbose))]
        before = dict(self.__dict__)
        try:
            with (
                ManyProgresses(listeners) as progress,
                memory_explained(lambda: self._size_of_fit(X, before), REMEDY),
            ):
                yield progress
        except BaseException:
            self.__dict__ = before
            raise

    def _size_of_fit(self, X: Any, before: Mapping[str, Any]) -> str:
        """Describe what a fit was asked for; `before` are the attributes before it."""
        if is_collection(X):  # whose number of rows may be unknown
            return f"a dask collection of {X.npartitions:,} partitions"
        n_rows, n_columns = X.shape if hasattr(X, "shape") else (len(X), len(X[0]))
        strategy = self.__dict__.get("sampling_strategy_", {})
        is_known = strategy is not before.get("sampling_strategy_")
        n_new = sum(strategy.values()) if is_known else 0
        to_add = f", and {n_new:,} rows to add" if n_new > 0 else ""
        return f"{n_rows:,} rows and {n_columns:,} columns{to_add}"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags
