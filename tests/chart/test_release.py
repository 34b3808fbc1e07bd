"""The chart on a cluster: what Kubernetes lets in, what Helm makes of upgrades and rollbacks."""

import copy
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.chart import schemas, values
from tests.chart.programs import output_of
from tests.chart.rendered import CHART, RELEASE, render
from tests.chart.values import STAGING, Values, changed
from tests.cluster import Cluster

RESTRICTED = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]
OTHER_RIGHTS = ["create pods", "create pods/exec", "create roles", "get nodes", "create namespaces"]
CONTENT = f"--selector=app.kubernetes.io/instance={RELEASE},pipeline/content"
WAIT = "--timeout=120s"

# What stands behind the worked example, without the example.
BACKING = changed(STAGING, services={}, entry={"service": "", "kind": "none"})
REDIS = changed(BACKING, backing={"redis": STAGING["backing"]["redis"]})


@dataclass(frozen=True)
class Namespace:
    """A namespace that lets in only what is hardened."""

    cluster: Cluster
    name: str

    def kubectl(self, *arguments: str, given: object = None) -> str:
        """Run a command in it."""
        return self.cluster.kubectl(f"--namespace={self.name}", *arguments, given=given)

    def helm(self, *arguments: str, stdin: str = "") -> str:
        """Run Helm in it."""
        options = [f"--namespace={self.name}", f"--kubeconfig={self.cluster.kubeconfig}"]
        return output_of("helm", *arguments, *options, stdin=stdin)

    def upgrade(self, stack: Values, *options: str) -> None:
        """Install the chart, or upgrade to these values."""
        command = ["upgrade", "--install", RELEASE, str(CHART), "--values=-"]
        self.helm(*command, *options, stdin=json.dumps(stack))

    def wait_for(self, *names: str) -> None:
        """Wait for databases."""
        for name in names:
            self.kubectl("rollout", "status", f"statefulset/{name}", WAIT)

    def setting(self) -> str:
        """What the running pod has, once it is the one that is wanted."""
        self.wait_for("redis")
        return self.kubectl("exec", "redis-0", "--", "printenv", "SETTING")

    def content(self) -> set[str]:
        """Names of what is named by its content."""
        return set(self.kubectl("get", "configmaps,secrets", CONTENT, "--output=name").split())

    def pods(self) -> str:
        """What tells apart pods of one name."""
        return self.kubectl("get", "pods", "--output=jsonpath={.items[*].metadata.uid}")


@pytest.fixture(scope="module")
def cluster(cluster: Cluster) -> Cluster:
    """A cluster that knows all kinds that the chart may render."""
    for file in schemas.extensions():
        cluster.kubectl("apply", "--server-side", f"--filename={file}")
    return cluster


@contextmanager
def restricted(cluster: Cluster) -> Iterator[Namespace]:
    """Such a namespace, for a while."""
    namespace = Namespace(cluster, f"chart-{secrets.token_hex(4)}")
    cluster.kubectl("create", "namespace", namespace.name)
    cluster.kubectl("label", "namespace", namespace.name, *RESTRICTED)
    yield namespace
    cluster.kubectl("delete", "namespace", namespace.name, "--wait=false")


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """One for one test."""
    with restricted(cluster) as namespace:
        yield namespace


@pytest.fixture(scope="module")
def empty(cluster: Cluster) -> Iterator[Namespace]:
    """One in which nothing is ever made."""
    with restricted(cluster) as namespace:
        yield namespace


@pytest.fixture(scope="module")
def deployer(cluster: Cluster) -> Iterator[Namespace]:
    """One that has an account that may deploy."""
    with restricted(cluster) as namespace:
        install = ["install", "deployer", str(CHART), "--values=-"]
        namespace.helm(*install, stdin=json.dumps(values.DEPLOYER))
        yield namespace


@pytest.fixture(scope="module")
def databases(cluster: Cluster) -> Iterator[Namespace]:
    """One in which they run."""
    with restricted(cluster) as namespace:
        namespace.upgrade(BACKING)
        namespace.wait_for(*BACKING["backing"])
        yield namespace


def with_setting(value: str) -> Values:
    stack = copy.deepcopy(REDIS)
    stack["backing"]["redis"]["environment"] = {"SETTING": value}
    return stack


def account(namespace: Namespace) -> str:
    """Name of the account that may deploy, as the cluster knows it."""
    return f"system:serviceaccount:{namespace.name}:deployer"


@pytest.mark.parametrize("stack", values.ALL.values(), ids=list(values.ALL))
def test_a_restricted_namespace_lets_every_object_in(empty: Namespace, stack: Values) -> None:
    objects = {"apiVersion": "v1", "kind": "List", "items": render(stack).objects}
    empty.kubectl("apply", "--dry-run=server", "--warnings-as-errors", given=objects)


def test_settings_outlive_upgrades_and_come_back_with_rollbacks(namespace: Namespace) -> None:
    namespace.upgrade(with_setting("first"))
    assert namespace.setting() == "first"
    (first,) = namespace.content()
    namespace.upgrade(with_setting("second"))
    both = namespace.content()
    assert first in both
    assert len(both) == 2
    assert namespace.setting() == "second"
    namespace.upgrade(with_setting("first"))
    assert namespace.setting() == "first"
    namespace.helm("rollback", RELEASE, "2")
    assert namespace.setting() == "second"
    assert namespace.content() == both
    # Even what somebody took for garbage.
    namespace.kubectl("delete", first)
    namespace.helm("rollback", RELEASE, "1")
    assert namespace.setting() == "first"


def test_a_release_without_a_change_restarts_nothing(databases: Namespace) -> None:
    before = databases.pods()
    databases.upgrade(changed(BACKING, version="2.0.0", revision="f" * 40))
    databases.wait_for(*BACKING["backing"])
    assert databases.pods() == before


def test_the_rights_of_the_deployer_are_enough(deployer: Namespace) -> None:
    # It is about the objects: no pod has to start for it.
    deployer.kubectl("create", "quota", "no-pods", "--hard=pods=0")
    as_deployer = f"--kube-as-user={account(deployer)}"
    everything = changed(values.VERTICAL, entry=values.GATEWAY["entry"])
    deployer.upgrade(everything, as_deployer)
    deployer.upgrade(changed(values.INGRESS, version="1.2.4"), as_deployer)
    deployer.helm("rollback", RELEASE, "1", as_deployer)
    deployer.helm("uninstall", RELEASE, as_deployer)


def test_the_deployer_has_no_other_rights(deployer: Namespace) -> None:
    for right in OTHER_RIGHTS:
        ask = ["auth", "can-i", *right.split(), f"--as={account(deployer)}"]
        answer = deployer.cluster.try_kubectl(f"--namespace={deployer.name}", *ask)
        assert answer.stdout.strip() == "no", right


def test_databases_run_hardened(databases: Namespace) -> None:
    ask = ["psql", "--username=engine", "--tuples-only", "--no-align", "--command=SELECT 1"]
    assert databases.kubectl("exec", "postgres-0", "--", *ask) == "1"
    write = ["redis-cli", "SET", "a", "b"]
    assert databases.kubectl("exec", "redis-0", "--", *write) == "OK"
