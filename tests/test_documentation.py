"""What the README and the documentation show is what happens."""

import ast
import contextlib
import inspect
import io
import re
import runpy
import sys
import textwrap
import tomllib
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

import pytest
from reference import PACKAGES, public_objects
from test_architecture import ROOMS

import vaesampler
from vaesampler import (
    DenoisingSampling,
    ForestCritic,
    InterpolationSampling,
    LatentSampler,
    NeighborCritic,
    NetworkCritic,
    VAEOversampler,
)
from vaesampler._encoding import bounds
from vaesampler._generation import generator, quantile_matching, residuals
from vaesampler._rejection import choice, critic, forest, neighbors, network, rule
from vaesampler._table.columns import MOST_LEVELS_APART
from vaesampler._training import early_stopping, loop, smoothing, stacks

ROOT = Path(__file__).parent.parent
CONFIGURATION = runpy.run_path(str(ROOT / "docs" / "conf.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def code_blocks(page, language):
    """Return the blocks in a language, or in one of several (a regular expression)."""
    return re.findall(rf"```(?:{language})\n(.*?)```", page.read_text(), flags=re.DOTALL)


def without_decimals(text):
    """Replace what another machine may round otherwise."""
    return re.sub(r"-?\d*\.\d+%?|\d+%", "#", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_blocks_of_a_page_run_one_after_the_other_and_print_what_it_shows(page):
    outputs = set(code_blocks(page, "text"))
    namespace, printed = {"__name__": "page"}, ""
    for block in code_blocks(page, "python|text"):
        if block in outputs:
            shown, printed = map(without_decimals, (block, printed))
            flags = ELLIPSIS | NORMALIZE_WHITESPACE
            assert OutputChecker().check_output(shown, printed, flags), printed
            continue
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(block, namespace)
        printed = output.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_python_block_prints_is_shown_below_it(page):
    silent = re.compile(r"```python\n((?:(?!```).)*)```\n(?!\n```text\n)", re.DOTALL)
    assert [block for block in silent.findall(page.read_text()) if "print(" in block] == []


def test_the_readmes_first_block_prints_balanced_classes(capsys):
    exec(code_blocks(ROOT / "README.md", "python")[0], {})
    assert "Counter({0: 950, 1: 950})" in capsys.readouterr().out


FILE_OF_PROJECT = r"https://github\.com/vaesampler/vaesampler/blob/main/([\w/.-]+)"
PAGE_OF_PROJECT = r"https://vaesampler\.readthedocs\.io/en/latest/([\w/]+)\.html"
MADE_BY_THE_BUILD = ("api/", "auto_examples/", "notebooks/")


def test_the_pages_that_are_linked_are_there():
    for page in PAGES:
        text = page.read_text()
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert target.startswith("https://") or (page.parent / target).exists(), target
        for target in re.findall(FILE_OF_PROJECT, text):
            assert (ROOT / target).exists(), target
        for target in re.findall(PAGE_OF_PROJECT, text):
            there = (ROOT / "docs" / f"{target}.md").exists()
            assert there or target.startswith(MADE_BY_THE_BUILD), target


def test_links_of_the_readme_lead_somewhere_from_pypi_too():
    text = (ROOT / "README.md").read_text()
    defined = dict(re.findall(r"^\[(\w+)\]: (.*)$", text, re.MULTILINE))
    assert set(re.findall(r"\]\[(\w+)\]", text)) == set(defined)
    for target in [*re.findall(r"\]\(([^)]+)\)", text), *defined.values()]:
        assert target.startswith("https://"), target


def test_the_extras_that_are_named_are_there():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    files = [*PAGES, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "vaesampler").rglob("*.py"))]
    for file in files:
        for extras in re.findall(r"(?:\.|vaesampler)\[([a-z,]+)\]\"", file.read_text()):
            assert set(extras.split(",")) <= set(project["optional-dependencies"]), file


def test_the_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text()
    cited = dict(re.findall(r"^([\w-]+): (.*)$", citation, re.MULTILINE))
    changelog = (ROOT / "CHANGELOG.md").read_text()
    releases = re.findall(r"^## (\d.*) \((\d{4}-\d\d-\d\d)\)$", changelog, re.MULTILINE)
    assert releases[0] == (vaesampler.__version__, cited["date-released"])
    assert cited["version"] == vaesampler.__version__
    page = (ROOT / "docs" / "citing.md").read_text()
    assert f"version = {{{vaesampler.__version__}}}" in page
    assert f"year    = {{{cited['date-released'][:4]}}}" in page


def test_continuous_integration_calls_the_readmes_test_command():
    blocks = code_blocks(ROOT / "README.md", "bash")
    (command,) = [block.strip() for block in blocks if "pytest" in block]
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_table_of_dtypes_is_what_its_program_prints():
    program = runpy.run_path(str(ROOT / "docs" / "supported_dtypes.py"))
    assert program["markdown"]() in (ROOT / "docs" / "tables.md").read_text()


def test_the_rooms_that_contributors_read_of_are_those_that_there_are():
    page = (ROOT / "CONTRIBUTING.md").read_text()
    rooms = re.findall(r"^\| `(\w+)(?:\.py|/)` \|", page, flags=re.MULTILINE)
    assert tuple(rooms) == ROOMS[:-1]


def test_the_pictures_of_the_pages_are_made_by_examples():
    pictures = [
        picture
        for page in PAGES
        for picture in re.findall(r"sphx_glr_(plot_\w+)_(\d+)\.png", page.read_text())
    ]
    assert pictures
    for name, number in pictures:
        example = (ROOT / "examples" / f"{name}.py").read_text()
        assert 1 <= int(number) <= len(re.findall(r"^plt\.show\(\)$", example, re.MULTILINE))


def test_the_reference_lists_every_public_name():
    reference = (ROOT / "docs" / "api" / "index.rst").read_text()
    listed = set(re.findall(r"^   (?:\w+\.)*(\w+)$", reference, re.MULTILINE))
    public = {name for package in PACKAGES for name in package.__all__}
    assert public - {"comparison", "metrics", "plotting"} <= listed


@pytest.mark.parametrize("name", public_objects())
def test_every_public_name_has_an_example(name):
    docstring = inspect.getdoc(public_objects()[name])
    assert "\nExamples\n--------\n" in docstring


@pytest.mark.parametrize("name", public_objects())
def test_the_source_link_of_a_public_name_leads_to_the_lines_that_define_it(name):
    packages = [package.__name__ for package in PACKAGES]
    module = max((one for one in packages if name.startswith(f"{one}.")), key=len)
    info = {"module": module, "fullname": name.removeprefix(f"{module}.")}
    link = CONFIGURATION["linkcode_resolve"]("py", info)
    pattern = r"https://github\.com/vaesampler/vaesampler/blob/main/(\S+\.py)#L(\d+)-L(\d+)"
    path, first, last = re.fullmatch(pattern, link).groups()
    before, *lines = (ROOT / path).read_text().splitlines()[int(first) - 2 : int(last)]
    assert not before.lstrip().startswith("@")
    (definition,) = ast.parse(textwrap.dedent("\n".join(lines))).body
    assert definition.name == name.rpartition(".")[2]


def test_names_of_other_projects_are_those_of_a_project_that_the_site_links_to():
    projects = CONFIGURATION["OTHER_PROJECTS"]
    sources = [path.read_text() for path in (ROOT / "vaesampler").rglob("*.py")]
    roles = re.findall(r":(?:func|class|mod|meth|exc):`~?([\w.]+)`", "".join(sources))
    assert roles
    for root in {name.partition(".")[0] for name in roles} - {"vaesampler"}:
        assert root in projects or root in sys.stdlib_module_names


def test_the_oversampler_shown_in_a_notebook_links_to_its_page_of_the_reference():
    link = VAEOversampler()._get_doc_link()
    assert re.fullmatch(
        r"https://[\w./-]+/api/generated/vaesampler\.VAEOversampler\.html", link
    )
    assert link in VAEOversampler()._repr_html_()


def test_every_promise_names_a_test_that_is_there():
    page = (ROOT / "docs" / "reliability.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", page))
    sources = "".join(path.read_text() for path in (ROOT / "tests").glob("test_*.py"))
    assert named <= set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE))
    promises = re.findall(r"^- .*(?:\n  .*)*", page, re.MULTILINE)
    assert len(promises) > 20
    assert all("`test_" in promise for promise in promises)


