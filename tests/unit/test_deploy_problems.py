"""What is wrong with a rollout: each cause by its own name, and whether waiting can help."""

from datetime import timedelta
from typing import Any

import pytest

from pipeline.deploy.kubernetes.watch.problem import Problem, one_line, probe_said
from pipeline.deploy.kubernetes.watch.workloads import Expected
from tests.unit.pods import (
    EMPTY,
    IMAGE,
    NOW,
    Json,
    condition,
    crashing,
    database_pod,
    deployment,
    ended,
    event,
    judged,
    old_pod,
    pending,
    pod,
    replica_set,
    stateful_set,
    status,
)

RESOLVE = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}"'
NOT_FOUND = f"rpc error: code = NotFound desc = {RESOLVE}: {IMAGE}: not found"
UNAUTHORISED = (
    f"{RESOLVE}: failed to authorize: failed to fetch anonymous token: unexpected status from GET "
    'request to "https://registry.example.com/token": 401 Unauthorized'
)
DENIED = f"{RESOLVE}: pull access denied, repository does not exist or may require authorization"
TIMEOUT = (
    f'rpc error: code = DeadlineExceeded desc = {RESOLVE}: failed to do request: Head "https://'
    'registry.example.com/v2/shop/manifests/1": dial tcp 10.0.0.9:443: i/o timeout'
)
NO_PROGRAM = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    'runc create failed: unable to start container process: error during container init: exec: "/'
    'app": stat /app: no such file or directory: unknown'
)
KILLED = "Container main failed {} probe, will be restarted"
UNHEALTHY = "{} probe failed: HTTP probe failed with statuscode: 503"
QUOTA = (
    'pods "api-gateway-2-b" is forbidden: exceeded quota: staging, requested: memory=64Mi, '
    "used: memory=192Mi, limited: memory=192Mi"
)


def found(*pods: Json, **more: Any) -> Problem:
    """Give the one problem that there is."""
    problems = judged(*pods, **more).problems
    assert len(problems) == 1, problems
    return problems[0]


def of(container: Json, *events: Json, **more: Any) -> Problem:
    """Give the one problem of a pod with this container."""
    return found(pod(containers=[container]), events=list(events), **more)


def pulls(message: str, reason: str = "ErrImagePull") -> Json:
    return status(waiting=(reason, message))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (NOT_FOUND, "not found"),
        (f"{RESOLVE}: manifest unknown", "not found"),
        (f"{RESOLVE}: unexpected status from HEAD request to x: 404 Not Found", "not found"),
        (UNAUTHORISED, "unauthorised"),
        (DENIED, "not there, or not readable"),
        (f"{RESOLVE}: insufficient_scope: authorization failed", "not there, or not readable"),
        (f"{RESOLVE}: unexpected status: 403", "not there, or not readable"),
        (f"{RESOLVE}: Forbidden", "not there, or not readable"),
        (f"{RESOLVE}: unexpected status: 401", "unauthorised"),
        (f"{RESOLVE}: Unauthorized", "unauthorised"),
        (f"{RESOLVE}: no basic auth credentials", "unauthorised"),
        (f"{RESOLVE}: authentication required", "unauthorised"),
        (f"{RESOLVE}: name unknown", "not found"),
        (f"{RESOLVE}: repository does not exist", "not found"),
        (f"{RESOLVE}: no match for platform in manifest: not found", "not made for the node's"),
        (f"{RESOLVE}: tls: x509: certificate signed by unknown authority", "isn't trusted"),
        (f"{RESOLVE}: http: server gave HTTP response to HTTPS client", "HTTPS was expected"),
    ],
)
@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
def test_an_image_that_will_never_be_pulled(message: str, why: str, reason: str) -> None:
    problem = of(pulls(message, reason))
    assert str(problem).startswith(f"api-gateway: image can't be pulled: {IMAGE} ")
    assert why in problem.message
    assert (problem.reason, problem.certain, problem.logs) == (reason, True, False)
    assert (problem.workload, problem.pod, problem.container) == (
        *("api-gateway", "api-gateway-2-a"),
        "main",
    )


