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

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from vaesampler import VAEOversampler
    >>> from vaesampler.exceptions import TrainingDivergedError
    >>> X, y = load_wine(return_X_y=True)
    >>> try:
    ...     VAEOversampler(learning_rate_init=1e30, random_state=0).fit(X, y)
    ... except TrainingDivergedError as error:
    ...     print(error.step)
    2
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
    """A file holds no sampler that can be loaded: it is another one, damaged, or too new.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from vaesampler import VAEOversampler
    >>> from vaesampler.exceptions import SavedSamplerError
    >>> path = Path(tempfile.mkdtemp()) / "notes.txt"
    >>> _ = path.write_text("No sampler")
    >>> try:
    ...     VAEOversampler.load(path)
    ... except SavedSamplerError:
    ...     print("fit a new one")
    fit a new one
    """


class InconsistentVersionWarning(UserWarning):
    """A sampler was unpickled with another version of vaesampler than it was pickled with.

    Examples
    --------
    Raise an error instead:

    >>> import pickle
    >>> import warnings
    >>> from vaesampler import VAEOversampler
    >>> from vaesampler.exceptions import InconsistentVersionWarning
    >>> pickled = pickle.dumps(VAEOversampler())
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", InconsistentVersionWarning)
    ...     sampler = pickle.loads(pickled)  # by the same version, hence no error
    """


class SmallClassWarning(UserWarning):
    """A class has fewer rows than latent dimensions, or too few rows to hold one out.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from vaesampler import VAEOversampler
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> y = [0] * 37 + [1] * 3
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     sampler = VAEOversampler(latent_dim=4, random_state=0).fit(X, y)
    >>> "SmallClassWarning" in [one.category.__name__ for one in caught]
    True
    """


class NotConvergedWarning(UserWarning):
    """The loss of a class's VAE is above that of a normal distribution for each column.

    Examples
    --------
    >>> import warnings
    >>> from sklearn.datasets import load_wine
    >>> from vaesampler import VAEOversampler
    >>> X, y = load_wine(return_X_y=True)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     sampler = VAEOversampler(learning_rate_init=1e-6, random_state=0).fit(X, y)
    >>> "NotConvergedWarning" in [one.category.__name__ for one in caught]
    True
    """


class PosteriorCollapseWarning(UserWarning):
    """No latent dimension of a class's VAE is used: every posterior is close to the prior.

    References
    ----------
    James Lucas, George Tucker, Roger Grosse, Mohammad Norouzi (2019). Understanding Posterior
    Collapse in Generative Latent Variable Models.

    Examples
    --------
    >>> import warnings
    >>> from sklearn.datasets import load_wine
    >>> from vaesampler import VAEOversampler
    >>> X, y = load_wine(return_X_y=True)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     sampler = VAEOversampler(beta=1000, random_state=0).fit(X, y)
    >>> "PosteriorCollapseWarning" in [one.category.__name__ for one in caught]
    True
    """


class DuplicatedRowsWarning(UserWarning):
    """All rows of a class are identical, so its synthetic rows are copies of them.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from vaesampler import VAEOversampler
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> X[30:] = X[30]
    >>> y = [0] * 30 + [1] * 10
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     sampler = VAEOversampler(random_state=0).fit(X, y)
    >>> "DuplicatedRowsWarning" in [one.category.__name__ for one in caught]
    True
    """


class HighCardinalityWarning(UserWarning):
    """Most cells of a text column are unique, so synthetic rows copy them from real rows.

    Examples
    --------
    >>> import warnings
    >>> import pandas as pd
    >>> from vaesampler import VAEOversampler
    >>> X = pd.DataFrame({"age": range(400), "name": [f"patient {i}" for i in range(400)]})
    >>> y = [0] * 300 + [1] * 100
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     sampler = VAEOversampler(random_state=0).fit(X, y)
    >>> "HighCardinalityWarning" in [one.category.__name__ for one in caught]
    True
    """


class ConstraintViolationWarning(UserWarning):
    """Rows of the table of `fit` break a constraint that synthetic rows must meet.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from vaesampler import VAEOversampler
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> y = [0] * 150 + [1] * 50
    >>> def constraint(table):
    ...     return table[:, 0] < 1
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     sampler = VAEOversampler(constraints=constraint, random_state=0).fit(X, y)
    >>> "ConstraintViolationWarning" in [one.category.__name__ for one in caught]
    True
    """
