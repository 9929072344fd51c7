"""Run the Python blocks of the pages, and write what they print into the blocks below them.

    python docs/update_outputs.py                # all pages, and the README
    python docs/update_outputs.py docs/faq.md

A `text` block that ends with a line "..." keeps its number of lines, and one with "..."
elsewhere is left as it is. The tests compare everything but decimals.
"""

import contextlib
import io
import re
import sys
import warnings
from pathlib import Path

DOCS = Path(__file__).parent
BLOCK = re.compile(
    r"```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<shown>.*?)```\n)?", flags=re.DOTALL
)


def update(page: Path) -> bool:
    """Rewrite the outputs of a page, and return whether any changed."""
    before = page.read_text()
    names: dict[str, object] = {"__name__": "page"}

    def run(block: re.Match[str]) -> str:
        output = io.StringIO()
        with contextlib.redirect_stdout(output), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(block["code"], names)
        shown = choose_output(block["shown"], output.getvalue())
        code = f"```python\n{block['code']}```\n"
        return f"{code}\n```text\n{shown}```\n" if shown.strip() else code

    after = BLOCK.sub(run, before)
    page.write_text(after)
    return after != before


def choose_output(shown: str | None, printed: str) -> str:
    """Return the new output, with the parts left out that `shown` leaves out."""
    printed = "".join(f"{line.rstrip()}\n" for line in printed.rstrip().splitlines())
    if shown is None or "..." not in shown:
        return printed
    if shown.endswith("\n...\n"):
        n_lines = len(shown.splitlines()) - 1
        return "".join(printed.splitlines(keepends=True)[:n_lines]) + "...\n"
    return shown


if __name__ == "__main__":
    import matplotlib as mpl

    mpl.use("Agg")
    pages = [Path(path) for path in sys.argv[1:]]
    for page in pages or [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]:
        if update(page):
            print(page, "changed")
