"""Support for callbacks, `sampler.set_callbacks(...)`, with scikit-learn 1.9 or newer."""

from contextlib import AbstractContextManager
from typing import Any, Self

from vaesampler._runtime.progress import Losses, Progress
from vaesampler._runtime.users_code import errors_noted

try:
    from sklearn.callback import CallbackSupportMixin as _CallbackSupportMixin

    class CallbackSupportMixin(_CallbackSupportMixin):
        """scikit-learn's mixin, documented for samplers."""

        def set_callbacks(self, *callbacks: Any) -> Self:
            """Set the callbacks that hear of the progress of `fit` and `fit_resample`.

            They replace earlier ones; without arguments, none are left. This method requires
            scikit-learn 1.9 or newer.

            Parameters
            ----------
            *callbacks : callback instances
                Callbacks of :mod:`sklearn.callback`, or of your own with its methods. They are
                called at the beginning and the end of the fit and, as a subtask "optimizer
                steps", every 50 steps of training.

            Returns
            -------
            self : VAEOversampler
                The sampler.

            Examples
            --------
            >>> from sklearn.datasets import load_wine
            >>> from vaesampler import VAEOversampler
            >>> class PrintingCallback:
            ...     def setup(self, estimator, context):
            ...         print("begin")
            ...
            ...     def on_fit_task_begin(self, estimator, context):
            ...         pass
            ...
            ...     def on_fit_task_end(self, estimator, context):
            ...         pass
            ...
            ...     def teardown(self, estimator, context):
            ...         print("end")
            >>> X, y = load_wine(return_X_y=True)
            >>> sampler = VAEOversampler(random_state=0).set_callbacks(PrintingCallback())
            >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
            begin
            end
            """
            super().set_callbacks(*callbacks)
            return self

except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Empty base class: the estimator has no `set_callbacks`."""


class CallbackProgress(Progress):
    """Forwards progress to an estimator's callbacks: each report is a subtask of `fit`."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.fit_task: Any = None  # a scikit-learn CallbackContext, if callbacks are supported
        if hasattr(estimator, "set_callbacks"):
            with _of_callbacks():
                self.fit_task = estimator._init_callback_context(max_subtasks=None)
                self.fit_task.call_on_fit_task_begin(estimator=estimator)

    def begin(self, n_steps: int) -> None:
        """Do nothing: the task `fit` has begun."""

    def advance(self, n_steps: int, losses: Losses) -> None:  # noqa: ARG002
        """Begin and end a subtask, which calls the callbacks."""
        if self.fit_task is not None:
            with _of_callbacks():
                task = self.fit_task.subcontext(task_name="optimizer steps")
                task.call_on_fit_task_begin(estimator=self.estimator)
                task.call_on_fit_task_end(estimator=self.estimator)

    def close(self) -> None:
        """End the task `fit`."""
        if self.fit_task is not None:
            with _of_callbacks():
                self.fit_task.call_on_fit_task_end(estimator=self.estimator)


def _of_callbacks() -> AbstractContextManager[None]:
    return errors_noted("Raised by a callback that `set_callbacks` was given.")
