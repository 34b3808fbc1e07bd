"""The cluster that is set up here: it does what Kubernetes does, and leaves nothing behind."""

import secrets
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
NAMESPACE = f"test-{secrets.token_hex(4)}"
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
    # The program that tells them is the cluster's own: there are none before there was a cluster.
    tables = in_root(SETTINGS.cluster, "nft", "list", "tables") if SETTINGS.cluster.exists() else ""
    return {
        "processes": [
            command
            for path in Path("/proc").glob("[0-9]*")
            if f"/{SETTINGS.instance}-cluster" in text(path / "cgroup")
            and (command := text(path / "cmdline"))  # what has ended has none
        ],
        "networks": [line for line in addresses.splitlines() if " 10.89." in line],
        "rules": [line for line in rules.splitlines() if "-cluster" in line or " 10.89." in line],
        "tables": [line for line in tables.splitlines() if "kube" in line],
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


def once(name: str, *command: str, **more: Any) -> dict[str, Any]:
    """A pod that isn't started again when it ends."""
    it = pod(name, *command, **more)
    it["spec"]["restartPolicy"] = "Never"
    return it


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


def redis() -> dict[str, Any]:
    """A deployment of two."""
    mount = {"name": "data", "mountPath": "/data"}
    template = pod("redis", volumeMounts=[mount], resources={"requests": {"cpu": "10m"}})
    template["spec"]["volumes"] = [{"name": "data", "emptyDir": {"medium": "Memory"}}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "redis"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "redis"}},
            "template": {"metadata": template["metadata"], "spec": template["spec"]},
        },
    }


def autoscaler() -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": 50}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "redis"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "redis"},
            "minReplicas": 2,
            "maxReplicas": 3,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


def hog() -> dict[str, Any]:
    """A pod that takes more memory than it may, in one gulp: nothing is reclaimed first."""
    command = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1G"]
    return once("hog", *command, resources={"limits": {"memory": "16Mi"}})


def claim() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "50Gi"}},
        },
    }


