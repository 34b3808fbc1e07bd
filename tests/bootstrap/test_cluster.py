"""The cluster that is set up here: it does what Kubernetes does, and leaves nothing behind."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap import machine
from bootstrap.settings import Settings
from tests.cluster import Cluster, start_cluster, stop_cluster

SETTINGS = Settings.from_environment()
REDIS = "redis:8-trixie"
NAMESPACE = "pipeline-test"
IN_NAMESPACE = f"--namespace={NAMESPACE}"
WAIT = "--timeout=180s"
# As a namespace has it that lets in only what is hardened.
ORDINARY = {
    "runAsUser": 999,
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def traces() -> dict[str, object]:
    """What a running cluster changes on the machine."""
    rules = in_root(SETTINGS.root, "iptables-save")
    addresses = in_root(SETTINGS.root, "ip", "-oneline", "address")
    return {
        "processes": [
            command
            for path in Path("/proc").glob("[0-9]*")
            if f"/{SETTINGS.instance}-cluster" in text(path / "cgroup")
            and (command := text(path / "cmdline"))  # what has ended has none
        ],
        "networks": [line for line in addresses.splitlines() if " 10.89." in line],
        "rules": [line for line in rules.splitlines() if "-cluster" in line or " 10.89." in line],
        "tables": [
            line
            for line in in_root(SETTINGS.cluster, "nft", "list", "tables").splitlines()
            if "kube" in line
        ],
        "groups": sorted(machine.CGROUPS.glob(f"*/{SETTINGS.instance}-cluster*")),
        "mounts": [
            line for line in text(Path("/proc/self/mounts")).splitlines() if "cluster" in line
        ],
        "kernel": [text(machine.KERNEL / name) for name in machine.KUBELET_SETS],
        "files": [
            path for path in (SETTINGS.kubeconfig, SETTINGS.kubeconfig.parent) if path.exists()
        ],
    }


def in_root(root: Path, *command: str) -> str:
    return subprocess.run(
        ["chroot", root, *command], capture_output=True, text=True, check=True
    ).stdout


def text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # a process that has just ended
        return ""


def pod(name: str, *command: str, **more: Any) -> dict[str, Any]:
    """A pod of one container; what it says more is the container's."""
    container = {"name": "it", "image": REDIS, "securityContext": ORDINARY, **more}
    if command:
        container["command"] = list(command)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }


def client(name: str) -> dict[str, Any]:
    return pod(name, "sleep", "infinity")


def service(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 6379}]},
    }


def policy(name: str, **specification: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": specification,
    }


@pytest.fixture(scope="module")
def before() -> dict[str, object]:
    stop_cluster()
    return traces()


@pytest.fixture
def cluster(before: dict[str, object]) -> Cluster:
    assert before["processes"] == []
    return start_cluster()


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace of the test's own."""
    cluster.kubectl("create", "namespace", NAMESPACE)
    yield cluster
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait")


@pytest.fixture
def redis(namespace: Cluster) -> Cluster:
    """A deployment of two with a service, and a pod that may ask it."""
    run_redis(namespace)
    return namespace


def run_redis(cluster: Cluster) -> None:
    template = pod("redis", volumeMounts=[{"name": "data", "mountPath": "/data"}])
    template["spec"]["volumes"] = [{"name": "data", "emptyDir": {"medium": "Memory"}}]
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "redis"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "redis"}},
            "template": {"metadata": template["metadata"], "spec": template["spec"]},
        },
    }
    apply(cluster, deployment, service("redis"), client("friend"), client("stranger"))
    cluster.kubectl("rollout", "status", "deployment/redis", IN_NAMESPACE, WAIT)
    ready(cluster, "friend", "stranger")


def apply(cluster: Cluster, *objects: dict[str, Any]) -> None:
    given = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    cluster.kubectl("apply", IN_NAMESPACE, given=given)


def ready(cluster: Cluster, *pods: str) -> None:
    names = [f"pod/{name}" for name in pods]
    cluster.kubectl("wait", "--for=condition=Ready", *names, IN_NAMESPACE, WAIT)


def asks(cluster: Cluster, name: str, host: str, answer: str) -> None:
    """Wait until a pod hears this from Redis; nothing when it isn't let through."""
    ask = ["timeout", "3", "redis-cli", "-h", host, "ping"]
    deadline = time.monotonic() + 60
    while True:
        said = cluster.try_kubectl("exec", name, IN_NAMESPACE, "--", *ask).stdout.strip()
        if said == answer:
            return
        assert time.monotonic() < deadline, f"{name} heard {said!r} from {host}"


def test_the_kubeconfig_is_for_its_owner_alone(cluster: Cluster) -> None:
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600
    (context,) = cluster.get("nodes")["items"]
    assert context["status"]["addresses"][0]["address"] == SETTINGS.address


