"""Values of secrets: checked without being shown, written for those who need them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from pipeline import documents
from pipeline.catalogue.settings import Value, to_text
from pipeline.config.convert import (
    dumped,
    dumped_all,
    manifest,
    without_clash,
)
from pipeline.config.environment_file import environment_file
from pipeline.config.environments import meant
from pipeline.config.resolve import Configuration
from pipeline.config.secrets import METADATA, secrets_path
from pipeline.config.sections import Sections, variable_of
from pipeline.documents import Document
from pipeline.errors import InvalidFilesError, Mistake, PipelineError

# What sops leaves as it is: nobody could tell it from a value in plain text.
NOTHING: tuple[Value, ...] = ("", [])
Secrets = Mapping[str, Mapping[str, Value]]


class SecretsFormat(StrEnum):
    """What reads an environment's secrets."""

    YAML = "yaml"
    ENV = "env"
    KUBERNETES = "kubernetes"


class UnknownSecretError(PipelineError):
    """Somebody named a setting that isn't sensitive, or isn't at all."""


def sensitive_setting(field: str, sections: Sections) -> tuple[str, str]:
    """Give section and name of a sensitive setting. Raises UnknownSecretError."""
    known = _sensitive(sections)
    if field not in known:
        raise UnknownSecretError(f"'{field}' is no sensitive setting{meant(field, known)}.")
    key, _, name = field.partition(".")
    return key, name


def checked(document: Document, sections: Sections) -> Secrets:
    """Check values of secrets against their settings. Raises InvalidFilesError, without values."""
    data = document.data
    mistakes: list[Mistake] = []
    found: dict[str, dict[str, Value]] = {}
    sensitive = _sensitive(sections)
    if not isinstance(data, dict) or not all(isinstance(part, dict) for part in data.values()):
        raise InvalidFilesError([document.mistake((), "expected sections, each with settings")])
    for key, values in data.items():
        for name, value in values.items():
            field = f"{key}.{name}"
            if field not in sensitive:
                message = f"is no sensitive setting{meant(field, sensitive)}"
                mistakes.append(document.misnamed((key, name), message))
                continue
            setting = sections[key].settings[name]
            if not setting.accepts(value) or value in NOTHING:
                message = f"expected {setting.expected}, and something of it"
                mistakes.append(document.mistake((key, name), message))
            found.setdefault(key, {})[name] = value
    if mistakes:
        raise InvalidFilesError(mistakes)
    return found


def _sensitive(sections: Sections) -> list[str]:
    return [
        f"{key}.{name}"
        for key, section in sections.items()
        for name, setting in section.settings.items()
        if setting.sensitive
    ]


def read_plain(path: str, text: str, sections: Sections) -> Secrets:
    """Read a plain file that is to be encrypted. Raises InvalidFilesError, without its values."""
    documents.check_encoding(path, text)
    try:
        document = documents.parse(path, text)
    except InvalidFilesError as error:
        raise InvalidFilesError(
            replace(mistake, message="can't be read as plain YAML: quote texts")
            for mistake in error.mistakes
        ) from None
    if isinstance(document.data, dict) and METADATA in document.data:
        raise InvalidFilesError([document.misnamed((METADATA,), "is encrypted already")])
    return checked(document, sections)


def disclosed(
    configuration: Configuration, data: object, to: SecretsFormat, only: Sequence[str] = ()
) -> str:
    """Write decrypted secrets in a format. Raises InexpressibleError."""
    chosen = {key for key, _ in configuration.services(only)}
    document = documents.unplaced(secrets_path(configuration.environment), data)
    secrets = checked(document, configuration.sections)
    return FORMATS[to](
        configuration, {key: values for key, values in secrets.items() if key in chosen}
    )


def _variables(configuration: Configuration, key: str, values: Mapping[str, Value]) -> list[Any]:
    settings = configuration.sections[key].settings
    return [
        (variable_of(key, name, settings[name]), to_text(value), f"{key}.{name}")
        for name, value in values.items()
    ]


def _yaml(_: Configuration, secrets: Secrets) -> str:
    return dumped({key: dict(values) for key, values in secrets.items()})


def _env(configuration: Configuration, secrets: Secrets) -> str:
    return environment_file(
        without_clash(
            variable
            for key, values in secrets.items()
            for variable in _variables(configuration, key, values)
        )
    )


def _kubernetes(configuration: Configuration, secrets: Secrets) -> str:
    names = dict(configuration.services())
    return dumped_all(
        manifest(
            configuration,
            "Secret",
            names[key],
            {
                "type": "Opaque",
                "stringData": {
                    variable: text for variable, text, _ in _variables(configuration, key, values)
                },
            },
        )
        for key, values in secrets.items()
    )


FORMATS: dict[SecretsFormat, Callable[[Configuration, Secrets], str]] = {
    SecretsFormat.YAML: _yaml,
    SecretsFormat.ENV: _env,
    SecretsFormat.KUBERNETES: _kubernetes,
}
