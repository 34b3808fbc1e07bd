"""An environment's encrypted secrets: found in the repository, opened with an age key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagger

from pipeline.catalogue.repository import Repository
from pipeline.config.environments import UnknownEnvironmentError, read_environments
from pipeline.config.load import sections_in
from pipeline.config.resolve import Configuration
from pipeline.config.secrets import load_secrets, secrets_path
from pipeline.config.sops import Sops, SopsError
from pipeline.config.variables import Variables, variables_of_services
from pipeline.engine.programs import program

PROGRAM = "/usr/local/bin/sops"


@dataclass(frozen=True)
class EncryptedSecrets:
    """The encrypted secrets of a repository, and the age key of one of their recipients."""

    repository: Repository
    key: dagger.Secret | None

    async def sops(self) -> Sops:
        """Give the program: what it decrypts stays in this process."""
        key = await self.key.plaintext() if self.key is not None else None
        return Sops(await program(self.repository.images.sops, PROGRAM), key)

    def named(self, environment: str | None) -> str:
        """Give an environment's name, whose secrets may not be there yet.

        Raises UnknownEnvironmentError.
        """
        sections = sections_in(self.repository)
        names = sorted(read_environments(self.repository.environments, sections).names)
        if environment not in names:
            raise UnknownEnvironmentError(
                "This is about one environment's secrets: choose it with "
                f"`environment --name NAME`, of {', '.join(names)}."
            )
        return environment

    def has(self, environment: str) -> bool:
        """Whether the environment has a file of secrets."""
        return secrets_path(environment) in self.repository.files

    def text(self, environment: str) -> str:
        """Give an environment's file as it is. Raises SopsError, InvalidFilesError."""
        path = secrets_path(environment)
        if not self.has(environment):
            raise SopsError(
                f"There is no {path}: begin it with `environment --name {environment} secrets set "
                "--setting … --value env://… --recipients age1…`."
            )
        text = self.repository.files[path]
        load_secrets({path: text}, sections_in(self.repository), [environment])
        return text

    async def decrypt(self, environment: str) -> dict[str, Any]:
        """Open an environment's file. Raises SopsError."""
        return await (await self.sops()).decrypted(self.text(environment))

    def need_key(self, configuration: Configuration) -> None:
        """Check that an environment's secrets can be opened, if it has any. Raises SopsError."""
        if self.key is None and has_secrets(configuration):
            raise SopsError(
                f"{configuration.environment} has secrets: give the age key that opens "
                f"{secrets_path(configuration.environment)} with --secrets-key, e.g. "
                "env://SOPS_AGE_KEY."
            )

    async def of_services(self, configuration: Configuration) -> dict[str, dict[str, str]]:
        """Decrypt what each service reads: service → variable → text. Needs a key for any."""
        if not has_secrets(configuration):
            return {}
        data = await self.decrypt(configuration.environment)
        services = variables_of_services(configuration, data)
        return {name: dict(variables.secret) for name, variables in services.items()}

    async def variables(self, configuration: Configuration) -> Mapping[str, Variables]:
        """Give what an environment sets for each service, by name; secrets with a key only."""
        data: dict[str, Any] = {}
        if self.key is not None and self.has(configuration.environment):
            data = await self.decrypt(configuration.environment)
        return variables_of_services(configuration, data)


def has_secrets(configuration: Configuration) -> bool:
    """Whether any setting of an environment is a secret."""
    return any(configured.setting.sensitive for _, _, configured in configuration)
