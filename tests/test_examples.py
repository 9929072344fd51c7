"""The experiment on the UCI digits shows what it promises, on both sources of images."""

import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import pytest

ROOT = Path(__file__).parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
EXAMPLE = ROOT / "examples" / "plot_uci_digits.py"


def run_example(files, folder):
    picture = folder / "digits.png"
    command = [sys.executable, str(EXAMPLE), *map(str, files), "--output", str(picture)]
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONWARNINGS": "error"}
    finished = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False, cwd=ROOT
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout, picture


@pytest.fixture(scope="module")
def on_scikit_learns_digits(tmp_path_factory):
    return run_example([], tmp_path_factory.mktemp("load_digits"))


@pytest.fixture(scope="module")
def on_optdigits(tmp_path_factory):
    files = [SHARED_DATA / "optdigits.tra", SHARED_DATA / "optdigits.tes"]
    if not all(file.exists() for file in files):
        pytest.skip("the optdigits files are not in ../shared/data")
    return run_example(files, tmp_path_factory.mktemp("optdigits"))


def printed_figures(output, name):
    """Return the share called a 1, copies, distance ratio and share of near copies."""
    (line,) = re.findall(rf"^{name} +(\S+)% +(\d+) +(\S+) +(\S+)%$", output, re.MULTILINE)
    called, copies, ratio, near = line
    return float(called) / 100, int(copies), float(ratio), float(near) / 100


def test_the_default_draws_new_ones_from_optdigits_that_a_classifier_calls_ones(on_optdigits):
    output, _ = on_optdigits
    called, copies, ratio, _ = printed_figures(output, "VAE, posterior")
    assert "389 real 1s" in output
    assert called >= 0.98
    assert copies == 0
    assert 0.9 <= ratio <= 1.2


def test_smote_hands_back_near_copies_of_the_ones(on_optdigits):
    _, _, ratio, near = printed_figures(on_optdigits[0], "SMOTE")
    assert ratio < 0.5
    assert near > 0.5


@pytest.mark.parametrize("way", ["prior", "posterior", "interpolate", "denoise"])
def test_every_way_to_draw_gives_ones_that_are_no_copies(on_scikit_learns_digits, way):
    output, _ = on_scikit_learns_digits
    called, copies, ratio, _ = printed_figures(output, f"VAE, {way}")
    _, _, ratio_of_smote, _ = printed_figures(output, "SMOTE")
    assert called > 0.9
    assert copies == 0
    assert ratio > 1.5 * ratio_of_smote


def test_a_latent_space_of_one_dimension_is_the_weakest(on_scikit_learns_digits):
    lines = re.findall(r"^ +(\d+) +(\S+)% +(\S+)$", on_scikit_learns_digits[0], re.MULTILINE)
    too_weak = {int(size): float(share) for size, share, _ in lines}
    assert list(too_weak) == [1, 2, 4, 8, 16]
    assert too_weak[1] == max(too_weak.values()) > 0


@pytest.mark.parametrize("source", ["on_scikit_learns_digits", "on_optdigits"])
def test_the_picture_has_something_in_every_part(source, request):
    _, picture = request.getfixturevalue(source)
    pixels = matplotlib.image.imread(picture)[..., :3]
    height, width = pixels.shape[:2]
    assert height > 800
    assert width > 800
    for quarter in range(4):
        part = pixels[quarter * height // 4 : (quarter + 1) * height // 4]
        assert part.std() > 0.05
