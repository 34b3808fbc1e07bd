"""The commands of docs/, run as they stand there."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.settings import Settings
from tests.cluster import Cluster
from tests.conftest import ROOT

SETTINGS = Settings.from_environment()

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Give each `dagger` command of all pages' shell blocks."""
    pages = sorted((ROOT / "docs").glob("*.md"))
    blocks = [block for page in pages for block in BLOCK.findall(page.read_text())]
    joined = [re.sub(r"\\\n\s+", "", block) for block in blocks]
    lines = [line for block in joined for line in block.splitlines()]
    return [line for line in lines if line.startswith("dagger ")]


@pytest.fixture(scope="module")
def given(published: dict[str, Any], cluster: Cluster) -> Iterator[dict[str, Path]]:
    """Files that the pages' reader has: name → file."""
    assert published["images"]
    yield {
        "kubeconfig": cluster.kubeconfig,
        "cosign.pub": SETTINGS.keys / "cosign.pub",
        "key.txt": ROOT / "config/secrets/example-key.txt",
    }
    cluster.kubectl("delete", "namespace", "staging", "--ignore-not-found", "--wait=false")


def test_there_are_commands() -> None:
    assert len(commands()) == 24


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("command", commands())
def test_a_command(command: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    if "--kubeconfig" in command or "manifests" in command:
        for name, file in request.getfixturevalue("given").items():
            shutil.copy(file, tmp_path / name)
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
