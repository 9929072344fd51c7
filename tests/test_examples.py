"""The experiment on the UCI digits shows what it promises, on both sources of images."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from vaesampler import VAEOversampler
from vaesampler.metrics import association_distances, column_distances

ROOT = Path(__file__).parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
EXAMPLE = ROOT / "examples" / "plot_uci_digits.py"
WAYS_TO_DRAW = ["prior", "posterior", "interpolate", "denoise"]


def run_example(files, folder):
    """Return what the example printed, and where its picture is."""
    picture = folder / "picture.png"
    return run([EXAMPLE, *files, "--output", picture]), picture


def run(command):
    """Return what a script printed; a warning is an error."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", *map(str, command)],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "Agg"},
        cwd=ROOT,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def on_scikit_learns_digits(tmp_path_factory):
    return run_example([], tmp_path_factory.mktemp("load_digits"))


@pytest.fixture(scope="module")
def on_optdigits(tmp_path_factory):
    files = [SHARED_DATA / "optdigits.tra", SHARED_DATA / "optdigits.tes"]
    if not all(file.exists() for file in files):
        pytest.skip("the optdigits files are not in ../shared/data")
    return run_example(files, tmp_path_factory.mktemp("optdigits"))


@pytest.fixture(params=["on_scikit_learns_digits", "on_optdigits"])
def on_either(request):
    return request.getfixturevalue(request.param)


def number(text):
    return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)


def printed(output, name):
    """Return the VAE's and SMOTE's figure in the line that starts with `name`."""
    (line,) = re.findall(rf"^{re.escape(name)} +(\S+) +(\S+)$", output, re.MULTILINE)
    return tuple(map(number, line))


def printed_failures(output, heading):
    """Return name: (share not a 1, distance ratio) of the table under `heading`."""
    table = output.split(f"\n{heading} ")[1].split("\n\n")[0]
    lines = re.findall(r"^(\w+) +(\S+%) +(\d\S+)$", table, re.MULTILINE)
    return {name: (number(share), number(ratio)) for name, share, ratio in lines}


CALLED_A_ONE = "called a 1 by a classifier"
COPIES = "exact copies of a training 1"
DISTANCE_RATIO = "distance to nearest training 1 / that of held-out 1s"
NEAR = "nearer than the nearest 5% of held-out 1s"


def test_the_vae_learns_from_the_389_ones_of_optdigits(on_optdigits):
    assert on_optdigits[0].startswith("389 real 1s to learn from, 182 held out\n")


def test_a_classifier_calls_98_in_100_synthetic_ones_a_one(on_optdigits):
    share, _ = printed(on_optdigits[0], CALLED_A_ONE)
    assert share >= 0.98


def test_no_synthetic_one_is_a_copy(on_either):
    copies, _ = printed(on_either[0], COPIES)
    assert copies == 0


def test_synthetic_ones_are_about_as_new_as_held_out_ones(on_optdigits):
    ratio, _ = printed(on_optdigits[0], DISTANCE_RATIO)
    share_near, _ = printed(on_optdigits[0], NEAR)
    assert 0.9 <= ratio <= 1.2
    assert share_near <= 0.05


def test_smote_hands_back_near_copies(on_either):
    _, ratio = printed(on_either[0], DISTANCE_RATIO)
    _, share_near = printed(on_either[0], NEAR)
    assert ratio < 0.5
    assert share_near > 0.5


def test_ninety_ones_are_enough_to_draw_ones_newer_than_those_of_smote(on_scikit_learns_digits):
    output, _ = on_scikit_learns_digits
    share, _ = printed(output, CALLED_A_ONE)
    ratio, ratio_of_smote = printed(output, DISTANCE_RATIO)
    assert share >= 0.95
    assert ratio > 1.5 * ratio_of_smote


def test_one_latent_number_is_weaker_and_memorizes_less_than_sixteen(on_either):
    by_size = printed_failures(on_either[0], "latent size")
    assert list(by_size) == ["1", "2", "4", "8", "16"]
    too_weak, ratios = zip(*by_size.values(), strict=True)
    assert too_weak[0] > too_weak[-1]
    assert ratios[0] > ratios[-1]


