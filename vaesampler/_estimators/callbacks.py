"""scikit-learn's callbacks, from its version 1.9 on: `sampler.set_callbacks(ProgressBar())`."""

from typing import Any

from vaesampler._runtime.progress import Losses, Progress

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn before 1.9 has none, and `set_callbacks` is not there

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's."""


class CallbackProgress(Progress):
    """Tells an estimator's callbacks of training: each stretch of steps is a task of `fit`."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.fit_task = None
        if hasattr(estimator, "set_callbacks"):
            self.fit_task = estimator._init_callback_context(max_subtasks=None)
            self.fit_task.call_on_fit_task_begin(estimator=estimator)

    def advance(self, n_steps: int, losses: Losses) -> None:  # noqa: ARG002
        """Begin a task and end it."""
        if self.fit_task is not None:
            task = self.fit_task.subcontext(task_name="optimizer steps")
            task.call_on_fit_task_begin(estimator=self.estimator)
            task.call_on_fit_task_end(estimator=self.estimator)

    def close(self) -> None:
        """End the task of `fit`."""
        if self.fit_task is not None:
            self.fit_task.call_on_fit_task_end(estimator=self.estimator)
