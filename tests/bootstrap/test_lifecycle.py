"""The engine that is set up here: stopped it leaves nothing, killed it comes back."""

import os
import select
import signal
import subprocess
from pathlib import Path

from bootstrap.containers import Container
from bootstrap.settings import REPOSITORY, Settings

SETTINGS = Settings.from_environment()


def pipeline(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["./pipeline", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


def processes() -> set[str]:
    """Command lines of processes that belong to the installation."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if "dagger-engine" in command or "docker-registry" in command:
            found.add(command)
    return found


def traces() -> dict[str, object]:
    """What a running engine changes on the machine."""
    networks = {path.name for path in Path("/sys/class/net").iterdir()}
    emulators = Path("/proc/sys/fs/binfmt_misc")
    rules = subprocess.run(
        ["chroot", SETTINGS.root, "iptables-save"], capture_output=True, text=True, check=True
    ).stdout
    addresses = Path("/proc/net/fib_trie").read_text()
    return {
        "processes": processes(),
        "networks": {name for name in networks if name.startswith(("dagger", "veth"))},
        "emulator": (emulators / "pipeline-aarch64").exists(),
        "mounts": [line for line in mounts() if str(SETTINGS.cache) in line],
        "rules": [line for line in rules.splitlines() if "10.87." in line or "CNI-" in line],
        "address": SETTINGS.address in addresses,
    }


def mounts() -> list[str]:
    return Path("/proc/self/mounts").read_text().splitlines()


def test_stop_leaves_nothing_behind_and_start_brings_all_back() -> None:
    names = Path("/etc/resolv.conf").read_bytes()
    running = traces()
    assert running["processes"]
    assert running["address"] is True
    stopped = pipeline("stop")
    assert stopped.returncode == 0, stopped.stderr
    assert traces() == {
        "processes": set(),
        "networks": set(),
        "emulator": False,
        "mounts": [],
        "rules": [],
        "address": False,
    }
    assert not SETTINGS.run.exists()
    assert pipeline("status").returncode != 0
    started = pipeline("start")
    assert started.returncode == 0, started.stderr
    status = pipeline("status")
    assert status.returncode == 0, status.stdout
    assert "stopped" not in status.stdout
    assert Path("/etc/resolv.conf").read_bytes() == names


def test_a_killed_engine_comes_back() -> None:
    engine = Container(SETTINGS, "engine", SETTINGS.root)
    process = engine.process()
    assert process is not None
    handle = os.pidfd_open(process)
    os.kill(process, signal.SIGKILL)
    ended, _, _ = select.select([handle], [], [], 20)
    assert ended == [handle]
    assert engine.process() is None
    answered = pipeline("services")
    assert answered.returncode == 0, answered.stderr
    assert "api-gateway" in answered.stdout
    names = [line for line in processes() if line.startswith("/usr/bin/tini")]
    assert len(names) == 1


def test_two_at_once_make_one_engine() -> None:
    assert pipeline("stop").returncode == 0
    both = [
        subprocess.Popen(["./pipeline", "start"], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert any("waiting for it" in text for text in said)
    assert len([line for line in processes() if line.startswith("/usr/bin/tini")]) == 1
