"""What a repository says of itself, read once and handed down: services, images, stack, rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from pipeline.catalogue.catalogue import (
    IMAGES_FILE,
    REGISTRY_FILE,
    SERVICE_FILES,
    ServiceEntry,
    load_images,
    load_registry,
    load_services,
)
from pipeline.catalogue.models import Images, Registry
from pipeline.catalogue.policy import POLICY_FILE, POLICY_RULES, Policy, load_policy
from pipeline.catalogue.scan import SCAN_FILE, ScanSettings, load_scan
from pipeline.catalogue.signing import SIGNING_FILE, Signing, load_signing
from pipeline.catalogue.stack import STACK_FILE, Stack, load_stack
from pipeline.catalogue.waivers import WAIVERS_FILE, WaiversFile, load_waivers
from pipeline.errors import START, InvalidFilesError, Mistake

ENVIRONMENT_FILES = "config/environments/*.yml"
SECRETS_FILES = "config/secrets/*.yml"
FILES = (
    *(SERVICE_FILES, IMAGES_FILE, REGISTRY_FILE, STACK_FILE, SCAN_FILE, SIGNING_FILE),
    *(WAIVERS_FILE, POLICY_FILE, POLICY_RULES, ENVIRONMENT_FILES, SECRETS_FILES),
)
"""Patterns of all that is read of a repository before any work."""

OWN = Path(__file__).parents[3]
"""The module's own repository: its images, rules and chart stand where another says nothing."""


@dataclass(frozen=True)
class Rules:
    """The policy: its data, and Rego files (path → text), the module's own and the repository's."""

    policy: Policy
    files: Mapping[str, str]


@dataclass(frozen=True)
class Repository:
    """The files that steer a run (path → text), and what they say.

    What every verb needs is checked at once, the rest when it is asked for. Each property raises
    InvalidFilesError.
    """

    files: Mapping[str, str]
    services: Sequence[ServiceEntry]
    images: Images
    registry: Registry | None

    @property
    def names(self) -> list[str]:
        """Name the services."""
        return [entry.service.name for entry in self.services]

    @property
    def has_stack(self) -> bool:
        """Whether it says how its services make one stack."""
        return STACK_FILE in self.files

    @property
    def environments(self) -> dict[str, str]:
        """Give the files of the environments."""
        return _matching(self.files, ENVIRONMENT_FILES)

    @property
    def secrets(self) -> dict[str, str]:
        """Give the environments' encrypted files."""
        return _matching(self.files, SECRETS_FILES)

    @cached_property
    def stack(self) -> Stack:
        """How the services make one stack. Raises MissingStackError, too."""
        return load_stack(self.files.get(STACK_FILE), self.names)

    @cached_property
    def scan(self) -> ScanSettings:
        """Where the scanners' databases are."""
        return load_scan(self.files.get(SCAN_FILE))

    @cached_property
    def waivers(self) -> WaiversFile:
        """What the repository accepts for a time."""
        return load_waivers(self.files.get(WAIVERS_FILE))

    @cached_property
    def signing(self) -> Signing:
        """How images are signed, and who is trusted."""
        return load_signing(self.files.get(SIGNING_FILE))

    @cached_property
    def rules(self) -> Rules:
        """The policy; a file of the repository stands for the module's of the same name."""
        own = {
            str(path.relative_to(OWN)): path.read_text() for path in sorted(OWN.glob(POLICY_RULES))
        }
        rules = {**own, **_matching(self.files, POLICY_RULES)}
        return Rules(load_policy(self.files.get(POLICY_FILE)), rules)


def load_repository(files: Mapping[str, str]) -> Repository:
    """Check what every verb needs, before any work. Raises InvalidFilesError and its kin."""
    folders = [path for path in FILES if any(name.startswith(f"{path}/") for name in files)]
    if folders:
        raise InvalidFilesError(
            Mistake(path, START, "", "is a folder: expected a file") for path in folders
        )
    return Repository(
        files=files,
        services=load_services(_matching(files, SERVICE_FILES)),
        images=load_images((OWN / IMAGES_FILE).read_text(), files.get(IMAGES_FILE)),
        registry=load_registry(files.get(REGISTRY_FILE)),
    )


def _matching(files: Mapping[str, str], pattern: str) -> dict[str, str]:
    depth = len(PurePosixPath(pattern).parts)
    return {
        path: text
        for path, text in files.items()
        if len(PurePosixPath(path).parts) == depth and PurePosixPath(path).match(pattern)
    }
