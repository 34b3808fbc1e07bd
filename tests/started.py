"""Starts and makes what the bootstrap has, by the commands that people use."""

import os
import subprocess

from bootstrap.settings import REPOSITORY
from tests.costs import spent_on


def variables_of(part: str, **environment: str) -> dict[str, str]:
    """Start a part unless it runs; gives the environment in which its programs find it."""
    start = f'variables=$(python3 -m bootstrap {part}); eval "$variables"; env -0'
    with spent_on(f"starting: {part}"):
        result = subprocess.run(
            ["bash", "-euc", start],
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,  # its progress is for whoever waits
            text=True,
            check=False,
        )
    assert result.returncode == 0, f"python3 -m bootstrap {part}: status {result.returncode}"
    lines = result.stdout.rstrip("\0").split("\0")
    return dict(line.split("=", 1) for line in lines)


def make_programs(*names: str) -> None:
    """Make programs, or wait until another run has made them."""
    command = ["python3", "-m", "bootstrap", "programs", *names]
    with spent_on(f"making: {' '.join(names)}"):
        made = subprocess.run(command, cwd=REPOSITORY, check=False)
    assert made.returncode == 0, f"{' '.join(command)}: status {made.returncode}"