def test_while_it_backs_off_the_event_says_why() -> None:
    waits = pulls(f'Back-off pulling image "{IMAGE}"', "ImagePullBackOff")
    assert not of(waits).certain
    said = event("Failed", f'Failed to pull image "{IMAGE}": {NOT_FOUND}')
    assert of(waits, said).message == f"image can't be pulled: {IMAGE} not found"
    elsewhere = event("Failed", f"Failed to pull image: {NOT_FOUND}", container="other")
    assert not of(waits, elsewhere).certain


def test_a_network_that_fails_may_come_back_once() -> None:
    failed = "Failed to pull image"
    once = event("Failed", f'{failed} "{IMAGE}": {TIMEOUT}')
    problem = of(pulls(TIMEOUT), once)
    assert problem.message == f"image can't be pulled: {IMAGE} i/o timeout"
    assert not problem.certain
    assert of(pulls(TIMEOUT), once | {"count": 2}).certain
    again = event("Failed", f'(combined from similar events): {failed} "{IMAGE}": {TIMEOUT}')
    assert of(pulls(TIMEOUT), once, again).certain
    counted = {"count": 2, "lastObservedTime": "2026-11-26T12:00:00.123456Z"}
    assert of(pulls(TIMEOUT), once | {"series": counted}).certain
    gone = event("Failed", f'{failed} "{IMAGE}": {NOT_FOUND}', seconds=-9)
    backs_off = pulls("Back-off", "ImagePullBackOff")
    assert of(backs_off, once, gone).message.endswith("i/o timeout")
    # The line that goes with each of them isn't one more.
    assert not of(pulls(TIMEOUT), once, event("Failed", "Error: ErrImagePull")).certain


@pytest.mark.parametrize("reason", ["RegistryUnavailable", "ImageInspectError"])
def test_a_registry_may_be_there_again(reason: str) -> None:
    problem = of(pulls("registry is busy", reason))
    assert problem.message == f"image can't be pulled: {IMAGE} registry is busy"
    assert not problem.certain


def test_a_name_doesnt_say_what_happened() -> None:
    image = "registry.example.com/shop/forbidden:403"
    message = f'Head "https://x/forbidden/manifests/403": {image}: i/o timeout'
    assert not found(pod(image=image, containers=[pulls(message)])).certain


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("InvalidImageName", f"image's name is invalid: {IMAGE}"),
        ("ErrImageNeverPull", f"image can't be pulled: {IMAGE} ErrImageNeverPull"),
        ("SignatureValidationFailed", f"image can't be pulled: {IMAGE} SignatureValidationFailed"),
    ],
)
def test_images_that_are_never_asked_for(reason: str, message: str) -> None:
    problem = of(pulls("", reason))
    assert (problem.message, problem.certain) == (message, True)


@pytest.mark.parametrize("reason", ["CreateContainerConfigError", "CreateContainerError"])
@pytest.mark.parametrize(
    "said",
    [
        'configmap "api-gateway-settings-1" not found',
        "couldn't find key DATABASE_URL in Secret staging/api-gateway-secrets-1",
        "container has runAsNonRoot and image will run as root",
    ],
)
def test_settings_that_arent_there(reason: str, said: str) -> None:
    problem = of(status(waiting=(reason, said)))
    assert problem.message == f"can't be set up: {said}"
    assert (problem.reason, problem.certain, problem.logs) == (reason, True, False)


@pytest.mark.parametrize(
    "said",
    [
        "failed to sync configmap cache: timed out waiting for the condition",
        "context deadline exceeded",
        "net/http: TLS handshake timeout",
        "dial unix /run/containerd.sock: connect: connection refused",
        "rpc error: code = Unavailable desc = transport is closing",
        'failed to reserve container name "main": name "main" is reserved for "0a"',
    ],
)
def test_a_busy_node_may_set_it_up_later(said: str) -> None:
    assert not of(status(waiting=("CreateContainerError", said))).certain


def test_a_program_that_isnt_there() -> None:
    message = 'can\'t be started: exec: "/app": stat /app: no such file or directory'
    problem = of(status(waiting=("RunContainerError", NO_PROGRAM)))
    assert (problem.message, problem.certain, problem.logs) == (message, True, False)
    for reason in ("StartError", "ContainerCannotRun"):
        end = ended(128, reason, NO_PROGRAM)
        problem = of(status(waiting=("CrashLoopBackOff", "back-off"), last=end))
        assert (problem.message, problem.reason, problem.certain) == (message, reason, True)
        assert (problem.logs, problem.previous) == (False, False)
    assert not of(status(waiting=("RunContainerError", "context deadline exceeded"))).certain


