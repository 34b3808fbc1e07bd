"""The published worked example as Docker runs it: hardened, on a network, entered by the proxy."""

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.docker import Docker, start_docker

HARDENED = [
    *("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
    "--memory=64m",
]
EVERY_SECOND = ["--health-interval=1s", "--health-retries=60"]


@dataclass
class Stack:
    """Containers on a network of their own, where each is known by its service's name."""

    docker: Docker
    network: str
    containers: dict[str, str] = field(default_factory=dict)

    def run(self, service: str, image: str, *options: str) -> None:
        """Start a service."""
        place = [f"--network={self.network}", f"--network-alias={service}"]
        self.containers[service] = self.docker("run", "--detach", *place, *options, image)

    def wait_until_healthy(self) -> None:
        """Wait for every service that was started."""
        for container in self.containers.values():
            self.docker.wait_until_healthy(container)

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Wait until all of it can answer, as the entry tells."""
        deadline = time.monotonic() + seconds
        while httpx.get(f"{self.url}/api/health").json()["status"] != "ready":
            assert time.monotonic() < deadline, "not ready again"
            time.sleep(0.1)

    def remove(self) -> None:
        """Remove all of it."""
        for container in self.containers.values():
            self.docker("rm", "--force", "--volumes", container)
        self.docker("network", "rm", self.network)

    @property
    def url(self) -> str:
        """Where the proxy answers on this machine."""
        return f"http://{self.docker('port', self.containers['proxy'], '8080/tcp')}"


@pytest.fixture(scope="session")
def docker() -> Docker:
    """The command line of the machine's Docker, or of one that is set up here."""
    return start_docker()


@pytest.fixture(scope="session")
def images(published: dict[str, Any]) -> dict[str, str]:
    """The reference of every service's image: commit and digest."""
    return {image["service"]: image["references"][0] for image in published["images"]}


@pytest.fixture(scope="session")
def stack(docker: Docker, images: dict[str, str]) -> Iterator[Stack]:
    """The whole worked example, healthy."""
    with running_stack(docker, images) as stack:
        yield stack


@contextmanager
def running_stack(docker: Docker, images: dict[str, str]) -> Iterator[Stack]:
    """Run the whole worked example, hardened, until it is no longer needed."""
    password = secrets.token_hex(16)
    with ExitStack() as cleanup:
        stack = Stack(docker, f"stack-{secrets.token_hex(4)}")
        docker("network", "create", stack.network)
        cleanup.callback(stack.remove)
        stack.run(
            "postgres",
            "postgres:17-trixie",
            *("--env=POSTGRES_USER=engine", f"--env=POSTGRES_PASSWORD={password}"),
            *("--health-cmd=pg_isready --host=127.0.0.1", *EVERY_SECOND),
            "--stop-signal=SIGINT",  # don't wait for the clients to go
        )
        stack.run("redis", "redis:8-trixie", "--health-cmd=redis-cli ping", *EVERY_SECOND)
        stack.wait_until_healthy()
        settings = {
            "consciousness-engine": [
                f"--env=DATABASE_URL=postgres://engine:{password}@postgres:5432/engine",
                "--env=REDIS_URL=redis://redis:6379",
            ],
            "api-gateway": ["--env=API_GATEWAY_ENGINE_URL=http://consciousness-engine:8082"],
            "web-ui": [],
            "proxy": ["--publish=127.0.0.1::8080"],
        }
        for service, options in settings.items():
            stack.run(service, images[service], *HARDENED, *options)
        stack.wait_until_healthy()
        yield stack
