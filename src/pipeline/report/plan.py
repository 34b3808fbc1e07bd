"""What a deployment would change."""

from pipeline.models import Model
from pipeline.report.render import Column, Format, Lines, Report, Table, render
from pipeline.report.summary import counted

SIGNS = {"create": "+", "change": "~", "delete": "-"}
NOTHING = "(not set)"
COLUMNS = (
    Column("", plain=True),
    Column("kind", plain=True),
    *map(Column, ("name", "field", "before", "after")),
)


class FieldChange(Model):
    """One field: none where it isn't set."""

    field: str
    before: str | None
    after: str | None


class ObjectChange(Model):
    """One object: create, change or delete."""

    action: str
    kind: str
    name: str
    fields: list[FieldChange]


class PlanSummary(Model):
    """All that would change in a release."""

    release: str
    changes: list[ObjectChange]


def render_plan(summary: PlanSummary, name: Format) -> str:
    """Render as `table`, `markdown` or `json`."""
    conclusion = Lines([_closing(summary)])
    rows = [row for change in summary.changes for row in _rows(change)]
    table = [Table(COLUMNS, rows)] if rows else []
    lines = Lines([line for change in summary.changes for line in _lines(change)])
    return render(Report(summary, [lines, conclusion], [*table, conclusion]), name)


def _closing(summary: PlanSummary) -> str:
    if not summary.changes:
        return f"Nothing would change in {summary.release}."
    actions = [change.action for change in summary.changes]
    counts = [f"{actions.count(action)} to {action}" for action in SIGNS if action in actions]
    return f"{counted(len(actions), 'object')} of {summary.release}: {', '.join(counts)}."


def _lines(change: ObjectChange) -> list[str]:
    return [
        f"{SIGNS[change.action]} {change.kind} {change.name}",
        *(
            f"    {field.field}: {_said(field.before)} → {_said(field.after)}"
            for field in change.fields
        ),
    ]


def _rows(change: ObjectChange) -> list[tuple[str, ...]]:
    start = (SIGNS[change.action], change.kind, change.name)
    fields = [(each.field, _said(each.before), _said(each.after)) for each in change.fields]
    return [(*start, *field) for field in fields or [("", "", "")]]


def _said(value: str | None) -> str:
    return NOTHING if value is None else value
