"""Registries on this machine, each a container of the engine's own root file system."""

from __future__ import annotations

import http.client
import json
import shutil
from pathlib import Path

from bootstrap.containers import Container, Mount
from bootstrap.settings import Settings

# The registries that the one here stands in for.
MIRRORED = ("docker.io", "ghcr.io", "registry.k8s.io")
NAME = "registry"
PRIVATE = "private-registry"
SECONDS_TO_START = 20


def start(settings: Settings) -> None:
    """Start the registry without authentication: mirror, and default target of a push."""
    _serve(settings, NAME, settings.registry, settings.cache / "registry", None)


def start_private(settings: Settings, htpasswd: Path) -> None:
    """Start a registry for tests that lets in the users of a password file."""
    _serve(settings, PRIVATE, settings.private_registry, settings.run / "private", htpasswd)


def stop_private(settings: Settings) -> None:
    """Stop the registry for tests, and throw away what it holds."""
    _container(settings, PRIVATE).stop()
    shutil.rmtree(settings.run / "private")


def stop(settings: Settings) -> None:
    """Stop both; what the first one holds stays."""
    for name in (NAME, PRIVATE):
        _container(settings, name).stop()


def answers(address: str) -> bool:
    """Whether a registry is there: open, or asking for a password."""
    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/v2/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return status in {http.client.OK, http.client.UNAUTHORIZED}


def _serve(settings: Settings, name: str, address: str, store: Path, htpasswd: Path | None) -> None:
    store.mkdir(parents=True, exist_ok=True)
    configuration: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": "/var/lib/registry"},
            "delete": {"enabled": True},
        },
        "http": {"addr": address},
    }
    mounts = [Mount(store, "/var/lib/registry", writable=True)]
    if htpasswd is not None:
        configuration["auth"] = {"htpasswd": {"realm": "tests", "path": "/etc/htpasswd"}}
        mounts.append(Mount(htpasswd, "/etc/htpasswd"))
    file = settings.run / f"{name}.yml"
    # YAML, of which JSON is a part.
    file.write_text(json.dumps(configuration))
    container = _container(settings, name)
    container.stop()
    command = ["/usr/bin/docker-registry", "serve", "/etc/registry.yml"]
    container.start(command, [*mounts, Mount(file, "/etc/registry.yml")])
    message = f"The registry at {address} does not answer. Is its port taken?"
    container.wait_until(lambda: answers(address), SECONDS_TO_START, message)


def _container(settings: Settings, name: str) -> Container:
    return Container(settings, name, settings.root)
