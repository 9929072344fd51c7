"""Errors and warnings that vaesampler raises, so that users can catch them by name."""

__all__ = [
    "DuplicatedRowsWarning",
    "NotConvergedWarning",
    "PosteriorCollapseWarning",
    "SmallClassWarning",
    "TrainingDivergedError",
]


class TrainingDivergedError(RuntimeError):
    """The loss of a class's VAE stopped being a finite number.

    Parameters
    ----------
    label : object
        The class whose training failed; None stands for all classes, which the VAEs are
        trained on first.
    step : int
        The optimizer step, counted from 1, at which the loss was first not finite.
    """

    def __init__(self, label: object, step: int) -> None:
        self.label = label
        self.step = step
        super().__init__(label, step)

    def __str__(self) -> str:
        whose = "all classes" if self.label is None else f"class {self.label!r}"
        return (
            f"Training the VAE of {whose} diverged: a finite loss is required, and it was "
            f"not finite at step {self.step}. Lower "
            "`learning_rate_init`, or bring extreme values of X nearer to the others."
        )


class SmallClassWarning(UserWarning):
    """A class has fewer rows than its VAE has latent dimensions, or too few to hold any out."""


class NotConvergedWarning(UserWarning):
    """A class's VAE was trained too little to tell more than each column by itself would."""


class PosteriorCollapseWarning(UserWarning):
    """No latent dimension of a class's VAE says anything about its rows.

    References
    ----------
    James Lucas, George Tucker, Roger Grosse, Mohammad Norouzi (2019). Understanding Posterior
    Collapse in Generative Latent Variable Models.
    """


class DuplicatedRowsWarning(UserWarning):
    """All rows of a class are the same, so that its synthetic rows are copies."""
