"""Tell whether another version of the library draws the same rows, bit for bit.

    python benchmarks/same_rows.py record            # with the version to be held to
    python benchmarks/same_rows.py compare           # with another one, on the same machine
    python benchmarks/same_rows.py compare --only "column/"

`record` draws with fixed seeds in some hundred cases: the shared tables, each kind of column,
each container, each parameter, small and large classes and tables. Of whatever a user can see
(rows, codes, loss curves, reports, metrics) it writes a hash to a JSON file, by default
results/same_rows.json. `compare` draws again, prints a line for each case that differs, raises
or is missing, and exits with 1 if there is one. Either takes about a minute, and needs what the
tests need. Which version is drawn with is up to PYTHONPATH; where it lies is printed first.

Rounding depends on the processor, and on the versions of the libraries that do the sums. Where
`compare` says that these are others, rows may differ for that reason.
"""

import argparse
import json
import pickle
import platform
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial, singledispatch
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import torch
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from tables import load_mixed_table, load_optdigits, mixed_table_names, numeric_table_names
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import vaesampler
from vaesampler import (
    DenoisingSampling,
    InterpolationSampling,
    LatentDraw,
    LatentSampler,
    PosteriorSampling,
    PriorSampling,
    VAEOversampler,
    comparison,
    metrics,
)

DEFAULT_FILE = Path(__file__).parent / "results" / "same_rows.json"
LIBRARIES = ("numpy", "pandas", "polars", "pyarrow", "scikit-learn", "scipy", "torch")
# Where other things than training matter.
QUICK = {"max_iter": 30, "pretrain_iter": 20}
# Stops long before its last step, and each class at another one.
STOPPED = {
    "early_stopping": True,
    "validation_fraction": 0.3,
    "n_iter_no_change": 3,
    "learning_rate_init": 0.001,
    "max_iter": 2_000,
    "pretrain_iter": 20,
}
ATTRIBUTES = (
    "sampling_strategy_",
    "loss_curves_",
    "validation_curves_",
    "n_iter_",
    "latent_kl_",
    "n_features_in_",
)
N_ENCODED = 100
N_SAMPLED = 5
N_LATER = (5, 300, 3_000)

# What a user can see of a case, by name.
Results = dict[str, Any]
Case = Callable[[], Results]
Hashes = dict[str, str]


def main() -> None:
    options = parse_options()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(f"Drawing with {Path(vaesampler.__file__).parent}", file=sys.stderr)
    cases = {name: case for name, case in all_cases().items() if options.only in name}
    with threadpool_limits(1):
        is_success = options.action(cases, options)
    sys.exit(0 if is_success else 1)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    actions = parser.add_subparsers(required=True)
    for action in (record, compare):
        of_action = actions.add_parser(action.__name__, help=action.__doc__)
        of_action.set_defaults(action=action)
        of_action.add_argument("file", type=Path, nargs="?", default=DEFAULT_FILE)
        of_action.add_argument("--only", default="", help="cases with this in their name")
    return parser.parse_args()


def record(cases: Mapping[str, Case], options: argparse.Namespace) -> bool:
    """Write the hashes of all cases; tell whether none raises."""
    hashes, is_success = {}, True
    for name, found in hash_all(cases):
        if isinstance(found, Exception):
            print(f"{name}: left out, since it raises {describe(found)}")
            is_success = False
        else:
            hashes[name] = found
    options.file.parent.mkdir(parents=True, exist_ok=True)
    options.file.write_text(json.dumps({"versions": versions(), "cases": hashes}, indent=1))
    n_results = sum(map(len, hashes.values()))
    print(f"{len(hashes)} cases with {n_results} results are written to {options.file}")
    return is_success


def compare(cases: Mapping[str, Case], options: argparse.Namespace) -> bool:
    """Tell which cases differ from those in the file, and whether none does."""
    recorded = json.loads(options.file.read_text())
    if recorded["versions"] != versions():
        print(f"Recorded with {recorded['versions']}, compared with {versions()}")
    before = {
        name: hashes for name, hashes in recorded["cases"].items() if options.only in name
    }
    differences = {name: "is in the file alone" for name in before if name not in cases}
    for name, found in hash_all(cases):
        difference = tell_difference(before.get(name), found)
        if difference:
            differences[name] = difference
    for name, difference in differences.items():
        print(f"{name}: {difference}")
    n_cases = len({*before, *cases})
    print(f"{n_cases - len(differences)} of {n_cases} cases are equal bit for bit")
    return not differences


def tell_difference(before: Hashes | None, found: Hashes | Exception) -> str:
    """Return how a case differs; an empty string if it does not."""
    if isinstance(found, Exception):
        return f"raises {describe(found)}"
    if before is None:
        return "is not in the file"
    names = dict.fromkeys([*before, *found])
    different = [name for name in names if before.get(name) != found.get(name)]
    return f"{len(different)} of {len(names)}: {', '.join(different)}" if different else ""


def describe(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        **{library: version(library) for library in LIBRARIES},
        "platform": platform.platform(),
    }


