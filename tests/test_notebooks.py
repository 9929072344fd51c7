"""The notebooks run, and what they conclude is what they find."""

import json
import re
import time
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
MAX_SECONDS = 120
MAX_BYTES = 600_000
PATH_OF_A_MACHINE = re.compile(r"(/home|/root|/tmp|/work|/Users|/usr|site-packages)/|[A-Z]:\\")

# What the texts say, and new numbers must not belie. It runs behind each notebook's last cell.
CLAIMS = {
    "compare_with_smote": """
forest, logistic, tumours = map(table_of_means, (comparison, with_logistic, on_tumours))
decisions = forest["balanced_accuracy"]
assert decisions["VAEOversampler"] > decisions["SMOTE"] > decisions["none"] + 0.05
assert (forest[["roc_auc", "average_precision"]].max() - forest.loc["none"] < 0.04).sum() == 2
assert decisions["tuned threshold"] > decisions["SMOTE"]
assert logistic["f1"].idxmax() != "VAEOversampler"
assert logistic.loc["none", "f1"] > logistic.loc["VAEOversampler", "f1"]
assert paired_differences(on_tumours, "none")["p_value"].min() > 0.05
""",
    "grid_search_latent_size": """
assert scores.mean().max() - scores.mean().min() < scores.std().min()
assert (largest.latent_kl_[True] < 0.1).sum() >= 4
""",
}


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture(scope="module")
def committed(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture(scope="module")
def executed(path, tmp_path_factory):
    """Run the notebook, and its claims, in a folder of its own; return it, and the seconds."""
    folder = tmp_path_factory.mktemp(path.stem)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(CLAIMS[path.stem]))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(ROOT))
        environment.setenv("IPYTHONDIR", str(folder / "ipython"))
        environment.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        environment.delenv("MPLBACKEND", raising=False)  # the kernel's own shows pictures
        client = nbclient.NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=MAX_SECONDS,
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
        )
        start = time.perf_counter()
        client.execute()
    return notebook, time.perf_counter() - start


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
    notebook, _ = executed
    errors = [
        "\n".join(output.traceback)
        for output in outputs(notebook)
        if output.output_type == "error"
    ]
    assert not errors, errors[0]


def test_a_notebook_warns_of_nothing(executed):
    notebook, _ = executed
    warned = [output.text for output in outputs(notebook) if output.get("name") == "stderr"]
    assert not warned


def test_a_notebook_takes_less_than_two_minutes(executed):
    _, seconds = executed
    assert seconds < MAX_SECONDS


def test_the_outputs_that_readers_see_are_those_of_the_code(committed, executed):
    notebook, _ = executed
    cells = code_cells(committed)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell, run in zip(cells, code_cells(notebook)[:-1], strict=True):
        assert kinds_of_output(cell) == kinds_of_output(run)


def test_a_notebook_holds_no_path_and_no_time_of_a_machine(committed):
    for output in outputs(committed):
        if "data" in output:
            output = {"data": {k: v for k, v in output.data.items() if k != "image/png"}}
        assert not PATH_OF_A_MACHINE.search(json.dumps(output))
    assert not any("execution" in cell.metadata for cell in committed.cells)
    for cell in committed.cells:
        assert not PATH_OF_A_MACHINE.search(cell.source)


def test_a_notebook_is_small_enough_to_be_looked_at_on_the_web(path):
    assert path.stat().st_size < MAX_BYTES
