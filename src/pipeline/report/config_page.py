"""Environments side by side, as one HTML page that needs nothing but itself."""

from collections.abc import Iterable
from html import escape
from string import Template

from pipeline.report.config import ConfigSummary, SettingSummary, recipient_lines
from pipeline.report.html import HERE, page

BODY = Template((HERE / "config.html").read_text())


def config_page(summary: ConfigSummary, title: str) -> str:
    """Write the page; all that comes from outside is escaped."""
    body = BODY.substitute(
        environments="".join(f"<th>{escape(name)}</th>" for name in summary.environments),
        settings="\n".join(map(_setting, summary.settings)),
        secrets="\n".join(
            _row([escape(row.setting), escape(row.owner), *map(escape, row.changed)])
            for row in summary.secrets
        ),
        recipients="\n".join(f"<li>{escape(line)}</li>" for line in recipient_lines(summary)),
    )
    return page(title, body)


def _setting(row: SettingSummary) -> str:
    unit = f" ({row.unit})" if row.unit else ""
    values = [
        f'{escape(value)}<span class="more">{escape(origin)}</span>'
        for value, origin in zip(row.values, row.origins, strict=True)
    ]
    what = f'{escape(row.setting)}<span class="more">{escape(row.description + unit)}</span>'
    return _row([what, *values])


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