def hash_all(cases: Mapping[str, Case]) -> Iterator[tuple[str, Hashes | Exception]]:
    """Yield the hash of each result of each case, or what it raised."""
    for name, case in tqdm(cases.items(), disable=None):
        try:
            yield name, {result: hash_of(thing) for result, thing in case().items()}
        except Exception as error:
            yield name, error


# Cases, by name: what is drawn.


def all_cases() -> dict[str, Case]:
    return {
        **shared_cases(),
        **column_cases(),
        **container_cases(),
        **label_cases(),
        **parameter_cases(),
        **class_cases(),
        **size_cases(),
        **sample_cases(),
        **judging_cases(),
    }


def shared_cases() -> dict[str, Case]:
    """Resample real tables with the defaults."""
    names = [*numeric_table_names(), *mixed_table_names()]
    cases = {f"shared/{name}": resampling(partial(load_mixed_table, name)) for name in names}
    strategy = {1: 1_000}
    return {
        **cases,
        "shared/optdigits, one digit": resampling(digits, sampling_strategy=strategy),
        "shared/optdigits, odd ones": resampling(digits, sampling_strategy=double_odd_labels),
    }


def column_cases() -> dict[str, Case]:
    """Resample tables of one kind of column each, and of all."""
    cases: dict[str, Case] = {}
    beside, *kinds = columns_of_all_kinds()
    for share, suffix in ((0, ""), (0.2, ", some missing")):
        for kind in kinds:
            for alone, names in (("", [beside, kind]), (", alone", [kind])):
                make = partial(table_of_kinds, names, share)
                cases[f"column/{kind}{alone}{suffix}"] = resampling(make, **QUICK)
        make = partial(table_of_kinds, None, share)
        cases[f"column/all kinds{suffix}"] = resampling(make, **QUICK)
    return cases


def container_cases() -> dict[str, Case]:
    """Resample the same tables in containers of all kinds."""
    cases = {}
    for make, views in (
        (number_table, VIEWS_OF_NUMBERS),
        (sparse_table, VIEWS_OF_SPARSE_NUMBERS),
        (mixed_table, VIEWS_OF_FRAMES),
    ):
        for name, view in views.items():
            cases[f"container/{name}"] = resampling(partial(seen_as, view, make), **QUICK)
    return cases


def label_cases() -> dict[str, Case]:
    """Resample a table with labels of all kinds."""
    return {
        f"labels/{name}": resampling(partial(labelled, view), **QUICK)
        for name, view in VIEWS_OF_LABELS.items()
    }


def parameter_cases() -> dict[str, Case]:
    """Resample with each parameter changed, a table of numbers and one of all sorts."""
    cases: dict[str, Case] = {}
    for table, make in (("numbers", number_table), ("mixed", mixed_table)):
        for parameter, values in PARAMETERS.items():
            for value in values:
                changed = {**QUICK, parameter: value}
                cases[f"{table}/{parameter}={value}"] = resampling(make, **changed)
        for name, changed in SETTINGS.items():
            cases[f"{table}/{name}"] = resampling(make, **{**QUICK, **changed})
        generator = np.random.RandomState(3)
        cases[f"{table}/random_state=RandomState"] = resampling(
            make, **QUICK, random_state=generator
        )
    for name, chosen in CATEGORICAL_FEATURES.items():
        name = f"numbers/categorical_features, {name}"
        make = partial(number_frame, n_decimals=0)
        cases[name] = resampling(make, **QUICK, categorical_features=chosen)
    for strategy in ({"b": 300}, {"b": 70, "c": 400}, double_odd_labels):
        name = f"mixed/sampling_strategy={getattr(strategy, '__name__', strategy)}"
        cases[name] = resampling(mixed_table, **QUICK, sampling_strategy=strategy)
    for ratio in (0.3, 1.0):
        name = f"numbers/sampling_strategy={ratio}"
        make = partial(clouds, {0: 200, 1: 40})
        cases[name] = resampling(make, **QUICK, sampling_strategy=ratio)
    return cases


def class_cases() -> dict[str, Case]:
    """Resample classes of any number and size."""
    counts = {
        "9 of text": {f"class {number}": 20 * (number + 1) for number in range(9)},
        "of 2 rows": {0: 60, 1: 2},
        "of 3 rows": {0: 60, 1: 3},
        "of 10 rows": {0: 200, 1: 10},
        "of 2, 3 and 10 rows": {"a": 100, "b": 2, "c": 3, "d": 10},
        "of 99 and 100 rows": {0: 300, 1: 99, 2: 100},
        "balanced": {0: 50, 1: 50},
        "negative": {-1: 30, 1: 100},
    }
    cases: dict[str, Case] = {}
    for name, of_labels in counts.items():
        make = partial(clouds, of_labels)
        cases[f"classes/{name}"] = resampling(make, **QUICK)
        cases[f"classes/{name}, early stopping"] = resampling(make, **STOPPED)
    return {
        **cases,
        "classes/identical rows": resampling(with_identical_rows, **QUICK),
        "classes/the defaults": resampling(partial(clouds, counts["9 of text"])),
        "classes/frequent levels only": resampling(without_rare_levels, **QUICK),
        "classes/fitted again": fit_twice,
    }


