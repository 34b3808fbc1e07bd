"""The commands of docs/, run as they stand there."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Give each command of all pages' shell blocks."""
    pages = sorted((ROOT / "docs").glob("*.md"))
    blocks = [block for page in pages for block in BLOCK.findall(page.read_text())]
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_there_are_commands() -> None:
    assert len(commands()) == 19


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("command", commands())
def test_a_command(command: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    program, verb, *arguments = shlex.split(command, comments=True)
    module = [f"--mod={ROOT}"] if verb == "call" else []
    result = subprocess.run(
        [program, verb, "--progress=plain", *module, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert result.stdout.strip()
    for path in re.findall(r"export --path (\S+)", command):
        assert (tmp_path / path).exists()
