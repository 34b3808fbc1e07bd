"""What environments have, and how they differ: one model, as a table, Markdown or JSON."""

from collections.abc import Callable, Sequence

from pydantic import BaseModel

from pipeline.report.summary import format_named
from pipeline.report.table import aligned, code, printable

NOTHING = "-"


class SettingSummary(BaseModel):
    """One setting: its value and origin in each environment, in their order."""

    setting: str
    description: str
    unit: str
    values: list[str]
    origins: list[str]


class SecretSummary(BaseModel):
    """One sensitive setting, and since when each environment's file is as it is."""

    setting: str
    owner: str
    changed: list[str]


class ConfigSummary(BaseModel):
    """Settings and secrets of environments; values of secrets are never in it."""

    environments: list[str]
    settings: list[SettingSummary]
    secrets: list[SecretSummary]
    recipients: list[list[str]]


def render_config(summary: ConfigSummary, name: str) -> str:
    """Render as `table`, `markdown` or `json`. Raises UnknownFormatError."""
    return format_named(name, FORMATS)(summary)


def explained(summary: ConfigSummary) -> str:
    """List each value of one environment with its origin."""
    rows = [
        (setting.setting, printable(value), origin)
        for setting in summary.settings
        for value, origin in zip(setting.values, setting.origins, strict=True)
    ]
    return "\n".join([*aligned([("SETTING", "VALUE", "FROM"), *rows]), ""])


def _table(summary: ConfigSummary) -> str:
    heading = ("SETTING", *(name.upper() for name in summary.environments))
    rows = [(row.setting, *map(printable, row.values)) for row in summary.settings]
    lines = aligned([heading, *rows])
    if summary.secrets:
        heading = ("SECRET", "OWNER", *(name.upper() for name in summary.environments))
        secrets = [(row.setting, row.owner or NOTHING, *row.changed) for row in summary.secrets]
        lines += ["", *aligned([heading, *secrets]), "", *recipient_lines(summary)]
    return "\n".join([*lines, ""])


def _markdown(summary: ConfigSummary) -> str:
    lines = _rows(["setting", *summary.environments])
    lines += [
        _row([f"`{row.setting}`", *(code(value) for value in row.values)])
        for row in summary.settings
    ]
    if summary.secrets:
        lines += ["", *_rows(["secret", "owner", *summary.environments])]
        lines += [
            _row([f"`{row.setting}`", row.owner or NOTHING, *row.changed])
            for row in summary.secrets
        ]
        lines += ["", *(f"- {line}" for line in recipient_lines(summary))]
    return "\n".join([*lines, ""])


def _json(summary: ConfigSummary) -> str:
    return summary.model_dump_json(indent=2) + "\n"


def _rows(heading: Sequence[str]) -> list[str]:
    return [_row(heading), _row(["---"] * len(heading))]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def recipient_lines(summary: ConfigSummary) -> list[str]:
    """Say who can read the secrets of each environment."""
    return [
        f"{name} can be read by {', '.join(recipients)}"
        for name, recipients in zip(summary.environments, summary.recipients, strict=True)
        if recipients
    ]


FORMATS: dict[str, Callable[[ConfigSummary], str]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}
