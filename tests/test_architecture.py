"""The layout holds: imports go down the layers, and what is documented is so."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import vaesampler
from vaesampler import VAEOversampler
from vaesampler._latent import LATENT_SAMPLERS
from vaesampler._layers import ACTIVATIONS
from vaesampler._settings import ACTIVATION_NAMES, LATENT_SAMPLING_NAMES

PACKAGE = Path(vaesampler.__file__).parent
LAYERS = {
    "exceptions": 0,
    "_seeds": 0,
    "_settings": 0,
    "_devices": 0,
    "_columns": 0,
    "_slots": 0,
    "_tails": 0,
    "_rows": 0,
    "_optimizer": 0,
    "_pools": 0,
    "_curves": 0,
    "_progress": 0,
    "_schema": 1,
    "_cells": 1,
    "_layers": 1,
    "_latent": 1,
    "_smoothing": 1,
    "_units": 1,
    "_marginals": 1,
    "_rejection": 1,
    "_callbacks": 1,
    "_neighbor_critic": 2,
    "_network_critic": 6,
    "_containers": 2,
    "_heads": 2,
    "_residuals": 3,
    "_table": 3,
    "_comparable": 3,
    "_vae": 4,
    "_early_stopping": 5,
    "_gradients": 5,
    "metrics": 5,
    "_training": 6,
    "_report": 6,
    "_generators": 7,
    "_oversampler": 8,
    "comparison": 9,
    "plotting": 10,
    "__init__": 11,
}
MODULES = sorted(
    path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
    for path in PACKAGE.rglob("*.py")
)


def path_of(module):
    return PACKAGE / f"{module.replace('.', '/')}.py"


def part_of(module):
    """Return the file that a module is in or, of those in a folder, the folder."""
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


def test_every_file_of_the_package_has_a_layer():
    assert set(map(part_of, MODULES)) == set(LAYERS)


@pytest.mark.parametrize("module", MODULES)
def test_a_file_imports_only_from_lower_layers(module):
    for name in imported_names(module):
        package, _, imported = name.partition(".")
        if package == "vaesampler":
            # A bare `from vaesampler import ...` reaches for the top of the package.
            theirs, own = part_of(imported or "__init__"), part_of(module)
            if theirs == own:
                continue  # files of one folder
            assert LAYERS[theirs] < LAYERS[own], f"{module} imports {name}"


@pytest.mark.parametrize(
    "module",
    [
        *("_columns", "_slots", "_schema", "_rows", "_cells", "_containers", "_table"),
        *("exceptions", "_comparable", "_report"),
        *(module for module in MODULES if part_of(module) in ("metrics", "comparison")),
    ],
)
def test_files_about_tables_do_not_know_torch(module):
    assert not any(name.split(".")[0] == "torch" for name in imported_names(module))


def test_importing_the_package_does_not_import_torch():
    code = "import sys, vaesampler; vaesampler.VAEOversampler(); print('torch' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert output.stdout.split() == [b"False"]


def test_every_public_name_can_be_had_without_and_with_torch():
    assert set(vaesampler.__all__) <= set(dir(vaesampler))
    for name in vaesampler.__all__:
        assert getattr(vaesampler, name).__name__.rpartition(".")[2] == name
    with pytest.raises(AttributeError, match="no attribute 'SMOTE'"):
        vaesampler.SMOTE  # noqa: B018


def test_names_that_may_be_passed_are_those_that_there_are():
    assert set(ACTIVATION_NAMES) == set(ACTIVATIONS)
    assert set(LATENT_SAMPLING_NAMES) == set(LATENT_SAMPLERS)


def test_documented_defaults_equal_the_real_ones():
    signature = inspect.signature(VAEOversampler)
    described = re.sub(r"\\\n\s*", "", VAEOversampler.__doc__)
    documented = dict(
        re.findall(r"^    (\w+) : .*default=(.+?)$", described, flags=re.MULTILINE)
    )
    real = {name: parameter.default for name, parameter in signature.parameters.items()}
    assert {name: ast.literal_eval(value) for name, value in documented.items()} == real


def test_every_parameter_has_constraints():
    assert set(VAEOversampler._parameter_constraints) == set(VAEOversampler().get_params())


def test_every_parameter_is_keyword_only():
    parameters = inspect.signature(VAEOversampler).parameters.values()
    assert all(parameter.kind == parameter.KEYWORD_ONLY for parameter in parameters)
