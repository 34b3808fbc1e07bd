"""What came of the tests: read from pytest's reports, and shown as a person wants it at the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

SLOWEST = 15


@dataclass(frozen=True)
class Case:
    """One test: its name, how long it took (s), and whether it passed."""

    name: str
    seconds: float
    passed: bool


@dataclass(frozen=True)
class Results:
    """All tests of one lane; `costs` has seconds by what they were spent on."""

    lane: str
    seconds: float
    status: int
    cases: list[Case] = field(default_factory=list)
    costs: dict[str, tuple[int, float]] = field(default_factory=dict)

    @property
    def failed(self) -> list[Case]:
        """The tests that didn't pass."""
        return [case for case in self.cases if not case.passed]

    @property
    def is_red(self) -> bool:
        """Whether something failed or was skipped: no test at all is no success, either."""
        return self.status != 0 or not self.cases or bool(self.failed)


def read_results(lane: str, report: Path, status: int, seconds: float) -> Results:
    """Read the report of a lane; a run that was cut off has none."""
    if not report.exists():
        return Results(lane, seconds, status or 1)
    cases = [
        Case(
            f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}",
            float(case.get("time", 0)),
            passed=not {"failure", "error", "skipped"} & {child.tag for child in case},
        )
        for case in ElementTree.parse(report).iter("testcase")
    ]
    costs = report.with_suffix(".costs.json")
    spent = json.loads(costs.read_text()) if costs.exists() else {}
    return Results(lane, seconds, status, cases, {name: tuple(spent[name]) for name in spent})


def summary(results: Sequence[Results], failed_checks: Sequence[str]) -> str:
    """Show lanes, what the time was spent on, the slowest tests, and what failed."""
    lines = ["", f"{'LANE':10} {'TESTS':>5} {'FAILED':>6} {'SECONDS':>7}"]
    for each in results:
        counts = f"{len(each.cases):5} {len(each.failed):6}"
        lines.append(f"{each.lane:10} {counts} {each.seconds:7.0f}")
    costs: dict[str, tuple[int, float]] = {}
    for each in results:
        for name, (calls, seconds) in each.costs.items():
            before = costs.get(name, (0, 0.0))
            costs[name] = (before[0] + calls, before[1] + seconds)
    lines += ["", f"{'SPENT ON':20} {'CALLS':>5} {'SECONDS':>7}"]
    for name, (calls, seconds) in sorted(costs.items(), key=lambda cost: -cost[1][1]):
        lines.append(f"{name:20} {calls:5} {seconds:7.0f}")
    cases = sorted((case for each in results for case in each.cases), key=lambda c: -c.seconds)
    lines += ["", "The slowest tests, in seconds:"]
    lines += [f"{case.seconds:7.1f}  {case.name}" for case in cases[:SLOWEST]]
    failed = [case.name for each in results for case in each.failed]
    lines += ["", *(f"FAILED {name}" for name in failed)]
    lines += [f"FAILED check {name}" for name in failed_checks]
    for each in results:
        if each.is_red and not each.failed:
            lines.append(f"FAILED lane {each.lane}: pytest ended with status {each.status}")
    passed = sum(len(each.cases) - len(each.failed) for each in results)
    lines.append(f"{passed} passed, {len(failed) + len(failed_checks)} failed")
    return "\n".join(lines)