def size_cases() -> dict[str, Case]:
    """Resample tables that are wide, large, or both; those ways have code of their own."""
    few = {**QUICK, "sampling_strategy": {1: 1_500}}
    wide = partial(clouds, {0: 150, 1: 40}, 200)
    many_rows = partial(clouds, {0: 11_000, 1: 400}, 6)
    large = partial(clouds, {0: 199_000, 1: 1_000}, 30)
    return {
        "size/one column": resampling(partial(clouds, {0: 150, 1: 40}, 1), **QUICK),
        "size/wide": resampling(wide, **QUICK),
        "size/wide, early stopping": resampling(wide, **STOPPED),
        "size/wide, sparse": resampling(partial(sparse_table, 2_000, 600), **QUICK),
        "size/judged by a network": resampling(many_rows, **few),
        "size/judged by a network, categories": resampling(frame_of_many_rows, **few),
        "size/judged by a network, sparse": resampling(
            partial(sparse_table, 12_000, 100), **QUICK, sampling_strategy={1: 4_000}
        ),
        "size/judged by a network, the defaults": resampling(many_rows),
        "size/encoded lazily": resampling(large, **few),
        "size/encoded lazily, early stopping": resampling(
            large, **{**STOPPED, "max_iter": 30}, sampling_strategy={1: 1_500}
        ),
        "size/encoded lazily, categories": resampling(
            partial(frame_of_many_rows, 80_000), **QUICK, sampling_strategy={1: 5_000}
        ),
        "size/drawn by two threads": draw_with_two_threads,
    }


def sample_cases() -> dict[str, Case]:
    """Draw rows after fitting."""
    makes = {
        "numbers": number_table,
        "mixed": mixed_table,
        "sparse": sparse_table,
        "judged by a network": partial(frame_of_many_rows, 12_000),
    }
    cases: dict[str, Case] = {
        f"sample/{name}": partial(draw_later, make, **QUICK) for name, make in makes.items()
    }
    for latent_sampling in ("prior", "interpolate", "denoise"):
        cases[f"sample/mixed, {latent_sampling}"] = partial(
            draw_later, mixed_table, **QUICK, latent_sampling=latent_sampling
        )
    return {
        **cases,
        "sample/the defaults": partial(draw_later, mixed_table),
        "sample/early stopping": partial(draw_later, mixed_table, **STOPPED),
        "sample/every row kept": partial(draw_later, mixed_table, rejection_strength=0),
    }


def judging_cases() -> dict[str, Case]:
    """Judge drawn rows, and samplers."""
    two_clouds = partial(clouds, {0: 150, 1: 60})
    cases: dict[str, Case] = {}
    for table, make in (("numbers", two_clouds), ("mixed", partial(mixed_frame, "a"))):
        cases[f"judging/report_, {table}"] = partial(report, make)
        cases[f"judging/synthetic_report, {table}"] = partial(report_drawn_rows, make)
        cases[f"judging/metrics, {table}"] = partial(measure_drawn_rows, make)
    return {
        **cases,
        "judging/report_, small classes": partial(report, partial(clouds, {0: 90, 1: 12})),
        "judging/report_, sparse": partial(report, sparse_table),
        "judging/compare_samplers": partial(compare_with_none, two_clouds),
    }


# What is done with a table.


def resampling(make: Callable[[], tuple[Any, Any]], **parameters: Any) -> Case:
    return partial(resample, make, parameters)


def resample(make: Callable[[], tuple[Any, Any]], parameters: Mapping[str, Any]) -> Results:
    """Return all that a user can see of a sampler, but for what takes long."""
    X, y = make()
    sampler = VAEOversampler(**{"random_state": 0, **parameters})
    return fit_and_look(sampler, X, y)


def fit_and_look(sampler: VAEOversampler, X: Any, y: Any) -> Results:
    X_resampled, y_resampled = sampler.fit_resample(X, y)
    results = {
        "X_resampled": X_resampled,
        "y_resampled": y_resampled,
        "synthetic_mask_": sampler.synthetic_mask_,
        "schema_": str(sampler.schema_),
    }
    for name in ATTRIBUTES:
        results[name] = getattr(sampler, name, "there is none")
    for label in sampler.vaes_:
        results[f"codes of {label!r}"] = sampler.encode(X=X[:N_ENCODED], label=label)
        results[f"sample of {label!r}"] = sampler.sample(label, N_SAMPLED)
    return results


def fit_twice() -> Results:
    """Resample a table with a sampler that has seen another."""
    sampler = VAEOversampler(**QUICK, random_state=0)
    sampler.fit_resample(*mixed_table())
    return fit_and_look(sampler, *number_table())


def draw_with_two_threads() -> Results:
    X, y = clouds({0: 11_000, 1: 400}, 6)
    sampler = VAEOversampler(**QUICK, random_state=0).fit(X, y)
    torch.set_num_threads(2)
    try:
        return {"sample": sampler.sample(1, 60_000)}
    finally:
        torch.set_num_threads(1)