def test_without_smoothing_and_rejection_a_large_latent_space_memorizes(
    on_scikit_learns_digits,
):
    output, _ = on_scikit_learns_digits
    _, guarded = printed_failures(output, "latent size")["16"]
    _, unguarded = printed_failures(output, "unguarded")["16"]
    assert unguarded < 0.85 * guarded


def test_every_way_to_draw_is_newer_than_smote(on_either):
    by_way = printed_failures(on_either[0], "way to draw")
    assert list(by_way) == ["SMOTE", *WAYS_TO_DRAW]
    ratios = {way: ratio for way, (_, ratio) in by_way.items()}
    assert all(ratios[way] > 1.5 * ratios["SMOTE"] for way in WAYS_TO_DRAW)


def test_the_tables_agree_on_the_default(on_either):
    output, _ = on_either
    share, _ = printed(output, CALLED_A_ONE)
    ratio, _ = printed(output, DISTANCE_RATIO)
    default = pytest.approx((1 - share, ratio))
    assert printed_failures(output, "latent size")["4"] == default
    assert printed_failures(output, "way to draw")["posterior"] == default


def test_the_picture_is_where_the_example_says_with_something_in_every_part(on_either):
    output, picture = on_either
    assert output.endswith(f"The picture is in {picture}\n")
    pixels = matplotlib.image.imread(picture)[..., :3]
    height, width = pixels.shape[:2]
    assert 900 < height < 1500
    assert 900 < width < 1500
    for rows in range(4):
        for columns in range(3):
            part = pixels[
                rows * height // 4 : (rows + 1) * height // 4,
                columns * width // 3 : (columns + 1) * width // 3,
            ]
            assert part.std() > 0.05


def test_a_notebooks_command_line_is_not_taken_for_files(monkeypatch):
    specification = importlib.util.spec_from_file_location("plot_uci_digits", EXAMPLE)
    example = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "plot_uci_digits", example)  # dataclasses look it up
    specification.loader.exec_module(example)
    monkeypatch.setattr(sys, "argv", ["ipykernel_launcher.py", "-f", "kernel.json"])
    assert example.parse_options().train_file is None


@pytest.fixture(scope="module")
def on_a_mixed_table():
    return run([ROOT / "examples" / "plot_mixed_table.py"])


def test_a_mixed_table_comes_back_with_its_dtypes(on_a_mixed_table):
    assert "the dtypes are those that went in: True" in on_a_mixed_table


def test_rows_of_a_mixed_table_differ_from_real_ones_about_as_other_real_ones_do(
    on_a_mixed_table,
):
    found = re.findall(
        r"^(real|synthetic).* ([\d.]+)  ([\d.]+)$", on_a_mixed_table, re.MULTILINE
    )
    of_real, without_rejection, by_default = np.array(found)[:, 1:].astype(float)
    assert (np.abs(without_rejection - of_real) < 0.03).all()
    assert without_rejection[0] < by_default[0] < 0.13


def test_rows_of_the_census_are_like_those_held_out():
    census = SHARED_DATA / "tabular" / "census-income.csv.gz"
    if not census.exists():
        pytest.skip("census-income.csv.gz is not in ../shared/data")
    table = pd.read_csv(census)
    text = table.select_dtypes(["object", "string"]).columns
    table = table.astype(dict.fromkeys(text, "category"))
    X, is_rare = table.drop(columns="target"), table["target"] == 1
    X_train, X_held_out, y_train, y_held_out = train_test_split(
        X, is_rare, test_size=0.5, stratify=is_rare, random_state=0
    )
    sampler = VAEOversampler(random_state=0)
    X_resampled, _ = sampler.fit_resample(X_train, y_train)
    assert (X_resampled.dtypes == X.dtypes).all()
    real, synthetic = X_held_out[y_held_out], X_resampled[sampler.synthetic_mask_]
    assert column_distances(real, synthetic, random_state=0).mean < 0.13
    assert association_distances(real, synthetic, random_state=0).mean < 0.1
