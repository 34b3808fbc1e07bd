"""What every test may need: the repository and its dagger command line."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Called:
    """What a `dagger call` said and how it ended."""

    status: int
    output: str
    progress: str

    @property
    def message(self) -> str:
        """The error as a person reads it: behind the progress, without the trace's number."""
        return self.progress.rpartition("Error: ")[2].partition(" [traceparent:")[0]


def dagger_call(
    *arguments: str, source: Path | None = None, environment: dict[str, str] | None = None
) -> Called:
    """Run the real command line on this module, for this repository or another one."""
    where = [f"--source={source}"] if source else []
    result = subprocess.run(
        ["dagger", "call", "--progress=plain", *where, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    return Called(result.returncode, result.stdout, result.stderr)
