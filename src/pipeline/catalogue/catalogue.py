"""The catalogue: all services of a repository, loaded with every mistake named at once."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import get_args

from pipeline import documents
from pipeline.catalogue.models import IMAGES, REGISTRY, SERVICE_FILE, Images, Registry, ServiceFile
from pipeline.documents import Document
from pipeline.errors import InvalidFilesError, Mistake, PipelineError

SERVICE_FILES = "services/*/service.yml"
IMAGES_FILE = "config/images.yml"
REGISTRY_FILE = "config/registry.yml"


class UnknownServiceError(PipelineError):
    """Somebody asked for a service that the repository doesn't have."""


class EmptyRepositoryError(PipelineError):
    """The repository has nothing to build."""


@dataclass(frozen=True)
class ServiceEntry:
    """One service, the folder that holds it, and its file there."""

    service: ServiceFile
    directory: str
    document: Document


def load_services(files: Mapping[str, str]) -> list[ServiceEntry]:
    """Read service files (path → text), sorted by name.

    Raises InvalidFilesError with the mistakes of all files, EmptyRepositoryError without any.
    """
    if not files:
        raise EmptyRepositoryError(
            f"The repository has no service: no file matches {SERVICE_FILES}.\n"
            "Write one, e.g. services/hello/service.yml with name, title, kind, port and "
            "size_limit, or give another repository with --source."
        )
    entries: list[ServiceEntry] = []
    mistakes: list[Mistake] = []
    for path, text in sorted(files.items()):
        try:
            document = documents.parse(path, text)
            service = documents.validate(document, SERVICE_FILE, _known_fields())
        except InvalidFilesError as error:
            mistakes += error.mistakes
            continue
        for other in entries:
            if other.service.name == service.name:
                mistakes.append(
                    document.mistake(
                        ("name",),
                        f"'{service.name}' is the name of {other.directory}/service.yml too; "
                        "names are unique in a repository",
                    )
                )
        entries.append(ServiceEntry(service, str(PurePosixPath(path).parent), document))
    if mistakes:
        raise InvalidFilesError(mistakes)
    return sorted(entries, key=lambda entry: entry.service.name)


def _known_fields() -> list[str]:
    names: set[str] = set()
    for model in get_args(get_args(ServiceFile)[0]):
        names |= set(model.model_fields)
        names |= set(model.model_fields["build"].annotation.model_fields)
    return sorted(names)


def choose(entries: Sequence[ServiceEntry], names: Iterable[str]) -> list[ServiceEntry]:
    """Pick services by name, all of them when no name is given. Raises UnknownServiceError."""
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return list(entries)
    by_name = {entry.service.name: entry for entry in entries}
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        near = difflib.get_close_matches(unknown[0], by_name, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise UnknownServiceError(
            f"Unknown service {', '.join(map(repr, unknown))}.{hint}\n"
            f"The repository has: {', '.join(by_name)}."
        )
    return [by_name[name] for name in wanted]


def load_images(default: str, own: str | None) -> Images:
    """Read the images in use: the module's, with the repository's own names on top."""
    document = documents.parse(IMAGES_FILE, default)
    if own is not None:
        mine = documents.parse(IMAGES_FILE, own)
        if not isinstance(mine.data, dict):
            raise InvalidFilesError([mine.mistake((), "expected a mapping of names to images")])
        document = replace(mine, data={**document.data, **mine.data})
    return documents.validate(document, IMAGES, list(Images.model_fields))


def load_registry(text: str | None) -> Registry | None:
    """Read where images are published by default; none when the repository doesn't say."""
    if text is None:
        return None
    document = documents.parse(REGISTRY_FILE, text)
    return documents.validate(document, REGISTRY, list(Registry.model_fields))
