"""Deployments to a real cluster: up, upgraded, back; and what fails leaves all as it was."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from pipeline.deploy.admission import RefusedError
from pipeline.deploy.deployer import Deployer, Motive, NothingToDoError, Session
from pipeline.deploy.lease import BusyError, Memory
from pipeline.deploy.rollout import RolledBackError
from tests.deploy.conftest import Release

WHY = Motive("a test", "here")
# What a report of a failure says of its times.
TIMES = re.compile(r"Seen after ([0-9.]+) s, restored in ([0-9.]+) s")


@dataclass
class Load:
    """Requests of one user after the other, while something happens."""

    asked: int = 0
    failed: int = 0


@contextmanager
def load(release: Release) -> Iterator[Load]:
    """Ask the entry all the time, each request on a connection of its own."""
    seen, over = Load(), Event()

    def ask() -> None:
        while not over.is_set():
            seen.asked += 1
            try:
                answer = httpx.get(f"{release.url}/api/v1/analyses", timeout=5)
                seen.failed += answer.status_code != httpx.codes.OK
            except httpx.TransportError:
                seen.failed += 1

    thread = Thread(target=ask)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
    assert seen.asked > 20


async def test_a_first_deployment_an_upgrade_and_the_way_back(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await release.deploy("1.0.0")
    assert (first.version, first.healthy, first.revision) == ("1.0.0", True, 1)
    assert release.is_whole()
    with pytest.raises(NothingToDoError, match="only one was ever healthy"):
        await release.deployer().rollback(WHY)
    with pytest.raises(NothingToDoError, match="nothing to resume"):
        await release.deployer().resume(WHY)
    before = release.running()
    level = "API_GATEWAY_LOG_LEVEL"
    with load(release) as seen:
        second = await release.deploy("2.0.0", "api_gateway.log_level=debug")
        assert second.version == "2.0.0"
        [pod, *_] = alive(release, "api-gateway")
        assert variable(release, pod, level) == "debug"
        # What nothing reads any more is gone.
        assert len(release.get("configmaps", "--selector=pipeline/content")["items"]) == 3
        back = await release.deployer().rollback(WHY)
    assert (back.version, back.healthy) == ("1.0.0", True)
    assert (seen.failed, release.running()) == (0, before)
    [pod, *_] = alive(release, "api-gateway")
    assert variable(release, pod, level) == "info"
    trail = await release.deployer().audit()
    assert [(record.action, record.what, record.outcome) for record in trail] == [
        ("deploy", "1.0.0", "started"),
        ("deploy", "1.0.0", "succeeded"),
        ("deploy", "2.0.0", "started"),
        ("deploy", "2.0.0", "succeeded"),
        ("rollback", "1.0.0", "started"),
        ("rollback", "1.0.0", "succeeded"),
    ]
    assert trail[0].digests["proxy"] == release.images["proxy"].rpartition("@")[2]
    read = Deployer._memory

    async def out_of_date(deployer: Deployer, session: Session) -> Memory:
        memory = await read(deployer, session)
        return memory.model_copy(update={"good": memory.good[::-1]})

    monkeypatch.setattr(Deployer, "_memory", out_of_date)
    with pytest.raises(BusyError, match=r"Another run changed .* just now, so nothing was done"):
        await release.deployer().rollback(WHY)
    assert (release.running(), len(await release.deployer().audit())) == (before, len(trail))


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


async def test_what_does_not_change_is_not_started_anew(standing: Release) -> None:
    pods = {pod["metadata"]["uid"] for pod in standing.get("pods")["items"]}
    again = await standing.deploy("1.0.1")
    assert again.version == "1.0.1"
    assert {pod["metadata"]["uid"] for pod in standing.get("pods")["items"]} == pods


NO_IMAGE = "10.99.0.1:5001/pipeline/api-gateway@sha256:" + "0" * 64
WRONG_PASSWORD = "postgres://engine:wrong@postgres:5432/engine"
WRONG_SETTINGS = {"environment": {"API_GATEWAY_ENGINE_TIMEOUT_MS": "soon"}}
BROKEN: dict[str, tuple[dict[str, dict[str, Any]], str]] = {
    "an image that doesn't exist": ({"api_gateway": {"image": NO_IMAGE}}, r"image can't be pulled"),
    "wrong configuration": ({"api_gateway": WRONG_SETTINGS}, r"ENGINE_TIMEOUT_MS.*expected"),
    "a crash at start": ({"web_ui": {"image": "crashing"}}, r"crashes at start .*\n +lost"),
    "a migration that fails": (
        {"consciousness_engine": {"secrets": {"DATABASE_URL": WRONG_PASSWORD}}},
        r"migrate.*password authentication failed",
    ),
    "out of memory": ({"web_ui": {"image": "greedy"}}, r"runs out of memory \(limit 64Mi\)"),
    "never ready": (
        {"api_gateway": {"environment": {"API_GATEWAY_ENGINE_URL": "http://redis:6379"}}},
        r"isn't there after|readiness",
    ),
    "no room": (
        {
            "web_ui": {
                "resources": {
                    "limits": {"cpu": "64", "memory": "64Mi"},
                    "requests": {"cpu": "64", "memory": "64Mi"},
                }
            }
        },
        r"node|cpu",
    ),
}


# What Kubernetes itself doesn't know for certain at once.
SLOW = {"never ready", "no room"}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_release_is_taken_back_with_its_reason(
    standing: Release, kind: str, broken_images: dict[str, str]
) -> None:
    broken, reason = BROKEN[kind]
    changes = {
        service: {key: broken_images.get(str(value), value) for key, value in change.items()}
        for service, change in broken.items()
    }
    version = (await standing.deployer().status()).version
    before = standing.running()
    with load(standing) as seen, pytest.raises(RolledBackError) as caught:
        await standing.deploy("2.0.0", **changes)
    message = str(caught.value)
    assert re.search(reason, message, re.DOTALL), message
    times = TIMES.search(message)
    assert times is not None
    detection, restoration = float(times[1]), float(times[2])
    assert detection < (45 if kind in SLOW else 20)
    assert restoration < 15
    assert standing.running() == before
    assert seen.failed == 0
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
    assert (await release.deploy("1.0.1")).healthy


MORE_THAN_MAY_BE = {
    "limits": {"cpu": "100m", "memory": "64Mi"},
    "requests": {"cpu": "200m", "memory": "64Mi"},
}


async def test_what_the_cluster_refuses_changes_nothing(standing: Release) -> None:
    version = (await standing.deployer().status()).version
    with pytest.raises(RefusedError, match="nothing was changed"):
        await standing.deploy("2.0.0", web_ui={"resources": MORE_THAN_MAY_BE})
    assert (await standing.deployer().status()).version == version
