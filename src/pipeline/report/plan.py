"""What a deployment would change, as a table, Markdown or JSON."""

from collections.abc import Callable

from pydantic import BaseModel

from pipeline.report.summary import counted, format_named
from pipeline.report.table import code, printable

SIGNS = {"create": "+", "change": "~", "delete": "-"}
NOTHING = "(not set)"


class FieldChange(BaseModel):
    """One field: none where it isn't set."""

    field: str
    before: str | None
    after: str | None


class ObjectChange(BaseModel):
    """One object: create, change or delete."""

    action: str
    kind: str
    name: str
    fields: list[FieldChange]


class PlanSummary(BaseModel):
    """All that would change in a release."""

    release: str
    changes: list[ObjectChange]


def render_plan(summary: PlanSummary, name: str) -> str:
    """Render as `table`, `markdown` or `json`. Raises UnknownFormatError."""
    return format_named(name, FORMATS)(summary)


def closing(summary: PlanSummary) -> str:
    """Count what would change."""
    if not summary.changes:
        return f"Nothing would change in {summary.release}."
    actions = [change.action for change in summary.changes]
    counts = [f"{actions.count(action)} to {action}" for action in SIGNS if action in actions]
    return f"{counted(len(actions), 'object')} of {summary.release}: {', '.join(counts)}."


def _table(summary: PlanSummary) -> str:
    lines = []
    for change in summary.changes:
        lines.append(f"{SIGNS[change.action]} {change.kind} {printable(change.name)}")
        lines += [
            f"    {field.field}: {_said(field.before)} → {_said(field.after)}"
            for field in change.fields
        ]
    return "\n".join([*lines, *([""] if lines else []), closing(summary), ""])


def _markdown(summary: PlanSummary) -> str:
    lines = ["| | object | field | before | after |", "| --- | --- | --- | --- | --- |"]
    for change in summary.changes:
        start = f"| {SIGNS[change.action]} | {change.kind} {code(change.name)} |"
        if not change.fields:
            lines.append(f"{start} | | |")
        lines += [
            f"{start} {code(field.field)} | {code(_said(field.before))} | "
            f"{code(_said(field.after))} |"
            for field in change.fields
        ]
    return "\n".join([*(lines if summary.changes else []), "", closing(summary), ""])


def _json(summary: PlanSummary) -> str:
    return summary.model_dump_json(indent=2) + "\n"


def _said(value: str | None) -> str:
    return NOTHING if value is None else printable(value)


FORMATS: dict[str, Callable[[PlanSummary], str]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}
