"""What must hold between values, and between environments."""

from collections.abc import Iterator, Mapping

from pipeline import documents
from pipeline.catalogue.settings import measure
from pipeline.config.environments import Environments
from pipeline.config.resolve import Configuration, Configured
from pipeline.config.secrets import SecretsFile, secrets_path
from pipeline.config.sections import PERFORMANCE
from pipeline.errors import InvalidFilesError, Mistake, bounded


def check(
    environments: Environments,
    configurations: Mapping[str, Configuration],
    secrets: Mapping[str, SecretsFile],
) -> None:
    """Check all environments, by name. Raises InvalidFilesError with every mistake."""
    mistakes: list[Mistake] = []
    for name, configuration in configurations.items():
        mistakes += bounded(_missing(environments, configurations, configuration))
        mistakes += bounded(_missing_secrets(configuration, secrets.get(name)))
        mistakes += bounded(_replicas(environments, configuration))
        other = environments.files[name].head.stricter_than
        if other is not None and other in configurations:
            mistakes += bounded(_laxer(environments, configuration, configurations[other]))
    if mistakes:
        raise InvalidFilesError(mistakes)


def _place(
    environments: Environments, environment: str, field: tuple[str, str], message: str
) -> Mistake:
    """Name a mistake where the environment's own file says something of it."""
    return environments.files[environment].document.mistake(field, message)


def _missing(
    environments: Environments,
    configurations: Mapping[str, Configuration],
    configuration: Configuration,
) -> Iterator[Mistake]:
    for key, name, configured in configuration:
        setting = configured.setting
        if configured.value is not None or setting.optional or setting.sensitive:
            continue
        said = [
            f"{other.environment} has it at {other.values[key][name].origin}"
            for other in configurations.values()
            if other.values[key][name].value is not None
        ]
        message = "; ".join([f"is missing: expected {setting.expected}", *said])
        yield _place(environments, configuration.environment, (key, name), message)


def _missing_secrets(configuration: Configuration, file: SecretsFile | None) -> Iterator[Mistake]:
    name = configuration.environment
    for key, field, configured in configuration:
        setting = configured.setting
        if not setting.sensitive or setting.optional:
            continue
        if file is None or (key, field) not in file.names:
            document = file.document if file else documents.unplaced(secrets_path(name), {})
            yield document.mistake(
                (key, field),
                f"is missing: set it with `environment --name {name} secrets set "
                f"--setting {key}.{field} --value env://VALUE`",
            )


def _replicas(environments: Environments, configuration: Configuration) -> Iterator[Mistake]:
    for key in [PERFORMANCE, *(key for key, _ in configuration.services())]:
        if key == PERFORMANCE:
            least, most = (configuration.values[key][f"{end}_replicas"] for end in ("min", "max"))
        else:
            least, most = (configuration.limit(key, f"{end}_replicas") for end in ("min", "max"))
        if not isinstance(least.value, int) or not isinstance(most.value, int):
            continue
        own = [configuration.values[key][f"{end}_replicas"].value for end in ("min", "max")]
        if least.value > most.value and own != [None, None]:
            yield _place(
                environments,
                configuration.environment,
                (key, "max_replicas"),
                f"expected at least min_replicas, which is {least.value} ({least.origin}), "
                f"got {most.value} ({most.origin})",
            )


def _laxer(
    environments: Environments, strict: Configuration, lax: Configuration
) -> Iterator[Mistake]:
    for key, name, mine in strict:
        other = lax.values[key][name]
        if mine.value is None or other.value is None or not _is_laxer(mine, other):
            continue
        bound = "at most" if mine.setting.stricter == "lower" else "at least"
        yield _place(
            environments,
            strict.environment,
            (key, name),
            f"expected {bound} {other.value} as in {lax.environment} ({other.origin}), "
            f"got {mine.value} ({mine.origin})",
        )


def _is_laxer(mine: Configured, other: Configured) -> bool:
    setting = mine.setting
    if setting.stricter is None:
        return False
    size, bound = measure(setting, mine.value), measure(setting, other.value)
    return size > bound if setting.stricter == "lower" else size < bound
