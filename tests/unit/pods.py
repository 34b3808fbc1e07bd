"""Kubernetes' objects as its API server gives them, in short."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.deploy.kubernetes.watch.kubernetes import read_state
from pipeline.deploy.kubernetes.watch.progress import RolloutState, judge
from pipeline.deploy.kubernetes.watch.workloads import Expected

Json = dict[str, Any]
NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a1" * 32
IMAGE = f"registry.example.com/shop/api-gateway@{DIGEST}"
OLD_IMAGE = f"registry.example.com/shop/api-gateway@sha256:{'b2' * 32}"
DATABASE = "postgres:17-trixie"
EXPECTED = Expected(images={"api-gateway": IMAGE}, revision="0123abc")
EMPTY = Expected(images={})


def at(seconds: float) -> str:
    """Give a moment, counted from now."""
    return (NOW + timedelta(seconds=seconds)).isoformat(timespec="seconds").replace("+00:00", "Z")


def condition(
    type_: str, status: str, reason: str = "", message: str = "", since: int = -60
) -> Json:
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": at(since),
    }


def template(image: str) -> Json:
    return {"spec": {"containers": [{"name": "main", "image": image}]}}


def deployment(
    name: str = "api-gateway",
    *,
    image: str = IMAGE,
    replicas: int = 3,
    counted: tuple[int, int, int] | None = None,
    generation: int = 4,
    observed: int = 4,
    conditions: list[Json] | None = None,
    revision: str = "0123abc",
    paused: bool = False,
) -> Json:
    """Make a Deployment at its second revision; counted are all, updated and available pods."""
    every, updated, available = counted or (replicas, replicas, replicas)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": "staging",
            "uid": f"deployment-{name}",
            "generation": generation,
            "annotations": {
                "deployment.kubernetes.io/revision": "2",
                "pipeline/revision": revision,
            },
        },
        "spec": {"replicas": replicas, "paused": paused, "template": template(image)},
        "status": {
            "observedGeneration": observed,
            "replicas": every,
            "updatedReplicas": updated,
            "readyReplicas": available,
            "availableReplicas": available,
            "conditions": conditions or [],
        },
    }


def replica_set(
    name: str = "api-gateway",
    revision: int = 2,
    conditions: list[Json] | None = None,
    available: int = 0,
) -> Json:
    return {
        "metadata": {
            "name": f"{name}-{revision}",
            "uid": f"set-{name}-{revision}",
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "ownerReferences": [{"kind": "Deployment", "uid": f"deployment-{name}"}],
        },
        "spec": {"replicas": 3, "template": template(IMAGE)},
        "status": {"availableReplicas": available, "conditions": conditions or []},
    }


def stateful_set(
    name: str = "postgres",
    *,
    replicas: int = 1,
    ready: int = 1,
    updated: int = 1,
    generation: int = 1,
) -> Json:
    return {
        "metadata": {"name": name, "uid": f"stateful-{name}", "generation": generation},
        "spec": {"replicas": replicas, "template": template(DATABASE)},
        "status": {
            "observedGeneration": 1,
            "replicas": replicas,
            "readyReplicas": ready,
            "updatedReplicas": updated,
            "availableReplicas": ready,
            "updateRevision": f"{name}-new",
        },
    }


def status(
    *,
    name: str = "main",
    ready: bool = False,
    restarts: int = 0,
    waiting: tuple[str, str] | None = None,
    running: int | None = None,
    terminated: Json | None = None,
    last: Json | None = None,
    image: str = IMAGE,
) -> Json:
    """Make a container's status."""
    state: Json = {}
    if waiting:
        state = {"waiting": {"reason": waiting[0], "message": waiting[1]}}
    if running is not None:
        state = {"running": {"startedAt": at(running)}}
    if terminated:
        state = {"terminated": terminated}
    return {
        "name": name,
        "image": image,
        "ready": ready,
        "restartCount": restarts,
        "state": state,
        "lastState": {"terminated": last} if last else {},
    }


def ended(
    exit_code: int = 2, reason: str = "Error", message: str = "", start: int = -20, ran: int = 1
) -> Json:
    return {
        "exitCode": exit_code,
        "reason": reason,
        "message": message,
        "startedAt": at(start),
        "finishedAt": at(start + ran),
    }


