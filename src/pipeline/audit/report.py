"""The audit trail, for people and programs."""

from collections.abc import Sequence
from typing import Any

from pydantic import RootModel

from pipeline.audit.record import Record
from pipeline.report.render import Column, Format, Lines, Part, Report, Table, render
from pipeline.report.summary import counted

HEADINGS = ("when", "who", "action", "target", "what", "outcome", "why", "from")
COLUMNS = (Column("#", right=True), *map(Column, HEADINGS))
NOTHING = "-"


class Told(RootModel[list[dict[str, Any]]]):
    """Records, each with its digest."""


def render_audit(records: Sequence[Record], name: Format) -> str:
    """Render records as `table`, `markdown` or `json`."""
    told = Told([record.model_dump() | {"digest": record.digest} for record in records])
    parts: list[Part] = [
        Table(COLUMNS, [_row(record) for record in records]),
        Lines([_closing(records)]),
    ]
    return render(Report(told, parts), name)


def _row(record: Record) -> tuple[str, ...]:
    return (
        str(record.sequence),
        record.model_dump()["when"],
        record.who,
        record.action,
        record.target,
        record.what or NOTHING,
        f"{record.outcome}: {record.detail}" if record.detail else record.outcome,
        record.why or NOTHING,
        record.origin,
    )


def _closing(records: Sequence[Record]) -> str:
    if not records:
        return "Nothing is recorded."
    return f"{counted(len(records), 'record')}; the last is {records[-1].digest}."
