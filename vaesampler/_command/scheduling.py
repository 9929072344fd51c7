"""`Scheduler`: where tasks are computed, and the progress that a user sees."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from vaesampler._command.wording import CommandError, say

SECONDS_TO_CONNECT = 10


@dataclass(frozen=True)
class Scheduler:
    """Where tasks are computed: in threads, or on a cluster.

    Attributes
    ----------
    client : distributed.Client or None
        The cluster.
    quiet : bool
        Whether to show no progress.
    """

    client: Any
    quiet: bool

    def say(self, stage: str) -> None:
        """Show the name of the next stage."""
        if not self.quiet:
            say(stage)

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Return the results of a function for some arguments."""
        from dask import delayed

        return self.compute([delayed(function)(item) for item in items])

    def compute(self, tasks: Sequence[Any]) -> list[Any]:
        """Return the results of delayed tasks."""
        import dask

        if self.client is None:
            return list(dask.compute(*tasks))
        from distributed import as_completed
        from tqdm import tqdm

        futures = self.client.compute(list(tasks))
        try:
            # None disables the bar unless stderr is a terminal.
            hidden = True if self.quiet else None
            for future in tqdm(as_completed(futures), total=len(futures), disable=hidden):
                if future.status != "finished":
                    break
            return list(self.client.gather(futures))  # raises the error of a task
        finally:
            self.client.cancel(futures)


@contextmanager
def scheduler_of(options: Namespace) -> Iterator[Scheduler]:
    """Yield the scheduler that the options name. Processes that it starts are ended.

    Raises
    ------
    CommandError
        If there is no scheduler at an address.
    """
    with ExitStack() as stack:
        client = None
        if options.n_workers is not None:
            client = stack.enter_context(_local_client(options.n_workers))
        elif options.scheduler is not None:
            client = stack.enter_context(_client_at(options.scheduler))
        elif not options.quiet and sys.stderr.isatty():
            from dask.diagnostics import ProgressBar

            stack.enter_context(ProgressBar(minimum=1, out=sys.stderr))
        yield Scheduler(client, options.quiet)


@contextmanager
def _local_client(n_workers: int) -> Iterator[Any]:
    import logging

    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            dashboard_address=":0",  # any free port
            silence_logs=logging.ERROR,
            preload=["vaesampler._command.worker"],
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _client_at(address: str) -> Any:
    from distributed import Client

    try:
        return Client(address, timeout=SECONDS_TO_CONNECT)
    except (OSError, ValueError) as error:
        raise CommandError(
            f"--scheduler must be the address of a dask scheduler; none answers at {address}. "
            "Start one with `dask scheduler`, or pass --n-workers."
        ) from error