def test_a_service_is_found_by_its_name(redis: Cluster) -> None:
    for name in ("redis", f"redis.{NAMESPACE}", f"redis.{NAMESPACE}.svc.cluster.local"):
        asks(redis, "friend", name, "PONG")


def test_a_service_is_reached_from_the_host(redis: Cluster) -> None:
    address = redis.get("service/redis", IN_NAMESPACE)["spec"]["clusterIP"]
    ask = f"exec 3<>/dev/tcp/{address}/6379; echo PING >&3; head -c 5 <&3"
    said = subprocess.run(["timeout", "20", "bash", "-c", ask], capture_output=True, check=True)
    assert said.stdout == b"+PONG"


def test_logs_of_a_deployment_are_told(redis: Cluster) -> None:
    assert "Ready to accept connections" in redis.kubectl("logs", "deployment/redis", IN_NAMESPACE)


def test_a_policy_lets_only_the_named_pods_in(redis: Cluster) -> None:
    asks(redis, "stranger", "redis", "PONG")
    friend = {"podSelector": {"matchLabels": {"app": "friend"}}}
    only_friend = policy(
        "only-friend",
        podSelector={"matchLabels": {"app": "redis"}},
        ingress=[{"from": [friend], "ports": [{"port": 6379}]}],
    )
    apply(redis, only_friend)
    asks(redis, "stranger", "redis", "")
    asks(redis, "friend", "redis", "PONG")


def test_a_policy_lets_out_only_to_the_named_places(redis: Cluster) -> None:
    to_redis = {"to": [{"podSelector": {"matchLabels": {"app": "redis"}}}]}
    names = {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}]}
    held = {"podSelector": {"matchLabels": {"app": "stranger"}}, "policyTypes": ["Egress"]}
    apply(redis, policy("held", **held, egress=[to_redis]))
    asks(redis, "stranger", "redis", "")
    (first, *_) = redis.get("pods", IN_NAMESPACE, "--selector=app=redis")["items"]
    asks(redis, "stranger", first["status"]["podIP"], "PONG")
    apply(redis, policy("held", **held, egress=[to_redis, names]))
    asks(redis, "stranger", "redis", "PONG")


def test_a_container_over_its_memory_limit_is_killed_and_that_is_told(namespace: Cluster) -> None:
    hog = pod("hog", "tail", "/dev/zero", resources={"limits": {"memory": "16Mi"}})
    hog["spec"]["restartPolicy"] = "Never"
    apply(namespace, hog)
    namespace.kubectl(
        "wait", "--for=jsonpath={.status.phase}=Failed", "pod/hog", IN_NAMESPACE, WAIT
    )
    (status,) = namespace.get("pod/hog", IN_NAMESPACE)["status"]["containerStatuses"]
    assert status["state"]["terminated"]["reason"] == "OOMKilled"


def test_a_volume_keeps_what_it_holds_until_its_claim_goes(namespace: Cluster) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "50Gi"}},
        },
    }

    def run(name: str, script: str) -> str:
        mount = {"name": "data", "mountPath": "/data", "subPath": "data"}
        user = pod(name, "sh", "-ec", script, volumeMounts=[mount])
        source = {"claimName": "data"}
        user["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": source}]
        user["spec"]["securityContext"] = {"fsGroup": 999}
        user["spec"]["restartPolicy"] = "Never"
        apply(namespace, claim, user)
        ended = "--for=jsonpath={.status.phase}=Succeeded"
        namespace.kubectl("wait", ended, f"pod/{name}", IN_NAMESPACE, WAIT)
        return namespace.kubectl("logs", name, IN_NAMESPACE)

    run("writer", "echo kept > /data/note")
    assert run("reader", "cat /data/note") == "kept"
    namespace.kubectl("delete", "pod/writer", "pod/reader", "pvc/data", IN_NAMESPACE)
    assert run("newcomer", "ls /data") == ""


def test_an_autoscaler_sees_how_busy_pods_are(redis: Cluster) -> None:
    served = "apiservice/v1beta1.metrics.k8s.io"
    redis.kubectl("wait", "--for=condition=Available", served, WAIT)
    redis.kubectl("set", "resources", "deployment/redis", "--requests=cpu=10m", IN_NAMESPACE)
    scale = ["--min=1", "--max=3", "--cpu=50%"]
    redis.kubectl("autoscale", "deployment", "redis", *scale, IN_NAMESPACE)
    active = "--for=condition=ScalingActive"
    redis.kubectl("wait", active, "hpa/redis", IN_NAMESPACE, WAIT)


def test_stop_leaves_nothing_behind(before: dict[str, object], cluster: Cluster) -> None:
    cluster.kubectl("create", "namespace", NAMESPACE)
    run_redis(cluster)
    running = traces()
    assert {name for name in running if running[name] != before[name]} == {
        *("processes", "networks", "rules", "tables", "groups", "kernel", "files"),
    }
    stop_cluster()
    assert traces() == before
