"""How far a rollout is: on its way, up beside the old version, done, or overdue."""

from datetime import timedelta
from typing import Any

import pytest

from pipeline.deploy.kubernetes.watch.kubernetes import UnexpectedObjectError, read_state
from pipeline.deploy.kubernetes.watch.progress import overdue
from pipeline.deploy.kubernetes.watch.workloads import Expected
from tests.unit.pods import (
    EMPTY,
    IMAGE,
    OLD_IMAGE,
    Json,
    condition,
    crashing,
    database_pod,
    deployment,
    ended,
    event,
    judged,
    old_pod,
    pod,
    replica_set,
    stateful_set,
    status,
)

READY = [pod(f"api-gateway-2-{letter}", ready=True) for letter in "abc"]
OLD = [old_pod(f"api-gateway-1-{letter}") for letter in "abc"]
DATABASES: dict[str, Any] = {"deployments": [], "expected": EMPTY}


def line(*pods: Json, **more: Any) -> str:
    """Give the one line that is waited for."""
    (waiting,) = judged(*pods, **more).waiting
    return str(waiting)


def test_done() -> None:
    judgement = judged(*READY, deployments=[deployment()])
    assert (judgement.done, judgement.updated_ready) == (True, True)
    assert (judgement.waiting, judgement.problems, overdue(judgement, timedelta(1))) == ([], [], [])


def test_up_beside_the_old_version() -> None:
    sets = [replica_set(revision=1, available=3), replica_set(available=2)]
    both = deployment(counted=(6, 3, 5))
    judgement = judged(*READY, *OLD, deployments=[both], replica_sets=sets)
    assert (judgement.done, judgement.updated_ready) == (False, True)
    assert [str(one) for one in judgement.waiting] == [
        "api-gateway: 3 of 3 new pods ready (2 available), 3 old still there"
    ]


@pytest.mark.parametrize("counted", [(4, 3, 3), (3, 2, 3), (3, 3, 2)])
def test_each_count_matters(counted: tuple[int, int, int]) -> None:
    judgement = judged(*READY, deployments=[deployment(counted=counted)])
    assert (judgement.done, judgement.updated_ready) == (False, True)
    fewer = judged(*READY[:2], deployments=[deployment()])
    assert (fewer.done, fewer.updated_ready) == (False, False)


def test_old_pods_hold_it_up_until_they_end() -> None:
    assert not judged(*READY, *OLD, deployments=[deployment()]).done
    ending = [old_pod(ending=True), old_pod("api-gateway-1-b", phase="Failed")]
    assert judged(*READY, *ending, deployments=[deployment()]).done


def test_a_pod_that_ends_isnt_ready() -> None:
    ending = pod("api-gateway-2-c", ready=True, ending=True)
    assert not judged(*READY[:2], ending, deployments=[deployment()]).updated_ready


def test_nothing_is_nothing() -> None:
    assert judged(deployments=[deployment(replicas=0)]).done
    assert not judged(deployments=[deployment(replicas=0, observed=3)]).done
    assert judged(deployments=[], expected=EMPTY).done


def test_what_isnt_told_or_seen_yet_isnt_done() -> None:
    for workload, lag in (
        (deployment(image=OLD_IMAGE), f"it isn't told yet to run {IMAGE}"),
        (deployment(revision="fff"), "it isn't of revision 0123abc yet"),
        (deployment(observed=3), "Kubernetes hasn't looked at its change yet"),
    ):
        judgement = judged(*READY, deployments=[workload])
        assert (judgement.done, judgement.updated_ready) == (False, False)
        assert [str(one) for one in judgement.waiting] == [f"api-gateway: {lag}"]
    before = {"replica_sets": [replica_set(revision=1)], "deployments": [deployment()]}
    assert line(*OLD, **before) == (
        "api-gateway: 0 of 3 new pods ready (0 available), 3 old still there"
    )
    assert line(deployments=[]) == "api-gateway: it isn't there yet"
    anything = Expected(images={}, revision="")
    assert judged(*READY, deployments=[deployment(image=OLD_IMAGE)], expected=anything).done


def test_a_line_says_how_far_it_is_and_what_it_waits_for() -> None:
    probe = event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    older = event("Unhealthy", "Startup probe failed: connection refused", seconds=-20)
    started = event("Started", "Started container main", seconds=-1)
    assert line(pod(), READY[1], events=[probe, older, started]) == (
        "api-gateway: 1 of 3 new pods ready (0 available); "
        "pod api-gateway-2-a: starting, readiness probe: HTTP 503"
    )


GATED = condition("PodScheduled", "False", "SchedulingGated")
CREATING = [status(waiting=("ContainerCreating", ""))]
INIT = status(name="migrate", running=-5)
INIT_DONE = status(name="migrate", ready=True, terminated=ended(0, "Completed"))
PULLING = event("Pulling", "Pulling image", seconds=-3)
PULLED = event("Pulled", "Successfully pulled image", seconds=-2)


@pytest.mark.parametrize(
    ("settings", "events", "doing"),
    [
        ({}, [], "starting"),
        ({"containers": [], "conditions": [condition("x", "True")]}, [], "gets a node"),
        ({"containers": [], "conditions": [GATED]}, [], "gets a node"),
        ({"containers": CREATING}, [], "is being created"),
        ({"containers": CREATING}, [PULLING], "image is being pulled"),
        ({"containers": CREATING}, [PULLING, PULLED], "is being created"),
        ({"containers": CREATING, "inits": [INIT]}, [], "init container 'migrate' runs"),
        ({"containers": CREATING, "inits": [INIT_DONE]}, [], "is being created"),
        ({"containers": [status(terminated=ended(2))]}, [], "crashes at start (exit code 2)"),
    ],
)
def test_what_a_pod_is_at(settings: Any, events: list[Json], doing: str) -> None:
    assert line(pod(**settings), events=events).endswith(f"pod api-gateway-2-a: {doing}")


