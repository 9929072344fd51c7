"""The notebooks run, and what they conclude is what they find."""

import json
import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
MAX_SECONDS = 120
MAX_BYTES = 600_000
PATH_OF_A_MACHINE = re.compile(r"(/home|/root|/tmp|/work|/Users|/usr|site-packages)/|[A-Z]:\\")

# What the kernel computed, however much else the machine has to do.
SECONDS = "import time; print(time.process_time())"

# What the texts say, and new numbers must not belie. It runs behind each notebook's last cell.
CLAIMS = {
    "compare_with_smote": """
by_forest, by_logistic = table_of_means(with_forest), table_of_means(with_logistic)
ranking, decisions = ["roc_auc", "average_precision"], ["balanced_accuracy", "f1"]
probabilities = "neg_brier_score"
balancing = ["SMOTE", "SVMSMOTE", "VAEOversampler", "class_weight"]
def is_chance(comparison, sampler, baseline):
    return lead(comparison, sampler, baseline)["corrected_p_value"] > 0.05

# Which one helps the forest?
balanced = by_forest["balanced_accuracy"]
assert balanced["none"] < 0.6
assert balanced["VAEOversampler"] > balanced["SMOTE"] > balanced["none"] + 0.05
assert lead(with_forest, "VAEOversampler", "none").loc["balanced_accuracy", "ci_low"] > 0
assert is_chance(with_forest, "VAEOversampler", "SMOTE").all()
assert is_chance(with_forest, "VAEOversampler", "none")[ranking].all()
assert by_forest.loc[balancing, probabilities].max() < by_forest.loc["none", probabilities]
assert is_chance(with_forest, "VAEOversampler", "tuned threshold")[decisions].all()
assert balanced["tuned threshold"] > balanced["VAEOversampler"] - 0.05
untouched = by_forest.loc[["none", "tuned threshold"], [*ranking, probabilities]]
assert (untouched.max() - untouched.min()).max() < 1e-9
assert 8 < is_fast.sum() / 5 < 9.5

# What do the rows look like?
synthetic = sampler.sample(True, 1000, random_state=0)
whole = [(rows["s4"] % 1 == 0).mean() for rows in (patients[is_fast], synthetic)]
assert whole[0] > 0.9 > 0.87 > whole[1] > 0.73
assert is_fast.sum() == 44
sexes = {name: rows["sex"].isin(scaled["sex"]).mean() for name, rows in drawn.items()}
assert sexes["SMOTE"] < 1 == sexes["VAEOversampler"]
assert reports["SMOTE"].verdict == "memorizing"
assert reports["VAEOversampler"].verdict == "realistic"
assert reports["SMOTE"].share_near_copies > 0.5
novelty = reports["VAEOversampler"].novelty
assert novelty.near_copies < 0.1
assert 0.6 < novelty.closest_distance / novelty.closest_distance_of_real < 1.4

# Another classifier
assert by_logistic.loc["none", "roc_auc"] > by_forest["roc_auc"].max()
balanced = by_logistic["balanced_accuracy"]
assert balanced["none"] < 0.7 < 0.75 < balanced.drop("none").min() > balanced.max() - 0.06
for name in balancing[:3]:
    assert is_chance(with_logistic, name, "class_weight")[ranking + decisions].all()
assert is_chance(with_logistic, "VAEOversampler", "SMOTE")[ranking + decisions].all()
seconds = with_logistic.groupby("sampler")["fit_time"].mean()
assert seconds["VAEOversampler"] > 2 * seconds["SMOTE"]
assert by_logistic.loc[balancing, probabilities].max() < by_logistic.loc["none", probabilities]
for name in balancing:
    assert lead(with_logistic, name, "none").loc[probabilities, "ci_high"] < 0

# When nothing is needed
assert (len(tumours), (is_benign == 0).sum()) == (569, 212)
assert table_of_means(on_tumours).loc["none", "balanced_accuracy"] > 0.95
for name in ("SMOTE", "VAEOversampler"):
    assert is_chance(on_tumours, name, "none").all()
""",
    "grid_search_latent_size": """
mean, over_folds = scores.mean(), scores.max() - scores.min()
assert mean.max() - mean.min() < over_folds.min() / 1.5
assert on_other_folds["p_value"].item() > 0.05

near_copies, auc = unguarded.near_copies.mean(axis=1), unguarded.auc.mean(axis=1)
assert near_copies[0] < 0.05 < 0.1 < near_copies[-1]
assert np.ptp(auc) < 0.15
density = unguarded.log_density.mean(axis=1)
assert density[-1] + 3 < density[0]
near_copies, auc = guarded.near_copies.mean(axis=1), guarded.auc.mean(axis=1)
assert near_copies.max() < 0.06
assert np.ptp(auc) < 0.15
assert auc.min() > 0.65
density = guarded.log_density.mean(axis=1)
assert density[:2].max() + 0.3 < density[2:].min()

report = stopping_early.report_[True]
assert (report.n_real, report.n_holdout) == (87, 87)
assert 0.6 < report.two_sample_auc < 0.9
from vaesampler.metrics._verdict import MOST_AUC
assert MOST_AUC == 0.9

n_used = {name: (nats > 0.1).sum() for name, nats in used.items()}
assert n_used["Machines of three causes"] == 3
assert 6 <= n_used["Eights"] <= 10
density = of_machines.log_density.mean(axis=1)
assert density[:2].max() + 0.7 < density[2:].min()
assert np.ptp(density[2:]) < 0.5
assert mean[16] > mean.max() - 0.02
""",
}

