"""Are classifiers better with the rows that a sampler draws? Measured on many tables.

    python benchmarks/quality.py                     # everything; resumes where it stopped
    python benchmarks/quality.py --samplers SMOTE,VAEOversampler --tables choose
    python benchmarks/quality.py --parts digits,small
    python benchmarks/quality.py --parts scales
    python benchmarks/quality.py --parts rules
    python benchmarks/quality.py --parts calibrated,thresholds
    python benchmarks/quality.py --parts ablation --repeats 4 --output other
    python benchmarks/quality.py --samplers VAEOversampler --set max_iter=300 --output other

Prints Markdown tables, and writes a CSV file for each part (quality.csv has one line a fold and
classifier) and quality.png (differences from each rival, table by table) under --output.

The defaults were chosen on the tables of "choose" (every second name in alphabetical
order) and confirmed on those of "confirm" (the others). LVQ-SMOTE, ProWSyn, Lee, SMOBD
and ARF need the extra "rivals", and are skipped without it.
"""

import argparse
from ast import literal_eval
from functools import partial
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import thresholds
import torch
from ablation import ABLATED_SAMPLERS, losses
from calibrated import (
    CALIBRATED_SAMPLERS,
    by_classifier,
    by_share,
    draw_reliability,
    evaluate_calibrated,
    mean_scores,
    paired_differences,
)
from digits import evaluate_digits
from evaluation import (
    CLASS_WEIGHT,
    CLASSIFIERS,
    DISCRIMINATION,
    SCORES,
    WEAK_CLASSIFIERS,
    evaluate,
    p_value,
)
from imblearn.over_sampling import ADASYN, SMOTE, SVMSMOTE, BorderlineSMOTE, RandomOverSampler
from imblearn_extra.gsmote import GeometricSMOTE
from joblib import Parallel, delayed
from rivals import (
    ARFSampler,
    CTGANPackageSampler,
    MultivariateGaussianSMOTE,
    PolynomFitSMOTEStar,
    SMOTEVariantsSampler,
    installed,
)
from rules import evaluate_rules, precision_by_rule
from scales import evaluate_scales
from scipy.stats import friedmanchisquare
from tables import SHARED_DATA, load_numeric_table, numeric_table_names
from thresholds import evaluate_thresholds
from tqdm import tqdm

from vaesampler import VAEOversampler

mpl.use("Agg")
import matplotlib.pyplot as plt

OURS = "VAEOversampler"
SAMPLERS = {
    "none": None,
    CLASS_WEIGHT: CLASS_WEIGHT,
    "RandomOverSampler": RandomOverSampler(),
    "ROSE": RandomOverSampler(shrinkage=1),
    "SMOTE": SMOTE(),
    "ADASYN": ADASYN(),
    "BorderlineSMOTE": BorderlineSMOTE(),
    "SVMSMOTE": SVMSMOTE(),
    "GeometricSMOTE": GeometricSMOTE(),
    "polynom-fit-SMOTE": PolynomFitSMOTEStar(),
    "LVQ-SMOTE": SMOTEVariantsSampler("LVQ_SMOTE"),
    "ProWSyn": SMOTEVariantsSampler("ProWSyn"),
    "Lee": SMOTEVariantsSampler("Lee"),
    "SMOBD": SMOTEVariantsSampler("SMOBD"),
    "MGS": MultivariateGaussianSMOTE(),
    "ARF": ARFSampler(),
    "TVAE": CTGANPackageSampler("TVAE"),
    "CTGAN": CTGANPackageSampler("CTGAN"),
    OURS: VAEOversampler(),
}
# TVAE and CTGAN take minutes a table, and are left out where classes are cut small.
SLOW = ("TVAE", "CTGAN")
PARTS = ("tables", "small", "digits", "scales", "rules", "calibrated", "thresholds", "ablation")
SMALL_CLASS_SIZES = (8, 15)


