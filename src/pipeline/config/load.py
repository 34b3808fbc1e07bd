"""All environments of a repository, read and checked in one go."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.catalogue.repository import ENVIRONMENT_FILES, Repository
from pipeline.config.check import check
from pipeline.config.environments import (
    Environments,
    UnknownEnvironmentError,
    read_environments,
)
from pipeline.config.resolve import Configuration, Overlays, resolved
from pipeline.config.secrets import SecretsFile, load_secrets
from pipeline.config.sections import Sections, sections_of
from pipeline.errors import InvalidFilesError, Mistake

NO_OVERLAYS = Overlays()


@dataclass(frozen=True)
class Loaded:
    """What a repository says of its environments."""

    sections: Sections
    environments: Environments
    configurations: Mapping[str, Configuration]
    secrets: Mapping[str, SecretsFile]

    def one(self, name: str | None) -> Configuration:
        """Give one environment. Raises UnknownEnvironmentError."""
        if name is None:
            raise UnknownEnvironmentError(
                "This is about one environment: choose it with `environment --name NAME`, "
                f"of {', '.join(self.environments.names)}."
            )
        return self.configurations[self.environments.checked(name)]


def sections_in(repository: Repository) -> Sections:
    """List what environments of a repository may set. Raises InvalidFilesError."""
    backing = repository.stack.backing if repository.has_stack else []
    return sections_of(repository.services, backing)


def load_environments(
    repository: Repository, name: str | None = None, overlays: Overlays = NO_OVERLAYS
) -> Loaded:
    """Read all environments of a repository; overlays are for the one of this name.

    Raises UnknownEnvironmentError, and InvalidFilesError with every mistake of every file.
    """
    sections = sections_in(repository)
    return load(sections, repository.environments, repository.secrets, name, overlays)


def check_repository(repository: Repository) -> str:
    """Check all files of a repository; says in a line what there is.

    Raises InvalidFilesError and its kin.
    """
    parts = [f"{len(repository.services)} services"]
    if repository.has_stack:
        parts.append(f"a stack of {len(repository.stack.services)}")
    if repository.environments:
        parts.append(f"{len(load_environments(repository).environments.names)} environments")
    rules = len(repository.rules.files)
    exemptions = len(repository.waivers.waivers) + len(repository.waivers.exemptions)
    parts += [f"{rules} rules", f"{exemptions} waivers and exemptions"]
    # Read by their properties: each raises what is wrong in its file.
    databases, signing = repository.scan, repository.signing
    parts.append(f"{len(databases.trivy_databases)} mirrors")
    parts.append(f"{len(signing.keys) + len(signing.identities)} trusted signatories")
    return f"All right: {', '.join(parts)}.\n"


def load(
    sections: Sections,
    environments: Mapping[str, str],
    secrets: Mapping[str, str],
    name: str | None = None,
    overlays: Overlays = NO_OVERLAYS,
) -> Loaded:
    """Read all files (path → text); overlays are for the environment of this name.

    Raises UnknownEnvironmentError, and InvalidFilesError with every mistake of every file.
    """
    if not environments:
        raise UnknownEnvironmentError(
            f"The repository has no environments: no file matches {ENVIRONMENT_FILES}.\n"
            "Write one for each, e.g. config/environments/production.yml."
        )
    mistakes: list[Mistake] = []
    try:
        files = read_environments(environments, sections)
    except InvalidFilesError as error:
        mistakes += error.mistakes
    try:
        names = [PurePosixPath(path).stem for path in environments]
        encrypted = load_secrets(secrets, sections, names)
    except InvalidFilesError as error:
        mistakes += error.mistakes
    if mistakes:
        raise InvalidFilesError(mistakes)
    if name is not None:
        files.checked(name)
    configurations = {
        each: resolved(files, each, sections, overlays if each == name else NO_OVERLAYS)
        for each in files.names
    }
    check(files, configurations, encrypted)
    return Loaded(sections, files, configurations, encrypted)
