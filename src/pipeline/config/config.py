"""Environments on the command line: validate, explain, convert, compare, report, keep secrets."""

import uuid
from pathlib import Path
from typing import Annotated, Self

import dagger
from dagger import Doc, Name, dag, field, function

from pipeline import documents, handed
from pipeline.catalogue.repository import read_repository, read_stack, texts
from pipeline.catalogue.settings import from_text
from pipeline.catalogue.stack import STACK_FILE
from pipeline.config.convert import converted, dumped
from pipeline.config.disclose import (
    checked,
    disclosed,
    read_plain,
    sensitive_setting,
)
from pipeline.config.environments import ENVIRONMENT_FILES, SECRETS_FILES
from pipeline.config.load import Loaded, load
from pipeline.config.resolve import Configuration, Overlays
from pipeline.config.schema import schema
from pipeline.config.secrets import load_secrets, secrets_path
from pipeline.config.sections import Sections, sections_of
from pipeline.config.sops import Sops, SopsError
from pipeline.config.summary import explanation, summarised
from pipeline.config.variables import Variables, variables_of_services
from pipeline.objects import Format, object_type, side_effect
from pipeline.programs import program
from pipeline.report.config import explained, render_config
from pipeline.report.config_page import config_page

OnlyServices = Annotated[list[str] | None, Doc("Only these services, by name (default: all)")]
Recipients = Annotated[
    list[str] | None,
    Doc("age recipients (age1…) who can read the file (default: those of the file as it is)"),
]
PROGRAM = "/usr/local/bin/sops"


@object_type
class Rekeyed:
    """A file of secrets for other recipients, and the secrets that are to change now."""

    file: Annotated[dagger.File, Doc("The encrypted file")] = field()
    change: Annotated[
        list[str], Doc("Secrets that somebody knows who can't read the file any more")
    ] = field()


