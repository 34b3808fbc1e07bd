"""Judges a rollout by what Kubernetes says: done, on its way, or never to be.

Only pods of the new version count. What can't get better is a certain problem and ends the
rollout at once; what can is waited for, in sight, until the caller's deadline makes it overdue.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.deploy.kubernetes.watch.creation_problems import creation_problems
from pipeline.deploy.kubernetes.watch.kubernetes import Event, Pod, State, condition_of
from pipeline.deploy.kubernetes.watch.pod_problems import pod_problems
from pipeline.deploy.kubernetes.watch.problem import Case, Problem, Scene, probe_said
from pipeline.deploy.kubernetes.watch.workloads import (
    Expected,
    WorkloadRollout,
    backing_since,
    rollouts,
)

GRACE = timedelta(seconds=15)
"""How long a pod may be without a node or a volume: as long as Helm's own judge waits."""


@dataclass(frozen=True)
class Waiting:
    """A workload that isn't there yet: how far it is, and the pod that it waits for."""

    workload: str
    progress: str
    pod: str = ""
    doing: str = ""

    def __str__(self) -> str:
        """Say it in one line."""
        pod = f"; pod {self.pod}: {self.doing}" if self.pod else ""
        return f"{self.workload}: {self.progress}{pod}"


@dataclass(frozen=True)
class RolloutState:
    """What came of it so far.

    `updated_ready` says that the new version is up, beside the old one; `done` that it is
    available, which it is after the bake time, and alone.
    """

    done: bool
    updated_ready: bool
    problems: list[Problem]
    waiting: list[Waiting]

    @property
    def certain(self) -> list[Problem]:
        """What can't get better: reasons to fail at once."""
        return [problem for problem in self.problems if problem.certain]


def judge(
    state: State, expected: Expected, now: datetime, grace: timedelta = GRACE
) -> RolloutState:
    """Judge a release at one moment."""
    scene = Scene(
        asked=expected.since,
        now=now,
        grace=grace,
        backing_since=backing_since(state, expected),
        ending=any(pod.is_ending for pod in state.pods),
    )
    found = rollouts(state, expected)
    problems = [
        problem
        for rollout in found
        for problem in _problems(rollout, state, scene)
        if problem.certain or not rollout.done
    ]
    return RolloutState(
        done=all(rollout.done for rollout in found),
        updated_ready=all(rollout.updated_ready for rollout in found),
        problems=_each_once(problems),
        waiting=[_waiting(rollout, state, problems) for rollout in found if not rollout.done],
    )


def overdue(judgement: RolloutState, waited: timedelta) -> list[Problem]:
    """Give the problems of a rollout whose deadline is past: all that it still waits for."""
    known = [replace(problem, certain=True) for problem in judgement.problems]
    explained = {problem.workload for problem in known}
    late = [
        Problem(
            workload=waiting.workload,
            pod=waiting.pod,
            container="",
            reason="NotReady",
            message=f"isn't there after {waited.total_seconds():.0f} s: "
            + str(waiting).removeprefix(f"{waiting.workload}: "),
            certain=True,
            logs=bool(waiting.pod),
        )
        for waiting in judgement.waiting
        if waiting.workload not in explained
    ]
    return known + late


def _problems(rollout: WorkloadRollout, state: State, scene: Scene) -> Iterable[Problem]:
    if rollout.lag:
        return
    yield from creation_problems(rollout, state, scene)
    failed = sum(pod.status.phase == "Failed" for pod in rollout.new)
    for pod in rollout.new:
        case = Case(rollout.name, pod, failed, state.events_of(pod.metadata.uid), scene)
        yield from pod_problems(case, state.events)


def _each_once(problems: Iterable[Problem]) -> list[Problem]:
    """Name what several pods share once, by the first of them."""
    kept: dict[tuple[str, ...], Problem] = {}
    for problem in sorted(problems, key=lambda problem: not problem.certain):
        kept.setdefault(
            (problem.workload, problem.container, problem.reason, problem.message), problem
        )
    return list(kept.values())


def _waiting(rollout: WorkloadRollout, state: State, problems: list[Problem]) -> Waiting:
    if rollout.lag:
        return Waiting(rollout.name, rollout.lag)
    available = rollout.maker.status.available_replicas if rollout.maker else 0
    progress = f"{len(rollout.ready)} of {rollout.workload.spec.replicas} new pods ready"
    progress += f" ({available} available)"
    old = [pod for pod in rollout.old if not pod.is_over]
    progress += f", {len(old)} old still there" if old else ""
    unready = next((pod for pod in rollout.new if not pod.ready_since and not pod.is_over), None)
    if unready is None:
        return _blocked(rollout, progress, old)
    mine = [problem for problem in problems if problem.pod == unready.name]
    doing = mine[0].message if mine else _doing(unready, state.events_of(unready.metadata.uid))
    return Waiting(rollout.name, progress, unready.name, doing)


def _blocked(rollout: WorkloadRollout, progress: str, old: list[Pod]) -> Waiting:
    # A StatefulSet waits for an old pod to be ready before it replaces it, even a broken one.
    broken = next((pod for pod in old if not pod.ready_since), None)
    if broken is None or rollout.maker is not rollout.workload:
        return Waiting(rollout.name, progress)
    doing = "of the version before, isn't ready; Kubernetes may only replace it once it is deleted"
    return Waiting(rollout.name, progress, broken.name, doing)


def _doing(pod: Pod, events: list[Event]) -> str:
    """Say what a pod is at that has no problem."""
    status = pod.status
    running = [one for one in status.init_container_statuses if one.state.running and not one.ready]
    if running:
        return f"init container '{running[0].name}' runs"
    if not any(one.state.running for one in status.container_statuses):
        scheduled = condition_of(status.conditions, "PodScheduled")
        if scheduled is None or scheduled.status != "True":
            return "gets a node"
        last = [event.reason for event in events if event.reason in {"Pulling", "Pulled"}]
        return "image is being pulled" if last[-1:] == ["Pulling"] else "is being created"
    gates = condition_of(status.conditions, "ContainersReady")
    if gates and gates.status == "True":
        return "waits for its readiness gates"
    probes = [event.message for event in events if event.reason == "Unhealthy"]
    if not probes:
        return "starting"
    kind = probes[-1].split(" ", 1)[0].lower()
    return f"starting, {kind} probe: {probe_said(probes[-1])}"
