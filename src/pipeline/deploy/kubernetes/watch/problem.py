"""What keeps a rollout from going on, and whether waiting can help."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.deploy.kubernetes.watch.kubernetes import Event, Pod

MOST_CHARACTERS = 300


@dataclass(frozen=True)
class Problem:
    """What is wrong with a workload, or with one pod or container of it.

    `reason` is Kubernetes' word for it, `message` says it to people. It is `certain` when it
    can't get better by itself. `logs` says whether the container has written any, `previous`
    that they are those of the instance before the one that is there now.
    """

    workload: str
    pod: str
    container: str
    reason: str
    message: str
    certain: bool
    logs: bool = False
    previous: bool = False

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.workload}: {self.message}"


@dataclass(frozen=True)
class Scene:
    """What problems are judged by besides the object itself.

    `asked` is when the rollout was asked for, `backing_since` since when all that keeps data is
    ready, None while it isn't; `ending` says that some pod is about to give back what it holds.
    """

    asked: datetime
    now: datetime
    grace: timedelta
    backing_since: datetime | None
    ending: bool

    def outlasts_grace(self, since: datetime) -> bool:
        """Tell whether something has been so for longer than it may."""
        return self.now - since >= self.grace

    def had_backing(self, started: datetime) -> bool:
        """Tell whether what started then found its database and whatever else it needs."""
        return self.backing_since is not None and started > self.backing_since


@dataclass(frozen=True)
class Case:
    """A pod under judgement: whose it is, what happened to it, how many like it have failed."""

    workload: str
    pod: Pod
    failed: int
    events: list[Event]
    scene: Scene

    def problem(self, reason: str, message: str, *, certain: bool) -> Problem:
        """Make a problem of the whole pod."""
        return Problem(self.workload, self.pod.name, "", reason, one_line(message), certain)


def one_line(text: str) -> str:
    """Fit what a program said into a line of a report."""
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def probe_said(message: str) -> str:
    """Say shortly what a failed probe got: HTTP 503, connection refused, no answer in time."""
    said = message.partition(": ")[2] or message
    status = re.search(r"statuscode: (\d+)", said)
    if status:
        return f"HTTP {status[1]}"
    if "connection refused" in said:
        return "connection refused"
    if re.search(r"deadline exceeded|Client\.Timeout|timed out|i/o timeout", said):
        return "no answer in time"
    return one_line(said)