@object_type
class Config:
    """What differs between environments: config/environments, and secrets in config/secrets."""

    source: dagger.Directory
    environment: str | None
    flags: list[str]
    variables: str
    key: dagger.Secret | None

    @classmethod
    def of(
        cls,
        source: dagger.Directory,
        environment: str | None = None,
        key: dagger.Secret | None = None,
    ) -> Self:
        """Look at the environments of a repository as they are."""
        return cls(source=source, environment=environment, flags=[], variables="", key=key)

    @function
    async def validate(self) -> str:
        """Check all files and each environment, and name every mistake with its place."""
        loaded = await self.loaded()
        names = loaded.environments.names
        settings = sum(len(section.settings) for section in loaded.sections.values())
        services = sum(bool(section.service) for section in loaded.sections.values())
        return f"{', '.join(names)}: {settings} settings of {services} services, all right.\n"

    @function
    async def explain(self) -> str:
        """List each value of the environment, and the file, variable or flag that it is from."""
        loaded = await self.loaded()
        configuration = loaded.one(self.environment)
        return explained(explanation(configuration, loaded.secrets.get(configuration.environment)))

    @function
    async def convert(
        self,
        to: Annotated[str, Doc("yaml, json, env, toml, compose, helm-values or configmap")],
        services: OnlyServices = None,
    ) -> str:
        """Write the environment's values in a format; sensitive ones are left out by name."""
        loaded = await self.loaded()
        return converted(loaded.one(self.environment), to, services or [])

    @function
    async def diff(
        self,
        with_: Annotated[str, Name("with"), Doc("The other environment")],
        format_: Format = "table",
    ) -> str:
        """List what differs between the environment and another one."""
        loaded = await self.loaded()
        both = [loaded.one(self.environment), loaded.one(with_)]
        return render_config(summarised(both, loaded.secrets, differences_only=True), format_)

    @function
    async def report(self, format_: Format = "table") -> str:
        """Set all environments side by side; secrets by name, owner, age and recipients."""
        loaded = await self.loaded()
        everything = list(loaded.configurations.values())
        return render_config(summarised(everything, loaded.secrets), format_)

    @function
    async def html(self) -> dagger.File:
        """Set all environments side by side, on one page that needs nothing else."""
        loaded = await self.loaded()
        summary = summarised(list(loaded.configurations.values()), loaded.secrets)
        return handed.file("config.html", config_page(summary, "Configuration"))

    @function
    async def schema(self) -> dagger.File:
        """Write the JSON Schema of this repository's environments, for editors."""
        return handed.file("environment.schema.json", schema(await self._sections()))

    @side_effect
    async def secrets(
        self,
        to: Annotated[str, Doc("yaml, env or kubernetes")] = "yaml",
        services: OnlyServices = None,
    ) -> dagger.Secret:
        """Decrypt the environment's secrets, with --key: `secrets plaintext` shows them."""
        configuration = (await self.loaded()).one(self.environment)
        sops = await self._sops()
        data = await sops.decrypted(await self._encrypted(configuration.environment))
        text = disclosed(configuration, data, to, services or [])
        return dag.set_secret(f"config-{uuid.uuid4()}", text)

    @side_effect
    async def set_secret(
        self,
        name: Annotated[str, Doc("Setting, e.g. my_service.database_url")],
        value: Annotated[dagger.Secret, Doc("Its new value, e.g. env://DATABASE_URL")],
        recipients: Recipients = None,
    ) -> dagger.File:
        """Set one secret, with --key; the file's other values stay as they are."""
        sections, environment = await self._sections(), await self._environment()
        key, setting_name = sensitive_setting(name, sections)
        setting = sections[key].settings[setting_name]
        found = from_text(setting, await value.plaintext())
        given = documents.unplaced(secrets_path(environment), {key: {setting_name: found}})
        secrets = checked(given, sections)
        sops = await self._sops()
        if await self.source.exists(secrets_path(environment)):
            encrypted = await sops.with_value(
                await self._encrypted(environment), key, setting_name, secrets[key][setting_name]
            )
        else:
            encrypted = await sops.encrypted(dumped(secrets), _given(recipients))
        return handed.file(f"{environment}.yml", encrypted)

    @side_effect
    async def encrypt(
        self,
        plain: Annotated[dagger.Secret, Doc("YAML of all secrets, e.g. file://secrets.yml")],
        recipients: Recipients = None,
    ) -> dagger.File:
        """Encrypt all the environment's secrets at once, without a key."""
        environment = await self._environment()
        path = secrets_path(environment)
        secrets = read_plain(path, await plain.plaintext(), await self._sections())
        encrypted = await (await self._sops()).encrypted(dumped(secrets), _given(recipients))
        return handed.file(f"{environment}.yml", encrypted)

    @side_effect
    async def rotate(self) -> dagger.File:
        """Encrypt the environment's secrets under a new data key, with --key."""
        environment = await self._environment()
        encrypted = await (await self._sops()).rotated(await self._encrypted(environment))
        return handed.file(f"{environment}.yml", encrypted)

    @side_effect
    async def recipients(
        self,
        add: Annotated[list[str] | None, Doc("age recipients who shall read the file")] = None,
        remove: Annotated[list[str] | None, Doc("age recipients who no longer shall")] = None,
    ) -> Rekeyed:
        """Encrypt the environment's secrets for others, under a new data key, with --key."""
        loaded = await self.loaded()
        environment = loaded.one(self.environment).environment
        text = await self._encrypted(environment)
        known = loaded.secrets[environment].recipients
        strangers = [name for name in remove or [] if name not in known]
        if strangers:
            raise SopsError(
                f"{', '.join(strangers)} can't be removed: recipients of "
                f"{secrets_path(environment)} are {', '.join(known)}."
            )
        encrypted = await (await self._sops()).rotated(text, add or [], remove or [])
        names = loaded.secrets[environment].names
        change = sorted(f"{key}.{name}" for key, name in names) if remove else []
        return Rekeyed(file=handed.file(f"{environment}.yml", encrypted), change=change)

    async def _sections(self) -> Sections:
        services = (await read_repository(self.source)).services
        names = [entry.service.name for entry in services]
        has_stack = await self.source.exists(STACK_FILE)
        backing = (await read_stack(self.source, names)).backing if has_stack else []
        return sections_of(services, backing)

    async def loaded(self) -> Loaded:
        """Read and check everything. Raises InvalidFilesError with every mistake."""
        return load(
            await self._sections(),
            await texts(self.source, ENVIRONMENT_FILES),
            await texts(self.source, SECRETS_FILES),
            self.environment,
            Overlays(self.variables, self.flags),
        )

    async def opened(self, configuration: Configuration) -> dict[str, dict[str, str]]:
        """Decrypt what each service reads: service → variable → text. Needs a key for any."""
        if not any(configured.setting.sensitive for _, _, configured in configuration):
            return {}
        sops = await self._sops()
        data = await sops.decrypted(await self._encrypted(configuration.environment))
        services = variables_of_services(configuration, data)
        return {name: dict(variables.secret) for name, variables in services.items()}

    async def variables_of_services(self) -> dict[str, Variables]:
        """Give what the environment sets for each service, by name; secrets with a key only."""
        loaded = await self.loaded()
        configuration = loaded.one(self.environment)
        secrets: dict[str, object] = {}
        if self.key is not None and configuration.environment in loaded.secrets:
            encrypted = await self._encrypted(configuration.environment)
            secrets = await (await self._sops()).decrypted(encrypted)
        return variables_of_services(configuration, secrets)

    async def _environment(self) -> str:
        """Give the environment's name, before its secrets are there."""
        paths = [Path(path).stem for path in await self.source.glob(ENVIRONMENT_FILES)]
        if self.environment not in paths:
            raise SopsError(
                "This is about one environment's secrets: choose it with "
                f"`config --environment NAME`, of {', '.join(sorted(paths))}."
            )
        return self.environment

    async def _encrypted(self, environment: str) -> str:
        path = secrets_path(environment)
        if not await self.source.exists(path):
            raise SopsError(
                f"There is no {path}: begin it with `config --environment {environment} "
                "set-secret --name … --value env://… --recipients age1…`."
            )
        text = await self.source.file(path).contents()
        load_secrets({path: text}, await self._sections(), [environment])
        return text

    async def _sops(self) -> Sops:
        """Give the program: what it decrypts stays in this process."""
        images = (await read_repository(self.source)).images
        key = await self.key.plaintext() if self.key is not None else None
        return Sops(await program(images.sops, PROGRAM), key)


def _given(recipients: list[str] | None) -> list[str]:
    if not recipients:
        raise SopsError(
            "Nobody could read this file: name who shall, with --recipients age1…, the public "
            "keys of age-keygen."
        )
    return recipients
