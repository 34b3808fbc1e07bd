"""Keys of people who read secrets, made by age's own program."""

import subprocess
from dataclasses import dataclass, field
from functools import cache

from bootstrap.settings import Settings

SETTINGS = Settings.from_environment()
PROGRAM = SETTINGS.sops / "sops"


@dataclass(frozen=True)
class Person:
    """Somebody with a key."""

    name: str
    recipient: str
    key: str = field(repr=False)


@cache
def person(name: str) -> Person:
    """Make somebody a key."""
    program = SETTINGS.sops / "age-keygen"
    made = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    lines = made.splitlines()
    return Person(name, lines[1].removeprefix("# public key: "), lines[-1])
