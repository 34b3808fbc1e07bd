"""What Docker says of a project's containers, and what a person is told of it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.errors import PipelineError, shortened
from pipeline.report.deployment import WorkloadSummary

STARTING = "(health: starting)"
MOST_LINES = 12
"""A failed container's last words fit on half a screen."""


class DockerError(PipelineError):
    """Docker, or what it was given, isn't as a deployment needs it."""


class UnhealthyProjectError(PipelineError):
    """Containers were started and didn't become healthy."""


@dataclass(frozen=True)
class ComposeContainer:
    """A container of a service; `health` is empty when nothing checks it."""

    identifier: str
    service: str
    image: str
    state: str
    health: str
    exit_code: int

    @property
    def is_well(self) -> bool:
        """Whether it runs and is healthy by its own check, or did what it had to."""
        if self.state == "exited":
            return self.exit_code == 0
        return self.state == "running" and self.health in {"healthy", ""}

    @property
    def waits(self) -> bool:
        """Whether it only waits for others."""
        return self.state == "created"

    def __str__(self) -> str:
        """Say in words how it is."""
        if self.state == "exited":
            return f"ended with {self.exit_code}"
        return self.health if self.state == "running" and self.health else self.state


def parse_containers(text: str) -> list[ComposeContainer]:
    """Read `docker compose ps --all --format json`, by service: an object for each container."""
    return sorted(_containers(text), key=lambda container: container.service)


def _containers(text: str) -> Iterator[ComposeContainer]:
    for line in text.splitlines():
        said = json.loads(line)
        yield ComposeContainer(
            identifier=said["ID"],
            service=said["Service"],
            image=said["Image"],
            state=said["State"],
            # In its first moment, only the text for people tells that there is a check.
            health=said["Health"] or ("starting" if STARTING in said["Status"] else ""),
            exit_code=said["ExitCode"],
        )


def workloads(containers: Sequence[ComposeContainer]) -> list[WorkloadSummary]:
    """Sum up the containers that are to run, by service."""
    services = dict.fromkeys(each.service for each in containers if each.state != "exited")
    return [_workload([each for each in containers if each.service == name]) for name in services]


def _workload(own: Sequence[ComposeContainer]) -> WorkloadSummary:
    return WorkloadSummary(
        name=own[0].service,
        ready=sum(each.is_well for each in own),
        wanted=len(own),
        image=own[0].image,
        waiting=", ".join(sorted({str(each) for each in own if not each.is_well})),
    )


def last_words(failed: Iterable[tuple[ComposeContainer, str]]) -> str:
    """Tell of containers that aren't well, each with the end of its log."""
    lines = []
    for container, log in failed:
        said = log.strip().splitlines() or ["(it said nothing)"]
        lines += [f"{container.service} isn't healthy: {container}. Its last words:"]
        lines += [f"  {line}" for line in shortened(said[-MOST_LINES:]).splitlines()]
    return shortened(lines)