def test_a_hook_that_fails() -> None:
    problem = of(status(waiting=("PostStartHookError", "exited with 1")))
    assert (problem.message, problem.certain) == ("hook fails: exited with 1", True)
    assert problem.logs


def test_once_is_no_crash_loop() -> None:
    problem = of(status(terminated=ended(2)))
    assert problem.message == "crashes at start (exit code 2)"
    assert (problem.certain, problem.logs, problem.previous) == (False, True, False)
    problem = of(status(restarts=1, running=-2, last=ended(2)))
    assert problem.message == "crashes at start (exit code 2), was started again"
    assert (problem.certain, problem.logs, problem.previous) == (False, True, True)


def test_twice_is() -> None:
    problem = of(crashing())
    assert str(problem) == "api-gateway: crashes at start (exit code 2)"
    assert problem.reason == "CrashLoopBackOff"
    assert (problem.certain, problem.logs, problem.previous) == (True, True, True)
    problem = of(status(restarts=1, terminated=ended(2), last=ended(2, start=-25)))
    assert (problem.certain, problem.previous) == (True, False)
    assert of(status(restarts=2, running=-2, last=ended(2))).certain


def test_when_it_crashes() -> None:
    assert of(crashing(start=-50, ran=10)).message == "crashes at start (exit code 2)"
    assert of(crashing(start=-50, ran=11)).message == "crashes after 11 s (exit code 2)"
    assert of(crashing(start=-50, ran=45)).message == "crashes after 45 s (exit code 2)"
    assert of(crashing(exit_code=0)).message == "ends by itself (exit code 0)"


def test_what_has_recovered_isnt_waited_for() -> None:
    recovered = status(ready=True, restarts=1, running=-10, last=ended(2))
    assert judged(pod(containers=[recovered])).problems == []
    lost = status(restarts=1, running=-2, last=ended(137, "ContainerStatusUnknown"))
    assert judged(pod(containers=[lost])).problems == []


def test_memory_never_grows() -> None:
    end = ended(137, "OOMKilled")
    for container in (
        status(terminated=end),
        status(ready=True, restarts=1, running=-5, last=end),
        crashing(exit_code=137, reason="OOMKilled"),
    ):
        problem = of(container)
        assert str(problem) == "api-gateway: runs out of memory (limit 64Mi)"
        assert (problem.reason, problem.certain, problem.logs) == ("OOMKilled", True, True)
    said = "container init was OOM-killed (memory limit too low?)"
    problem = of(status(waiting=("RunContainerError", said)))
    assert (problem.reason, problem.certain, problem.logs) == ("OOMKilled", True, False)
    end = ended(128, "StartError", said)
    assert of(status(waiting=("CrashLoopBackOff", "back-off"), last=end)).reason == "OOMKilled"
    nowhere = pod(containers=[status(name="injected", terminated=end)])
    assert found(nowhere).message == "runs out of memory (limit of the node)"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("startup", "doesn't start in time (startup probe: HTTP 503)"),
        ("liveness", "is killed since it doesn't answer (liveness probe: HTTP 503)"),
    ],
)
def test_a_container_that_is_killed_by_its_probe(kind: str, message: str) -> None:
    kill = event("Killing", KILLED.format(kind), seconds=-1)
    why = event("Unhealthy", UNHEALTHY.format(kind.capitalize()))
    other = event("Unhealthy", "Readiness probe failed: connection refused", seconds=-2)
    warning = event("ProbeWarning", f"{kind.capitalize()} probe warning: odd", seconds=-2)
    problem = of(status(running=-30), why, other, warning, kill)
    assert (problem.message, problem.certain) == (message, True)
    assert (problem.reason, problem.logs, problem.previous) == ("Unhealthy", True, False)
    problem = of(status(restarts=1, running=-1, last=ended(0, start=-30, ran=29)), why, kill)
    assert (problem.message, problem.previous) == (message, True)
    assert of(status(running=-30), kill).message == message.replace(": HTTP 503", "")
    assert not of(status(waiting=("ContainerCreating", "")), kill).certain
    stopped = event("Killing", "Stopping container main")
    assert judged(pod(), events=[stopped]).problems == []


