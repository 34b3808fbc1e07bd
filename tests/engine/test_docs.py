"""The commands of docs/, run as they stand there."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.settings import Settings
from tests.cluster import Cluster
from tests.conftest import ROOT
from tests.engine.documented import Reader, registered, served

SETTINGS = Settings.from_environment()

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Give each `dagger` command of all pages' shell blocks."""
    pages = sorted((ROOT / "docs").glob("*.md"))
    blocks = [block for page in pages for block in BLOCK.findall(page.read_text())]
    joined = [re.sub(r"\\\n\s+", "", block) for block in blocks]
    lines = [line for block in joined for line in block.splitlines()]
    return [line for line in lines if line.startswith("dagger ")]


REALLY = [
    "dagger call environment --name development --secrets-key ",
    "dagger call environment schema export --path ",
    "dagger core ",
]
"""How the lines begin that the command line itself runs: a file, a secret's file, the engine."""


SERVED = """
{ currentTypeDefs { asObject {
    name
    fields { name }
    functions { name args { name } }
} } }
"""


def is_run_really(command: str) -> bool:
    return any(command.startswith(beginning) for beginning in REALLY)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages' reader is, with the files that the reader has."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "config", folder / "config")
    shutil.copy(SETTINGS.keys / "cosign.pub", folder)
    shutil.copy(ROOT / "config/secrets/example-key.txt", folder / "key.txt")
    return folder


@pytest.fixture(scope="module")
def reader(folder: Path, engine: None) -> Reader:  # noqa: ARG001 - a connection to it
    return Reader(folder)


@pytest.fixture(scope="module")
def kubeconfig(folder: Path, cluster: Cluster) -> Iterator[None]:
    """What leads to the cluster, in the reader's folder."""
    shutil.copy(cluster.kubeconfig, folder / "kubeconfig")
    yield
    cluster.kubectl("delete", "namespace", "staging", "--ignore-not-found", "--wait=false")


def test_there_are_commands() -> None:
    assert len(commands()) == 24
    assert len([each for each in commands() if is_run_really(each)]) == len(REALLY)


def test_the_engine_serves_what_is_run_here() -> None:
    result = subprocess.run(
        ["dagger", "query", "--progress=plain"],
        cwd=ROOT,
        input=SERVED,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    objects = [each["asObject"] for each in json.loads(result.stdout)["currentTypeDefs"]]
    found = served(each for each in objects if each and each["name"].startswith("Pipeline"))
    assert found == registered()


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("command", commands())
async def test_a_command(
    command: str, folder: Path, reader: Reader, request: pytest.FixtureRequest
) -> None:
    if "--kubeconfig" in command:
        request.getfixturevalue("kubeconfig")
    program, verb, *words = shlex.split(command, comments=True)
    if is_run_really(command):
        module = [f"--mod={ROOT}"] if verb == "call" else []
        run = [program, verb, "--progress=plain", *module, *words]
        said = output_of(run, folder)
    else:
        said = await reader.types(words)
    assert said.strip()
    for path in re.findall(r"export --path (\S+)", command):
        assert (folder / path).exists()


def output_of(command: list[str], folder: Path) -> str:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout
