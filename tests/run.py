"""All checks and tests: `./pipeline check`, `./pipeline test [LANE | ARG ...]`.

Tests that share a thing of the machine are a lane. Lanes run beside each other, for most of their
time is waiting; what is cheap is seen first, and while an engine is set up.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tests.results import Results, read_results, summary
from tests.started import variables_of

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


@dataclass(frozen=True)
class Lane:
    """Tests that run one after the other, in this order: what needs the least comes first."""

    name: str
    paths: tuple[str, ...]

    @property
    def files(self) -> list[str]:
        """Give every file once; pytest would have a folder's ahead of what it names itself."""
        places = [ROOT / path for path in self.paths]
        found = [sorted(at.rglob("test_*.py")) if at.is_dir() else [at] for at in places]
        return [str(file.relative_to(ROOT)) for file in dict.fromkeys(chain.from_iterable(found))]


PURE = Lane(
    "pure",
    ("tests/unit", "tests/bootstrap/test_parts.py", "tests/bootstrap/test_vulnerabilities.py"),
)
# Stops and kills what all others use.
LIFECYCLE = Lane("lifecycle", ("tests/bootstrap/test_lifecycle.py",))
BESIDE = (
    Lane(
        "build",
        tuple(
            f"tests/engine/test_{name}.py"
            for name in (
                "failures",
                "dockerfile",
                "images",
                "interrupted",
                "queries",
                "other_repository",
                "page",
                "stack",
                "scan",
                "secrets",
                "readme",
                # Compiled with all that is compiled at first, some of these would be late.
                "services",
            )
        ),
    ),
    Lane(
        "release",
        (
            "tests/bootstrap/test_scanners.py",
            *(
                f"tests/engine/test_{name}.py"
                for name in (
                    "config",
                    "config_services",
                    "sops",
                    "policy",
                    "sbom",
                    "scan_databases",
                    "scan_waivers",
                    "scout",
                    "sign",
                    "keyless",
                )
            ),
        ),
    ),
    Lane(
        "docker",
        # What needs no published image comes first: there is none at first.
        ("tests/bootstrap/test_docker.py", "tests/stack/test_compose_up.py", "tests/stack"),
    ),
    Lane(
        "cluster",
        (
            "tests/chart/test_chart.py",
            "tests/bootstrap/test_cluster.py",
            "tests/chart",
            "tests/engine/test_docs.py",
        ),
    ),
)
# Asks as users do all the while: on a machine that others keep busy, databases are late, too.
DEPLOY = Lane("deploy", ("tests/deploy",))
LANES = {lane.name: lane for lane in (PURE, LIFECYCLE, *BESIDE, DEPLOY)}


class Output:
    """Lines of all that runs beside each other, each with whose it is."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def say(self, name: str, text: str) -> None:
        """Print what somebody says."""
        with self._turn:
            for line in text.splitlines():
                print(f"{name:9} | {line}", flush=True)


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


def check(output: Output) -> list[str]:
    """Run every check; gives the names of those that failed."""
    failed = []
    for name, command in checks().items():
        start = time.monotonic()
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        outcome = "ok" if result.returncode == 0 else "FAILED"
        output.say("checks", f"{outcome:6} {name} ({time.monotonic() - start:.1f} s)")
        if result.returncode != 0:
            failed.append(name)
            output.say("checks", result.stdout + result.stderr)
    return failed


def run_lane(
    lane: Lane, options: Sequence[str], environment: Mapping[str, str], folder: Path, output: Output
) -> Results:
    """Run the tests of a lane, and read what came of them."""
    report = folder / f"{lane.name}.xml"
    how = "--quiet" if lane is PURE else "--verbose"
    command = [sys.executable, "-m", "pytest", how, f"--junit-xml={report}", *lane.files, *options]
    start = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**environment, "PIPELINE_TEST_RUN": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as tests:
        assert tests.stdout is not None
        for line in tests.stdout:
            output.say(lane.name, line)
    return read_results(lane.name, report, tests.returncode, time.monotonic() - start)


def run_all(lanes: Iterable[Lane], options: Sequence[str], output: Output) -> int:
    """Run all checks and some lanes; gives how much of it failed."""
    chosen = list(lanes)
    beside = [lane for lane in BESIDE if lane in chosen]
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor() as threads:
        folder = Path(name)

        def run(lane: Lane, environment: Mapping[str, str]) -> Results:
            return run_lane(lane, options, environment, folder, output)

        pure = threads.submit(run, PURE, os.environ) if PURE in chosen else None
        failed = threads.submit(check, output)
        results = []
        if chosen != [PURE]:
            # What only tests need is compiled meanwhile, in the order in which they want it.
            environment = {**os.environ, **variables_of("start all")}
            if LIFECYCLE in chosen:
                results.append(run(LIFECYCLE, environment))
                variables_of("start all")  # stopped, it ends what is compiled meanwhile
            results += threads.map(lambda lane: run(lane, environment), beside)
            if DEPLOY in chosen:
                results.append(run(DEPLOY, environment))
        if pure is not None:
            results.insert(0, pure.result())
        print(summary(results, failed.result()))
        return sum(result.is_red for result in results) + len(failed.result())


def main() -> int:
    """Run what the command line asks for: everything, some lanes, or what pytest is told."""
    verb, *arguments = sys.argv[1:]
    os.environ["PYTHONPATH"] = str(ROOT / "src")
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    output = Output()
    if verb == "check":
        return len(check(output))
    named = [LANES[argument] for argument in arguments if argument in LANES]
    options = [argument for argument in arguments if argument not in LANES]
    if named or all(option.startswith("-") for option in options):
        return run_all(named or LANES.values(), options, output)
    environment = {**os.environ, **variables_of("start")}
    command = [sys.executable, "-m", "pytest", "--durations=15", *options]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