def test_the_pod_that_is_waited_for_is_one_that_lasts() -> None:
    lost = pod("api-gateway-2-0", phase="Failed", reason="Evicted", message="low on memory")
    gone = old_pod("api-gateway-1-0", ending=True)
    assert line(lost, pod(), gone, OLD[0]) == (
        "api-gateway: 0 of 3 new pods ready (0 available), 1 old still there; "
        "pod api-gateway-2-a: starting"
    )
    assert line(*READY, old_pod(ready=False)) == (
        "api-gateway: 3 of 3 new pods ready (0 available), 1 old still there"
    )


def test_gates() -> None:
    conditions = [condition("PodScheduled", "True"), condition("ContainersReady", "True")]
    conditions[1]["status"] = "False"
    assert line(pod(conditions=conditions)).endswith("starting")
    conditions[1]["status"] = "True"
    gated = pod(conditions=conditions)
    assert line(gated).endswith("waits for its readiness gates")


def test_data_is_judged_by_its_own_counts() -> None:
    assert judged(database_pod(), stateful_sets=[stateful_set()], **DATABASES).done
    assert not judged(database_pod(), stateful_sets=[stateful_set(ready=0)], **DATABASES).done
    assert not judged(database_pod(), stateful_sets=[stateful_set(updated=0)], **DATABASES).done
    unseen = [stateful_set(generation=2)]
    assert not judged(database_pod(), stateful_sets=unseen, **DATABASES).done
    crash = database_pod(ready=False, containers=[crashing()])
    judgement = judged(crash, stateful_sets=[stateful_set(ready=0)], **DATABASES)
    assert [str(one) for one in judgement.problems] == ["postgres: crashes at start (exit code 2)"]


def test_data_of_the_version_before() -> None:
    stateful = [stateful_set(ready=0, updated=0)]
    before = database_pod(version="postgres-old", ready=False, containers=[crashing()])
    judgement = judged(before, stateful_sets=stateful, **DATABASES)
    assert judgement.problems == []
    assert str(judgement.waiting[0]).startswith(
        "postgres: 0 of 1 new pods ready (0 available), 1 old still there; "
        "pod postgres-0: of the version before, isn't ready"
    )
    fine = database_pod(version="postgres-old")
    assert judged(fine, stateful_sets=stateful, **DATABASES).waiting[0].pod == ""


def test_what_was_waited_for_is_overdue() -> None:
    probe = event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    (late,) = overdue(judged(pod(), events=[probe]), timedelta(seconds=60))
    assert str(late) == (
        "api-gateway: isn't there after 60 s: 0 of 3 new pods ready (0 available); "
        "pod api-gateway-2-a: starting, readiness probe: HTTP 503"
    )
    assert (late.pod, late.reason, late.certain, late.logs) == (
        *("api-gateway-2-a", "NotReady"),
        *(True, True),
    )


def test_a_problem_explains_why_it_is_overdue() -> None:
    waiting = judged(pod(containers=[status(terminated=ended(2))]))
    assert waiting.certain == []
    (late,) = overdue(waiting, timedelta(seconds=60))
    assert (late.message, late.certain) == ("crashes at start (exit code 2)", True)
    nothing = overdue(judged(deployments=[]), timedelta(seconds=60))
    assert [(one.pod, one.logs) for one in nothing] == [("", False)]


def test_what_is_done_waits_for_nothing() -> None:
    evicted = pod("api-gateway-2-0", phase="Failed", reason="Evicted", message="low on memory")
    judgement = judged(evicted, *READY, deployments=[deployment()])
    assert (judgement.done, judgement.problems) == (True, [])
    once = status(ready=True, restarts=1, running=-5, last=ended(137, "OOMKilled"))
    hungry = pod("api-gateway-2-c", ready=True, containers=[once])
    judgement = judged(*READY[:2], hungry, deployments=[deployment()])
    assert judgement.done
    assert [problem.reason for problem in judgement.certain] == ["OOMKilled"]


def test_several_workloads() -> None:
    judgement = judged(*READY, stateful_sets=[stateful_set(ready=0)], deployments=[deployment()])
    assert (judgement.done, judgement.updated_ready) == (False, False)
    assert [one.workload for one in judgement.waiting] == ["postgres"]
    web = [deployment("web", replicas=1, counted=(1, 1, 0), image="web")]
    crash = pod("web-2-a", owner="set-web-2", containers=[crashing()])
    sets = [replica_set("web"), replica_set()]
    pair = judged(*READY, crash, deployments=[*web, deployment()], replica_sets=sets)
    assert [one.workload for one in pair.problems] == ["web"]
    assert [one.workload for one in pair.waiting] == ["web"]
    both = judged(
        *READY, database_pod(), stateful_sets=[stateful_set()], deployments=[deployment()]
    )
    assert (both.done, both.updated_ready) == (True, True)


def test_an_object_that_isnt_one() -> None:
    with pytest.raises(UnexpectedObjectError, match=r"(?s)pods.*metadata.*Nothing is concluded"):
        read_state([], [], [], [{"kind": "Status"}], [])
