"""What the README and the documentation show is what happens."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def code_blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_blocks_of_a_page_run_one_after_the_other(page):
    namespace = {"__name__": "page"}
    for block in code_blocks(page, "python"):
        exec(block, namespace)


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
