"""What the README shows is what happens."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def code_blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_python_blocks_run_one_after_the_other(capsys):
    namespace = {}
    for block in code_blocks("python"):
        exec(block, namespace)
    assert "Counter({0: 950, 1: 950})" in capsys.readouterr().out
    assert namespace["X_new"].shape == (500, 20)


def test_continuous_integration_calls_the_readmes_test_command():
    (command,) = [block.strip() for block in code_blocks("bash") if "pytest" in block]
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()