def test_a_migration_that_fails() -> None:
    waits = [status(waiting=("PodInitializing", ""))]
    once = status(name="migrate", terminated=ended(1))
    problem = found(pod(inits=[once], containers=waits, phase="Pending"))
    assert str(problem) == "api-gateway: init container 'migrate' fails (exit code 1)"
    assert (problem.container, problem.certain) == ("migrate", False)
    again = crashing(exit_code=1) | {"name": "migrate"}
    problem = found(pod(inits=[again], containers=waits, phase="Pending"))
    assert (problem.container, problem.certain, problem.previous) == ("migrate", True, True)


def test_a_migration_that_is_done_is_no_crash() -> None:
    done = status(name="migrate", restarts=2, terminated=ended(0, "Completed"))
    assert judged(pod(inits=[done])).problems == []


def test_a_sidecar_isnt_an_init_container_that_ends() -> None:
    side = crashing(exit_code=0) | {"name": "mesh"}
    assert found(pod(inits=[side], sidecar=True)).message == "ends by itself (exit code 0)"


def test_what_started_before_its_database_may_have_failed_for_it() -> None:
    crash, databases = crashing(restarts=4, start=-20), [stateful_set()]
    late = database_pod(ready_since=-10)
    assert not found(pod(containers=[crash]), late, stateful_sets=databases).certain
    same = database_pod(ready_since=-20)
    assert not found(pod(containers=[crash]), same, stateful_sets=databases).certain
    early = database_pod(ready_since=-21)
    assert found(pod(containers=[crash]), early, stateful_sets=databases).certain
    starts = database_pod(ready=False)
    unready = [stateful_set(ready=0)]
    assert not found(pod(containers=[crash]), starts, stateful_sets=unready).certain
    kill = event("Killing", KILLED.format("startup"))
    kept = pod(containers=[status(running=-30)])
    assert not found(kept, late, stateful_sets=databases, events=[kill]).certain


@pytest.mark.parametrize(
    ("since", "certain"),
    [(-5, False), (-15, True)],
)
def test_a_pod_without_a_node_is_given_a_while(since: int, certain: bool) -> None:
    said = "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available"
    problem = found(pending(since, said))
    assert problem.message == "finds no node: 0/1 nodes are available: 1 Insufficient memory"
    assert (problem.reason, problem.certain) == ("Unschedulable", certain)


def test_no_node_is_of_its_kind() -> None:
    said = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."
    assert found(pending(-1, said)).certain
    mixed = "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node "
    assert not found(pending(-1, f"{mixed}affinity/selector.")).certain


def test_room_may_come() -> None:
    full = pending(-60, "0/1 nodes are available: 1 Insufficient cpu.")
    assert found(full).certain
    assert not found(full, old_pod(ending=True)).certain
    assert not found(full, events=[event("TriggeredScaleUp", "pool 1->2", container="")]).certain
    for taint in (
        *("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"),
        *(
            "node.kubernetes.io/network-unavailable",
            "node.cloudprovider.kubernetes.io/uninitialized",
        ),
    ):
        said = f"0/1 nodes are available: 1 node(s) had untolerated taint {{{taint}: }}."
        assert not found(pending(-60, said)).certain
    gated = condition("PodScheduled", "False", "SchedulingGated", "waits", -60)
    assert judged(pod(phase="Pending", containers=[], conditions=[gated])).problems == []
    pinned = pending(-60, "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: }.")
    assert found(pinned, old_pod(ending=True)).certain


def test_a_volume_that_nobody_provides() -> None:
    said = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    problem = found(pending(-5, said, claim="data-0"))
    assert problem.message == "gets no volume for its claim data-0: none yet"
    assert not problem.certain
    claim = {"kind": "PersistentVolumeClaim", "about": "claim", "container": ""}
    events = [
        event("ProvisioningFailed", 'storageclass "fast" not found', name="data-0", **claim),
        event("ProvisioningFailed", "of another", name="data-1", **claim),
        event("Provisioning", "starts", name="data-0", **claim),
    ]
    problem = found(pending(-15, said, claim="data-0"), events=events)
    assert problem.message.endswith('data-0: storageclass "fast" not found')
    assert (problem.reason, problem.certain) == ("Unbound", True)


