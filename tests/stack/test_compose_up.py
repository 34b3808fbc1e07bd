"""Bringing a Compose project up on a real daemon: all of it is healthy, or all is as it was."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest
import yaml

from pipeline.deploy.compose.containers import ComposeContainer, DockerError, UnhealthyProjectError
from pipeline.deploy.compose.up import FILE, CommandResult, ComposeRelease, EntryPoint
from tests.docker import Docker

# A service that does nothing: it starts or not, is healthy or not, and answers or not.
DOCKERFILE = """\
FROM debian:trixie-slim
RUN printf '#!/bin/sh\\n{answer}\\n' >/healthcheck && chmod +x /healthcheck
HEALTHCHECK --interval=200ms --retries=2 CMD {healthy}
STOPSIGNAL SIGKILL
CMD ["sh", "-c", "{command}"]
"""
RUNS = "echo started; exec sleep infinity"
IMAGES = {
    "good": ("exit 0", "true", RUNS),
    "better": ("exit 0", "true", f"echo better; {RUNS}"),
    "dying": ("exit 0", "true", "echo no such setting >&2; exit 3"),
    "sick": ("exit 0", "false", RUNS),
    "mute": ("exit 1", "true", RUNS),
}
PATIENCE = 20


@dataclass(frozen=True)
class Local:
    """Runs Docker's command line on this machine, as the deployment does in a container."""

    docker: Docker
    folder: Path

    async def __call__(self, command: Sequence[str], project: str) -> CommandResult:
        file = anyio.Path(self.folder) / "compose.yml"
        if project:
            await file.write_text(project)
        ended = await anyio.run_process(
            [word.replace(FILE, str(file)) for word in command],
            env=self.docker.environment,
            check=False,
        )
        return CommandResult(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


@pytest.fixture(scope="module")
def images(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Images that behave in every way that there is."""
    folder = tmp_path_factory.mktemp("images")
    found = {}
    for name, (answer, healthy, command) in IMAGES.items():
        text = DOCKERFILE.format(answer=answer, healthy=healthy, command=command)
        (folder / "Dockerfile").write_text(text)
        found[name] = f"pipeline-test/{name}:{secrets.token_hex(4)}"
        docker("build", "--quiet", f"--tag={found[name]}", str(folder))
    yield found
    docker("image", "rm", "--force", *found.values())


Start = Callable[..., ComposeRelease]


@contextmanager
def deployments(docker: Docker, images: dict[str, str], folder: Path) -> Iterator[Start]:
    """Makes deployments of one project: an entry, and a service that it needs."""
    name = f"test-{secrets.token_hex(4)}"

    def make(behind: str, entry: str = "good", **changes: object) -> ComposeRelease:
        needs = {"behind": {"condition": "service_healthy"}}
        services = {
            "entry": {"image": images.get(entry, entry), "depends_on": needs},
            "behind": {"image": images.get(behind, behind), **changes},
        }
        project = yaml.safe_dump({"name": name, "services": services})
        run = Local(docker, folder)
        return ComposeRelease(run, name, project, EntryPoint("entry", 8080, "/ready"), PATIENCE)

    yield make
    containers = docker(
        "ps", "--all", "--quiet", f"--filter=label=com.docker.compose.project={name}"
    )
    if containers:
        docker("rm", "--force", *containers.split())
    docker("network", "rm", "--force", f"{name}_default")
    docker("volume", "rm", "--force", f"{name}_deployed")


@pytest.fixture(scope="module")
def deployment(
    docker: Docker, images: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Start]:
    """Makes deployments of a project that is as it was after every test: it is what they prove."""
    with deployments(docker, images, tmp_path_factory.mktemp("project")) as make:
        yield make


@pytest.fixture
def first(docker: Docker, images: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Makes deployments of a project that never was there."""
    with deployments(docker, images, tmp_path) as make:
        yield make


def by_service(containers: Sequence[ComposeContainer]) -> dict[str, ComposeContainer]:
    return {container.service: container for container in containers}


async def test_the_same_again_starts_nothing_anew(deployment: Start) -> None:
    first, _ = await deployment("good").up()
    assert [str(container) for container in first] == ["healthy", "healthy"]
    again, _ = await deployment("good").up()
    assert [each.identifier for each in again] == [each.identifier for each in first]


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("dying", r"behind isn't healthy: (restarting|unhealthy|ended with 3).*  no such setting"),
        ("sick", r"behind isn't healthy: unhealthy. Its last words:\n  started"),
    ],
)
async def test_what_was_healthy_comes_back(deployment: Start, image: str, said: str) -> None:
    first, _ = await deployment("good").up()
    with pytest.raises(UnhealthyProjectError, match=f"(?s){said}.*is back, and healthy") as error:
        await deployment(image, restart="unless-stopped").up()
    assert "entry isn't healthy" not in str(error.value), "it only waits"
    again, _ = await deployment("good").up()
    assert by_service(again)["behind"].image == by_service(first)["behind"].image
    assert all(container.is_well for container in again)


async def test_an_entry_that_is_not_ready(deployment: Start) -> None:
    await deployment("good").up()
    failing = replace(deployment("good", "mute"), patience=3)
    with pytest.raises(UnhealthyProjectError, match=r"(?s)entry doesn't answer /ready.* is back"):
        await failing.up()


async def test_the_first_that_fails_stays_to_be_looked_at(first: Start) -> None:
    with pytest.raises(UnhealthyProjectError, match="Nothing was healthy here before"):
        await first("sick").up()


async def test_an_image_that_is_not_there_changes_nothing(deployment: Start) -> None:
    first, _ = await deployment("good").up()
    wrong = deployment("better", f"localhost:1/nobody@sha256:{'0' * 64}")
    with pytest.raises(
        DockerError, match=r"(?s)can't start it: .*localhost:1.*Nothing was changed"
    ):
        await wrong.up()
    again, _ = await deployment("good").up()
    assert [each.identifier for each in again] == [each.identifier for each in first]


async def test_a_variable_that_is_missing_changes_nothing(deployment: Start) -> None:
    wanted = deployment("good", environment={"A": "${NOBODY_SETS_THIS:?is a secret}"})
    with pytest.raises(
        DockerError, match=r"(?s)nothing was changed.*NOBODY_SETS_THIS.*is a secret"
    ):
        await wanted.up()
