"""A deployment that is killed at any moment: the next call gets to a whole old or new one."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import cycle

import anyio
import pytest

from pipeline.deploy.deployer import Motive, NothingToDoError
from tests.deploy.conftest import Release
from tests.unit.configs import ROOT

WHY = Motive("a test", "here")
NEW = ["consciousness_engine.quality_threshold=0.91", "api_gateway.log_level=debug"]


def started(release: Release, version: str, flags: list[str]) -> subprocess.Popen[str]:
    """Begin a deployment in a process group of its own."""
    said = {
        "kubeconfig": str(release.cluster.kubeconfig),
        "path": os.environ["PATH"],
        "name": release.name,
        "images": release.images,
        "password": release.password,
        "version": version,
        "flags": flags,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.deploy.run"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/src:{ROOT}"},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(said))
    process.stdin.close()
    return process


def settings(release: Release) -> set[str]:
    """What the pods that are there are set to, by the names of their ConfigMaps."""
    return {
        each["configMapRef"]["name"]
        for pod in release.get("pods")["items"]
        if "deletionTimestamp" not in pod["metadata"]
        for container in pod["spec"]["containers"]
        for each in container.get("envFrom", [])
        if "configMapRef" in each
    }


async def test_killed_at_any_point(release: Release, request: pytest.FixtureRequest) -> None:
    points: int = request.config.getoption("--kill-points")
    await release.deploy("1.0.0")
    old = settings(release)
    began = time.monotonic()
    await release.deploy("2.0.0", *NEW)
    seconds = time.monotonic() - began
    new = settings(release)
    assert old != new
    await release.deployer().rollback(WHY)
    assert settings(release) == old
    ways = cycle(["rollback", "resume", "deploy"])
    for point, way in zip(range(1, points + 1), ways, strict=False):
        process = started(release, f"3.0.{point}", NEW)
        await anyio.sleep(seconds * point / points)  # this is what is tested: any moment
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # There is nothing to do when it was killed before it began, or when all was over.
        with suppress(NothingToDoError):
            if way == "deploy":
                await release.deploy(f"4.0.{point}", *NEW)
            else:
                await getattr(release.deployer(), way)(WHY)
        status = await release.deployer().status()
        assert status.healthy, status
        assert settings(release) in (old, new)
        assert release.is_whole()
        await release.deploy("1.0.0")
        assert settings(release) == old
