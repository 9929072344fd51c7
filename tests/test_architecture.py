"""The house holds: imports go down its rooms, and what is documented is so."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

import vaesampler
from vaesampler import VAEOversampler
from vaesampler._runtime.settings import ACTIVATION_NAMES
from vaesampler._vae.layers import ACTIVATIONS

PACKAGE = Path(vaesampler.__file__).parent
BENCHMARKS = PACKAGE.parent / "benchmarks"
# The rooms, from the lowest to the highest: a room imports from those before it only.
ROOMS = (
    *("exceptions", "_runtime", "_table", "_partitioned", "_encoding", "_vae", "_training"),
    *(
        "_rejection",
        "_generation",
        "_saving",
        "metrics",
        "_estimators",
        "comparison",
        "plotting",
    ),
    *("_command", "__main__"),
    "__init__",
)
WITHOUT_TORCH = ("exceptions", "_table", "_encoding", "metrics", "comparison")
MODULES = sorted(
    path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
    for path in PACKAGE.rglob("*.py")
)


def path_of(module):
    return PACKAGE / f"{module.replace('.', '/')}.py"


def room_of(module):
    """Return the folder of a module or, at the top, its file."""
    return module.partition(".")[0]


def imported_names(module):
    names = set()
    for node in ast.walk(ast.parse(path_of(module).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layer"
            names.add(node.module)
    return names


def test_every_file_is_in_a_room():
    assert set(map(room_of, MODULES)) == set(ROOMS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_the_house_only(module):
    for name in imported_names(module):
        package, _, imported = name.partition(".")
        if package == "vaesampler":
            # A bare `from vaesampler import ...` reaches for the top of the package.
            theirs, own = room_of(imported or "__init__"), room_of(module)
            if theirs != own:
                assert ROOMS.index(theirs) < ROOMS.index(own), f"{module} imports {name}"


@pytest.mark.parametrize(
    "module", [module for module in MODULES if room_of(module) in WITHOUT_TORCH]
)
def test_rooms_about_tables_do_not_know_torch(module):
    assert not any(name.split(".")[0] == "torch" for name in imported_names(module))


def test_importing_the_package_does_not_import_torch():
    code = "import sys, vaesampler; vaesampler.VAEOversampler(); print('torch' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert output.stdout.split() == [b"False"]


@pytest.mark.parametrize(
    "path",
    [*BENCHMARKS.glob("*.py"), Path(__file__).parent / "benchmarks" / "bench_hot_paths.py"],
    ids=lambda path: path.stem,
)
def test_what_benchmarks_import_from_the_package_is_there(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vaesampler"):
            module = importlib.import_module(node.module)
            assert [name.name for name in node.names if not hasattr(module, name.name)] == []


def test_every_public_name_can_be_had_without_and_with_torch():
    assert set(dir(vaesampler)) == {*vaesampler.__all__, "__version__"}
    for name in vaesampler.__all__:
        assert getattr(vaesampler, name).__name__.rpartition(".")[2] == name
    with pytest.raises(AttributeError, match="no attribute 'SMOTE'"):
        vaesampler.SMOTE  # noqa: B018


def test_names_that_may_be_passed_are_those_that_there_are():
    assert set(ACTIVATION_NAMES) == set(ACTIVATIONS)


def test_the_oldest_versions_are_the_bounds():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    bounds = [*project["dependencies"], *project["optional-dependencies"]["tests"]]
    lines = (PACKAGE.parent / "constraints-oldest.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    for name, bound in (re.sub(r"\[.*\]", "", one).split(">=") for one in bounds):
        if name != "torch":  # older builds of PyPI bring CUDA
            assert Version(pinned[name]) == Version(bound), name


def test_documented_defaults_equal_the_real_ones():
    signature = inspect.signature(VAEOversampler)
    described = re.sub(r"\\\n\s*", "", inspect.getdoc(VAEOversampler))
    documented = dict(re.findall(r"^(\w+) : .*default=(.+?)$", described, flags=re.MULTILINE))
    real = {name: parameter.default for name, parameter in signature.parameters.items()}
    assert {name: ast.literal_eval(value) for name, value in documented.items()} == real


def test_every_parameter_has_constraints():
    assert set(VAEOversampler._parameter_constraints) == set(VAEOversampler().get_params())


def test_every_parameter_is_keyword_only():
    parameters = inspect.signature(VAEOversampler).parameters.values()
    assert all(parameter.kind == parameter.KEYWORD_ONLY for parameter in parameters)