def crashing(restarts: int = 1, **end: Any) -> Json:
    """Make the status of a container that crashes again and again."""
    return status(
        restarts=restarts,
        waiting=("CrashLoopBackOff", "back-off 10s restarting failed container=main"),
        last=ended(**end),
    )


def pod(
    name: str = "api-gateway-2-a",
    *,
    owner: str = "set-api-gateway-2",
    ready: bool = False,
    ready_since: int = -30,
    containers: list[Json] | None = None,
    inits: list[Json] | None = None,
    conditions: list[Json] | None = None,
    phase: str = "Running",
    reason: str = "",
    message: str = "",
    ending: bool = False,
    image: str = IMAGE,
    claim: str = "",
    sidecar: bool = False,
    memory: str = "64Mi",
    version: str = "postgres-new",
    created: int = -60,
) -> Json:
    scheduled = conditions or [condition("PodScheduled", "True")]
    return {
        "metadata": {
            "name": name,
            "uid": f"pod-{name}",
            "creationTimestamp": at(created),
            "deletionTimestamp": at(20) if ending else None,
            "labels": {"controller-revision-hash": version},
            "ownerReferences": [{"kind": "ReplicaSet", "uid": owner, "controller": True}],
        },
        "spec": {
            "containers": [
                {"name": "main", "image": image, "resources": {"limits": {"memory": memory}}}
            ],
            "initContainers": [
                {
                    "name": one["name"],
                    "image": image,
                    "restartPolicy": "Always" if sidecar else None,
                }
                for one in inits or []
            ],
            "volumes": [
                {"name": "tmp", "emptyDir": {}},
                {
                    "name": "data",
                    "persistentVolumeClaim": {"claimName": claim} if claim else None,
                },
            ],
        },
        "status": {
            "phase": phase,
            "reason": reason,
            "message": message,
            "conditions": [
                *scheduled,
                condition("Ready", "True" if ready else "False", since=ready_since),
            ],
            "initContainerStatuses": inits or [],
            "containerStatuses": containers
            if containers is not None
            else [status(ready=ready, running=-30)],
        },
    }


def old_pod(name: str = "api-gateway-1-a", **settings: Any) -> Json:
    return pod(name, owner="set-api-gateway-1", image=OLD_IMAGE, **{"ready": True, **settings})


def database_pod(name: str = "postgres-0", **settings: Any) -> Json:
    return pod(name, owner="stateful-postgres", image=DATABASE, **{"ready": True, **settings})


def pending(since: int, message: str, **settings: Any) -> Json:
    """Make a pod that no node was found for."""
    unscheduled = condition("PodScheduled", "False", "Unschedulable", message, since)
    return pod(phase="Pending", containers=[], conditions=[unscheduled], **settings)


def event(
    reason: str,
    message: str,
    *,
    about: str = "pod-api-gateway-2-a",
    container: str = "main",
    count: int = 1,
    seconds: int = -5,
    kind: str = "Pod",
    name: str = "",
) -> Json:
    return {
        "involvedObject": {
            "kind": kind,
            "name": name,
            "uid": about,
            "fieldPath": f"spec.containers{{{container}}}" if container else "",
        },
        "reason": reason,
        "message": message,
        "count": count,
        "firstTimestamp": at(seconds),
        "lastTimestamp": at(seconds),
        "eventTime": None,
        "series": None,
    }


def judged(
    *pods: Json,
    deployments: list[Json] | None = None,
    stateful_sets: list[Json] | None = None,
    replica_sets: list[Json] | None = None,
    events: list[Json] | None = None,
    expected: Expected = EXPECTED,
) -> RolloutState:
    """Judge a release of one Deployment on its way, unless more is said."""
    state = read_state(
        deployments=[deployment(counted=(3, 1, 0))] if deployments is None else deployments,
        stateful_sets=stateful_sets or [],
        replica_sets=[replica_set(revision=1), replica_set()]
        if replica_sets is None
        else replica_sets,
        pods=pods,
        events=events or [],
    )
    return judge(state, expected, NOW)
