"""What the policy's rules say of images."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from pipeline.models import Model
from pipeline.report.render import Column, Format, Lines, Part, Report, Table, render
from pipeline.report.summary import counted

Outcome = Literal["fail", "waived", "warn", "skipped", "pass"]
OUTCOMES: tuple[Outcome, ...] = ("fail", "waived", "warn", "skipped", "pass")
MOST_REASONS = 5
RESULT = Column("result", plain=True)
RULE = Column("rule")


class RuleSummary(Model):
    """What came of one rule, and why."""

    rule: str
    title: str
    outcome: Outcome
    why: list[str]


class VerdictSummary(Model):
    """What came of each rule for these images; it passed when none failed."""

    passed: bool
    images: list[str]
    rules: list[RuleSummary]


def render_verdict(summary: VerdictSummary, name: Format) -> str:
    """Render a verdict as `table`, `markdown` or `json`."""
    rules = [(rule.outcome, rule.rule, rule.title) for rule in summary.rules]
    whys = [
        (rule.outcome, rule.rule, why)
        for rule in summary.rules
        for why in _reasons(rule) or [rule.title]
    ]
    reasons = [
        Lines([f"{rule.rule}: {rule.outcome}"], _reasons(rule))
        for rule in summary.rules
        if rule.why
    ]
    conclusion = Lines(verdict_conclusion(summary))
    parts: list[Part] = [
        Table([RESULT, RULE, Column("what it asks for")], rules),
        *reasons,
        conclusion,
    ]
    markdown: list[Part] = [Table([RESULT, RULE, Column("why")], whys), conclusion]
    return render(Report(summary, parts, markdown), name)


def verdict_conclusion(summary: VerdictSummary) -> list[str]:
    """Say in a few lines what came of it."""
    outcomes = Counter(rule.outcome for rule in summary.rules)
    said = ", ".join(f"{outcomes[name]} {name}" for name in OUTCOMES if outcomes[name])
    return [
        f"Judged {counted(len(summary.images), 'image')} by "
        f"{counted(len(summary.rules), 'rule')}: {said}.",
        "Passed." if summary.passed else "Failed.",
    ]


def _reasons(rule: RuleSummary) -> Sequence[str]:
    """Give the first few reasons, and how many more there are."""
    shown = rule.why[:MOST_REASONS]
    more = len(rule.why) - MOST_REASONS
    return [*shown, f"and {more} more"] if more > 0 else shown
