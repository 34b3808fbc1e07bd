"""What environments have, and how they differ."""

from pipeline.models import Model
from pipeline.report.render import Column, Format, Lines, Part, Report, Table, as_table, render

NOTHING = "-"


class SettingSummary(Model):
    """One setting: its value and origin in each environment, in their order."""

    setting: str
    description: str
    unit: str
    values: list[str]
    origins: list[str]


class SecretSummary(Model):
    """One sensitive setting, and since when each environment's file is as it is."""

    setting: str
    owner: str
    changed: list[str]


class ConfigSummary(Model):
    """Settings and secrets of environments; values of secrets are never in it."""

    environments: list[str]
    settings: list[SettingSummary]
    secrets: list[SecretSummary]
    recipients: list[list[str]]


def render_config(summary: ConfigSummary, name: Format) -> str:
    """Render as `table`, `markdown` or `json`."""
    parts: list[Part] = [_settings(summary)]
    if summary.secrets:
        parts += [_secrets(summary), Lines(recipient_lines(summary))]
    return render(Report(summary, parts), name)


def explained(summary: ConfigSummary) -> str:
    """List each value of one environment with its origin."""
    rows = [
        (setting.setting, value, origin)
        for setting in summary.settings
        for value, origin in zip(setting.values, setting.origins, strict=True)
    ]
    return as_table([Table([Column("setting"), Column("value"), Column("from")], rows)])


def _settings(summary: ConfigSummary) -> Table:
    columns = [Column("setting"), *map(Column, summary.environments)]
    return Table(columns, [(row.setting, *row.values) for row in summary.settings])


def _secrets(summary: ConfigSummary) -> Table:
    environments = (Column(name, plain=True) for name in summary.environments)
    columns = [Column("secret"), Column("owner", plain=True), *environments]
    rows = [(row.setting, row.owner or NOTHING, *row.changed) for row in summary.secrets]
    return Table(columns, rows)


def recipient_lines(summary: ConfigSummary) -> list[str]:
    """Say who can read the secrets of each environment."""
    return [
        f"{name} can be read by {', '.join(recipients)}"
        for name, recipients in zip(summary.environments, summary.recipients, strict=True)
        if recipients
    ]
