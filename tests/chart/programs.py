"""Helm, kubectl and their kin as tests run them."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.settings import Settings

SETTINGS = Settings.from_environment()
PROGRAMS = SETTINGS.kubernetes_tools
TRIVY = SETTINGS.scanners / "trivy"


@dataclass(frozen=True)
class Ran:
    """What a program said and how it ended."""

    status: int
    output: str
    errors: str


def run(program: str | Path, arguments: Sequence[str | Path], stdin: str = "") -> Ran:
    """Run a program, one of these or another by its path."""
    path = PROGRAMS / program
    assert path.exists(), f"{path} is missing: run ./pipeline kubernetes and ./pipeline scanners"
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
