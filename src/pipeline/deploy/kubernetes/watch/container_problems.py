"""What is wrong with a container: its image, its settings, its start, its memory, its program.

A container of a pod that ends non-zero is started again, so once is no verdict; twice is. What
started before the databases were ready may have failed for want of them, however often.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from pipeline.deploy.kubernetes.watch.kubernetes import ContainerStatus, Event, Terminated
from pipeline.deploy.kubernetes.watch.problem import Case, Problem, one_line, probe_said

PULLING = {
    *("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"),
    *("ErrImageNeverPull", "SignatureValidationFailed"),
}
NEVER_PULLED = {"ErrImageNeverPull", "SignatureValidationFailed"}
SET_UP = {"CreateContainerConfigError", "CreateContainerError"}
HOOK = "PostStartHookError"
UNSTARTED = {"StartError", "ContainerCannotRun"}
LOST = "ContainerStatusUnknown"
AT_START = timedelta(seconds=10)
TRIES = 2
# What registries and container runtimes say of a pull that can't succeed, and what it means.
PULL_REASONS = (
    (
        r"insufficient_scope|\bdenied\b|forbidden|\b403\b",
        "not there, or not readable",
    ),
    (r"unauthori[sz]ed|no basic auth|authentication required|\b401\b", "unauthorised"),
    (r"no match for platform", "not made for the node's platform"),
    (r"certificate", "the registry's certificate isn't trusted"),
    (r"gave HTTP response to HTTPS client", "the registry speaks HTTP, HTTPS was expected"),
    (r"not ?found|manifest unknown|name unknown|does not exist", "not found"),
)
TRANSIENT = re.compile(
    r"timed out|timeout|deadline exceeded|is reserved for|connection refused|unavailable",
    re.IGNORECASE,
)
TOO_LITTLE_MEMORY = "OOM-killed"
PROBE_KILL = re.compile(r"failed (liveness|startup) probe")


@dataclass(frozen=True)
class ContainerCase:
    """A container under judgement."""

    case: Case
    status: ContainerStatus
    is_init: bool

    @property
    def events(self) -> list[Event]:
        """What happened to this container, the last last."""
        path = f"{{{self.status.name}}}"
        return [one for one in self.case.events if one.involved_object.field_path.endswith(path)]

    @property
    def waits_for(self) -> str:
        """Kubernetes' word for why it doesn't run, if it doesn't."""
        return self.status.state.waiting.reason if self.status.state.waiting else ""

    @property
    def said(self) -> str:
        """What Kubernetes says about why it doesn't run."""
        return self.status.state.waiting.message if self.status.state.waiting else ""

    @property
    def had_backing(self) -> bool:
        """Its last instance that ended, or the one that runs, found what it needs."""
        instance = self.status.end or self.status.state.running
        return instance is not None and self.case.scene.had_backing(instance.started_at)

    def problem(self, reason: str, message: str, *, certain: bool, logs: bool = False) -> Problem:
        """Make a problem of this container."""
        who = f"init container '{self.status.name}' " if self.is_init else ""
        return Problem(
            workload=self.case.workload,
            pod=self.case.pod.name,
            container=self.status.name,
            reason=reason,
            message=one_line(who + message),
            certain=certain,
            logs=logs,
            previous=logs and self.status.state.terminated is None and self.status.end is not None,
        )


def container_problem(container: ContainerCase) -> Problem | None:
    """Find what is wrong with a container; the first that applies explains the rest."""
    for find in (_image, _set_up, _memory, _unstarted, _killed_by_probe, _ended):
        problem = find(container)
        # What has recovered isn't waited for.
        if problem and (problem.certain or not container.status.ready):
            return problem
    return None


def _image(container: ContainerCase) -> Problem | None:
    reason = container.waits_for
    image = container.case.pod.container(container.status.name).image
    if reason == "InvalidImageName":
        return container.problem(reason, f"image's name is invalid: {image}", certain=True)
    if reason not in PULLING:
        return None
    pulls = [event for event in container.events if "Failed to pull image" in event.message]
    # While it backs off, older versions of Kubernetes only say so; the event says why.
    said = " ".join([container.said, *(event.message for event in pulls[-1:])])
    words = re.sub(r'"[^"]*"', "", said.replace(image, ""))
    known = [why for fits, why in PULL_REASONS if re.search(fits, words, re.IGNORECASE)]
    certain = bool(known) or reason in NEVER_PULLED
    certain = certain or sum(event.times for event in pulls) >= TRIES
    why = known[0] if known else said.rpartition(": ")[2] or reason
    return container.problem(reason, f"image can't be pulled: {image} {why}", certain=certain)


def _set_up(container: ContainerCase) -> Problem | None:
    reason = container.waits_for
    if reason in SET_UP:
        certain = not TRANSIENT.search(container.said)
        return container.problem(reason, f"can't be set up: {container.said}", certain=certain)
    if reason == HOOK:
        return container.problem(reason, f"hook fails: {container.said}", certain=True, logs=True)
    return None


def _memory(container: ContainerCase) -> Problem | None:
    end = container.status.end
    limit = container.case.pod.container(container.status.name).resources.limits.get("memory")
    message = f"runs out of memory (limit {limit or 'of the node'})"
    if end and end.reason == "OOMKilled":
        return container.problem(end.reason, message, certain=True, logs=True)
    if TOO_LITTLE_MEMORY in f"{container.said} {end.message if end else ''}":
        return container.problem("OOMKilled", message, certain=True)
    return None


def _unstarted(container: ContainerCase) -> Problem | None:
    end = container.status.end
    if end and end.reason in UNSTARTED:
        reason, said = end.reason, end.message
    elif container.waits_for == "RunContainerError":
        reason, said = container.waits_for, container.said
    else:
        return None
    shown = re.search(r"exec: .*", said)
    message = f"can't be started: {shown[0] if shown else said}".removesuffix(": unknown")
    return container.problem(reason, message, certain=not TRANSIENT.search(said))


def _killed_by_probe(container: ContainerCase) -> Problem | None:
    kills = [found[1] for event in container.events if (found := PROBE_KILL.search(event.message))]
    if not kills:
        return None
    kind = kills[-1]
    probes = [
        probe_said(event.message)
        for event in container.events
        if event.reason == "Unhealthy" and event.message.lower().startswith(kind)
    ]
    said = f"{kind} probe: {probes[-1]}" if probes else f"{kind} probe"
    what = "doesn't start in time" if kind == "startup" else "is killed since it doesn't answer"
    return container.problem(
        "Unhealthy", f"{what} ({said})", certain=container.had_backing, logs=True
    )


def _ended(container: ContainerCase) -> Problem | None:
    status, end = container.status, container.status.end
    if end is None or end.reason == LOST or (container.is_init and end.exit_code == 0):
        return None
    again = ", was started again" if status.state.running else ""
    certain = status.ends >= TRIES and container.had_backing
    reason = container.waits_for or end.reason
    message = f"{_manner(container, end)} (exit code {end.exit_code}){again}"
    return container.problem(reason, message, certain=certain, logs=True)


def _manner(container: ContainerCase, end: Terminated) -> str:
    if container.is_init:
        return "fails"
    if end.exit_code == 0:
        return "ends by itself"
    ran = end.finished_at - end.started_at
    return "crashes at start" if ran <= AT_START else f"crashes after {ran.seconds} s"
