"""`main`: the arguments of the command line, and its exit codes."""

import argparse
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from vaesampler._command.wording import CommandError, described, say, show_warning
from vaesampler._runtime.optional import require_dask, require_pyarrow
from vaesampler._runtime.version import __version__

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
EXAMPLES = {
    None: """\
examples:
  vaesampler resample train.parquet --target churn --output balanced.parquet --mark --seed 0
  vaesampler report train.parquet balanced.parquet --target churn
  vaesampler sample model.safetensors --label yes -n 1000 --output rows.csv
""",
    "resample": """\
INPUT is a Parquet or CSV file, a folder of them, or a pattern such as 'data/2024-*.parquet'. It
may be larger than memory. The rows come out unchanged and in order, followed by the synthetic
ones, class by class. A Parquet OUTPUT is a file if INPUT is one, otherwise a folder of part
files; a CSV OUTPUT is always a file.

examples:
  vaesampler resample train.parquet --target churn --output balanced.parquet
  vaesampler resample train.csv --target churn --output balanced.csv --mark --seed 0
  vaesampler resample 'parts/*.parquet' --target churn --output balanced.parquet \\
      --strategy '{"yes": 50000}' --n-workers 4
""",
    "report": """\
Each class with synthetic rows gets a report: are they near copies, unlike the real ones, or
neither? If SYNTHETIC has the column is_synthetic, as written by `resample --mark`, only the
rows that it marks are compared.

examples:
  vaesampler resample train.parquet --target churn --output balanced.parquet --mark
  vaesampler report train.parquet balanced.parquet --target churn --html report.html
""",
    "sample": """\
MODEL is a file that was written by `VAEOversampler.save`.

examples:
  vaesampler sample model.safetensors --label yes -n 1000 --output rows.parquet
  vaesampler sample model.safetensors --label yes -n 5 --seed 0
""",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit code.

    Returns
    -------
    code : int
        0; 1 after an error, which is a line on stderr; 130 after an interrupt.

    Raises
    ------
    SystemExit
        With code 2 if the arguments are wrong, 0 for ``--help`` and ``--version``, or 143 if
        the process is terminated.
    """
    options = _parser().parse_args(arguments)
    try:
        with _warnings_in_one_line(), _clean_end_when_terminated():
            _run(options)
    except KeyboardInterrupt:
        say("interrupted; nothing was written.")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of stdout, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except _expected_errors() as error:
        say(f"{options.command}: error: {described(error)}")
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    # Each command imports what it needs, so that `--help` is quick.
    caller = f"vaesampler {options.command}"
    match options.command:
        case "resample":
            require_dask(caller)
            from vaesampler._command.resample import resample

            resample(options)
        case "report":
            require_pyarrow(caller)
            from vaesampler._command.report import report

            report(options)
        case _:
            require_pyarrow(caller)
            from vaesampler._command.sample import sample

            sample(options)


def _expected_errors() -> tuple[type[BaseException], ...]:
    """Return the errors that are the input's; the traceback of any other one is shown."""
    from vaesampler.exceptions import TrainingDivergedError

    found: list[Any] = [CommandError, ValueError, TypeError, ImportError, OSError, MemoryError]
    found.append(TrainingDivergedError)
    if "distributed" in sys.modules:
        found.append(sys.modules["distributed"].scheduler.KilledWorker)
    return tuple(found)


@contextmanager
def _clean_end_when_terminated() -> Iterator[None]:
    """Exit with code 143 after SIGTERM, so that temporary files are removed."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():  # which gets all signals
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.showwarning = show_warning
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vaesampler",
        description="Oversample rare classes of tables with variational autoencoders.",
        epilog=EXAMPLES[None],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"vaesampler {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_resample(commands)
    _add_report(commands)
    _add_sample(commands)
    return parser


def _add_resample(commands: Any) -> None:
    command = _command(commands, "resample", "write the rows of a table, and synthetic ones")
    command.add_argument("input", metavar="INPUT", help="Parquet or CSV: file, folder, pattern")
    _add_target(command)
    command.add_argument(
        "--output", required=True, metavar="PATH", help="where to write: .parquet or .csv"
    )
    command.add_argument(
        "--mark", action="store_true", help="add a boolean column is_synthetic"
    )
    command.add_argument(
        "--strategy",
        default="auto",
        metavar="S",
        help="rows after resampling: auto (default: all classes get as many rows as the "
        "largest), minority, the ratio of two classes (0.5), or JSON of label to number "
        "('{\"yes\": 5000}')",
    )
    command.add_argument(
        "--categorical",
        metavar="A,B,C",
        help="columns that hold categories (default: those of text, categories and booleans)",
    )
    command.add_argument("--seed", type=_seed, metavar="N", help="draw the same rows each time")
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--n-workers", type=_positive, metavar="N", help="compute in N processes"
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="compute on a dask cluster that sees the files, such as tcp://10.0.0.1:8786",
    )
    _add_overwrite(command)
    command.add_argument("--quiet", action="store_true", help="print warnings and errors only")


def _add_report(commands: Any) -> None:
    command = _command(commands, "report", "compare synthetic rows with real ones")
    command.add_argument("real", metavar="REAL", help="real rows: Parquet or CSV")
    command.add_argument("synthetic", metavar="SYNTHETIC", help="synthetic rows, or an output")
    _add_target(command)
    command.add_argument("--html", metavar="FILE", help="write the reports as a page, too")
    command.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="of the rows compared (default: 0)"
    )
    _add_overwrite(command)


def _add_sample(commands: Any) -> None:
    command = _command(commands, "sample", "draw rows with a saved sampler")
    command.add_argument("model", metavar="MODEL", help="file of VAEOversampler.save")
    command.add_argument("--label", required=True, metavar="LABEL", help="class of the rows")
    command.add_argument(
        "-n",
        "--n-samples",
        required=True,
        type=_positive,
        metavar="N",
        help="number of rows to draw",
    )
    command.add_argument(
        "--output", metavar="PATH", help=".parquet or .csv (default: CSV on stdout)"
    )
    command.add_argument("--seed", type=_seed, metavar="N", help="draw the same rows each time")
    _add_overwrite(command)


def _command(commands: Any, name: str, summary: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=EXAMPLES[name],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return command


def _add_target(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--target", required=True, metavar="COLUMN", help="column of class labels"
    )


def _add_overwrite(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--overwrite", action="store_true", help="replace an output that exists"
    )


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _seed(text: str) -> int:
    if not 0 <= (number := int(text)) < 2**32:
        raise ValueError
    return number


# How argparse names them: "invalid positive integer value: '0'".
_positive.__name__ = "positive integer"
_seed.__name__ = "seed (0 to 4294967295)"
