"""config/environments/*.yml: the files, what each extends, and what each says by itself."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import BeforeValidator, Field, TypeAdapter

from pipeline import documents
from pipeline.catalogue.models import DNS_LABEL, Name, Strict
from pipeline.catalogue.repository import ENVIRONMENT_FILES, SECRETS_FILES
from pipeline.catalogue.settings import Setting
from pipeline.config.sections import Sections
from pipeline.config.tree import EMPTY, Branch, Node, merged, tree_of
from pipeline.documents import Document, FieldPath, shown
from pipeline.errors import InvalidFilesError, Mistake, PipelineError, bounded

MOST_NAMES = 12


class UnknownEnvironmentError(PipelineError):
    """Somebody asked for an environment that the repository doesn't have."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Head(Strict):
    """What an environment's file says of itself, beside its sections."""

    extends: Annotated[
        list[Name], BeforeValidator(_listed, json_schema_input_type=str | list[Name])
    ] = Field(default_factory=list, description="Files that this one is laid on, the lowest first.")
    partial: bool = Field(default=False, description="Only for others to extend.")
    stricter_than: Name | None = Field(
        default=None, description="Environment that this one may not be laxer than."
    )


HEAD: TypeAdapter[Head] = TypeAdapter(Head)


@dataclass(frozen=True)
class EnvironmentFile:
    """One file of config/environments."""

    name: str
    document: Document
    head: Head
    own: Node


@dataclass(frozen=True)
class Environments:
    """All files of config/environments, each right by itself."""

    files: Mapping[str, EnvironmentFile]

    @property
    def names(self) -> list[str]:
        """Name the environments, the laxest first: all files but those that are only extended."""
        names = [name for name, file in self.files.items() if not file.head.partial]
        return sorted(names, key=lambda name: len(_laxer_than(name, self.files)))

    def checked(self, name: str) -> str:
        """Give the name of an environment as it is. Raises UnknownEnvironmentError."""
        if name not in self.names:
            raise UnknownEnvironmentError(
                f"Unknown environment '{name}'{meant(name, self.names)}\n"
                f"Each is a file {ENVIRONMENT_FILES} that isn't partial."
            )
        return name

    def layered(self, name: str) -> Node:
        """Lay an environment over all that it extends."""
        file = self.files[name]
        below: Node = EMPTY
        for lower in file.head.extends:
            below = merged(below, self.layered(lower))
        return merged(below, file.own)


def read_environments(texts: Mapping[str, str], sections: Sections) -> Environments:
    """Read all files (path → text). Raises InvalidFilesError with the mistakes of all of them."""
    files: dict[str, EnvironmentFile] = {}
    mistakes: list[Mistake] = []
    for path, text in sorted(texts.items()):
        try:
            file = _read(path, text)
        except InvalidFilesError as error:
            mistakes += error.mistakes
            continue
        files[file.name] = file
        mistakes += bounded(_mistakes(file, sections))
    if not mistakes:
        mistakes += (mistake for file in files.values() for mistake in _misled(file, files))
    if mistakes:
        raise InvalidFilesError(mistakes)
    return Environments(files)


def _read(path: str, text: str) -> EnvironmentFile:
    document = documents.parse(path, text)
    if not isinstance(document.data, dict):
        raise InvalidFilesError([document.mistake((), "expected a mapping of sections")])
    known = document.data.keys() & Head.model_fields.keys()
    said = replace(document, data={key: document.data[key] for key in known})
    head = documents.validate(said, HEAD)
    own = Branch({key: tree_of(document, (key,)) for key in document.data if key not in known})
    name = PurePosixPath(path).stem
    if not re.fullmatch(DNS_LABEL, name):
        message = "the file's name is no environment's: expected a-z, 0-9 and -, as in a DNS label"
        raise InvalidFilesError([document.mistake((), message)])
    return EnvironmentFile(name, document, head, own)


def _mistakes(file: EnvironmentFile, sections: Sections) -> Iterator[Mistake]:
    document = file.document
    for key, values in document.data.items():
        if key in Head.model_fields:
            continue
        section = sections.get(str(key))
        if section is None:
            names = [*sections, *Head.model_fields]
            yield document.misnamed((key,), f"unknown section{meant(str(key), names)}")
        elif isinstance(values, dict):
            for name, value in values.items():
                yield from _wrong(document, (key, name), value, section.settings)
        elif values is not None:
            yield document.mistake((key,), f"expected a mapping of settings, got {shown(values)}")


def _wrong(
    document: Document, field: FieldPath, value: object, settings: Mapping[str, Setting]
) -> Iterator[Mistake]:
    name = str(field[-1])
    setting = settings.get(name)
    if setting is None:
        yield document.misnamed(field, f"unknown setting{meant(name, settings)}")
    elif setting.sensitive:
        yield document.mistake(
            field,
            "is sensitive: it must not stand here in plain text. Change the value where it is "
            "used, for git keeps this one, and put the new one into "
            f"{SECRETS_FILES} with `environment --name … secrets set`",
        )
    elif value is not None and not setting.accepts(value):
        yield document.mistake(field, f"expected {setting.expected}, got {shown(value)}")


def _misled(file: EnvironmentFile, files: Mapping[str, EnvironmentFile]) -> Iterator[Mistake]:
    """Find references to files that aren't there, and those that lead back."""
    for index, name in enumerate(file.head.extends):
        field: FieldPath = ("extends", index)
        if name not in files:
            yield file.document.mistake(field, f"there is no {name}.yml{meant(name, files)}")
        elif file.name in _reached(name, files):
            yield file.document.mistake(field, f"'{name}' extends this file in turn")
    other = file.head.stricter_than
    if other is not None and (other not in files or files[other].head.partial):
        names = [name for name, known in files.items() if not known.head.partial]
        yield file.document.mistake(
            ("stricter_than",), f"there is no environment '{other}'{meant(other, names)}"
        )
    elif other is not None and file.name in _laxer_than(file.name, files):
        yield file.document.mistake(
            ("stricter_than",), f"'{other}' is stricter than this one in turn"
        )


def _laxer_than(name: str, files: Mapping[str, EnvironmentFile]) -> set[str]:
    """Name all environments that one is to be stricter than, by one or several steps."""
    found: set[str] = set()
    other = files[name].head.stricter_than
    while other is not None and other in files and other not in found:
        found.add(other)
        other = files[other].head.stricter_than
    return found


def _reached(name: str, files: Mapping[str, EnvironmentFile]) -> set[str]:
    reached: set[str] = set()
    queue = [name]
    while queue:
        name = queue.pop()
        if name in files and name not in reached:
            reached.add(name)
            queue += files[name].head.extends
    return reached


def meant(name: str, known: Iterable[str]) -> str:
    """Say which name was meant, or which there are."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    more = ", …" if len(names) > MOST_NAMES else ""
    return f"; expected one of {', '.join(names[:MOST_NAMES])}{more}"
