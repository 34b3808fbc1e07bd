"""What becomes of pods, moment by moment, as Kubernetes reports it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.unit.pods import crashing, ended, event, pending, pod, status
from tests.unit.test_deploy_problems import NOT_FOUND

Json = dict[str, Any]
STARTS = 0.3
"""Seconds until a pod is ready."""


@dataclass(frozen=True)
class Fate:
    """How a pod looks that was made at one moment, seen at another; and what its program says.

    `looks` gives what the pod's status is made of, `happens` its events; `answers` the status and
    the seconds of its answer to one request of many, counted.
    """

    looks: Callable[[float, float], Json]
    happens: Callable[[float, float, str], list[Json]] = lambda *_: []
    log: tuple[str, ...] = ()
    make: Callable[..., Json] = pod
    ready_after: float | None = None
    answers: Callable[[int], tuple[int, float]] = lambda _: (200, 0.01)


def _well(born: float, now: float) -> Json:
    ready = now >= born + STARTS
    containers = [status(ready=ready, running=born + 0.1)]
    return {"containers": containers, "ready": ready, "ready_since": born + STARTS}


FINE = Fate(_well, ready_after=STARTS)


def answering(answers: Callable[[int], tuple[int, float]]) -> Fate:
    """Be ready, and answer so."""
    return Fate(_well, ready_after=STARTS, answers=answers)


def not_there(image: str) -> Fate:
    """Have an image that no registry has."""
    return Fate(
        lambda *_: {"containers": [status(waiting=("ErrImagePull", NOT_FOUND), image=image)]}
    )


def no_settings(name: str) -> Fate:
    """Start from settings that aren't there."""
    waits = ("CreateContainerConfigError", f'configmap "{name}" not found')
    return Fate(lambda *_: {"containers": [status(waiting=waits)]})


def _crash(born: float, now: float, **end: Any) -> Json:
    if now < born + 0.3:
        return status(running=born)
    if now < born + 1:
        return status(terminated=ended(start=born, ran=0.2, **end))
    return crashing(start=born + 0.8, ran=0.2, **end)


def crashes(*log: str) -> Fate:
    """Say something and end, again and again."""
    return Fate(lambda born, now: {"containers": [_crash(born, now, exit_code=3)]}, log=log)


def fails_to_migrate(*log: str) -> Fate:
    """End in what comes before the program, again and again."""
    waits = [status(waiting=("PodInitializing", ""))]

    def looks(born: float, now: float) -> Json:
        migrates = _crash(born, now, exit_code=1) | {"name": "migrate"}
        return {"inits": [migrates], "containers": waits, "phase": "Pending"}

    return Fate(looks, log=log)


GREEDY = Fate(
    lambda born, now: {"containers": [_crash(born, now, exit_code=137, reason="OOMKilled")]}
)


def _probed(born: float, now: float, about: str) -> list[Json]:
    said = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    return [event("Unhealthy", said, about=about, seconds=now)] if now > born + 1 else []


NEVER_READY = Fate(lambda born, _: {"containers": [status(running=born)]}, _probed)
FULL = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available"


def _unplaced(name: str, born: float = 0, **settings: Any) -> Json:
    return pending(born, FULL, name=name, **settings)


NO_ROOM = Fate(lambda born, _: {"born": born}, make=_unplaced)
