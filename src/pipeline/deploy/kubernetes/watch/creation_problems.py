"""What keeps a workload from making its new pods at all."""

import re
from dataclasses import dataclass
from datetime import datetime

from pipeline.deploy.kubernetes.watch.kubernetes import State, condition_of
from pipeline.deploy.kubernetes.watch.problem import Problem, Scene, one_line
from pipeline.deploy.kubernetes.watch.workloads import WorkloadRollout

REFUSED = re.compile(r"is forbidden|is invalid|denied the request")
QUOTA = "exceeded quota"
# Helm makes accounts first, but what admits pods may not have heard of them yet.
NOT_HEARD_OF = "error looking up service account"


@dataclass(frozen=True)
class Refusal:
    """The API server didn't take what a controller wanted to make."""

    reason: str
    said: str
    since: datetime


def creation_problems(rollout: WorkloadRollout, state: State, scene: Scene) -> list[Problem]:
    """List what is wrong with a workload itself."""
    found = []
    if rollout.workload.spec.paused:
        found.append(_certain(rollout, "Paused", "is paused: `kubectl rollout resume` it"))
    progressing = condition_of(rollout.workload.status.conditions, "Progressing")
    if progressing and progressing.reason == "ProgressDeadlineExceeded":
        found.append(
            _certain(rollout, progressing.reason, f"makes no progress: {progressing.message}")
        )
    refusal = _refusal(rollout, state, scene)
    if refusal:
        found.append(_refused(rollout, refusal, scene))
    return found


def _certain(rollout: WorkloadRollout, reason: str, message: str) -> Problem:
    return Problem(rollout.name, "", "", reason, one_line(message), certain=True)


def _refusal(rollout: WorkloadRollout, state: State, scene: Scene) -> Refusal | None:
    made_by = rollout.maker.status.conditions if rollout.maker else ()
    for conditions, type_, reason in (
        (rollout.workload.status.conditions, "Progressing", "ReplicaSetCreateError"),
        (made_by, "ReplicaFailure", "FailedCreate"),
    ):
        condition = condition_of(conditions, type_)
        if condition and condition.reason == reason:
            return Refusal(reason, condition.message, condition.last_transition_time)
    return _in_events(rollout, state, scene)


def _in_events(rollout: WorkloadRollout, state: State, scene: Scene) -> Refusal | None:
    """Find what a StatefulSet has no condition for."""
    events = [
        event
        for event in state.events_of(rollout.workload.metadata.uid)
        if event.reason == "FailedCreate"
    ]
    made = [pod.metadata.creation_timestamp for pod in rollout.new]
    if not events or events[-1].last <= max([scene.asked, *made]):
        return None
    return Refusal(events[-1].reason, events[-1].message, events[-1].first)


def _refused(rollout: WorkloadRollout, refusal: Refusal, scene: Scene) -> Problem:
    certain = bool(REFUSED.search(refusal.said))
    if QUOTA in refusal.said:
        # As soon as new pods are available, old ones end and give back their share.
        certain = not rollout.new and not scene.ending
    if NOT_HEARD_OF in refusal.said:
        certain = scene.outlasts_grace(refusal.since)
    message = one_line(f"can't make its pods: {refusal.said}")
    return Problem(rollout.name, "", "", refusal.reason, message, certain)
