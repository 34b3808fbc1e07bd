"""Every image runs with nothing but what it needs, seen from the kernel's side."""

import re
from pathlib import Path

import httpx
import pytest

from tests.docker import Docker
from tests.stack.conftest import Stack

SERVICES = ["api-gateway", "consciousness-engine", "proxy", "web-ui"]
CGROUPS = Path("/sys/fs/cgroup")
every_service = pytest.mark.parametrize("service", SERVICES)


def processes(container: str) -> list[Path]:
    """All processes of a container in /proc of this machine."""
    group = next(CGROUPS.glob(f"**/*{container}*/cgroup.procs"))
    return [Path("/proc") / process for process in group.read_text().split()]


def status(process: Path) -> dict[str, list[str]]:
    lines = (process / "status").read_text().splitlines()
    return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}


@every_service
def test_it_is_healthy_by_its_own_check(stack: Stack, docker: Docker, service: str) -> None:
    container = docker.inspect(stack.containers[service])
    image = docker.inspect(container["Image"])
    assert container["Config"]["Healthcheck"] == image["Config"]["Healthcheck"]
    assert container["Config"]["Healthcheck"]["Test"][:2] == ["CMD", "/healthcheck"]
    assert container["State"]["Health"]["Status"] == "healthy"
    assert container["State"]["Health"]["Log"][-1]["ExitCode"] == 0
    assert container["RestartCount"] == 0


@every_service
def test_it_is_nobody_and_may_nothing(stack: Stack, docker: Docker, service: str) -> None:
    container = stack.containers[service]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", docker.inspect(container)["Config"]["User"])
    found = [status(process) for process in processes(container)]
    assert found
    for process in found:
        assert "0" not in process["Uid"] + process["Gid"] + process["Groups"], process
        sets = {process[name][0] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
        assert sets == {"0" * 16}, process
        assert process["NoNewPrivs"] == ["1"], process
        assert process["Seccomp"] == ["2"], process


@every_service
def test_nothing_but_tmp_can_be_written(stack: Stack, service: str) -> None:
    # Through the eyes of its process, but with all the rights of this one.
    root = processes(stack.containers[service])[0] / "root"
    folders = {path.name for path in root.iterdir() if path.is_dir()}
    for folder in {".", *folders} - {"dev", "proc", "sys", "tmp"}:
        with pytest.raises(OSError, match="Read-only file system"):
            (root / folder / "written").touch()
    (root / "tmp/written").touch()
    (root / "tmp/written").unlink()


@pytest.mark.parametrize(
    ("service", "limit"), [("api-gateway", 10_000_000), ("consciousness-engine", 15_000_000)]
)
def test_an_idle_service_needs_little_memory(stack: Stack, service: str, limit: int) -> None:
    assert idle_memory(stack, service) < limit
    # All that is in its memory, the pages of its own file too.
    resident = [
        int(status(process)["VmRSS"][0]) * 1024 for process in processes(stack.containers[service])
    ]
    assert sum(resident) < limit


def idle_memory(stack: Stack, service: str) -> int:
    """Bytes as `docker stats` counts them: without the files that could be dropped."""
    units = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20}
    said = stack.docker("stats", "--no-stream", "--format={{.MemUsage}}", stack.containers[service])
    amount = re.match(r"([\d.]+)([A-Za-z]+) / 64MiB", said)
    assert amount, said
    return int(float(amount[1]) * units[amount[2]])


def test_the_whole_answers(stack: Stack) -> None:
    text = "The river was calm. The river carried the small boat, and the boat carried us home."
    with httpx.Client(base_url=stack.url) as client:
        created = client.post("/api/v1/analyses", json={"text": text})
        assert created.status_code == httpx.codes.CREATED, created.text
        listed = client.get("/api/v1/analyses").json()
        assert listed["items"][0]["id"] == created.json()["id"]
        assert client.get("/api/health").json()["status"] == "ready"
        assert "<script" in client.get("/").text
