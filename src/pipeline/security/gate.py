"""Which findings block a release, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from pipeline.catalogue.waivers import Waiver, WaiversFile
from pipeline.errors import Mistake
from pipeline.security.finding import Finding, Kind, Severity
from pipeline.security.waivers import covers, in_force, stale_waivers


@dataclass(frozen=True)
class Threshold:
    """What blocks: this severity or worse; vulnerabilities without a fix only if asked for."""

    severity: Severity = Severity.HIGH
    without_fix: bool = False


class Result(Enum):
    """What becomes of a finding."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    FAIL = "fail"
    WAIVED = "waived"


@dataclass(frozen=True)
class Judgement:
    """One finding, what becomes of it, and why."""

    finding: Finding
    result: Result
    why: str


@dataclass(frozen=True)
class Verdict:
    """Every finding judged; stale waivers fail as findings do."""

    judgements: list[Judgement]
    stale: list[Mistake]

    @property
    def passed(self) -> bool:
        """Tell whether a release may go on."""
        return not self.stale and all(each.result is not Result.FAIL for each in self.judgements)


def judge(
    findings: Sequence[Finding],
    file: WaiversFile,
    today: date,
    threshold: Threshold = Threshold(),
    *,
    complete: bool = True,
) -> Verdict:
    """Judge merged findings by a threshold and the repository's waivers.

    `complete` says that they are of all the repository's images: only then is a waiver that
    matches none of them stale.
    """
    waivers = in_force(file.waivers, today)
    return Verdict(
        judgements=[_judged(finding, waivers, threshold) for finding in findings],
        stale=stale_waivers(file, findings if complete else None, today),
    )


def _judged(finding: Finding, waivers: Sequence[Waiver], threshold: Threshold) -> Judgement:
    severity = finding.severity.value
    fixes = ", ".join(finding.fixed_versions)
    if finding.severity < threshold.severity:
        return Judgement(
            finding, Result.PASS, f"{severity} is below {threshold.severity.value}, which blocks"
        )
    # A secret or a misconfiguration is fixed by whoever put it there.
    if finding.kind is Kind.VULNERABILITY and not fixes and not threshold.without_fix:
        return Judgement(finding, Result.PASS, f"{severity}, but nothing fixes it yet")
    for waiver in waivers:
        if covers(waiver, finding):
            return Judgement(
                finding,
                Result.WAIVED,
                f"until {waiver.expires} by {waiver.owner}: {waiver.reason}",
            )
    what = f", fixed in {fixes}" if fixes else ""
    return Judgement(finding, Result.FAIL, f"{severity}{what}")
