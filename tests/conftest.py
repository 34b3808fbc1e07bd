"""What every test may need: the repository, its dagger command line, its published images."""

import json
import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagger
import pytest

from tests.cluster import Cluster, start_cluster
from tests.costs import spent_on, write_costs
from tests.module import in_this_process
from tests.shared import once_a_run
from tests.started import variables_of

ROOT = Path(__file__).parents[1]
PUSH = ["build-all", "--push", "--scan=false", "--sign=false"]
"""Publishes without what other tests are about."""


@dataclass(frozen=True)
class Called:
    """What a `dagger call` said and how it ended."""

    status: int
    output: str
    progress: str

    @property
    def message(self) -> str:
        """The error as a person reads it: behind the progress, without the trace's number."""
        return self.progress.rpartition("Error: ")[2].partition(" [traceparent:")[0]


def dagger_call(
    *arguments: str, source: Path | None = None, environment: dict[str, str] | None = None
) -> Called:
    """Run the real command line on this module, for this repository or another one."""
    where = [f"--source={source}"] if source else []
    with spent_on("dagger call"):
        result = subprocess.run(
            ["dagger", "call", "--progress=plain", *where, *arguments],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
    return Called(result.returncode, result.stdout, result.stderr)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say what the time was spent on."""
    write_costs(session.config.getoption("xmlpath", None))


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The Kubernetes cluster that is set up here."""
    return start_cluster()


@pytest.fixture(scope="session")
def scanners() -> None:
    """Scanners, cosign and sops with their images, databases and a key pair, made unless there."""
    variables_of("scanners")


@pytest.fixture(scope="session")
def published(scanners: None) -> dict[str, Any]:  # noqa: ARG001 - it scans and signs
    """The whole worked example, built for both platforms and pushed by the main job."""

    def publish() -> dict[str, Any]:
        called = dagger_call("build-all", "--push", "--format=json")
        assert called.status == 0, called.progress[-4000:]
        summary: dict[str, Any] = json.loads(called.output)
        return summary

    return once_a_run("published", publish)


@pytest.fixture(scope="session")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[None]:
    """A connection of dagger-io to the engine, over which the module's functions can be called."""
    folder = tmp_path_factory.mktemp("engine")
    with (folder / "log").open("w") as output, in_this_process(folder / "handed"):
        async with dagger.connection(dagger.Config(log_output=output)):
            yield
