"""A deployment that is killed: what is left of its process, of Helm and its records is finished.

Only a cluster shows what a real SIGKILL leaves. Every moment and each way on from it are
tests/unit/test_deploy_killed.py's.
"""

import json
import os
import signal
import subprocess
import sys

import anyio

from pipeline.deploy.kubernetes.deployer import ChangeReason
from pipeline.deploy.kubernetes.lease import MEMORY, lease_name
from tests.deploy.conftest import Release
from tests.unit.configs import ROOT

WHY = ChangeReason("a test", "here")
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


async def applied(release: Release) -> None:
    """Wait until the Lease remembers that Helm is done, and new pods have yet to come up."""
    with anyio.fail_after(60):
        phase = ""
        while phase != "applied":
            await anyio.sleep(0.1)
            lease = release.get("lease", lease_name(release.name))
            memory = json.loads(lease["metadata"]["annotations"][MEMORY])
            phase = (memory["trial"] or {}).get("phase", "")


async def test_a_killed_deployment_is_resumed(standing: Release) -> None:
    old = settings(standing)
    process = started(standing, "2.0.0", NEW)
    await applied(standing)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    resumed = await standing.deployer().resume(WHY)
    assert (resumed.version, resumed.healthy) == ("2.0.0", True)
    # The engine and the gateway start from others, and from those alone.
    assert len(settings(standing) - old) == 2
    assert len(settings(standing)) == len(old)
    assert standing.is_whole()
    assert (await standing.deployer().rollback(WHY)).version == "1.0.0"
    assert settings(standing) == old