def main() -> None:
    options = parse_options()
    options.output.mkdir(parents=True, exist_ok=True)
    names = choose_tables(options.tables)
    SAMPLERS[OURS].set_params(**dict(map(parse_parameter, options.set)))
    samplers = {name: SAMPLERS[name] for name in installed(options.samplers.split(","))}
    parts = options.parts.split(",")
    if "tables" in parts:
        judge = partial(evaluate, classifiers=list(CLASSIFIERS), n_repeats=options.repeats)
        results = run_units(judge, samplers, names, "", options)
        results.to_csv(options.output / "quality.csv", index=False)
        report_tables(results)
        if OURS in samplers:
            draw_differences(results, options.output / "quality.png")
    if "small" in parts:
        quick = {name: sampler for name, sampler in samplers.items() if name not in SLOW}
        for size in SMALL_CLASS_SIZES:
            judge = partial(
                evaluate,
                classifiers=list(WEAK_CLASSIFIERS),
                n_repeats=options.repeats,
                max_minority=size,
            )
            results = run_units(judge, quick, names, f"__cut{size}", options)
            print(f"\n## Training classes cut to {size} rows\n")
            report_means(results)
            report_differences(results)
    if "digits" in parts and SHARED_DATA.is_dir():
        chosen = {name: samplers[name] for name in ("none", "SMOTE", OURS) if name in samplers}
        results = evaluate_digits(chosen, options.jobs)
        results.to_csv(options.output / "digits.csv", index=False)
        print("\n## Digits, the odd ones cut to few images: means over 5 draws\n")
        columns = ["n_images", "sampler"]
        print(
            to_markdown(results.groupby(columns).mean(numeric_only=True).drop(columns="draw"))
        )
    if "scales" in parts:
        results = evaluate_scales(options.jobs)
        results.to_csv(options.output / "scales.csv", index=False)
        print("\n## Can a random forest tell drawn from real rows? ROC AUC, .5 if not\n")
        means = results.drop(columns="seed").groupby("columns", sort=False).mean()
        print(to_markdown(means))
    if "rules" in parts:
        results = evaluate_rules(options.jobs)
        results.to_csv(options.output / "rules.csv", index=False)
        for title, precision in precision_by_rule(results):
            print(f"\n## Classes that are rules: average precision of {title}\n")
            print(to_markdown(precision))
    if "calibrated" in parts:
        chosen = {name: samplers[name] for name in CALIBRATED_SAMPLERS if name in samplers}
        judge = partial(evaluate_calibrated, n_repeats=options.repeats)
        results = run_units(judge, chosen, names, "__calibrated", options)
        results.to_csv(options.output / "calibrated.csv", index=False)
        report_calibrated(results)
        draw_reliability(results, options.output / "reliability.png")
    if "thresholds" in parts:
        chosen = {name: samplers[name] for name in CALIBRATED_SAMPLERS if name in samplers}
        judge = partial(evaluate_thresholds, n_repeats=options.repeats)
        results = run_units(judge, chosen, names, "__thresholds", options)
        results.to_csv(options.output / "thresholds.csv", index=False)
        print("\n## Tuned thresholds: means over tables and three classifiers\n")
        print(to_markdown(thresholds.mean_scores(results)))
        if {"none", OURS} <= set(results["sampler"]):
            lead = thresholds.lead_of_sampler(results, OURS)
            print(f"\n{OURS} at .5, minus none with a tuned threshold: {lead.to_dict()}")
    if "ablation" in parts:
        judge = partial(evaluate, classifiers=list(WEAK_CLASSIFIERS), n_repeats=options.repeats)
        results = run_units(judge, ABLATED_SAMPLERS, names, "__ablation", options)
        results.to_csv(options.output / "ablation.csv", index=False)
        report_ablation(results)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samplers", default=",".join(SAMPLERS), help="names, with commas")
    parser.add_argument("--tables", default="all", help="all, choose, confirm, or names")
    parser.add_argument("--parts", default=",".join(PARTS))
    add_common_options(parser, n_repeats=2)
    return parser.parse_args()


