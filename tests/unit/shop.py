"""A small shop with all that a deployment asks: its cluster, Helm and kubectl, by a clock."""

import subprocess
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from pipeline.audit.trail import verified
from pipeline.catalogue.stack import Check
from pipeline.deploy.contents import Contents
from pipeline.deploy.kubernetes import admission, deployer, helm
from pipeline.deploy.kubernetes.audit_store import CONFIG_MAPS, RECORD
from pipeline.deploy.kubernetes.cluster import Cluster
from pipeline.deploy.kubernetes.deployer import ChangeReason, Deployer, Target, Tools
from pipeline.deploy.kubernetes.lease import LEASES, ReleaseRecord, held_until, memory_of
from pipeline.deploy.kubernetes.rollout import Limits
from pipeline.report.deployment import DeploymentSummary
from tests.unit.cluster_stand_in import ClusterStandIn
from tests.unit.helm_stand_in import HelmStandIn
from tests.unit.virtual_time import run

Json = dict[str, Any]
T = TypeVar("T")
WHY = ChangeReason("a test", "here")
LIMITS = Limits(
    bake=1, health_timeout=15, rollback_timeout=60, max_error_percent=1, max_latency_ms=200
)
CHECKS = [
    Check(path="/health/live"),
    Check(method="POST", path="/texts", body={"text": "a"}, status=[201]),
]
IMAGE = "registry.example/{}@sha256:" + "a" * 64
DATABASE = {"image": "postgres:17"}


def service(name: str, **changes: Any) -> Json:
    """Give a service's values."""
    replicas = {"min": 1, "max": 1}
    environment = {"LEVEL": "info"}
    return {
        "image": IMAGE.format(name),
        "environment": environment,
        "replicas": replicas,
    } | changes


def values(version: str, **services: Json) -> Json:
    """Give the values of a version: two services and a database, or what is said of them."""
    every = {"web": service("web"), "api": service("api"), "postgres": DATABASE} | services
    there = {name: each for name, each in every.items() if each}
    backing = {name: there.pop(name) for name in ["postgres"] if name in there}
    return {"version": version, "services": there, "backing": backing}


@dataclass
class Shop:
    """One environment of it."""

    cluster: ClusterStandIn = field(default_factory=ClusterStandIn)
    helm: HelmStandIn = field(init=False)
    limits: Limits = LIMITS
    url: str = ""
    refusal: str = ""
    dry_runs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.helm = HelmStandIn(self.cluster)

    def copied(self) -> "Shop":
        """Give another one that is as this one is now."""
        copy = Shop(self.cluster.copied(), self.limits)
        copy.helm.history = [*self.helm.history]
        return copy

    def deployer(self) -> Deployer:
        """Give what deploys it."""
        target = Target("staging", "shop", "web", 8080, self.url, CHECKS, self.limits)
        return Deployer(Tools(Path("helm"), Path("kubectl"), Path("chart")), target, "kubeconfig")

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something with the deployer, from beginning to end."""
        with (
            mock.patch.object(helm, "call", self._called),
            mock.patch.object(admission, "call", self._called),
            mock.patch.object(deployer, "connect", self._connected),
        ):
            return run(self.cluster.clock, work)

    def deploy(self, version: str, **services: Json) -> DeploymentSummary:
        """Deploy a version."""
        return self.do(self.deploying(version, **services))

    async def deploying(self, version: str, **services: Json) -> DeploymentSummary:
        """Deploy a version, at some time."""
        contents = Contents(version=version, revision="abc", images={"web": IMAGE.format("web")})
        return await self.deployer().deploy(values(version, **services), contents, WHY)

    def rollback(self) -> DeploymentSummary:
        """Go back."""
        return self.do(self.deployer().rollback(WHY))

    def resume(self) -> DeploymentSummary:
        """Finish what was interrupted."""
        return self.do(self.deployer().resume(WHY))

    def status(self) -> DeploymentSummary:
        """Look at it."""
        return self.do(self.deployer().status())

    def trail(self) -> list[tuple[str, str, str]]:
        """Give the audit trail, once it is verified: action, version and outcome of each record."""
        found = self.cluster.listed(self.cluster.reached().path(CONFIG_MAPS))
        kept = {each["metadata"]["name"]: each for each in found if RECORD in each["data"]}
        records = verified([kept[name]["data"][RECORD] for name in sorted(kept)])
        return [(record.action, record.what, record.outcome) for record in records]

    @property
    def lease(self) -> Json:
        """The Lease as it is."""
        return self.cluster.objects[self.cluster.reached().path(LEASES, "shop-deployment")]

    @property
    def memory(self) -> ReleaseRecord:
        """What is remembered."""
        return memory_of(self.lease)

    @property
    def is_free(self) -> bool:
        """Whether the next one may deploy at once."""
        return held_until(self.lease, self.cluster.reached().now()) is None

    def running(self) -> dict[str, list[str]]:
        """Give the pods that are there by workload, by their names, which none gets twice."""
        found = self.cluster.running()
        return {name: sorted(born.name for born in alive) for name, alive in found.items()}

    async def _called(
        self, program: Path, arguments: Sequence[str], given: str, kubeconfig: int | None
    ) -> subprocess.CompletedProcess[bytes]:
        assert kubeconfig is not None
        if program.name == "helm":
            return await self.helm.called(arguments, given)
        assert (program.name, arguments[0]) == ("kubectl", "apply")
        assert {"--dry-run=server", "--namespace=shop", "--filename=-"} <= set(arguments)
        self.dry_runs.append(given)
        status = 1 if self.refusal.startswith("Error") else 0
        return subprocess.CompletedProcess([], status, b"", self.refusal.encode())

    @asynccontextmanager
    async def _connected(self, kubectl: Path, _: int, namespace: str) -> AsyncIterator[Cluster]:
        assert (kubectl.name, namespace) == ("kubectl", "shop")
        cluster = self.cluster.reached()
        async with cluster.client:
            yield cluster