def draw_later(make: Callable[[], tuple[Any, Any]], **parameters: Any) -> Results:
    """Draw several times, from a sampler and from its copy."""
    X, y = make()
    sampler = VAEOversampler(random_state=0, **parameters).fit(X, y)
    results = {}
    for label in sampler.vaes_:
        for n_rows in N_LATER:
            what = f"{n_rows} of {label!r}"
            results[what] = sampler.sample(label, n_rows)
            for seed in (0, np.random.RandomState(1)):
                drawn = sampler.sample(label, n_rows, random_state=seed)
                results[f"{what}, random_state of {type(seed).__name__}"] = drawn
        unpickled = pickle.loads(pickle.dumps(sampler))
        results[f"unpickled, {label!r}"] = unpickled.sample(label, N_SAMPLED)
        results[f"codes of {label!r}"] = sampler.encode(X=X, label=label)
    return results


def report(make: Callable[[], tuple[Any, Any]]) -> Results:
    X, y = make()
    sampler = VAEOversampler(**STOPPED, random_state=0)
    results = fit_and_look(sampler, X, y)
    for label, of_label in sampler.report_.items():
        results[f"report_ of {label!r}"] = str(of_label)
        results[f"figures of {label!r}"] = of_label.to_frame()
    return results


def report_drawn_rows(make: Callable[[], tuple[Any, Any]]) -> Results:
    real, synthetic = real_and_drawn_rows(make)
    n_held_out = len(real) // 3
    train, held_out = real[n_held_out:], real[:n_held_out]
    reports = {
        "without held-out rows": vaesampler.synthetic_report(real, synthetic, random_state=0),
        "with them": vaesampler.synthetic_report(train, synthetic, held_out, random_state=0),
    }
    return {name: f"{found!r}\n{found}" for name, found in reports.items()}


def measure_drawn_rows(make: Callable[[], tuple[Any, Any]]) -> Results:
    real, synthetic = real_and_drawn_rows(make)
    n_held_out = len(real) // 3
    train, held_out = real[n_held_out:], real[:n_held_out]
    functions = (
        metrics.association_distances,
        metrics.classifier_two_sample_test,
        metrics.column_distances,
        metrics.density_coverage,
        metrics.distance_to_closest_record,
        metrics.novelty,
        metrics.precision_recall,
    )
    results = {}
    for function in functions:
        name = function.__name__
        results[name] = function(real, synthetic, random_state=0)
        results[f"{name}, of some"] = function(real, synthetic, max_samples=40, random_state=0)
    for name in ("column_distances", "association_distances"):
        results[f"{name}, frame"] = results[name].to_frame()
    results["novelty, held-out rows"] = metrics.novelty(
        train, synthetic, held_out, random_state=0
    )
    results["classifier_two_sample_test, another"] = metrics.classifier_two_sample_test(
        real, synthetic, estimator=LogisticRegression(), random_state=0
    )
    return results


def real_and_drawn_rows(make: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any]:
    """Return rows of the rarest class, real ones and drawn ones."""
    X, y = make()
    sampler = VAEOversampler(**QUICK, random_state=0).fit(X, y)
    labels, counts = np.unique(y, return_counts=True)
    rarest = labels[counts.argmin()].item()
    return X[y == rarest], sampler.sample(rarest, 80)


def compare_with_none(make: Callable[[], tuple[Any, Any]]) -> Results:
    """Compare samplers; how long they take is left out."""
    X, y = make()
    scores = comparison.compare_samplers(
        [None, VAEOversampler(**QUICK, random_state=0)],
        X,
        y,
        estimator=LogisticRegression(),
        cv=3,
        random_state=0,
    )
    return {
        "compare_samplers": scores.drop(columns=["fit_time", "score_time"]),
        "summarize": comparison.summarize(scores).drop(columns="mean_fit_time"),
        "paired_differences": comparison.paired_differences(scores, "none"),
    }


# Tables.


