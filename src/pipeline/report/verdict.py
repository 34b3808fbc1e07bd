"""What the policy's rules say of images: one model, as a table, Markdown or JSON."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import BaseModel

from pipeline.report.summary import counted, format_named
from pipeline.report.table import aligned, code, printable

Outcome = Literal["fail", "waived", "warn", "skipped", "pass"]
OUTCOMES: tuple[Outcome, ...] = ("fail", "waived", "warn", "skipped", "pass")
MOST_REASONS = 5


class RuleSummary(BaseModel):
    """What came of one rule, and why."""

    rule: str
    title: str
    outcome: Outcome
    why: list[str]


class VerdictSummary(BaseModel):
    """What came of each rule for these images; it passed when none failed."""

    passed: bool
    images: list[str]
    rules: list[RuleSummary]


def render_verdict(summary: VerdictSummary, name: str) -> str:
    """Render a verdict as `table`, `markdown` or `json`. Raises UnknownFormatError."""
    return format_named(name, FORMATS)(summary)


def verdict_conclusion(summary: VerdictSummary) -> list[str]:
    """Say in a few lines what came of it."""
    outcomes = Counter(rule.outcome for rule in summary.rules)
    said = ", ".join(f"{outcomes[name]} {name}" for name in OUTCOMES if outcomes[name])
    return [
        f"Judged {counted(len(summary.images), 'image')} by "
        f"{counted(len(summary.rules), 'rule')}: {said}.",
        "Passed." if summary.passed else "Failed.",
    ]


def _json(summary: VerdictSummary) -> str:
    return summary.model_dump_json(indent=2) + "\n"


def _table(summary: VerdictSummary) -> str:
    rows = [(rule.outcome, printable(rule.rule), printable(rule.title)) for rule in summary.rules]
    lines = aligned([("RESULT", "RULE", "WHAT IT ASKS FOR"), *rows])
    for rule in summary.rules:
        if rule.why:
            head = f"{printable(rule.rule)}: {rule.outcome}"
            lines += ["", head, *(f"  {said}" for said in _reasons(rule))]
    return "\n".join([*lines, "", *verdict_conclusion(summary), ""])


def _markdown(summary: VerdictSummary) -> str:
    lines = ["| result | rule | why |", "| --- | --- | --- |"]
    for rule in summary.rules:
        why = "<br>".join(map(code, _reasons(rule) or [rule.title]))
        lines.append(f"| {rule.outcome} | {code(rule.rule)} | {why} |")
    lines += ["", *(f"- {line}" for line in verdict_conclusion(summary)), ""]
    return "\n".join(lines)


FORMATS: dict[str, Callable[[VerdictSummary], str]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}


def _reasons(rule: RuleSummary) -> Sequence[str]:
    """Give the first few reasons, and how many more there are."""
    shown = [printable(said) for said in rule.why[:MOST_REASONS]]
    more = len(rule.why) - MOST_REASONS
    return [*shown, f"and {more} more"] if more > 0 else shown