def user(name: str, script: str) -> dict[str, Any]:
    """A pod that does something with the volume."""
    mount = {"name": "data", "mountPath": "/data", "subPath": "data"}
    it = once(name, "sh", "-ec", script, volumeMounts=[mount])
    it["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    it["spec"]["securityContext"] = {"fsGroup": 999}
    return it


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace in which all that these tests look at starts together."""
    cluster.kubectl("create", "namespace", NAMESPACE)
    clients = (client("friend"), client("stranger"))
    volume = (claim(), user("writer", "echo kept > /data/note"))
    apply(cluster, redis(), service("redis"), autoscaler(), *clients, hog(), *volume)
    yield cluster
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def served(namespace: Cluster) -> Cluster:
    """The deployment runs, and a pod that may ask it, and one that may or not."""
    namespace.kubectl("rollout", "status", "deployment/redis", IN_NAMESPACE, WAIT)
    ready = ["wait", "--for=condition=Ready", "pod/friend", "pod/stranger"]
    namespace.kubectl(*ready, IN_NAMESPACE, WAIT)
    return namespace


@pytest.fixture
def open_to_all(served: Cluster) -> Iterator[Cluster]:
    """The same, while no policy holds anyone."""
    asks(served, "stranger", "redis", "PONG")
    yield served
    served.kubectl("delete", "networkpolicies", "--all", IN_NAMESPACE)


def apply(cluster: Cluster, *objects: dict[str, Any]) -> None:
    given = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    cluster.kubectl("apply", IN_NAMESPACE, given=given)


def ended(cluster: Cluster, name: str, phase: str) -> None:
    phased = f"--for=jsonpath={{.status.phase}}={phase}"
    cluster.kubectl("wait", phased, f"pod/{name}", IN_NAMESPACE, WAIT)


def asks(cluster: Cluster, name: str, host: str, answer: str) -> None:
    """Wait until a pod hears this from Redis; nothing when it isn't let through."""
    ask = ["timeout", "3", "redis-cli", "-h", host, "ping"]
    deadline = time.monotonic() + 60
    while True:
        said = cluster.try_kubectl("exec", name, IN_NAMESPACE, "--", *ask).stdout.strip()
        if said == answer:
            return
        assert time.monotonic() < deadline, f"{name} heard {said!r} from {host}"


def test_stop_leaves_nothing_behind() -> None:
    ran = SETTINGS.kubeconfig.exists()
    stop_cluster()
    before = traces()
    assert before["processes"] == []
    cluster = start_cluster()
    cluster.kubectl("create", "namespace", NAMESPACE)
    apply(cluster, redis())
    cluster.kubectl("rollout", "status", "deployment/redis", IN_NAMESPACE, WAIT)
    running = traces()
    assert {name for name in running if running[name] != before[name]} == {
        *("processes", "networks", "rules", "tables", "groups", "kernel", "files"),
    }
    stop_cluster()
    assert traces() == before
    if ran:
        start_cluster()  # for others


def test_the_kubeconfig_is_for_its_owner_alone(cluster: Cluster) -> None:
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600
    (context,) = cluster.get("nodes")["items"]
    assert context["status"]["addresses"][0]["address"] == SETTINGS.address


def test_a_service_is_found_by_its_name(served: Cluster) -> None:
    for name in ("redis", f"redis.{NAMESPACE}", f"redis.{NAMESPACE}.svc.cluster.local"):
        asks(served, "friend", name, "PONG")


def test_a_service_is_reached_from_the_host(served: Cluster) -> None:
    address = served.get("service/redis", IN_NAMESPACE)["spec"]["clusterIP"]
    ask = f"exec 3<>/dev/tcp/{address}/6379; echo PING >&3; head -c 5 <&3"
    said = subprocess.run(["timeout", "20", "bash", "-c", ask], capture_output=True, check=True)
    assert said.stdout == b"+PONG"


def test_logs_of_a_deployment_are_told(served: Cluster) -> None:
    assert "Ready to accept connections" in served.kubectl("logs", "deployment/redis", IN_NAMESPACE)


def test_a_policy_lets_only_the_named_pods_in(open_to_all: Cluster) -> None:
    friend = {"podSelector": {"matchLabels": {"app": "friend"}}}
    only_friend = policy(
        "only-friend",
        podSelector={"matchLabels": {"app": "redis"}},
        ingress=[{"from": [friend], "ports": [{"port": 6379}]}],
    )
    apply(open_to_all, only_friend)
    asks(open_to_all, "stranger", "redis", "")
    asks(open_to_all, "friend", "redis", "PONG")


def test_a_policy_lets_out_only_to_the_named_places(open_to_all: Cluster) -> None:
    to_redis = {"to": [{"podSelector": {"matchLabels": {"app": "redis"}}}]}
    names = {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}]}
    held = {"podSelector": {"matchLabels": {"app": "stranger"}}, "policyTypes": ["Egress"]}
    apply(open_to_all, policy("held", **held, egress=[to_redis]))
    asks(open_to_all, "stranger", "redis", "")
    (first, *_) = open_to_all.get("pods", IN_NAMESPACE, "--selector=app=redis")["items"]
    asks(open_to_all, "stranger", first["status"]["podIP"], "PONG")
    apply(open_to_all, policy("held", **held, egress=[to_redis, names]))
    asks(open_to_all, "stranger", "redis", "PONG")


def test_a_container_over_its_memory_limit_is_killed_and_that_is_told(namespace: Cluster) -> None:
    ended(namespace, "hog", "Failed")
    (status,) = namespace.get("pod/hog", IN_NAMESPACE)["status"]["containerStatuses"]
    assert status["state"]["terminated"]["reason"] == "OOMKilled"


def test_a_volume_keeps_what_it_holds_until_its_claim_goes(namespace: Cluster) -> None:
    ended(namespace, "writer", "Succeeded")
    apply(namespace, user("reader", "cat /data/note"))
    ended(namespace, "reader", "Succeeded")
    assert namespace.kubectl("logs", "reader", IN_NAMESPACE) == "kept"
    namespace.kubectl("delete", "pod/writer", "pod/reader", "pvc/data", IN_NAMESPACE)
    apply(namespace, claim(), user("newcomer", "ls /data"))
    ended(namespace, "newcomer", "Succeeded")
    assert namespace.kubectl("logs", "newcomer", IN_NAMESPACE) == ""


def test_an_autoscaler_sees_how_busy_pods_are(served: Cluster) -> None:
    available = ["wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io"]
    served.kubectl(*available, WAIT)
    served.kubectl("wait", "--for=condition=ScalingActive", "hpa/redis", IN_NAMESPACE, WAIT)
