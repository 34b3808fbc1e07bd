"""The engine: compiled from Go modules, given its SDKs, run in a container of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

from bootstrap import debian, go, oci, registry
from bootstrap.containers import ENVIRONMENT, Container, Mount
from bootstrap.settings import HERE, VERSION, Settings
from bootstrap.steps import key_of, make_once, run

COMMANDS = ("codegen", "dagger", "dnsname", "engine", "init")
MODULE = "github.com/dagger/dagger"
PACKAGES = tuple(f"{MODULE}/cmd/{name}" for name in COMMANDS)
REGCTL = "github.com/regclient/regclient/cmd/regctl"
TAGS = "dfexcludepatterns,dfparents"
LINK = f"-s -w -X {MODULE}/engine.Version={VERSION} -X {MODULE}/engine.Tag={VERSION}"
GO_SDK = {
    "Env": [
        f"PATH=/usr/local/go/bin:{ENVIRONMENT['PATH']}",
        "GOPATH=/go",
        "GOTOOLCHAIN=local",
        "GOFLAGS=-mod=mod",
        # The checksum database has no record of this version: go.sum vouches for it.
        f"GONOSUMDB={MODULE}",
    ]
}
SECONDS_TO_START = 60
# By itself the engine throws its cache away when a fifth of the disk is no longer free.
KEEP = {"reservedSpace": "10GB", "maxUsedSpace": "75%", "minFreeSpace": "5GB"}


def fetching(settings: Settings) -> contextlib.AbstractContextManager[None]:
    """Download what client, engine and helpers are compiled from meanwhile."""
    return go.fetching(settings, HERE / "engine", PACKAGES)


def make_commands(settings: Settings) -> None:
    """Compile the client, the engine and its helpers."""

    def make(folder: Path) -> None:
        log = settings.log("commands")
        for module, packages in (("engine", PACKAGES), ("tools", (REGCTL,))):
            links = dict.fromkeys(packages, LINK)
            go.build(settings, HERE / module, links, folder, log, tags=TAGS)

    make_once(settings.cache / "commands", commands_key(), make)


def make_content(settings: Settings) -> None:
    """Pack the SDKs: Go as an image that compiles modules, Python as a module of Go."""
    log = settings.log("content")

    def make(folder: Path) -> None:
        blobs = folder / "blobs/sha256"
        blobs.mkdir(parents=True)

        def layer(source: Path) -> oci.Layer:
            tar = folder / "layer.tar"
            command: list[str | Path] = ["tar", "--create", "--file", tar, "--directory", source]
            command += ["--sort=name", "--mtime=@0", "--numeric-owner", "--owner=0", "--group=0"]
            run([*command, "--exclude=__pycache__", "."], log, "Run this again.")
            added = oci.add_layer(blobs, tar)
            tar.unlink()
            return added

        root = layer(settings.root)
        go, python = folder / "go", folder / "python"
        for path in ("usr/local/bin", "go/pkg/mod", "root/.cache/go-build"):
            (go / path).mkdir(parents=True)
        shutil.copytree(settings.cache / "go-toolchain/go", go / "usr/local/go", symlinks=True)
        shutil.copy(settings.cache / "commands/codegen", go / "usr/local/bin")
        shutil.copytree(HERE / "sdk/runtime", python / "runtime")
        digests = {
            "DAGGER_GO_SDK_MANIFEST_DIGEST": oci.add_image(blobs, [root, layer(go)], GO_SDK),
            "DAGGER_PYTHON_SDK_MANIFEST_DIGEST": oci.add_image(blobs, [layer(python)], {}),
        }
        shutil.rmtree(go)
        shutil.rmtree(python)
        (folder / "digests.json").write_text(json.dumps(digests))

    make_once(settings.cache / "content", content_key(), make)


def commands_key() -> str:
    """Say what the commands are made from."""
    return key_of(HERE / "engine", HERE / "tools", LINK, *COMMANDS)


def content_key() -> str:
    """Say what the SDK content is made from."""
    return key_of(debian.root_key(), commands_key(), HERE / "sdk", repr(GO_SDK))


def answers(settings: Settings) -> bool:
    """Whether the engine of this installation takes connections."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(settings.socket))
        except OSError:
            return False
    return True


def start(settings: Settings) -> None:
    """Start the engine, and wait until it answers."""
    container = _container(settings)
    container.stop()
    settings.socket.unlink(missing_ok=True)
    state, runtime, content = (settings.cache / name for name in ("state", "run", "content"))
    for folder in (state, settings.socket.parent):
        folder.mkdir(parents=True, exist_ok=True)
    registries: dict[str, object] = {
        **{host: {"mirrors": [settings.registry]} for host in registry.MIRRORED},
        settings.registry: {"http": True},
        settings.private_registry: {"http": True},
    }
    (runtime / "engine.json").write_text(json.dumps({"registries": registries, "gc": KEEP}))
    # A copy, for the engine mounts its own over it.
    shutil.copy("/etc/resolv.conf", runtime / "resolv.conf")
    # What it found there it would install into each container, before each exec and out of it
    # again behind it, which takes longer than most of them: it is in their images already.
    nothing = runtime / "nothing"
    nothing.mkdir(exist_ok=True)
    commands = settings.cache / "commands"
    mounts = [
        Mount(state, "/var/lib/dagger", writable=True),
        Mount(settings.socket.parent, "/run/dagger", writable=True),
        Mount(runtime / "engine.json", "/etc/dagger/engine.json"),
        Mount(runtime / "resolv.conf", "/etc/resolv.conf", writable=True),
        Mount(commands / "engine", "/usr/local/bin/dagger-engine"),
        Mount(commands / "init", "/usr/local/bin/dagger-init"),
        Mount(commands / "dnsname", "/usr/lib/cni/dnsname"),
        Mount(content, "/usr/local/share/dagger/content"),
        Mount(nothing, str(debian.AUTHORITIES)),
    ]
    container.start(
        [
            *("/usr/bin/tini", "--", "/usr/local/bin/dagger-engine"),
            *("--oci-cni-binary-dir", "/usr/lib/cni"),
            *("--network-name", settings.network, "--network-cidr", settings.network_range),
        ],
        mounts,
        json.loads((content / "digests.json").read_text()),
    )
    container.wait_until(lambda: answers(settings), SECONDS_TO_START, "The engine does not answer.")


def stop(settings: Settings) -> None:
    """Stop the engine; its state stays."""
    _container(settings).stop()


def forget_resolved_images(settings: Settings) -> None:
    """Make the engine look up tags again: it keeps what it once resolved."""
    subprocess.run(
        [settings.dagger, "core", "engine", "local-cache", "prune"],
        env={**os.environ, **settings.exports()},
        capture_output=True,
        check=False,
    )


def _container(settings: Settings) -> Container:
    return Container(settings, "engine", settings.root)