def test_a_volume_that_there_is_none_of() -> None:
    said = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    claim = {"kind": "PersistentVolumeClaim", "about": "claim", "container": "", "name": "data-0"}
    none = event("FailedBinding", "no storage class is set", **claim)
    problem = found(pending(-5, said, claim="data-0"), events=[none])
    assert problem.message.endswith("data-0: no storage class is set")


@pytest.mark.parametrize(
    ("said", "certain"),
    [
        ('MountVolume.SetUp failed for volume "s" : secret "s" not found', True),
        ('MountVolume.SetUp failed for volume "s" : configmap "s" not found', True),
        ("MountVolume.SetUp failed: references non-existent secret key: x", True),
        ("MountVolume.SetUp failed: failed to sync secret cache: timed out", False),
    ],
)
def test_what_cant_be_mounted(said: str, certain: bool) -> None:
    waits = pod(containers=[status(waiting=("ContainerCreating", ""))], phase="Pending")
    problem = found(waits, events=[event("FailedMount", said, container="")])
    assert problem.message == f"can't mount its volumes: {said}"
    assert (problem.reason, problem.certain) == ("FailedMount", certain)
    assert judged(pod(), events=[event("FailedMount", said, container="")]).problems == []


def test_one_pod_that_is_evicted_is_replaced() -> None:
    lost = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource."}
    problem = found(pod(**lost))
    assert problem.message == "is thrown off its node (Evicted): The node was low on resource."
    assert not problem.certain
    assert found(pod(**lost), pod("api-gateway-2-b", **lost)).certain
    fault = 'Usage of EmptyDir volume "tmp" exceeds the limit "16Mi". '
    assert found(pod(**(lost | {"message": fault}))).certain
    fault = "Container main exceeded its local ephemeral storage limit"
    assert found(pod(**(lost | {"message": fault}))).certain
    fault = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi"
    assert found(pod(**(lost | {"message": fault}))).certain
    taken = [condition("DisruptionTarget", "True", "PreemptionByScheduler", "for another")]
    problem = found(pod(phase="Failed", conditions=taken))
    assert problem.message == "is thrown off its node (PreemptionByScheduler): for another"
    assert found(pod(phase="Failed")).message == "is thrown off its node (Failed): no message"


def refused(message: str, *pods: Json, since: int = -5) -> Problem:
    failure = condition("ReplicaFailure", "True", "FailedCreate", message, since)
    sets = [replica_set(revision=1), replica_set(conditions=[failure])]
    return found(*pods, replica_sets=sets)


@pytest.mark.parametrize(
    ("message", "certain"),
    [
        ('pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot', True),
        ('Pod "a" is invalid: spec.containers[0].image: Required value', True),
        ('admission webhook "policy" denied the request: no signature', True),
        ('Internal error: failed calling webhook "policy": connection refused', False),
        (QUOTA, True),
    ],
)
def test_pods_that_nobody_lets_in(message: str, certain: bool) -> None:
    problem = refused(message)
    assert problem.message == f"can't make its pods: {message}"
    assert (problem.pod, problem.reason, problem.certain) == ("", "FailedCreate", certain)
    assert (problem.logs, problem.previous) == (False, False)


def test_a_quota_may_become_free() -> None:
    assert not refused(QUOTA, pod()).certain
    assert not refused(QUOTA, old_pod(ending=True)).certain
    assert refused(QUOTA, old_pod()).certain


def test_an_account_may_become_known() -> None:
    message = 'pods "a" is forbidden: error looking up service account staging/a: not found'
    assert not refused(message).certain
    assert refused(message, since=-15).certain


def test_a_replica_set_that_nobody_lets_in() -> None:
    stuck = condition("Progressing", "False", "ReplicaSetCreateError", QUOTA)
    workload = deployment(counted=(3, 0, 0), conditions=[stuck])
    problem = found(deployments=[workload], replica_sets=[])
    assert (problem.reason, problem.certain) == ("ReplicaSetCreateError", True)


