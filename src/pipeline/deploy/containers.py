"""What Docker says of a project's containers, and what a person is told of it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.errors import PipelineError, shortened

HEALTHY = "healthy"


class DockerError(PipelineError):
    """Docker, or what it was given, isn't as a deployment needs it."""


class UnhealthyDeploymentError(PipelineError):
    """Services were started and didn't become healthy."""


@dataclass(frozen=True)
class Container:
    """A container of a service; `health` is empty when nothing checks it."""

    identifier: str
    service: str
    image: str
    state: str
    health: str
    exit_code: int

    @property
    def is_well(self) -> bool:
        """Whether it runs, and is healthy by its own check."""
        return self.state == "running" and self.health in {HEALTHY, ""}

    def __str__(self) -> str:
        """Say in words how it is."""
        if self.state == "exited":
            return f"ended with {self.exit_code}"
        return self.health if self.state == "running" and self.health else self.state


def parse_containers(text: str) -> list[Container]:
    """Read `docker compose ps --all --format json`: an object for each container."""
    return sorted(_containers(text), key=lambda container: container.service)


def _containers(text: str) -> Iterator[Container]:
    for line in text.splitlines():
        said = json.loads(line)
        yield Container(
            identifier=said["ID"],
            service=said["Service"],
            image=said["Image"],
            state=said["State"],
            health=said["Health"],
            exit_code=said["ExitCode"],
        )


def culprits(containers: Sequence[Container]) -> list[Container]:
    """Pick the containers because of which the project isn't well: not those that wait for them."""
    return [container for container in containers if not container.is_well and container.state != "created"]


def unhealthy(logs: Sequence[tuple[Container, str]], kept: str) -> UnhealthyDeploymentError:
    """Tell of containers that aren't well, each with its last words."""
    lines = []
    for container, log in logs:
        said = log.strip().splitlines() or ["(it said nothing)"]
        lines += [f"{container.service} isn't healthy: {container}. Its last words:"]
        lines += [f"  {line}" for line in said]
    return UnhealthyDeploymentError(f"{shortened(lines)}\n{kept}")
