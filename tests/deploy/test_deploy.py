"""Deployments to a real cluster: up, upgraded, back; and what fails leaves all as it was.

Only a cluster shows that users notice nothing, that the API server keeps and refuses what the
stand-in of tests/unit does, and what Kubernetes really says of an image that isn't there, of a
migration's log and of memory. All else that goes wrong is tests/unit/test_deploy_broken.py's.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from pipeline.deploy.kubernetes.admission import RefusedError
from pipeline.deploy.kubernetes.deployer import ChangeReason
from pipeline.deploy.kubernetes.rollout import RolledBackError
from tests.deploy.conftest import Release

WHY = ChangeReason("a test", "here")
# What a report of a failure says of its times.
TIMES = re.compile(r"Seen after ([0-9.]+) s, restored in ([0-9.]+) s")


@dataclass
class Load:
    """Requests of one user after the other, while something happens."""

    asked: int = 0
    failed: list[str] = field(default_factory=list)


@contextmanager
def load(release: Release) -> Iterator[Load]:
    """Ask the entry all the time, each request on a connection of its own."""
    seen, over = Load(), Event()

    def ask() -> None:
        while not over.is_set():
            seen.asked += 1
            try:
                # Other tests may keep the machine busy: late is not failed.
                answer = httpx.get(f"{release.url}/api/v1/analyses", timeout=30)
                if answer.status_code != httpx.codes.OK:
                    seen.failed.append(f"{answer.status_code}: {answer.text}")
            except httpx.TransportError as error:
                seen.failed.append(repr(error))

    thread = Thread(target=ask)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
    assert seen.asked > 20


async def test_a_first_deployment_an_upgrade_and_the_way_back(standing: Release) -> None:
    first = await standing.deployer().status()
    assert (first.version, first.healthy) == ("1.0.0", True)
    assert standing.is_whole()
    before = standing.running()
    level = "API_GATEWAY_LOG_LEVEL"
    with load(standing) as seen:
        second = await standing.deploy("2.0.0", "api_gateway.log_level=debug")
        assert (second.version, second.revision) == ("2.0.0", first.revision + 1)
        [pod, *_] = alive(standing, "api-gateway")
        assert variable(standing, pod, level) == "debug"
        # What nothing reads any more is gone.
        assert len(standing.get("configmaps", "--selector=pipeline/content")["items"]) == 3
        back = await standing.deployer().rollback(WHY)
    assert (back.version, back.healthy) == ("1.0.0", True)
    assert (seen.failed, standing.running()) == ([], before)
    [pod, *_] = alive(standing, "api-gateway")
    assert variable(standing, pod, level) == "info"
    trail = await standing.deployer().audit()
    told = [(record.action, record.what, record.outcome) for record in trail]
    assert told[:2] == [("deploy", "1.0.0", "started"), ("deploy", "1.0.0", "succeeded")]
    assert told[-4:] == [
        ("deploy", "2.0.0", "started"),
        ("deploy", "2.0.0", "succeeded"),
        ("rollback", "1.0.0", "started"),
        ("rollback", "1.0.0", "succeeded"),
    ]
    assert trail[0].digests["proxy"] == standing.images["proxy"].rpartition("@")[2]


def alive(release: Release, service: str) -> list[dict[str, object]]:
    """Pods of a service that are not about to end."""
    pods = release.get("pods", f"--selector=app.kubernetes.io/name={service}")["items"]
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def variable(release: Release, pod: dict[str, object], name: str) -> str:
    """Read what a pod's ConfigMap says of a variable."""
    spec = pod["spec"]
    assert isinstance(spec, dict)
    [container] = spec["containers"]
    maps = [each["configMapRef"]["name"] for each in container["envFrom"] if "configMapRef" in each]
    values = [release.get("configmap", each)["data"].get(name) for each in maps]
    return next(value for value in values if value is not None)


NO_IMAGE = "10.99.0.1:5001/pipeline/api-gateway@sha256:" + "0" * 64
WRONG_PASSWORD = "postgres://engine:wrong@postgres:5432/engine"
BROKEN: dict[str, tuple[dict[str, dict[str, Any]], str]] = {
    "an image that doesn't exist": ({"api_gateway": {"image": NO_IMAGE}}, r"image can't be pulled"),
    "a migration that fails": (
        {"consciousness_engine": {"secrets": {"DATABASE_URL": WRONG_PASSWORD}}},
        r"migrate.*password authentication failed",
    ),
    "out of memory": ({}, r"runs out of memory \(limit 64Mi\)"),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_release_is_taken_back_with_its_reason(
    standing: Release, kind: str, greedy: str
) -> None:
    changes, reason = BROKEN[kind]
    if kind == "out of memory":
        changes = {"web_ui": {"image": greedy}}
    version = (await standing.deployer().status()).version
    before = standing.running()
    with load(standing) as seen, pytest.raises(RolledBackError) as caught:
        await standing.deploy("2.0.0", **changes)
    message = str(caught.value)
    assert re.search(reason, message, re.DOTALL), message
    times = TIMES.search(message)
    assert times is not None
    detection, restoration = float(times[1]), float(times[2])
    assert detection < 20
    assert restoration < 15
    assert standing.running() == before
    assert seen.failed == []
    assert standing.is_whole()
    status = await standing.deployer().status()
    assert (status.version, status.healthy) == (version, True)
    trail = await standing.deployer().audit()
    assert (trail[-1].what, trail[-1].outcome) == ("2.0.0", "rolled-back")


async def test_the_first_deployment_of_all_is_taken_back_to_nothing(release: Release) -> None:
    with pytest.raises(RolledBackError, match="there is nothing, as before the first one"):
        await release.deploy("1.0.0", api_gateway={"image": NO_IMAGE})
    assert release.get("deployments,services")["items"] == []
    assert release.get("secrets", "--selector=pipeline/content")["items"] == []


MORE_THAN_MAY_BE = {
    "limits": {"cpu": "100m", "memory": "64Mi"},
    "requests": {"cpu": "200m", "memory": "64Mi"},
}


async def test_what_the_cluster_refuses_changes_nothing(standing: Release) -> None:
    version = (await standing.deployer().status()).version
    with pytest.raises(RefusedError, match="nothing was changed"):
        await standing.deploy("2.0.0", web_ui={"resources": MORE_THAN_MAY_BE})
    assert (await standing.deployer().status()).version == version
