"""config/secrets/*.yml: what can be known of encrypted files without their key."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from pipeline import documents
from pipeline.config.environments import meant
from pipeline.config.sections import Sections
from pipeline.documents import Document
from pipeline.errors import START, InvalidFilesError, Mistake, bounded, place_at

METADATA = "sops"
BASE64 = "[A-Za-z0-9+/]+={0,2}"
ENCRYPTED = re.compile(rf"ENC\[AES256_GCM,data:{BASE64},iv:{BASE64},tag:{BASE64},type:\w+\]")
CONFLICT = re.compile(r"^(<<<<<<<|=======|>>>>>>>)", re.MULTILINE)
# Where SOPS lists who can decrypt, and what it calls them there.
RECIPIENTS = {
    "age": "recipient",
    "kms": "arn",
    "gcp_kms": "resource_id",
    "azure_kv": "vault_url",
    "hc_vault": "vault_address",
    "pgp": "fp",
}


@dataclass(frozen=True)
class SecretsFile:
    """The sensitive settings that an environment has, and who can read them."""

    document: Document
    names: frozenset[tuple[str, str]]
    recipients: tuple[str, ...]
    modified: str


def secrets_path(environment: str) -> str:
    """Say where an environment's secrets are."""
    return f"config/secrets/{environment}.yml"


def load_secrets(
    texts: Mapping[str, str], sections: Sections, environments: Collection[str]
) -> dict[str, SecretsFile]:
    """Read all files (path → text), by environment. Raises InvalidFilesError with all mistakes."""
    files: dict[str, SecretsFile] = {}
    mistakes: list[Mistake] = []
    for path, text in sorted(texts.items()):
        try:
            document = _parsed(path, text)
        except InvalidFilesError as error:
            mistakes += error.mistakes
            continue
        name = PurePosixPath(path).stem
        if name not in environments:
            message = f"there is no environment '{name}'{meant(name, environments)}"
            mistakes.append(document.mistake((), message))
        mistakes += bounded(_mistakes(document, sections))
        files[name] = _file(document)
    if mistakes:
        raise InvalidFilesError(mistakes)
    return files


def _parsed(path: str, text: str) -> Document:
    conflict = CONFLICT.search(text)
    if conflict:
        message = (
            "git left a conflict: take one side whole, then set the values that only the other "
            "one has with `environment --name … secrets set`, for a signature covers them all"
        )
        place = place_at(text, conflict.start())
        raise InvalidFilesError([Mistake(path, place, "", message)])
    try:
        document = documents.parse(path, text)
    except InvalidFilesError as error:
        # What YAML doesn't like may be a value in plain text, which is shown nowhere.
        message = "can't be read as YAML that sops wrote: encrypt the file anew"
        raise InvalidFilesError(
            replace(mistake, message=message) for mistake in error.mistakes
        ) from None
    metadata = document.data.get(METADATA) if isinstance(document.data, dict) else None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("mac"), str):
        message = (
            "isn't encrypted: encrypt it with `environment --name … secrets encrypt` or with sops, "
            "and change what it holds where it is used, if git has it already"
        )
        raise InvalidFilesError([Mistake(path, START, "", message)])
    return document


def _mistakes(document: Document, sections: Sections) -> Iterator[Mistake]:
    for key, values in document.data.items():
        if key == METADATA:
            continue
        if key not in sections:
            yield document.misnamed((key,), f"unknown section{meant(key, sections)}")
        elif not isinstance(values, dict):
            yield document.mistake((key,), "expected a mapping of settings")
        else:
            settings = sections[key].settings
            sensitive = [name for name, setting in settings.items() if setting.sensitive]
            for name, value in values.items():
                if name not in settings:
                    message = f"unknown setting{meant(name, sensitive)}"
                    yield document.misnamed((key, name), message)
                elif name not in sensitive:
                    message = "isn't sensitive: move it to config/environments"
                    yield document.misnamed((key, name), message)
                elif not _is_encrypted(value):
                    message = (
                        "stands in plain text: change it where it is used, and give the new value "
                        "with `environment --name … secrets set`"
                    )
                    yield document.mistake((key, name), message)


def _is_encrypted(value: object) -> bool:
    """Whether sops encrypted a value; of a list it does each item."""
    if isinstance(value, list):
        return bool(value) and all(map(_is_encrypted, value))
    return isinstance(value, str) and bool(ENCRYPTED.fullmatch(value))


def _entries(metadata: Mapping[str, Any], kind: str) -> list[Any]:
    entries = metadata.get(kind)
    return entries if isinstance(entries, list) else []


def _file(document: Document) -> SecretsFile:
    metadata: dict[str, Any] = document.data[METADATA]
    names = {
        (key, name)
        for key, values in document.data.items()
        if key != METADATA and isinstance(values, dict)
        for name in values
    }
    recipients = [
        str(entry.get(field, ""))
        for kind, field in RECIPIENTS.items()
        for entry in _entries(metadata, kind)
        if isinstance(entry, dict)
    ]
    modified = str(metadata.get("lastmodified", ""))
    return SecretsFile(document, frozenset(names), tuple(recipients), modified)
