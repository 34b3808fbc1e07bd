"""The chart on a cluster: what Kubernetes lets in, what Helm makes of upgrades and rollbacks."""

import copy
import json
from collections.abc import Iterator

import pytest

from tests.chart import schemas, values
from tests.chart.programs import output_of
from tests.chart.rendered import CHART, RELEASE, render
from tests.chart.values import STAGING, Values, changed
from tests.cluster import Cluster, start_cluster

NAMESPACE = "chart-test"
IN_NAMESPACE = f"--namespace={NAMESPACE}"
RESTRICTED = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]
DEPLOYER = f"system:serviceaccount:{NAMESPACE}:deployer"
OTHER_RIGHTS = ["create pods", "create pods/exec", "create roles", "get nodes", "create namespaces"]
CONTENT = f"--selector=app.kubernetes.io/instance={RELEASE},pipeline/content"
WAIT = "--timeout=120s"

# What stands behind the worked example, without the example.
BACKING = changed(STAGING, services={}, entry={"service": "", "kind": "none"})
REDIS = changed(BACKING, backing={"redis": STAGING["backing"]["redis"]})


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """A cluster that knows all kinds that the chart may render."""
    cluster = start_cluster()
    for file in schemas.extensions():
        cluster.kubectl("apply", "--server-side", f"--filename={file}")
    return cluster


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace that lets in only what is hardened, for one test."""
    create_restricted(cluster, NAMESPACE)
    yield cluster
    cluster.kubectl("delete", "namespace", NAMESPACE)


@pytest.fixture(scope="module")
def empty(cluster: Cluster) -> Iterator[str]:
    """The name of such a namespace in which nothing is ever made."""
    name = f"{NAMESPACE}-empty"
    create_restricted(cluster, name)
    yield name
    cluster.kubectl("delete", "namespace", name)


def create_restricted(cluster: Cluster, name: str) -> None:
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl("label", "namespace", name, *RESTRICTED)


def helm(cluster: Cluster, *arguments: str, stdin: str = "") -> str:
    options = [IN_NAMESPACE, f"--kubeconfig={cluster.kubeconfig}"]
    return output_of("helm", *arguments, *options, stdin=stdin)


def upgrade(cluster: Cluster, stack: Values, *options: str) -> None:
    command = ["upgrade", "--install", RELEASE, str(CHART), "--values=-"]
    helm(cluster, *command, *options, stdin=json.dumps(stack))


def with_setting(value: str) -> Values:
    stack = copy.deepcopy(REDIS)
    stack["backing"]["redis"]["environment"] = {"SETTING": value}
    return stack


def content(cluster: Cluster) -> set[str]:
    """Names of what is named by its content."""
    found = cluster.get("configmaps,secrets", CONTENT, IN_NAMESPACE)["items"]
    return {each["metadata"]["name"] for each in found}


def setting(cluster: Cluster) -> str:
    """What the running pod has, once it is the one that is wanted."""
    cluster.kubectl("rollout", "status", "statefulset/redis", IN_NAMESPACE, WAIT)
    return cluster.kubectl("exec", "redis-0", IN_NAMESPACE, "--", "printenv", "SETTING")


@pytest.mark.parametrize("stack", values.ALL.values(), ids=list(values.ALL))
def test_a_restricted_namespace_lets_every_object_in(
    cluster: Cluster, empty: str, stack: Values
) -> None:
    objects = {"apiVersion": "v1", "kind": "List", "items": render(stack).objects}
    apply = ["apply", "--dry-run=server", "--warnings-as-errors", f"--namespace={empty}"]
    cluster.kubectl(*apply, given=objects)


def test_settings_outlive_upgrades_and_come_back_with_rollbacks(namespace: Cluster) -> None:
    upgrade(namespace, with_setting("first"))
    assert setting(namespace) == "first"
    (first,) = content(namespace)
    upgrade(namespace, with_setting("second"))
    both = content(namespace)
    assert first in both
    assert len(both) == 2
    assert setting(namespace) == "second"
    upgrade(namespace, with_setting("first"))
    assert setting(namespace) == "first"
    helm(namespace, "rollback", RELEASE, "2")
    assert setting(namespace) == "second"
    assert content(namespace) == both
    # Even what somebody took for garbage.
    namespace.kubectl("delete", "configmap", first, IN_NAMESPACE)
    helm(namespace, "rollback", RELEASE, "1")
    assert setting(namespace) == "first"


def test_a_release_without_a_change_restarts_nothing(namespace: Cluster) -> None:
    def pod() -> str:
        uid: str = namespace.get("pod/redis-0", IN_NAMESPACE)["metadata"]["uid"]
        return uid

    upgrade(namespace, with_setting("first"))
    assert setting(namespace) == "first"
    before = pod()
    upgrade(namespace, changed(with_setting("first"), version="2.0.0", revision="f" * 40))
    assert setting(namespace) == "first"
    assert pod() == before


def test_the_rights_of_the_deployer_are_enough(namespace: Cluster) -> None:
    install = ["install", "deployer", str(CHART), "--values=-"]
    helm(namespace, *install, stdin=json.dumps(values.DEPLOYER))
    # It is about the objects: no pod has to start for it.
    namespace.kubectl("create", "quota", "no-pods", "--hard=pods=0", IN_NAMESPACE)
    as_deployer = f"--kube-as-user={DEPLOYER}"
    everything = changed(values.VERTICAL, entry=values.GATEWAY["entry"])
    upgrade(namespace, everything, as_deployer)
    upgrade(namespace, changed(values.INGRESS, version="1.2.4"), as_deployer)
    helm(namespace, "rollback", RELEASE, "1", as_deployer)
    helm(namespace, "uninstall", RELEASE, as_deployer)


def test_the_deployer_has_no_other_rights(namespace: Cluster) -> None:
    install = ["install", "deployer", str(CHART), "--values=-"]
    helm(namespace, *install, stdin=json.dumps(values.DEPLOYER))
    for right in OTHER_RIGHTS:
        ask = ["auth", "can-i", *right.split(), f"--as={DEPLOYER}", IN_NAMESPACE]
        assert namespace.try_kubectl(*ask).stdout.strip() == "no", right


def test_databases_run_hardened(namespace: Cluster) -> None:
    upgrade(namespace, BACKING)
    for name in BACKING["backing"]:
        namespace.kubectl("rollout", "status", f"statefulset/{name}", IN_NAMESPACE, WAIT)
    ask = ["psql", "--username=engine", "--tuples-only", "--no-align", "--command=SELECT 1"]
    assert namespace.kubectl("exec", "postgres-0", IN_NAMESPACE, "--", *ask) == "1"
    write = ["redis-cli", "SET", "a", "b"]
    assert namespace.kubectl("exec", "redis-0", IN_NAMESPACE, "--", *write) == "OK"
