"""Environments side by side, for reports: values of secrets stay out of them."""

from collections.abc import Mapping, Sequence

from pipeline.catalogue.settings import to_text
from pipeline.config.resolve import Configuration, Configured
from pipeline.config.secrets import SecretsFile, secrets_path
from pipeline.report.config import NOTHING, ConfigSummary, SecretSummary, SettingSummary

ENCRYPTED = "(encrypted)"


def summarised(
    configurations: Sequence[Configuration],
    secrets: Mapping[str, SecretsFile],
    *,
    differences_only: bool = False,
) -> ConfigSummary:
    """Set environments side by side, all of it or only what differs."""
    names = [configuration.environment for configuration in configurations]
    files = [secrets.get(name) for name in names]
    settings, sensitive = [], []
    for key, name, configured in configurations[0]:
        field = f"{key}.{name}"
        if configured.setting.sensitive:
            changed = [_changed(file, key, name) for file in files]
            if not differences_only or len(set(changed)) > 1:
                owner = configured.setting.owner
                sensitive.append(SecretSummary(setting=field, owner=owner, changed=changed))
            continue
        all_of_it = [other.values[key][name] for other in configurations]
        values = [_shown(other) for other in all_of_it]
        if set(values) == {NOTHING} or (differences_only and len(set(values)) == 1):
            continue
        settings.append(
            SettingSummary(
                setting=field,
                description=configured.setting.description,
                unit=configured.setting.unit,
                values=values,
                origins=[other.origin for other in all_of_it],
            )
        )
    return ConfigSummary(
        environments=names,
        settings=settings,
        secrets=sensitive,
        recipients=[list(file.recipients) if file else [] for file in files],
    )


def explanation(configuration: Configuration, secrets: SecretsFile | None) -> ConfigSummary:
    """Give one environment's values with their origins, of secrets the file's name."""
    summary = summarised([configuration], {})
    for key, name, configured in configuration:
        if configured.setting.sensitive and secrets and (key, name) in secrets.names:
            summary.settings.append(
                SettingSummary(
                    setting=f"{key}.{name}",
                    description=configured.setting.description,
                    unit=configured.setting.unit,
                    values=[ENCRYPTED],
                    origins=[secrets_path(configuration.environment)],
                )
            )
    return summary


def _shown(configured: Configured) -> str:
    if configured.value is None:
        return NOTHING
    return to_text(configured.value) or '""'


def _changed(file: SecretsFile | None, key: str, name: str) -> str:
    if file is None or (key, name) not in file.names:
        return "missing"
    return f"changed {file.modified[:10]}" if file.modified else "encrypted"
