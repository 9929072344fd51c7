"""Errors and warnings that vaesampler raises."""

__all__ = [
    "ConstraintViolationWarning",
    "DuplicatedRowsWarning",
    "HighCardinalityWarning",
    "InconsistentVersionWarning",
    "NotConvergedWarning",
    "PosteriorCollapseWarning",
    "SavedSamplerError",
    "SmallClassWarning",
    "TrainingDivergedError",
]


class TrainingDivergedError(RuntimeError):
    """The training loss of a VAE became NaN or infinite.

    Parameters
    ----------
    label : object
        The class that the VAE was trained on; None for the VAE that is pretrained on all
        classes.
    step : int
        The first optimizer step at which the loss was not finite, counted from 1.
    """

    def __init__(self, label: object, step: int) -> None:
        self.label = label
        self.step = step
        super().__init__(label, step)

    def __str__(self) -> str:
        rows = "all classes" if self.label is None else f"class {self.label!r}"
        return (
            f"Training the VAE of {rows} diverged: the loss is not finite at step {self.step}. "
            "Decrease `learning_rate_init`, or clip extreme values of X."
        )


class SavedSamplerError(ValueError):
    """A file holds no sampler that can be loaded: it is another one, damaged, or too new."""


class InconsistentVersionWarning(UserWarning):
    """A sampler was unpickled with another version of vaesampler than it was pickled with."""


class SmallClassWarning(UserWarning):
    """A class has fewer rows than latent dimensions, or too few rows to hold one out."""


class NotConvergedWarning(UserWarning):
    """The loss of a class's VAE is above that of a normal distribution for each column."""


class PosteriorCollapseWarning(UserWarning):
    """No latent dimension of a class's VAE is used: every posterior is close to the prior.

    References
    ----------
    James Lucas, George Tucker, Roger Grosse, Mohammad Norouzi (2019). Understanding Posterior
    Collapse in Generative Latent Variable Models.
    """


class DuplicatedRowsWarning(UserWarning):
    """All rows of a class are identical, so its synthetic rows are copies of them."""


class HighCardinalityWarning(UserWarning):
    """Most cells of a text column are unique, so synthetic rows copy them from real rows."""


class ConstraintViolationWarning(UserWarning):
    """Rows of the table of `fit` break a constraint that synthetic rows must meet."""
