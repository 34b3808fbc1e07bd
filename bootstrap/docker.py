"""A Docker daemon for tests, on a machine that has none: in a root file system of its own.

It runs as the engine does, in a container that shares the host's network: its end is the end of
all its containers and mounts. What they leave in the host's network, machine.py takes back.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bootstrap import debian, machine
from bootstrap.containers import Container, Mount
from bootstrap.settings import Settings
from bootstrap.steps import is_current, key_of, make_once

PACKAGES = "ca-certificates,docker-cli,docker-compose,docker.io,iptables,tini"
CLIENT = "usr/bin/docker"  # needs no more than the C library, and not a new one
PLUGINS = "usr/libexec/docker/cli-plugins"
# All but these folders of the host the daemon sees at their places: people mount their files.
NOT_SHARED = {"boot", "dev", "etc", "lost+found", "proc", "run", "sys", "usr", "var"}
SECONDS_TO_START = 30


def key() -> str:
    """Say what the daemon and its clients are made from."""
    return key_of(debian.SUITE, PACKAGES, CLIENT, PLUGINS)


def make(settings: Settings) -> None:
    """Make the root file system, and a folder with the client for the host."""
    root = settings.docker / "root"

    def fill(folder: Path) -> None:
        debian.unpack(settings, PACKAGES, folder / "root")
        client = folder / "client"
        client.mkdir()
        (client / "docker").symlink_to(root / CLIENT)
        configuration = {"cliPluginsExtraDirs": [str(root / PLUGINS)]}
        (client / "config.json").write_text(json.dumps(configuration))

    if not is_current(settings.docker, key()):
        stop(settings)
    make_once(settings.docker, key(), fill)


def exports(settings: Settings) -> dict[str, str]:
    """Environment variables with which clients find the daemon."""
    client = settings.docker / "client"
    return {
        "DOCKER_CONFIG": str(client),
        "DOCKER_HOST": f"unix://{settings.docker_socket}",
        "PATH": f"{client}:{os.environ['PATH']}",
    }


def answers(environment: Mapping[str, str]) -> bool:
    """Whether there is a Docker client, and a daemon that answers it."""
    try:
        result = subprocess.run(
            ["docker", "info"],
            env=environment,
            capture_output=True,
            check=False,
            timeout=SECONDS_TO_START,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


def is_running(settings: Settings) -> bool:
    """Whether our own daemon answers, made from the recipe as it is now."""
    return is_current(settings.docker, key()) and answers({**os.environ, **exports(settings)})


def start(settings: Settings) -> None:
    """Start the daemon, and wait until it answers."""
    stop(settings)
    state, runtime = settings.cache / "docker-state", settings.docker_socket.parent
    for folder in (state, runtime):
        folder.mkdir(parents=True, exist_ok=True)
    configuration = {
        "hosts": ["unix:///run/host/docker.sock"],
        "group": "root",
        "log-level": "warn",
        "registry-mirrors": [f"http://{settings.registry}"],
        "insecure-registries": [settings.registry, settings.private_registry],
        "default-address-pools": [{"base": settings.docker_range, "size": 24}],
        "cgroup-parent": f"/{machine.docker_cgroup(settings)}",
        # Switching it on would also make the firewall drop what it forwards for others.
        "ip-forward": False,
    }
    (runtime / "daemon.json").write_text(json.dumps(configuration))
    shared = [folder for folder in Path("/").iterdir() if folder.name not in NOT_SHARED]
    machine.remember_docker(settings)
    container = _container(settings)
    container.start(
        ["/usr/bin/tini", "--", "/usr/sbin/dockerd", "--config-file", "/run/host/daemon.json"],
        [
            Mount(state, "/var/lib/docker", writable=True),
            Mount(runtime, "/run/host", writable=True),
            Mount(Path("/etc/resolv.conf").resolve(), "/etc/resolv.conf"),
            *(
                Mount(folder, str(folder), writable=True)
                for folder in shared
                if folder.is_dir() and not folder.is_symlink()
            ),
        ],
    )
    container.wait_until(
        lambda: is_running(settings), SECONDS_TO_START, "The Docker daemon does not answer."
    )


def stop(settings: Settings) -> None:
    """Stop the daemon with its containers; images, volumes and networks stay in its state."""
    _container(settings).stop()
    machine.restore_docker(settings)


def _container(settings: Settings) -> Container:
    return Container(settings, "docker", settings.docker / "root")