WITHOUT_WIDGETS = """
import sys
sys.modules["ipywidgets"] = None
from sklearn.datasets import load_wine
from vaesampler import VAEOversampler
_ = VAEOversampler(verbose=1, random_state=0).fit(*load_wine(return_X_y=True))
"""


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture(scope="module")
def committed(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture(scope="module")
def executed(path, tmp_path_factory):
    """Run the notebook, and its claims, in a folder of its own; return it."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells += map(nbformat.v4.new_code_cell, (SECONDS, CLAIMS[path.stem]))
    return execute(notebook, tmp_path_factory.mktemp(path.stem))


def execute(notebook, folder):
    """Run a notebook in a kernel of its own; return it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(ROOT))
        environment.setenv("IPYTHONDIR", str(folder / "ipython"))
        environment.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        environment.setenv("OMP_NUM_THREADS", "1")
        environment.delenv("MPLBACKEND", raising=False)  # the kernel's own shows pictures
        client = nbclient.NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=5 * MAX_SECONDS,  # a cell that hangs
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
        )
        return client.execute()


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def kinds_of_output(cell):
    """Return what a reader sees below a cell: text, or a picture."""
    return [
        "picture" if "image/png" in output.get("data", {}) else "text"
        for output in cell.outputs
    ]


def test_there_are_notebooks_with_claims_to_check():
    assert {path.stem for path in NOTEBOOKS} == set(CLAIMS)


def test_a_notebook_runs_without_an_error_and_its_claims_hold(executed):
    errors = [
        "\n".join(output.traceback)
        for output in outputs(executed)
        if output.output_type == "error"
    ]
    assert not errors, errors[0]


def test_a_notebook_warns_of_nothing(executed):
    warned = [output.text for output in outputs(executed) if output.get("name") == "stderr"]
    assert not warned


def test_a_notebook_takes_less_than_two_minutes_of_one_core(executed):
    (seconds,) = code_cells(executed)[-2].outputs
    assert float(seconds.text) < MAX_SECONDS


def test_the_outputs_that_readers_see_are_those_of_the_code(committed, executed):
    cells = code_cells(committed)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell, run in zip(cells, code_cells(executed)[:-2], strict=True):
        assert kinds_of_output(cell) == kinds_of_output(run)


def test_a_notebook_holds_no_path_and_no_time_of_a_machine(committed):
    for output in outputs(committed):
        if "data" in output:
            output = {"data": {k: v for k, v in output.data.items() if k != "image/png"}}
        assert not PATH_OF_A_MACHINE.search(json.dumps(output))
    assert not any("execution" in cell.metadata for cell in committed.cells)
    for cell in committed.cells:
        assert not PATH_OF_A_MACHINE.search(cell.source)


def test_the_files_that_a_notebook_links_to_are_there(path, committed):
    texts = [cell.source for cell in committed.cells if cell.cell_type == "markdown"]
    for target in re.findall(r"\]\(([^)#]+)\)", "\n".join(texts)):
        assert target.startswith("https://") or (path.parent / target).exists(), target


def test_a_notebook_is_small_enough_to_be_looked_at_on_the_web(path):
    assert path.stat().st_size < MAX_BYTES


def test_without_ipywidgets_progress_is_text_without_a_complaint(tmp_path):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(WITHOUT_WIDGETS)]
    printed = "".join(output.text for output in outputs(execute(notebook, tmp_path)))
    assert re.search(r"VAEOversampler: +\d+%.* \d+/400 ", printed)
    assert "IProgress" not in printed
    assert "Warning" not in printed
