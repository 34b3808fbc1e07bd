"""Which findings block a release, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Self

from pipeline.catalogue.policy import Policy
from pipeline.catalogue.waivers import Waiver, WaiversFile
from pipeline.errors import Mistake
from pipeline.security.finding import Finding, Kind, Severity
from pipeline.security.waivers import covers, in_force, stale_waivers


@dataclass(frozen=True)
class Threshold:
    """From which severity on a finding blocks; None: never.

    A vulnerability doesn't block in the first `grace_days` since it was published.
    """

    with_fix: Severity = Severity.HIGH
    without_fix: Severity | None = None
    grace_days: int = 0
    secrets: Severity = Severity.HIGH
    misconfigurations: Severity = Severity.HIGH

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """Take the values of config/policy/policy.yml."""
        rules = policy.vulnerabilities
        return cls(
            with_fix=Severity(rules.with_fix),
            without_fix=None if rules.without_fix == "never" else Severity(rules.without_fix),
            grace_days=rules.grace_days,
            secrets=Severity(policy.secrets),
            misconfigurations=Severity(policy.misconfigurations),
        )

    def changed(self, severity: Severity | None, without_fix: bool) -> "Threshold":
        """Give what somebody asks for instead: one severity for all, and also without a fix."""
        changed = self
        if severity is not None:
            changed = replace(
                changed, with_fix=severity, secrets=severity, misconfigurations=severity
            )
        return replace(changed, without_fix=changed.with_fix) if without_fix else changed

    def limit(self, finding: Finding) -> Severity | None:
        """Give the severity from which on findings like this one block."""
        match finding.kind:
            case Kind.VULNERABILITY:
                return self.with_fix if finding.fixed_versions else self.without_fix
            case Kind.SECRET:
                return self.secrets
            case Kind.MISCONFIGURATION:
                return self.misconfigurations


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
        judgements=[_judged(finding, waivers, threshold, today) for finding in findings],
        stale=stale_waivers(file, findings if complete else None, today),
    )


def _judged(
    finding: Finding, waivers: Sequence[Waiver], threshold: Threshold, today: date
) -> Judgement:
    severity, limit = finding.severity.value, threshold.limit(finding)
    if limit is None:
        return Judgement(finding, Result.PASS, f"{severity}, but nothing fixes it yet")
    if finding.severity < limit:
        return Judgement(finding, Result.PASS, f"{severity} is below {limit.value}, which blocks")
    if finding.kind is Kind.VULNERABILITY and finding.published is not None:
        blocks_on = finding.published + timedelta(days=threshold.grace_days)
        if today < blocks_on:
            return Judgement(finding, Result.PASS, f"{severity}, but it blocks from {blocks_on}")
    for waiver in waivers:
        if covers(waiver, finding):
            return Judgement(
                finding,
                Result.WAIVED,
                f"until {waiver.expires} by {waiver.owner}: {waiver.reason}",
            )
    fixes = ", ".join(finding.fixed_versions)
    what = f", fixed in {fixes}" if fixes else ""
    return Judgement(finding, Result.FAIL, f"{severity}{what}")


def today() -> date:
    """Give the day by which waivers expire and findings age, the same everywhere."""
    return datetime.now(UTC).date()