def clouds(
    counts: Mapping[Any, int], n_columns: int = 5, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Make Gaussian clouds that overlap, of so many rows by label."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(sum(counts.values()))
    numbers = np.repeat(np.arange(len(counts)), list(counts.values()))[order]
    X = rng.normal(size=(len(order), n_columns)) + numbers[:, np.newaxis]
    return X, np.array(list(counts))[numbers]


def number_table() -> tuple[np.ndarray, np.ndarray]:
    return clouds({"a": 150, "b": 60, "c": 25})


def number_frame(n_decimals: int) -> tuple[pd.DataFrame, np.ndarray]:
    X, y = number_table()
    return pd.DataFrame(X.round(n_decimals), columns=list("vwxyz")), y


def sparse_table(n_rows: int = 300, n_columns: int = 30) -> tuple[Any, np.ndarray]:
    y = np.arange(n_rows) % 6 == 0
    X = sparse.random(n_rows, n_columns, density=0.1, format="csr", random_state=0)
    X.data *= 1 + y[X.nonzero()[0]]
    return X, y.astype(int)


def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y, _, _ = load_optdigits()
    return X, y


def double_odd_labels(y: Any) -> dict[Any, int]:
    """Ask for twice as many rows of every other class."""
    labels, counts = np.unique(y, return_counts=True)
    return {
        label.item(): 2 * int(n) for label, n in zip(labels[1::2], counts[1::2], strict=True)
    }


def with_identical_rows() -> tuple[np.ndarray, np.ndarray]:
    X, y = clouds({0: 60, 1: 12, 2: 20})
    X[y == 1] = X[y == 1][0]
    return X, y


def without_rare_levels() -> tuple[pd.DataFrame, np.ndarray]:
    X, y = mixed_table()
    X.loc[y == "c", "town"] = X["town"].mode()[0]
    return X, y


def mixed_table() -> tuple[pd.DataFrame, np.ndarray]:
    """Make a table as people have them, with three classes."""
    rng = np.random.default_rng(0)
    numbers, y = number_table()
    n_rows = len(y)
    names = np.array([f"town {number}" for number in range(70)])
    X = pd.DataFrame(
        {
            "score": numbers[:, 0],
            "income": np.where(rng.random(n_rows) < 0.2, np.nan, numbers[:, 1]),
            "price": np.exp(3 + numbers[:, 2]).round(2),
            "refund": np.where(rng.random(n_rows) < 0.5, 0, np.exp(numbers[:, 3])),
            "count": (100 * numbers[:, 4]).round().astype(int),
            "grade": rng.choice([0.5, 1, 4], n_rows),
            "flag": rng.random(n_rows) < 0.3,
            "colour": np.where(y == "c", "äöü", rng.choice(["red", "green"], n_rows)),
            "town": pd.Categorical(names[rng.geometric(0.05, n_rows).clip(max=70) - 1]),
            "when": pd.Timestamp("1969-07-20")
            + pd.to_timedelta(rng.integers(0, 10**6, n_rows), "min"),
        }
    )
    X["group"] = pd.Categorical(np.where(X["income"].isna(), "unknown", "known"))
    X.loc[rng.random(n_rows) < 0.1, ["colour", "when"]] = None
    return X, y


def mixed_frame(label: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the mixed table as one of two classes."""
    X, y = mixed_table()
    return X, y == label


def frame_of_many_rows(n_rows: int = 11_000) -> tuple[pd.DataFrame, np.ndarray]:
    """Make a table that is wide when encoded: one column has thousands of levels."""
    rng = np.random.default_rng(0)
    y = (np.arange(n_rows) % 20 == 0).astype(int)[rng.permutation(n_rows)]
    users = rng.geometric(0.002, n_rows)
    X = pd.DataFrame(
        {
            "x": rng.normal(size=n_rows) + y,
            "user": np.char.add("user ", users.astype(str)),
            "colour": pd.Categorical(rng.choice(["red", "green", "blue"], n_rows)),
            **{f"flag {number}": rng.random(n_rows) < 0.4 for number in range(8)},
            "spent": np.where(rng.random(n_rows) < 0.4, 0, rng.lognormal(size=n_rows)),
        }
    )
    X.loc[rng.random(n_rows) < 0.1, "spent"] = np.nan
    return X, y


# Columns of each kind.


def table_of_kinds(
    names: list[str] | None, share_missing: float
) -> tuple[pd.DataFrame, np.ndarray]:
    """Make a table of some kinds of columns, or of all, with a share of cells missing."""
    rng = np.random.default_rng(1)
    X = pd.DataFrame(columns_of_all_kinds())
    X = X if names is None else X[names]
    if share_missing > 0:
        X = X.mask(rng.random(X.shape) < share_missing)
    return X, np.where(is_rare(), "rare", "common")


def is_rare() -> np.ndarray:
    return np.arange(240) % 5 == 0


def columns_of_all_kinds() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=len(is_rare())) + is_rare()
    return {
        "x": x,
        **numbers_of_all_kinds(x, rng),
        **long_tails(x, rng),
        **levels_of_all_kinds(x, rng),
        **times_of_all_kinds(x, rng),
        **other_in_a_class(x),
    }


def numbers_of_all_kinds(x: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    n_rows = len(x)
    decimals = {f"{n} decimals": (100 * x).round(n) for n in range(4)}
    prices = [Decimal(f"{number:.2f}") for number in 100 * x]
    without_end = [round(number) * 10**20 for number in 1_000 * x]
    return {
        "continuous": rng.normal(size=n_rows),
        "float32": x.astype(np.float32),
        **decimals,
        "integer": (1_000 * x).round().astype(int),
        "integer of 8 bits": (20 * x).round().astype(np.int8),
        "large integer": (x * 2.0**60).astype(np.int64),
        "unsigned integer": np.abs(x * 2.0**61).astype(np.uint64),
        "discrete": rng.choice([0.5, 1, 2, 4], n_rows),
        "discrete, of many values": (8 * x).round() / 8,
        "binary": (x > 0).astype(int),
        "binary of floats": np.where(x > 0, 2.5, -1.0),
        "constant": np.full(n_rows, 3.5),
        "missing throughout": np.full(n_rows, np.nan),
        "spike at zero": np.where(rng.random(n_rows) < 0.5, 0, np.exp(x)),
        "two spikes": np.select([x > 1, x < -0.5], [99.0, 0.0], x),
        "decimals of Python": np.array(prices, dtype=object),
        "whole numbers of Python": np.array(without_end, dtype=object),
    }


def other_in_a_class(x: np.ndarray) -> dict[str, Any]:
    """Return columns that are of another kind among the rows of one class."""
    steps = (8 * x).round() / 8
    return {
        "constant in a class": np.where(is_rare(), 1.5, x),
        "spike in a class": np.where(is_rare() | (x < 0), 0.0, x),
        "spike in a class, discrete": np.where(is_rare() | (x < 0), 0.0, steps),
        "missing throughout a class": np.where(is_rare(), np.nan, x),
        "one level in a class": np.where(is_rare(), "a", np.where(x > 0, "b", "c")),
    }


def long_tails(x: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    return {
        "Cauchy": rng.standard_cauchy(len(x)) + x,
        "log-normal": np.exp(3 * x),
        "outlier": np.where(np.arange(len(x)) == 5, 1e6, x),
        "huge": 1e300 * x,
        "tiny": 1e-300 * x,
        "huge and tiny": 10.0 ** (100 * x),
        "hardly varying": 1e6 + 1e-8 * x,
    }


def levels_of_all_kinds(x: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    n_rows = len(x)
    many = rng.geometric(0.02, n_rows)
    size = pd.Categorical(
        rng.choice(["small", "large"], n_rows), ["small", "large", "never"], ordered=True
    )
    return {
        "truth values": x > 0.5,
        "text of two levels": np.where(x > 0, "yes", "no"),
        "text": rng.choice(["red", "green", "äöü"], n_rows),
        "text of one level": np.full(n_rows, "same"),
        "text of many levels": np.char.add("user ", many.astype(str)),
        "category": pd.Categorical(rng.choice(list("abcde"), n_rows)),
        "category of numbers": pd.Categorical(rng.integers(0, 5, n_rows)),
        "category of many levels": pd.Categorical(many),
        "ordered category": size,
    }


def times_of_all_kinds(x: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    start = pd.Timestamp("1969-07-20")
    days = start + pd.to_timedelta((300 * x).round(), "D")
    seconds = start + pd.to_timedelta((1e7 * x).round(), "s")
    half_hours = pd.Timestamp("2024-03-30") + pd.to_timedelta(
        30 * rng.integers(0, 96, len(x)), "min"
    )
    return {
        "dates": pd.Series([day.date() for day in days], dtype="date32[pyarrow]"),
        "days": days,
        "times in seconds": seconds,
        "times in microseconds": start + pd.to_timedelta((1e12 * x).round(), "us"),
        "days in Berlin": days.tz_localize("Europe/Berlin"),
        "half hours in Berlin": half_hours.tz_localize("UTC").tz_convert("Europe/Berlin"),
        "times in UTC": seconds.tz_localize("UTC"),
        "durations": pd.to_timedelta((1e5 * x).round(), "s"),
        "durations of Python": [timedelta(hours=round(hours)) for hours in 1_000 * x],
    }


# The same table, and the same labels, in containers of all kinds.


def seen_as(view: Callable[[Any], Any], make: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any]:
    X, y = make()
    return view(X), y


def labelled(view: Callable[[np.ndarray], Any]) -> tuple[np.ndarray, Any]:
    X, y = number_table()
    return X, view(y)


def as_objects(X: pd.DataFrame) -> np.ndarray:
    return X.drop(columns="when").to_numpy(dtype=object)


def as_text(X: pd.DataFrame) -> pd.DataFrame:
    return X[["colour", "town", "group"]].astype(str)


def as_arrow(X: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(X, preserve_index=False)


def as_chunked_arrow(X: pd.DataFrame) -> pa.Table:
    table = as_arrow(X)
    return pa.concat_tables([table[:100], table[100:]])


def as_arrow_of_all_types(X: pd.DataFrame) -> pa.Table:
    """Return columns of types that only arrow has."""
    table = as_arrow(X)
    types = {"price": pa.decimal128(12, 2), "count": pa.int16(), "when": pa.timestamp("s")}
    for name, of_column in types.items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].cast(of_column))
    nullable = [field.with_nullable(table[field.name].null_count > 0) for field in table.schema]
    return table.cast(pa.schema(nullable))


def as_polars_of_all_types(X: pd.DataFrame) -> pl.DataFrame:
    """Return columns of types that only polars has."""
    frame = pl.from_pandas(X)
    return frame.with_columns(
        pl.col("town").cast(pl.Enum(sorted(frame["town"].unique()))),
        pl.col("colour").cast(pl.Categorical),
        pl.col("price").cast(pl.Decimal(12, 2)),
        pl.col("count").cast(pl.Int16),
        pl.col("score").cast(pl.Float32),
        pl.col("when").cast(pl.Datetime("ms")).dt.replace_time_zone("America/New_York"),
        pl.lit(None).alias("nothing"),
    )


def with_sparse_column(X: pd.DataFrame) -> pd.DataFrame:
    return X.assign(refund=X["refund"].astype(pd.SparseDtype("float64", 0.0)))


def with_two_levels_of_names(X: pd.DataFrame) -> pd.DataFrame:
    pairs = [(name[0], name) for name in X]
    return X.set_axis(pd.MultiIndex.from_tuples(pairs, names=["first", "name"]), axis=1)


def with_missing_cells(X: np.ndarray) -> np.ndarray:
    return np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)


VIEWS_OF_NUMBERS = {
    "array, float64": np.asarray,
    "array, float64, some missing": with_missing_cells,
    "array, float64, by columns": np.asfortranarray,
    "array, float32": lambda X: X.astype(np.float32),
    "array, float16": lambda X: X.astype(np.float16),
    "array, int64": lambda X: (100 * X).astype(np.int64),
    "array, int8": lambda X: (20 * X).astype(np.int8),
    "array, uint8": lambda X: np.abs(20 * X).astype(np.uint8),
    "array, bool": lambda X: X > 0.5,
    "array, objects, numbers": lambda X: X.astype(object),
    "list, numbers": lambda X: X.tolist(),
    "list, whole numbers": lambda X: (100 * X).astype(int).tolist(),
    "pandas, columns without names": pd.DataFrame,
    "polars, numbers": lambda X: pl.DataFrame(X, schema=list("vwxyz")),
    "pyarrow, numbers": lambda X: pa.table(dict(zip("vwxyz", X.T, strict=True))),
}

VIEWS_OF_SPARSE_NUMBERS = {
    "csr matrix": sparse.csr_matrix,
    "csc matrix": sparse.csc_matrix,
    "csr array": sparse.csr_array,
    "csc array": sparse.csc_array,
    "csr array, float32": lambda X: sparse.csr_array(X.astype(np.float32)),
    "csr array, whole numbers": lambda X: sparse.csr_array((20 * X).astype(np.int64)),
    "csr array, dense": lambda X: X.toarray(),
}

VIEWS_OF_FRAMES = {
    "pandas": lambda X: X,
    "pandas, nullable": lambda X: X.convert_dtypes(),
    "pandas, arrow": lambda X: X.convert_dtypes(dtype_backend="pyarrow"),
    "pandas, rows with names": lambda X: X.set_axis([f"row {row}" for row in X.index]),
    "pandas, names of two levels": with_two_levels_of_names,
    "pandas, a sparse column": with_sparse_column,
    "pandas, text as objects": lambda X: X.astype({"colour": object}),
    "polars": pl.from_pandas,
    "polars, all types": as_polars_of_all_types,
    "pyarrow": as_arrow,
    "pyarrow, in chunks": as_chunked_arrow,
    "pyarrow, all types": as_arrow_of_all_types,
    "array, objects": as_objects,
    "list, objects": lambda X: as_objects(X).tolist(),
    "pandas, text": as_text,
    "array, text": lambda X: as_text(X).to_numpy(dtype=str),
    "array, text as objects": lambda X: as_text(X).to_numpy(dtype=object),
    "array, text of any length": lambda X: np.array(
        as_text(X).to_numpy(dtype=str), dtype=np.dtypes.StringDType()
    ),
    "list, text": lambda X: as_text(X).to_numpy(dtype=str).tolist(),
}

VIEWS_OF_LABELS = {
    "array of text": np.asarray,
    "array of objects": lambda y: y.astype(object),
    "array of whole numbers": lambda y: np.searchsorted(["a", "b", "c"], y),
    "array of floats": lambda y: np.searchsorted(["a", "b", "c"], y).astype(float),
    "array of truth values": lambda y: y == "c",
    "array of one column": lambda y: y[:, np.newaxis],
    "list": lambda y: y.tolist(),
    "pandas": lambda y: pd.Series(y, name="label", index=range(5, len(y) + 5)),
    "pandas, category": lambda y: pd.Series(y, dtype="category"),
    "pandas, nullable truth values": lambda y: pd.Series(y == "c", dtype="boolean"),
    "pandas, truth values as objects": lambda y: pd.Series(y == "c", dtype=object),
    "pandas, frame": lambda y: pd.DataFrame({"label": y}),
    "polars": lambda y: pl.Series("label", y.tolist()),
    "polars, Categorical": lambda y: pl.Series("label", y.tolist(), dtype=pl.Categorical),
    "pyarrow": lambda y: pa.chunked_array([y.tolist()]),
}


# Parameters.


class CentreSampling(LatentSampler):
    """A strategy of the user's own: on the line to the centre of the codes."""

    wants_different_rows = True

    def draw(self, vae, rows, n_samples, generator):
        means = vae.encode(rows).mean
        chosen = torch.randint(means.shape[1], (n_samples,), generator=generator)
        share = torch.rand((n_samples, 1), generator=generator)
        return LatentDraw(share * means[:, chosen], chosen)

    def __repr__(self):
        return "CentreSampling()"


PARAMETERS = {
    "latent_sampling": [
        "prior",
        "posterior",
        "interpolate",
        "denoise",
        PriorSampling(),
        PosteriorSampling(),
        InterpolationSampling(n_neighbors=2),
        DenoisingSampling(noise_level=1.5),
        CentreSampling(),
    ],
    "latent_dim": [1, 8],
    "hidden_layer_sizes": [5, (16, 8), (8, 8, 8)],
    "activation": ["identity", "logistic", "relu", "tanh"],
    "beta": [0, 0.5, 4],
    "alpha": [0, 1],
    "batch_size": [1, 16, 1_000],
    "learning_rate_init": [0.001, 0.1],
    "max_iter": [1, 130],
    "pretrain_iter": [0, 130],
    "smoothing": [0, 0.5, 2],
    "rejection_strength": [0, 1, 8],
    "device": ["cpu", torch.device("cpu")],
    "verbose": [2],
    "random_state": [1, np.int64(2)],
    "sampling_strategy": ["minority", "not minority", "not majority", "all"],
}

SETTINGS = {
    "the defaults": {"max_iter": 250, "pretrain_iter": 150},
    "early stopping": STOPPED,
    "early stopping, the defaults": {
        "early_stopping": True,
        "max_iter": 1_000,
        "pretrain_iter": 150,
    },
    "early stopping, not pretrained": {**STOPPED, "pretrain_iter": 0},
    "early stopping, few held out": {**STOPPED, "validation_fraction": 0.05},
    "early stopping, tol": {**STOPPED, "tol": 0.1},
    "early stopping, last step": {**STOPPED, "max_iter": 15, "n_iter_no_change": 100},
    "not smoothed, every row kept": {"smoothing": 0, "rejection_strength": 0},
    "prior, every row kept": {"latent_sampling": "prior", "rejection_strength": 0},
    "two layers, early stopping": {**STOPPED, "hidden_layer_sizes": (16, 8)},
}

CATEGORICAL_FEATURES = {
    "a mask": [True, False, False, True, False],
    "an array that is a mask": np.array([False, False, False, False, True]),
    "indices": [0, -1],
    "names": ["w", "y"],
    "none": [],
    "all": list("vwxyz"),
}


# Hashes, of values and types; how a container holds them in memory does not matter.


def hash_of(thing: Any) -> str:
    found = blake2b(digest_size=16)
    for piece in pieces(thing):
        data = piece if isinstance(piece, bytes) else piece.encode()
        found.update(len(data).to_bytes(8, "little"))
        found.update(data)
    return found.hexdigest()


@singledispatch
def pieces(thing: Any) -> Iterator[str | bytes]:
    """Yield what makes up a result, as text or as the bytes of numbers."""
    if not is_dataclass(thing):
        raise TypeError(f"No hash is known for {type(thing)}.")
    yield type(thing).__name__
    for field in fields(thing):
        yield field.name
        yield from pieces(getattr(thing, field.name))


@pieces.register(str)
@pieces.register(int)
@pieces.register(float)
@pieces.register(np.generic)
def _(thing: Any) -> Iterator[str | bytes]:
    yield repr(thing)


@pieces.register(list)
@pieces.register(tuple)
def _(things: Any) -> Iterator[str | bytes]:
    yield type(things).__name__
    yield repr(things)


@pieces.register(dict)
def _(things: dict) -> Iterator[str | bytes]:
    yield "dict"
    for key, thing in things.items():
        yield repr(key)
        yield from pieces(thing)


@pieces.register(np.ndarray)
def _(array: np.ndarray) -> Iterator[str | bytes]:
    yield from ("ndarray", repr(array.dtype), repr(array.shape))
    is_plain = array.dtype.kind in "biufUS"
    yield np.ascontiguousarray(array).tobytes() if is_plain else repr(array.tolist())


@pieces.register(sparse.sparray)
@pieces.register(sparse.spmatrix)
def _(matrix: Any) -> Iterator[str | bytes]:
    by_row = sparse.csr_array(matrix, copy=True)
    by_row.sum_duplicates()  # which sorts, too
    yield from (type(matrix).__name__, repr(matrix.shape))
    yield from pieces(by_row.data)
    yield from pieces(by_row.indices.astype(np.int64))
    yield from pieces(by_row.indptr.astype(np.int64))


@pieces.register
def _(frame: pd.DataFrame) -> Iterator[str | bytes]:
    yield from ("pandas.DataFrame", repr(frame.columns), repr(frame.columns.tolist()))
    yield from (repr(frame.index), repr(frame.index.tolist()))
    for place in range(frame.shape[1]):
        yield from pieces(frame.iloc[:, place])


@pieces.register
def _(series: pd.Series) -> Iterator[str | bytes]:
    dtype = series.dtype
    yield from ("pandas.Series", repr(series.name), repr(series.index), repr(dtype))
    if isinstance(dtype, pd.CategoricalDtype):
        yield repr(dtype.categories.tolist())
    is_plain = isinstance(dtype, np.dtype) and dtype.kind in "biuf"
    yield series.to_numpy().tobytes() if is_plain else repr(series.tolist())


@pieces.register
def _(frame: pl.DataFrame) -> Iterator[str | bytes]:
    yield "polars.DataFrame"
    for series in frame:
        yield from pieces(series)


@pieces.register
def _(series: pl.Series) -> Iterator[str | bytes]:
    yield from ("polars.Series", series.name, repr(series.dtype), repr(series.to_list()))


@pieces.register
def _(table: pa.Table) -> Iterator[str | bytes]:
    yield "pyarrow.Table"
    for field, column in zip(table.schema, table.columns, strict=True):
        yield from (field.name, repr(field.nullable))
        yield from pieces(column)


@pieces.register(pa.Array)
@pieces.register(pa.ChunkedArray)
def _(array: Any) -> Iterator[str | bytes]:
    yield from (type(array).__name__, str(array.type), repr(array.to_pylist()))


if __name__ == "__main__":
    main()
