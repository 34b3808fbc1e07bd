"""The Docker daemon that is set up here: it does what Docker does, and leaves nothing behind."""

import json
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap import machine
from bootstrap.containers import Container
from bootstrap.settings import Settings
from tests.docker import Docker, start_docker, stop_docker

SETTINGS = Settings.from_environment()
NETWORK = f"test-{secrets.token_hex(4)}"
HOST = f"{NETWORK}-redis"
HARDENED = [
    *("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
    *("--memory=16m", "--memory-swap=16m"),
]
GREEDY = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1G"]  # in one gulp: nothing is reclaimed first
REDIS = "redis:8-trixie"
LISTENING = ["--health-cmd=redis-cli ping", "--health-interval=1s"]


def traces() -> dict[str, object]:
    """What a running daemon changes on the machine."""
    rules = subprocess.run(
        ["chroot", SETTINGS.root, "iptables-save"], capture_output=True, text=True, check=True
    ).stdout
    return {
        "processes": [
            command
            for path in Path("/proc").glob("[0-9]*")
            if f"/{SETTINGS.instance}-docker" in text(path / "cgroup")
            and (command := text(path / "cmdline"))  # what has ended has none
        ],
        "networks": [
            path.name
            for path in Path("/sys/class/net").iterdir()
            if path.name.startswith(("docker", "br-"))
        ],
        "rules": [line for line in rules.splitlines() if "DOCKER" in line or " 10.88." in line],
        "policy": [line.split()[1] for line in rules.splitlines() if line.startswith(":FORWARD")],
        "forwarding": machine.FORWARDING.read_text(),
        "groups": sorted(machine.CGROUPS.glob(f"**/{SETTINGS.instance}-docker*")),
        "mounts": [
            line for line in text(Path("/proc/self/mounts")).splitlines() if "docker" in line
        ],
        "sockets": SETTINGS.docker_socket.exists(),
    }


def text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # a process that has just ended
        return ""


def start_own() -> Docker:
    """The daemon that is set up here, also where the machine has one of its own."""
    return start_docker(DOCKER_HOST=f"unix://{SETTINGS.docker_socket}")


@pytest.fixture(scope="module")
def before() -> dict[str, object]:
    stop_docker()
    return traces()


@pytest.fixture(scope="module")
def docker(before: dict[str, object]) -> Docker:
    assert before["processes"] == []
    return start_own()


@pytest.fixture(scope="module")
def redis(docker: Docker) -> Iterator[str]:
    """A container on a network of its own, its port published."""
    docker("network", "create", NETWORK)
    options = ["--detach", f"--network={NETWORK}", f"--name={HOST}"]
    redis = docker("run", *options, *LISTENING, "--publish=127.0.0.1::6379", REDIS)
    docker.wait_until_healthy(redis)
    yield redis
    docker("rm", "--force", "--volumes", redis)
    docker("network", "rm", NETWORK)


def test_a_killed_daemon_comes_back_and_stop_leaves_nothing_behind(
    before: dict[str, object], docker: Docker, redis: str
) -> None:
    process = Container(SETTINGS, "docker", SETTINGS.docker / "root").process()
    assert process is not None
    os.kill(process, signal.SIGKILL)
    start_own()
    docker("start", redis)
    docker.wait_until_healthy(redis)
    running = traces()
    assert {name for name in running if running[name] != before[name]} == {
        *("processes", "networks", "rules", "groups", "sockets"),
    }
    stop_docker()
    assert traces() == before
    start_own()  # stopped, it starts with what it had
    docker("start", redis)
    docker.wait_until_healthy(redis)


def test_a_container_is_held_to_what_it_was_given(docker: Docker) -> None:
    script = "exec 2>&1; touch /file; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status"
    said = docker("run", "--rm", *HARDENED, "debian:trixie-slim", "sh", "-c", script)
    assert "Read-only file system" in said
    status = dict(line.split(":\t") for line in said.splitlines() if ":\t" in line)
    assert status == {"CapEff": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}


def test_a_container_over_its_memory_limit_is_killed(docker: Docker) -> None:
    hog = docker("create", *HARDENED, "debian:trixie-slim", *GREEDY)
    docker("start", hog)
    assert docker("wait", hog) == "137"
    assert docker.inspect(hog)["State"]["OOMKilled"] is True
    docker("rm", hog)


@pytest.mark.usefixtures("redis")
def test_containers_of_a_network_find_each_other_by_name(docker: Docker) -> None:
    ask = ["redis-cli", "-h", HOST, "ping"]
    assert docker("run", "--rm", f"--network={NETWORK}", REDIS, *ask) == "PONG"


def test_a_published_port_answers(docker: Docker, redis: str) -> None:
    host, port = docker("port", redis, "6379/tcp").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(7) == b"+PONG\r\n"


def test_compose_starts_by_health_and_mounts_files_of_this_machine(
    docker: Docker, tmp_path: Path
) -> None:
    (tmp_path / "note").write_text("from the host")
    check = {"test": "redis-cli -h first ping", "interval": "1s"}
    first = {"image": REDIS, "healthcheck": check, "volumes": [f"{tmp_path}/note:/note:ro"]}
    second = {"image": REDIS, "depends_on": {"first": {"condition": "service_healthy"}}}
    services = {"first": first, "second": second | {"healthcheck": check}}
    (tmp_path / "compose.json").write_text(json.dumps({"services": services}))
    compose = ["compose", f"--file={tmp_path}/compose.json", f"--project-name={NETWORK}"]
    docker(*compose, "up", "--detach", "--wait")
    assert docker(*compose, "exec", "-T", "first", "cat", "/note") == "from the host"
    docker(*compose, "down")
