"""Helm, kubectl and their kin as tests run them."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bootstrap import kubernetes, scanners
from bootstrap.settings import Settings
from tests.started import make_programs

SETTINGS = Settings.from_environment()
PROGRAMS = SETTINGS.kubernetes_tools
TRIVY = SETTINGS.trivy


@dataclass(frozen=True)
class Ran:
    """What a program said and how it ended."""

    status: int
    output: str
    errors: str


def run(program: str | Path, arguments: Sequence[str | Path], stdin: str = "") -> Ran:
    """Run a program, one of these or another by its path."""
    _make()
    path = PROGRAMS / program
    done = subprocess.run(
        [path, *arguments], input=stdin, capture_output=True, text=True, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def output_of(program: str | Path, *arguments: str | Path, stdin: str = "") -> str:
    """Give what a program printed; its failure says why."""
    ran = run(program, arguments, stdin)
    words = " ".join(str(word) for word in (program, *arguments))
    assert ran.status == 0, f"{words}: status {ran.status}\n{ran.output}{ran.errors}"
    return ran.output


@cache
def _make() -> None:
    make_programs(scanners.TRIVY.name, kubernetes.TOOLS.name)
