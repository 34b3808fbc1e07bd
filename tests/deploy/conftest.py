"""The worked example's published images, deployed to the cluster that is set up here."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import dagger
import httpx
import pytest
from dagger import dag

from pipeline.catalogue.catalogue import load_services
from pipeline.catalogue.stack import load_stack
from pipeline.config.resolve import Overlays
from pipeline.deploy.contents import Contents
from pipeline.deploy.kubernetes.deployer import ChangeReason, Deployer, Target, Tools
from pipeline.deploy.kubernetes.health import checks_of
from pipeline.deploy.kubernetes.rollout import Limits
from pipeline.deploy.kubernetes.values import chart_values
from pipeline.registry.reference import by_digest
from pipeline.report.deployment import DeploymentSummary
from tests.chart.programs import PROGRAMS
from tests.cluster import Cluster
from tests.unit.configs import ROOT, example, read

# A small part of two cores is enough for every replica, of two versions at a time.
FLAGS = ["performance.cpu_request_percent=2", "deployment.bake_seconds=4"]
LIMITS = Limits(
    bake=4, health_timeout=15, rollback_timeout=60, max_error_percent=1, max_latency_ms=2000
)


@dataclass
class Release:
    """A release of the worked example in a namespace of its own."""

    cluster: Cluster
    name: str
    images: dict[str, str]
    environment: str = "staging"
    limits: Limits = LIMITS
    password: str = field(default_factory=lambda: secrets.token_hex(16))

    def values(self, version: str, *flags: str) -> tuple[dict[str, Any], Contents]:
        """Give the chart's values of a version, and what is in it."""
        entries = load_services(read("services/*/service.yml"))
        names = [entry.service.name for entry in entries]
        stack = load_stack((ROOT / "config/stack.yml").read_text(), names)
        overlays = Overlays("", [*FLAGS, *flags])
        configuration = example(self.environment, overlays).one(self.environment)
        contents = Contents(version=version, revision="abc", images=self.images)
        url = f"postgres://engine:{self.password}@postgres:5432/engine"
        opened = {"consciousness-engine": {"DATABASE_URL": url}}
        return chart_values(configuration, stack, entries, contents, opened), contents

    def deployer(self) -> Deployer:
        """Give what deploys it."""
        stack = load_stack((ROOT / "config/stack.yml").read_text(), list(self.images))
        checks = checks_of("/health/live", stack.ready, stack.checks)
        target = Target(self.environment, self.name, "proxy", 8080, "", checks, self.limits)
        tools = Tools(PROGRAMS / "helm", PROGRAMS / "kubectl", ROOT / "deploy/chart")
        return Deployer(tools, target, self.cluster.kubeconfig.read_text())

    async def deploy(self, version: str, *flags: str, **changes: Any) -> DeploymentSummary:
        """Deploy a version; `changes` are laid over the values of the services, by name."""
        values, contents = self.values(version, *flags)
        for service, change in changes.items():
            values["services"][service.replace("_", "-")] |= change
        return await self.deployer().deploy(values, contents, ChangeReason("a test", "here"))

    @property
    def url(self) -> str:
        """Where its entry answers on this machine."""
        address = self.get("service", "proxy")["spec"]["clusterIP"]
        return f"http://{address}:8080"

    def get(self, *arguments: str) -> dict[str, Any]:
        """Give an object of the release as Kubernetes has it."""
        return self.cluster.get(f"--namespace={self.name}", *arguments)

    def kubectl(self, *arguments: str) -> str:
        """Run a command in the release's namespace."""
        return self.cluster.kubectl(f"--namespace={self.name}", *arguments)

    def running(self) -> dict[str, set[str]]:
        """Give what runs: service → images of the pods that are not about to end."""
        found: dict[str, set[str]] = {}
        for pod in self.get("pods")["items"]:
            if "deletionTimestamp" not in pod["metadata"]:
                name = pod["metadata"]["labels"]["app.kubernetes.io/name"]
                found.setdefault(name, set()).add(pod["spec"]["containers"][0]["image"])
        return found

    def is_whole(self) -> bool:
        """Whether the entry does what it is for."""
        text = f"The river carries melted snow to the valley. It floods {secrets.token_hex(4)}."
        answer = httpx.post(f"{self.url}/api/v1/analyses", json={"text": text})
        return answer.status_code in {200, 201, 422}


def images_of(published: dict[str, Any]) -> dict[str, str]:
    """Give the reference by digest of each service's image, of what the main job said."""
    return {image["service"]: by_digest(image["references"][0]) for image in published["images"]}


@contextmanager
def namespace(cluster: Cluster, published: dict[str, Any]) -> Iterator[Release]:
    """A namespace of its own, with the published images to deploy there."""
    name = f"test-{secrets.token_hex(4)}"
    try:
        yield Release(cluster, name, images_of(published))
    finally:
        cluster.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


@pytest.fixture
def release(cluster: Cluster, published: dict[str, Any]) -> Iterator[Release]:
    """A release that one test has for itself; nothing is deployed yet."""
    with namespace(cluster, published) as release:
        yield release


@pytest.fixture(scope="session")
async def standing(cluster: Cluster, published: dict[str, Any]) -> AsyncIterator[Release]:
    """A healthy release for all tests that leave it as it was, which is what they are about."""
    with namespace(cluster, published) as release:
        await release.deploy("1.0.0")
        yield release


def with_limits(release: Release, **changes: Any) -> Release:
    """Give a release with other limits."""
    return replace(release, limits=replace(release.limits, **changes))


async def pushed(name: str, container: dagger.Container, images: dict[str, str]) -> str:
    """Put an image into the registry where the others are; gives its reference by digest."""
    address = images["proxy"].partition("/")[0]
    reference = await container.publish(f"{address}/tests/{name}:latest")
    return f"{address}/tests/{name}@{reference.rpartition('@')[2]}"


@pytest.fixture(scope="session")
async def greedy(published: dict[str, Any]) -> str:
    """An image that takes all the memory that it gets, in the registry."""
    async with dagger.connection(dagger.Config()):
        container = dag.container(platform=dagger.Platform("linux/amd64"))
        base = container.from_("debian:trixie-slim")
        takes_all = base.with_entrypoint(["tail", "/dev/zero"])
        return await pushed("greedy", takes_all, images_of(published))