def add_common_options(parser: argparse.ArgumentParser, n_repeats: int) -> None:
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=n_repeats, help="of the five folds")
    parser.add_argument(
        "--set",
        nargs="*",
        default=[],
        metavar="NAME=VALUE",
        help="parameters of VAEOversampler",
    )
    here = Path(__file__).parent
    parser.add_argument(
        "--output",
        type=Path,
        default=here / "results",
        help="another folder for other --repeats or --set: what is there is read back",
    )


def parse_parameter(text: str) -> tuple[str, object]:
    name, value = text.split("=")
    return name, literal_eval(value)


def choose_tables(which: str) -> list[str]:
    names = numeric_table_names()
    return {"all": names, "choose": names[::2], "confirm": names[1::2]}.get(
        which, which.split(",")
    )


def run_units(judge, samplers, names, suffix, options) -> pd.DataFrame:
    """Judge every sampler on every table; what an earlier run finished is read back."""
    units = [(sampler, name) for sampler in samplers for name in names]
    # A unit is one thread's work, and each thread is one process's.
    jobs = Parallel(n_jobs=options.jobs, return_as="generator_unordered")(
        delayed(run_unit)(judge, sampler, samplers[sampler], name, suffix, options.output)
        for sampler, name in units
    )
    description = suffix.removeprefix("__") or "whole"
    frames = list(tqdm(jobs, total=len(units), unit="table", desc=description))
    return pd.concat(frames, ignore_index=True)


def run_unit(judge, sampler_name, sampler, table_name, suffix, output) -> pd.DataFrame:
    path = output / "units" / f"{sampler_name}__{table_name}{suffix}.csv"
    if path.exists():
        return pd.read_csv(path)
    torch.set_num_threads(1)
    table = load_numeric_table(table_name)
    try:
        rows = list(judge(table.X, table.y, sampler))
    except (ValueError, RuntimeError) as error:  # ADASYN and others refuse some tables
        rows = [{"fold": -1, "classifier": "", "failure": str(error)}]
    frame = pd.DataFrame(rows).assign(table=table_name, sampler=sampler_name)
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False)
    return frame


def report_tables(results: pd.DataFrame) -> None:
    weak = results[results["classifier"].isin(WEAK_CLASSIFIERS)]
    print("\n## Means over tables and four classifiers\n")
    report_means(weak)
    report_differences(weak)
    print("\n## HistGradientBoosting alone\n")
    report_means(results[results["classifier"] == "HistGradientBoosting"])
    report_failures(results)


def report_failures(results: pd.DataFrame) -> None:
    if "failure" in results:
        failed = results.dropna(subset="failure")
        for sampler, tables in failed.groupby("sampler")["table"]:
            print(f"\n{sampler} could not be fitted to {', '.join(tables)}; left out there.")


def report_calibrated(results: pd.DataFrame) -> None:
    print("\n## Calibrated pipelines: means over tables and three classifiers\n")
    print(to_markdown(mean_scores(results)))
    report_failures(results)
    for classifier, means in by_classifier(results).items():
        print(f"\n## Calibrated pipelines: {classifier}\n")
        print(to_markdown(means))
    for score in ("log_loss", "calibration_error"):
        print(f"\n## Calibrated pipelines: {score} by the share of the rare class\n")
        print(to_markdown(by_share(results, score)))
    if {"none", OURS} <= set(results["sampler"]):
        print(f"\n{OURS} minus none: mean over tables, and Wilcoxon signed-rank p\n")
        print(to_markdown(paired_differences(results, OURS, "none")))


def report_ablation(results: pd.DataFrame) -> None:
    means = by_table(results)
    names = list(ABLATED_SAMPLERS)
    print("\n## Without an ingredient: means over tables and four classifiers\n")
    print(to_markdown(means.groupby("sampler").mean().loc[names]))
    print("\nVariant minus default: mean over tables, and Wilcoxon signed-rank p\n")
    print(to_markdown(losses(means, list(DISCRIMINATION)).loc[names[1:]]))


