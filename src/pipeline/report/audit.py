"""The audit trail, from its records to a table, Markdown or JSON."""

import json
from collections.abc import Callable, Sequence

from pipeline.audit.record import Record
from pipeline.report.summary import counted, format_named
from pipeline.report.table import aligned, code, printable

HEADING = ("#", "WHEN", "WHO", "ACTION", "TARGET", "WHAT", "OUTCOME", "WHY", "FROM")
NOTHING = "-"


def render_audit(records: Sequence[Record], name: str) -> str:
    """Render records as `table`, `markdown` or `json`. Raises UnknownFormatError."""
    return format_named(name, FORMATS)(records)


def _table(records: Sequence[Record]) -> str:
    rows = [tuple(map(printable, _row(record))) for record in records]
    return "\n".join([*aligned([HEADING, *rows]), "", _closing(records), ""])


def _markdown(records: Sequence[Record]) -> str:
    lines = [
        f"| {' | '.join(HEADING).lower()} |",
        f"| ---: |{' --- |' * (len(HEADING) - 1)}",
        *(f"| {' | '.join(map(code, _row(record)))} |" for record in records),
    ]
    return "\n".join([*lines, "", f"- {_closing(records)}", ""])


def _json(records: Sequence[Record]) -> str:
    said = [record.model_dump() | {"digest": record.digest} for record in records]
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


FORMATS: dict[str, Callable[[Sequence[Record]], str]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}


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