# Figures

GUIDE = ROOT / "docs" / "user_guide.md"
SHARES = {0.25: "a quarter", 0.5: "half"}
NEIGHBORS = NeighborCritic().n_neighbors
WIDEST, POWER = smoothing.WIDEST_BANDWIDTH, smoothing.BANDWIDTH_POWER
BY_COLUMN = rule.N_ROWS_BY_COLUMN_FOR_HALF_STRENGTH
COPIES = f"{rule.MAX_SHARE_OF_COPIES:.0%}"
COPY_QUANTILE = f"the {critic.COPY_QUANTILE:.0%} quantile"
OWN_ROWS, ROWS = choice.MIN_OWN_ROWS_FOR_NETWORK, f"{choice.MIN_ROWS_FOR_NETWORK:,}"
ODDS = critic.POWER_OF_ODDS_IN_TABLE
TREES = ForestCritic().n_estimators
FEW = choice.MOST_LEVELS_FOR_FEW
SIDE = f"{neighbors.MAX_ROWS_BY_SIDE:,}"
WEIGHT = quantile_matching.N_ROWS_FOR_DRAWN
RHOS = r",\ ".join(f"{rho:g}" for rho in residuals.SHARES_TO_KEEP)
FIGURES = {
    VAEOversampler: [
        f"a class of at least {OWN_ROWS} rows in a table of at least {ROWS} rows",
        f"at least half of the columns have at most {FEW} levels",
        f"a random forest of {TREES} trees",
        f"the {NEIGHBORS} nearest real rows",
        f"Held-out rows are evaluated every {early_stopping.STEPS_BETWEEN_LOOKS} steps",
        f"for the held-out rows, every {early_stopping.STEPS_BETWEEN_LOOKS} steps",
        f"h = {WIDEST} * smoothing * ((d + 1) / (n + d + 1)) ** {POWER}",
        f"min(1, p / m) ** (rejection_strength * n / (n + {BY_COLUMN} * d))",
        f"at most about {COPIES} of the kept rows",
        f"classes of 2 or 3 rows have at most {stacks.suited_batch_size(128, 3, 1)} rows",
        f"those of classes of 4 to 7 rows at most {stacks.suited_batch_size(128, 7, 1)}",
        f"at most {stacks.MOST_CELLS_BY_BATCH:,} cells, or {stacks.LEAST_ROWS_IN_WIDE_TABLES}",
        f"log the losses every {loop.STEPS_BETWEEN_REPORTS} steps",
    ],
    LatentSampler.draw: [f"at most {generator.MOST_ROWS_BY_BLOCK:,} of them"],
    InterpolationSampling: [
        f"n_neighbors : int, default={InterpolationSampling().n_neighbors}"
    ],
    DenoisingSampling: [f"noise_level : float, default={DenoisingSampling().noise_level}"],
    NeighborCritic: [
        f"(1 - r) / r * (s / (1 - s)) ** {ODDS}",
        f"at most {SIDE} random rows of the class and {SIDE} of all others",
        f"{COPY_QUANTILE} of the distances",
        f"n_neighbors : int, default={NEIGHBORS}",
    ],
    ForestCritic: [
        f"(t - v + 0.5) * (s / (1 - s)) ** {ODDS}",
        f"at most {forest.MAX_ROWS_BY_SIDE:,} rows of the class",
        f"{COPY_QUANTILE} of the distances",
        f"n_estimators : int, default={TREES}",
    ],
    NetworkCritic: [
        f"two hidden layers of {network.HIDDEN_LAYER_SIZES[0]} units",
        f"trained for {network.N_STEPS} steps",
        f"{network.BATCH_SIZE} of each",
        f"(s / (1 - s)) ** {ODDS}",
        f"{COPY_QUANTILE} of the distances",
    ],
    rule.rejection_power: [f"strength * n / (n + {BY_COLUMN} * d)"],
    rule.keep: [f"{SHARES[rule.LEAST_SHARE_KEPT]} is drawn without replacement"],
    rule.thin_copies: [f"at most {COPIES} of kept rows are copies"],
    bounds.Bounds.widened: [f"widened by {bounds.MARGIN_GAPS} mean gaps"],
    quantile_matching.QuantileMatching: [f"x + n / (n + {WEIGHT}) * (Q(F(x)) - x)"],
    GUIDE: [
        f"with probability {generator.SHARE_RETAINED} and drawn from",
        f"from its {NEIGHBORS} nearest real neighbours",
        f"the {InterpolationSampling().n_neighbors} nearest neighbours of $x_i$",
        f"has {SHARES[DenoisingSampling().noise_level]} the standard deviation of the class",
        rf"h = {WIDEST} \cdot \mathtt{{smoothing}} \cdot",
        rf"\left(\frac{{d + 1}}{{n + d + 1}}\right)^{{{POWER}}}",
        rf"\rho \in \{{{RHOS}\}}",
        rf"\frac{{n}}{{n + {WEIGHT}}}\left(Q_\mathrm{{real}}",
        f"real values compared (at most {smoothing.MAX_ROWS_FOR_SHAPE:,})",
        rf"\frac{{k + r}}{{{NEIGHBORS} - k + 1 - r}}",
        rf"\left(\frac{{s}}{{1 - s}}\right)^{{{ODDS}}}",
        f"at least half of the columns have at most {FEW} levels",
        f"the votes of {TREES} trees",
        f"(up to {SIDE} of the class and {SIDE} others)",
        rf"The exponent {ODDS} restores",
        rf"($0.01^{{{ODDS}}} \approx {0.01**ODDS:.2f}$)",
        f"a class of {OWN_ROWS} rows or more, in a table of {ROWS} or more",
        rf"\right)^{{\mathtt{{rejection\_strength}}\, \cdot\, n / (n + {BY_COLUMN}\,d)}}",
        f"more than {MOST_LEVELS_APART} levels",
    ],
}


@pytest.mark.parametrize(
    ("documented", "figure"),
    [(documented, figure) for documented, figures in FIGURES.items() for figure in figures],
    ids=lambda one: getattr(one, "__qualname__", None) or getattr(one, "name", None),
)
def test_figures_in_docstrings_are_the_constants(documented, figure):
    text = documented.read_text() if isinstance(documented, Path) else documented.__doc__
    assert figure in " ".join(text.split())