def test_a_stateful_set_that_may_not_make_its_pods() -> None:
    about = {"about": "stateful-postgres", "kind": "StatefulSet", "container": ""}
    failed = event("FailedCreate", f"create Pod postgres-0 failed error: {QUOTA}", **about)
    waits = {"deployments": [], "expected": EMPTY, "events": [failed]}
    problem = found(stateful_sets=[stateful_set(ready=0, updated=0)], **waits)
    assert (problem.workload, problem.reason, problem.certain) == ("postgres", "FailedCreate", True)
    made = database_pod(ready=False, created=-1)
    assert judged(made, stateful_sets=[stateful_set(ready=0)], **waits).problems == []
    made = database_pod(ready=False, created=-5)
    assert judged(made, stateful_sets=[stateful_set(ready=0)], **waits).problems == []
    two = [stateful_set(replicas=2, ready=0)]
    assert judged(made, stateful_sets=two, **waits).problems == []
    earlier = waits | {"expected": Expected(images={}, since=NOW - timedelta(seconds=5))}
    none = [stateful_set(ready=0, updated=0)]
    assert judged(stateful_sets=none, **earlier).problems == []
    waits["events"] = [failed, event("SuccessfulCreate", "create Pod postgres-0", **about)]
    assert found(database_pod(ready=False), stateful_sets=two, **waits).certain is False


def test_deadline_and_pause() -> None:
    late = condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out progressing")
    problem = found(pod(), deployments=[deployment(counted=(3, 1, 0), conditions=[late])])
    assert problem.message == "makes no progress: timed out progressing"
    assert (problem.reason, problem.certain) == ("ProgressDeadlineExceeded", True)
    problem = found(pod(), deployments=[deployment(counted=(3, 1, 0), paused=True)])
    assert (problem.reason, problem.certain) == ("Paused", True)
    assert problem.message == "is paused: `kubectl rollout resume` it"


def test_old_pods_never_count() -> None:
    crash = [crashing()]
    assert judged(pod(), old_pod(containers=crash, ready=False)).problems == []
    assert judged(pod(containers=crash, ending=True)).problems == []
    foreign = pod("job-1", owner="job-1", containers=crash)
    assert judged(pod(), foreign).problems == []
    failure = condition("ReplicaFailure", "True", "FailedCreate", QUOTA)
    sets = [replica_set(revision=1, conditions=[failure]), replica_set()]
    assert judged(pod(), replica_sets=sets).problems == []


def test_what_isnt_looked_at_yet_has_no_problems() -> None:
    late = condition("Progressing", "False", "ProgressDeadlineExceeded", "of the one before")
    unseen = [deployment(counted=(3, 1, 0), observed=3, conditions=[late])]
    assert judged(pod(containers=[crashing()]), deployments=unseen).problems == []


def test_what_pods_share_is_said_once_and_the_worst_first() -> None:
    names = ["api-gateway-2-c", "api-gateway-2-a", "api-gateway-2-b"]
    pods = [pod(name, containers=[crashing()]) for name in names]
    once = pod("api-gateway-2-0", containers=[status(terminated=ended(3))])
    problems = judged(*pods, once).problems
    assert [(one.pod, one.certain) for one in problems] == [
        ("api-gateway-2-a", True),
        ("api-gateway-2-0", False),
    ]


@pytest.mark.parametrize(
    ("said", "short"),
    [
        (UNHEALTHY.format("Readiness"), "HTTP 503"),
        ('Readiness probe failed: Get "http://10/": connect: connection refused', "connection"),
        ('Liveness probe failed: Get "http://10/": context deadline exceeded', "no answer in time"),
        ("Readiness probe failed: (Client.Timeout exceeded while waiting)", "no answer in time"),
        ("Readiness probe failed: command timed out", "no answer in time"),
        ("Readiness probe failed: dial tcp 10.0.0.1:80: i/o timeout", "no answer in time"),
        ("Startup probe failed: no response\nfrom it", "no response from it"),
        ("Readiness probe errored", "Readiness probe errored"),
    ],
)
def test_probes_are_said_shortly(said: str, short: str) -> None:
    assert probe_said(said).startswith(short)


def test_long_words_are_cut() -> None:
    assert one_line("a\n b") == "a b"
    assert len(one_line("x" * 999)) == 300
