"""`train_with_retries`: train again with a smaller step where training diverges."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

from vaesampler._runtime.progress import SILENCE, Progress
from vaesampler._runtime.settings import EarlyStoppingSettings, TrainingSettings
from vaesampler._training.loop import ClassRows, TrainingHistory, train
from vaesampler._vae.model import StackedVAE
from vaesampler.exceptions import TrainingDivergedError

# What the learning rate is divided by after a divergence, and how often.
DIVISOR = 8
MOST_RETRIES = 2


@dataclass(frozen=True, eq=False)
class Trained:
    """The trained VAE of a class."""

    vae: StackedVAE  # a stack of one
    rows: ClassRows
    history: TrainingHistory


def train_with_retries(
    labels: Sequence[Hashable],
    rows_of: Callable[[Hashable], ClassRows],
    make_vaes: Callable[[int], StackedVAE],
    settings: TrainingSettings,
    early_stopping: EarlyStoppingSettings | None = None,
    progress: Progress = SILENCE,
    n_retries: int = MOST_RETRIES,
) -> dict[Hashable, Trained]:
    """Train a VAE on the rows of each class, in one stack.

    A class whose loss is not finite is trained again, from the start and by itself, with an
    eighth of the learning rate, at most twice. The other classes are trained again without
    it, which gives the same VAEs.

    Parameters
    ----------
    labels : sequence of hashable
        The classes.
    rows_of : callable
        Returns the rows of a class, and its source of randomness at its start.
    make_vaes : callable
        Returns a stack of this many untrained VAEs.
    settings : TrainingSettings
        Parameters of training.
    early_stopping : EarlyStoppingSettings or None, default=None
        Parameters of early stopping, if there is any.
    progress : Progress
        Receives the steps of the first attempt.
    n_retries : int, default=2
        How often a class may be trained again.

    Returns
    -------
    trained : dict of label to Trained
        The VAE of each class, in the order of `labels`.

    Raises
    ------
    TrainingDivergedError
        If the loss of a class is not finite in the last attempt either.
    """
    entries = [rows_of(label) for label in labels]
    vaes = make_vaes(len(labels))
    try:
        histories = train(vaes, entries, settings, early_stopping, progress)
    except TrainingDivergedError as error:
        if n_retries == 0:
            raise
        others = [label for label in labels if label != error.label]
        slower = replace(settings, learning_rate_init=settings.learning_rate_init / DIVISOR)
        trained: dict[Hashable, Trained] = {}
        for some, their_settings, n_left in (
            ([error.label], slower, n_retries - 1),
            (others, settings, n_retries),
        ):
            if some:
                trained |= train_with_retries(
                    some, rows_of, make_vaes, their_settings, early_stopping, n_retries=n_left
                )
        return {label: trained[label] for label in labels}
    return {
        label: Trained(vaes.select([index]), entries[index], histories[index])
        for index, label in enumerate(labels)
    }
