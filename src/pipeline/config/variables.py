"""What an environment gives to each service that runs: variables, the secret ones apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline import documents
from pipeline.catalogue.settings import to_text
from pipeline.catalogue.stack import STACK_FILE, Stack
from pipeline.config.convert import variables_of
from pipeline.config.disclose import checked
from pipeline.config.resolve import Configuration
from pipeline.config.secrets import secrets_path
from pipeline.config.sections import variable_of
from pipeline.errors import PipelineError


class UnknownSecretsError(PipelineError):
    """Services of a stack need secrets whose values nobody gave."""


@dataclass(frozen=True)
class Variables:
    """What one service reads from its environment."""

    plain: Mapping[str, str]
    secret: Mapping[str, str] = field(repr=False)
    missing: frozenset[str]
    """Secret variables that it needs, and whose values weren't given."""


def variables_of_services(configuration: Configuration, secrets: object) -> dict[str, Variables]:
    """Give the variables of each service, by name; `secrets` is decrypted, as far as it may be.

    Raises InvalidFilesError for wrong secrets, without their values.
    """
    path = secrets_path(configuration.environment)
    values = checked(documents.unplaced(path, secrets), configuration.sections)
    found = {}
    for key, service in configuration.services():
        secret, missing = {}, set()
        for name, configured in configuration.values[key].items():
            setting = configured.setting
            variable = variable_of(key, name, setting)
            if name in values.get(key, {}):
                secret[variable] = to_text(values[key][name])
            elif setting.sensitive and not setting.optional:
                missing.add(variable)
        found[service] = Variables(variables_of(configuration, key), secret, frozenset(missing))
    return found


def check_secrets(stack: Stack, settings: Mapping[str, Variables]) -> None:
    """Raise UnknownSecretsError for what is neither in the stack nor in the settings."""
    missing = [
        f"{variable} of {name}"
        for name, member in stack.services.items()
        if name in settings
        for variable in sorted(settings[name].missing - member.environment.keys())
    ]
    if missing:
        raise UnknownSecretsError(
            f"Nobody said what these are: {', '.join(missing)}.\nGive the key of the environment's "
            f"secrets with --secrets-key, or write them into {STACK_FILE}."
        )