def by_table(results: pd.DataFrame) -> pd.DataFrame:
    """Average folds and classifiers: one line a sampler and table."""
    scored = results[results["fold"] >= 0]
    return scored.groupby(["sampler", "table"])[[*SCORES, "seconds"]].mean()


def report_means(results: pd.DataFrame, samplers=SAMPLERS) -> None:
    means = by_table(results)
    order = [name for name in samplers if name in means.index.get_level_values(0)]
    print(to_markdown(means.groupby("sampler").mean().loc[order]))
    complete = means[list(SCORES)].unstack("sampler").dropna()
    for score in SCORES if len(order) > 2 else ():
        table = complete[score]
        test = friedmanchisquare(*table.T.to_numpy())
        ranks = table.rank(axis=1, ascending=score == "brier").mean().sort_values()
        best = ", ".join(f"{name} {rank:.2f}" for name, rank in ranks.head(4).items())
        print(
            f"\nFriedman over {len(table)} tables, {score}: p = {test.pvalue:.2g}; best mean "
            f"ranks: {best}"
        )


def report_differences(results: pd.DataFrame, samplers=SAMPLERS) -> None:
    means = by_table(results)
    if OURS not in means.index.get_level_values(0):
        return
    present = means.index.get_level_values(0).unique()
    rivals = [name for name in samplers if name in present and name != OURS]
    if not rivals:
        return
    lines = []
    for rival in rivals:
        differences = (means.loc[OURS] - means.loc[rival]).dropna()
        line = {"rival": rival}
        for score in SCORES:
            values = differences[score]
            ahead = int((values < 0).sum() if score == "brier" else (values > 0).sum())
            line[score] = (
                f"{values.mean():+.4f} (p={p_value(values):.3f}, {ahead}/{len(values)})"
            )
        lines.append(line)
    print(
        f"\n{OURS} minus each rival: mean over tables, Wilcoxon signed-rank p, and on how "
        "many tables it is ahead\n"
    )
    print(to_markdown(pd.DataFrame(lines).set_index("rival")))


def draw_differences(results: pd.DataFrame, path: Path) -> None:
    """Draw, for each rival and score, the paired difference on every table."""
    means = by_table(results[results["classifier"].isin(WEAK_CLASSIFIERS)])
    present = means.index.get_level_values(0).unique()
    rivals = [name for name in SAMPLERS if name in present and name != OURS]
    figure, axes = plt.subplots(
        1, len(DISCRIMINATION), figsize=(15, 0.42 * len(rivals) + 1.8), sharey=True
    )
    for axis, score in zip(axes, DISCRIMINATION, strict=True):
        for height, rival in enumerate(reversed(rivals)):
            values = (means.loc[OURS] - means.loc[rival])[score].dropna()
            heights = np.full(len(values), height)
            axis.plot(values, heights, "o", ms=4, alpha=0.4, color="#0072B2")
            half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
            axis.errorbar(values.mean(), height, xerr=half, fmt="D", ms=6, color="#D55E00")
        axis.axvline(0, color="black", lw=0.8)
        axis.set_xlim(-0.16, 0.16)
        axis.set_title(score.replace("_", " "))
        axis.set_xlabel("rival better   |   VAE better")
    axes[0].set_yticks(range(len(rivals)), rivals[::-1])
    figure.suptitle(
        f"{OURS} minus each rival: a dot a table, the mean with its 95% interval in orange"
    )
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def to_markdown(frame: pd.DataFrame) -> str:
    """Format a frame as a Markdown table."""
    flat = frame.reset_index()
    header = "| " + " | ".join(map(str, flat.columns)) + " |"
    rule = "|" + "---|" * len(flat.columns)
    lines = [
        "| " + " | ".join(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row) + " |"
        for row in flat.itertuples(index=False)
    ]
    return "\n".join([header, rule, *lines])


if __name__ == "__main__":
    main()
