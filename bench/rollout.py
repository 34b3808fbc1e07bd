"""What users notice of an upgrade and the way back, at 200 requests a second.

Run with the engine up: `eval "$(python3 -m bootstrap start)" && python3 -m bench.rollout`.
vegeta keeps its connections, and shares two cores with the cluster and all that runs in it. The
first line is without any change, for comparison.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from pipeline.deploy.kubernetes.deployer import ChangeReason
from tests.chart.programs import PROGRAMS
from tests.cluster import start_cluster
from tests.conftest import PUSH, dagger_call
from tests.deploy.conftest import Release, images_of

RATE = 200
WHY = ChangeReason("a benchmark", "bench/rollout.py")
# With less time to answer, a busy machine alone makes failures.
PATIENT = "consciousness_engine.processing_timeout_ms=1000"
CHANGED = ["consciousness_engine.log_level=error", "api_gateway.log_level=error"]


@contextmanager
def users(release: Release, title: str, folder: Path) -> Iterator[None]:
    """Print what came of requests while something was done."""
    results = folder / title
    attack = [str(PROGRAMS / "vegeta"), "attack", f"-rate={RATE}", "-duration=120s"]
    with subprocess.Popen(
        [*attack, f"-output={results}", "-timeout=5s"], stdin=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write(f"GET {release.url}/api/v1/analyses\n")
        process.stdin.close()
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        process.terminate()
    command = [str(PROGRAMS / "vegeta"), "report", "-type=json", str(results)]
    seen = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    codes = ", ".join(f"{code}: {count}" for code, count in seen["status_codes"].items())
    slowest = seen["latencies"]["99th"] / 1e6
    print(f"{title:12} {seconds:5.1f} s  {codes}; 99 of 100 within {slowest:.0f} ms", flush=True)


async def main() -> int:
    """Deploy, then measure nothing, an upgrade and the way back."""
    called = dagger_call(*PUSH, "--format=json")
    if called.status != 0:
        print(called.progress[-2000:], file=sys.stderr)
        return 1
    cluster = start_cluster()
    os.environ["PATH"] = cluster.environment["PATH"]
    name = f"bench-{secrets.token_hex(4)}"
    release = Release(cluster, name, images_of(json.loads(called.output)))
    with TemporaryDirectory() as folder:
        try:
            await release.deploy("1.0.0", PATIENT)
            with users(release, "no change", Path(folder)):
                await anyio.sleep(20)
            with users(release, "upgrade", Path(folder)):
                await release.deploy("2.0.0", PATIENT, *CHANGED)
            with users(release, "way back", Path(folder)):
                await release.deployer().rollback(WHY)
        finally:
            cluster.kubectl("delete", "namespace", name, "--wait=false")
    return 0


if __name__ == "__main__":
    sys.exit(anyio.run(main))
