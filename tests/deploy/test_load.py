"""Users meanwhile: at 200 requests a second nobody notices an upgrade, or the way back."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagger
import pytest
from dagger import dag

from pipeline.deploy.deployer import Motive
from pipeline.deploy.rollout import RolledBackError
from tests.chart.programs import PROGRAMS
from tests.deploy.conftest import Release, pushed, with_limits
from tests.unit.configs import ROOT

RATE = 200
LONGEST = "180s"
WHY = Motive("a test", "here")
# Users, services, databases and cluster share two cores here: an answer may take its time.
PATIENT = "consciousness_engine.processing_timeout_ms=1000"


@dataclass
class Report:
    """What vegeta saw, once it is over."""

    seen: dict[str, Any] = field(default_factory=dict)


@contextmanager
def vegeta(release: Release, folder: Path) -> Iterator[Report]:
    """Ask the entry 200 times a second, while something happens."""
    results, report = folder / "results", Report()
    attack = [str(PROGRAMS / "vegeta"), "attack", f"-rate={RATE}", f"-duration={LONGEST}"]
    with subprocess.Popen(
        [*attack, f"-output={results}", "-timeout=5s"], stdin=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write(f"GET {release.url}/api/v1/analyses\n")
        process.stdin.close()
        try:
            yield report
        finally:
            process.terminate()
    command = [str(PROGRAMS / "vegeta"), "report", "-type=json", str(results)]
    report.seen = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


async def test_nobody_notices_an_upgrade_and_the_way_back(release: Release, tmp_path: Path) -> None:
    await release.deploy("1.0.0", PATIENT)
    with vegeta(release, tmp_path) as report:
        await release.deploy(
            "2.0.0", PATIENT, "consciousness_engine.log_level=error", "api_gateway.log_level=error"
        )
        await release.deployer().rollback(WHY)
    assert report.seen["requests"] > 10 * RATE
    assert report.seen["status_codes"] == {"200": report.seen["requests"]}, report.seen


@pytest.fixture
async def faulty(release: Release) -> str:
    """The entry's image, changed so that every fifth answer is an error, in the registry."""
    text = (ROOT / "services/proxy/nginx.conf").read_text()
    text = text.replace(
        "    server {\n",
        '    split_clients $request_id $fails { 20% 1; * ""; }\n    server {\n'
        "        if ($fails) { return 500; }\n",
        1,
    )
    async with dagger.connection(dagger.Config()):
        container = dag.container(platform=dagger.Platform("linux/amd64"))
        failing = container.from_(release.images["proxy"]).with_new_file(
            "/etc/nginx/nginx.conf", text, permissions=0o644
        )
        return await pushed("faulty", failing, release)


async def test_healthy_but_every_fifth_answer_is_an_error(release: Release, faulty: str) -> None:
    observed = with_limits(release, max_error_percent=5)
    await observed.deploy("1.0.0")
    before = observed.running()
    with pytest.raises(RolledBackError, match=r"% of [0-9]+ requests through the entry failed"):
        await observed.deploy("2.0.0", proxy={"image": faulty})
    assert observed.running() == before
    assert observed.is_whole()
