"""What is wrong with a pod besides its containers: its node, its volumes, its eviction.

One pod that is thrown off its node is replaced elsewhere, so once is no verdict; twice is, and so
is a limit of its own. A pod without a node may find one for a while: the scheduler tries again. It
never will when all nodes are of another kind; it may, however late, when some pod is about to end,
a node is about to be ready or the cluster grows.
"""

import re
from collections.abc import Iterable, Sequence

from pipeline.deploy.kubernetes.watch.container_problems import (
    TRIES,
    ContainerCase,
    container_problem,
)
from pipeline.deploy.kubernetes.watch.kubernetes import ContainerStatus, Event, condition_of
from pipeline.deploy.kubernetes.watch.problem import Case, Problem

# A pod that goes beyond what it is allowed is evicted wherever it runs.
OWN_FAULT = re.compile(r"exceeds the (?:total )?limit|exceeded its local")
NO_NODE_EVER = re.compile(r"\d+ node\(s\) didn't match Pod's node affinity/selector")
NODE_COMES = re.compile(r"node\.kubernetes\.io/(not-ready|unreachable|network-unavailable)|/uninit")
UNBOUND = "unbound immediate PersistentVolumeClaims"
CLAIM_EVENTS = {"FailedBinding", "ProvisioningFailed"}
MISSING_SOURCE = re.compile(
    r'(?:configmap|secret) "[^"]*" not found|references non-existent', re.IGNORECASE
)


def pod_problems(case: Case, everything: Sequence[Event]) -> list[Problem]:
    """List what is wrong with a pod; everything that happened tells of its volume claims."""
    pod = case.pod
    if pod.is_ending:
        return []
    if pod.status.phase == "Failed":
        return [_failed(case)]
    unplaced = _unscheduled(case, everything)
    if unplaced:
        return [unplaced]
    found = [*_containers(case)]
    return found or [*_unmounted(case)]


def _failed(case: Case) -> Problem:
    status = case.pod.status
    disrupted = condition_of(status.conditions, "DisruptionTarget")
    reason = status.reason or (disrupted.reason if disrupted else "Failed")
    said = status.message or (disrupted.message if disrupted else "no message")
    certain = bool(OWN_FAULT.search(said)) or case.failed >= TRIES
    return case.problem(reason, f"is thrown off its node ({reason}): {said}", certain=certain)


def _unscheduled(case: Case, everything: Sequence[Event]) -> Problem | None:
    condition = condition_of(case.pod.status.conditions, "PodScheduled")
    if condition is None or condition.reason != "Unschedulable":
        return None
    said = condition.message.partition(" preemption:")[0].strip().rstrip(".")
    late = case.scene.outlasts_grace(condition.last_transition_time)
    if UNBOUND in said:
        return case.problem("Unbound", _unbound(case, everything), certain=late)
    never = bool(NO_NODE_EVER.fullmatch(said.partition("available: ")[2]))
    room_comes = case.scene.ending and "Insufficient" in said
    node_comes = NODE_COMES.search(said) or any(
        event.reason == "TriggeredScaleUp" for event in case.events
    )
    certain = never or (late and not room_comes and not node_comes)
    return case.problem(condition.reason, f"finds no node: {said}", certain=certain)


def _unbound(case: Case, everything: Sequence[Event]) -> str:
    names = [
        volume.persistent_volume_claim.claim_name
        for volume in case.pod.spec.volumes
        if volume.persistent_volume_claim
    ]
    said = [
        event.message
        for event in everything
        if event.involved_object.name in names and event.reason in CLAIM_EVENTS
    ]
    return f"gets no volume for its claim {', '.join(names)}: {(said or ['none yet'])[-1]}"


def _containers(case: Case) -> Iterable[Problem]:
    status = case.pod.status
    every = [(one, True) for one in status.init_container_statuses]
    every += [(one, False) for one in status.container_statuses]
    for one, is_init in every:
        problem = container_problem(ContainerCase(case, one, is_init and _runs_to_end(case, one)))
        if problem:
            yield problem


def _runs_to_end(case: Case, status: ContainerStatus) -> bool:
    # Init containers that are always restarted are sidecars.
    return case.pod.container(status.name).restart_policy != "Always"


def _unmounted(case: Case) -> Iterable[Problem]:
    status = case.pod.status
    every = (*status.container_statuses, *status.init_container_statuses)
    waits = any(one.state.waiting for one in every)
    failures = [event for event in case.events if event.reason == "FailedMount"]
    if waits and failures:
        said = failures[-1].message
        certain = bool(MISSING_SOURCE.search(said))
        yield case.problem("FailedMount", f"can't mount its volumes: {said}", certain=certain)
