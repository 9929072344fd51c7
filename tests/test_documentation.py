"""What the README and the documentation show is what happens."""

import contextlib
import io
import re
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

import pytest
from test_architecture import ROOMS

import vaesampler
from vaesampler import VAEOversampler, comparison, exceptions, metrics, plotting

ROOT = Path(__file__).parent.parent
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


def test_the_readmes_first_block_prints_balanced_classes(capsys):
    exec(code_blocks(ROOT / "README.md", "python")[0], {})
    assert "Counter({0: 950, 1: 950})" in capsys.readouterr().out


def test_the_pages_that_are_linked_are_there():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert target.startswith("https://") or (page.parent / target).exists(), target


def test_continuous_integration_calls_the_readmes_test_command():
    blocks = code_blocks(ROOT / "README.md", "bash")
    (command,) = [block.strip() for block in blocks if "pytest" in block]
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


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
    packages = [vaesampler, comparison, exceptions, metrics, plotting]
    public = {name for package in packages for name in package.__all__}
    assert public - {"comparison", "metrics", "plotting"} <= listed


def test_the_oversampler_shown_in_a_notebook_links_to_its_page_of_the_reference():
    link = VAEOversampler()._get_doc_link()
    assert re.fullmatch(
        r"https://[\w./-]+/api/generated/vaesampler\.VAEOversampler\.html", link
    )
    assert link in VAEOversampler()._repr_html_()
