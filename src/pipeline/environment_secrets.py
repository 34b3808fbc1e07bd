"""An environment's secrets on the command line: decrypted, set, encrypted, for whom."""

import uuid
from typing import Annotated

import dagger
from dagger import Doc, Name, dag, field

from pipeline import documents
from pipeline.catalogue.engine.source import read_repository
from pipeline.catalogue.settings import from_text
from pipeline.config.convert import dumped
from pipeline.config.disclose import (
    SecretsFormat,
    checked,
    disclosed,
    read_plain,
    sensitive_setting,
)
from pipeline.config.engine.encrypted import EncryptedSecrets
from pipeline.config.load import load_environments, sections_in
from pipeline.config.secrets import secrets_path
from pipeline.config.sops import SopsError
from pipeline.engine import flags
from pipeline.engine.files import file_of
from pipeline.engine.objects import function, object_type
from pipeline.errors import InapplicableFlagError

dagger.enum_type(SecretsFormat)

Recipients = Annotated[
    list[str] | None,
    Doc("age recipients (age1…) who can read the file (default: those of the file as it is)"),
]


@object_type
class Rekeyed:
    """A file of secrets for other recipients, and the secrets that are to change now."""

    file: Annotated[dagger.File, Doc("The encrypted file")] = field()
    change: Annotated[
        list[str], Doc("Secrets that somebody knows who can't read the file any more")
    ] = field()


@object_type
class Secrets:
    """An environment's secrets: config/secrets/NAME.yml, encrypted for age recipients."""

    source: dagger.Directory
    name: str | None
    key: dagger.Secret | None

    @function(cache="never")
    async def decrypt(
        self,
        as_: Annotated[SecretsFormat, Name("as"), Doc("How to write them")] = (SecretsFormat.YAML),
        services: flags.Services = None,
    ) -> dagger.Secret:
        """Decrypt them, with --secrets-key: `decrypt plaintext` shows them."""
        encrypted = await self._encrypted()
        configuration = load_environments(encrypted.repository).one(self.name)
        data = await encrypted.decrypt(configuration.environment)
        text = disclosed(configuration, data, as_, services or [])
        return dag.set_secret(f"secrets-{uuid.uuid4()}", text)

    @function(cache="never")
    async def set(
        self,
        setting: Annotated[str, Doc("Setting, e.g. my_service.database_url")],
        value: Annotated[dagger.Secret, Doc("Its new value, e.g. env://DATABASE_URL")],
        recipients: Recipients = None,
    ) -> dagger.File:
        """Set one, with --secrets-key; the file's other values stay as they are."""
        encrypted = await self._encrypted()
        sections, environment = sections_in(encrypted.repository), encrypted.named(self.name)
        key, name = sensitive_setting(setting, sections)
        found = from_text(sections[key].settings[name], await value.plaintext())
        given = documents.unplaced(secrets_path(environment), {key: {name: found}})
        secrets = checked(given, sections)
        sops = await encrypted.sops()
        if encrypted.has(environment):
            if recipients:
                raise InapplicableFlagError(
                    "--recipients",
                    "a file that isn't there yet: `secrets recipients --add` adds one",
                )
            text = await sops.with_value(encrypted.text(environment), key, name, secrets[key][name])
        else:
            text = await sops.encrypted(dumped(secrets), _given(recipients))
        return file_of(f"{environment}.yml", text)

    @function(cache="never")
    async def encrypt(
        self,
        plain: Annotated[dagger.Secret, Doc("YAML of all secrets, e.g. file://secrets.yml")],
        recipients: Recipients = None,
    ) -> dagger.File:
        """Encrypt all of them at once, without a key."""
        encrypted = await self._encrypted()
        environment = encrypted.named(self.name)
        sections = sections_in(encrypted.repository)
        secrets = read_plain(secrets_path(environment), await plain.plaintext(), sections)
        text = await (await encrypted.sops()).encrypted(dumped(secrets), _given(recipients))
        return file_of(f"{environment}.yml", text)

    @function(cache="never")
    async def rotate(self) -> dagger.File:
        """Encrypt them under a new data key, with --secrets-key."""
        encrypted = await self._encrypted()
        environment = encrypted.named(self.name)
        text = await (await encrypted.sops()).rotated(encrypted.text(environment))
        return file_of(f"{environment}.yml", text)

    @function(cache="never")
    async def recipients(
        self,
        add: Annotated[list[str] | None, Doc("age recipients who shall read the file")] = None,
        remove: Annotated[list[str] | None, Doc("age recipients who no longer shall")] = None,
    ) -> Rekeyed:
        """Encrypt them for others, under a new data key, with --secrets-key."""
        encrypted = await self._encrypted()
        loaded = load_environments(encrypted.repository)
        environment = loaded.one(self.name).environment
        text = encrypted.text(environment)
        known = loaded.secrets[environment].recipients
        strangers = [name for name in remove or [] if name not in known]
        if strangers:
            raise SopsError(
                f"{', '.join(strangers)} can't be removed: recipients of "
                f"{secrets_path(environment)} are {', '.join(known)}."
            )
        changed = await (await encrypted.sops()).rotated(text, add or [], remove or [])
        names = loaded.secrets[environment].names
        change = sorted(f"{key}.{name}" for key, name in names) if remove else []
        return Rekeyed(file=file_of(f"{environment}.yml", changed), change=change)

    async def _encrypted(self) -> EncryptedSecrets:
        return EncryptedSecrets(await read_repository(self.source), self.key)


def _given(recipients: list[str] | None) -> list[str]:
    if not recipients:
        raise SopsError(
            "Nobody could read this file: name who shall, with --recipients age1…, the public "
            "keys of age-keygen."
        )
    return recipients
