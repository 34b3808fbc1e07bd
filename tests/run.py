"""All checks, then all tests: `./pipeline check`, `./pipeline test [ARG ...]`."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHELL_SCRIPTS = [
    "pipeline",
    ".ci/run",
    "services/with-databases",
    "tests/engine/*.sh",
    "bootstrap/cluster/*.sh",
    "bootstrap/entrypoints/*.sh",
    "src/pipeline/build/*.sh",
]
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


def checks() -> dict[str, list[str]]:
    """Give every check's name and command."""
    scripts = [str(path) for pattern in SHELL_SCRIPTS for path in ROOT.glob(pattern)]
    dockerfiles = [str(path) for path in ROOT.glob("services/*/Dockerfile")]
    found = {
        "ruff": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "mypy": ["mypy", "src/pipeline", "bootstrap"],
        "import-linter": ["lint-imports"],
        "shellcheck": ["shellcheck", *scripts],
        "actionlint": ["go", "run", ACTIONLINT],
        "zizmor": ["zizmor", "--offline", "--quiet", ".github/workflows"],
    }
    if dockerfiles:
        found["hadolint"] = ["hadolint", *dockerfiles]
    return found


def main() -> int:
    """Run the checks, all of them, then pytest unless only checks were asked for."""
    verb, *arguments = sys.argv[1:]
    os.environ["PYTHONPATH"] = str(ROOT / "src")
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    failed = []
    for name, command in checks().items():
        start = time.monotonic()
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        outcome = "ok" if result.returncode == 0 else "FAILED"
        print(f"{outcome:6} {name} ({time.monotonic() - start:.1f} s)", flush=True)
        if result.returncode != 0:
            failed.append(name)
            print(result.stdout + result.stderr, flush=True)
    if failed:
        print(f"Checks that failed: {', '.join(failed)}")
    if verb == "check":
        return len(failed)
    slowest = "--durations=15"
    command = [sys.executable, "-m", "pytest", slowest, *arguments]
    tests = subprocess.run(command, cwd=ROOT, check=False)
    return tests.returncode or len(failed)


if __name__ == "__main__":
    sys.exit(main())
