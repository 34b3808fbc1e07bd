"""Reads a repository's own files: services, images, registry, stack."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import dagger
from dagger import dag

from pipeline.catalogue.catalogue import (
    IMAGES_FILE,
    REGISTRY_FILE,
    SERVICE_FILES,
    Entry,
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
from pipeline.concurrency import gathered

READ_AT_A_TIME = 16


@dataclass(frozen=True)
class Repository:
    """What a repository says of itself."""

    services: list[Entry]
    images: Images
    registry: Registry | None


async def read_repository(source: dagger.Directory) -> Repository:
    """Read and check everything before any work. Raises InvalidFilesError and its kin."""
    services = await texts(source, SERVICE_FILES)
    default = await dag.current_module().source().file(IMAGES_FILE).contents()
    return Repository(
        services=load_services(services),
        images=load_images(default, await _contents(source, IMAGES_FILE)),
        registry=load_registry(await _contents(source, REGISTRY_FILE)),
    )


async def read_stack(source: dagger.Directory, services: Collection[str]) -> Stack:
    """Read how the services make one stack. Raises MissingStackError, InvalidFilesError."""
    return load_stack(await _contents(source, STACK_FILE), services)


async def read_scan(source: dagger.Directory) -> ScanSettings:
    """Read where the scanners' databases are. Raises InvalidFilesError."""
    return load_scan(await _contents(source, SCAN_FILE))


async def read_waivers(source: dagger.Directory) -> WaiversFile:
    """Read what the repository accepts for a time. Raises InvalidFilesError."""
    return load_waivers(await _contents(source, WAIVERS_FILE))


async def read_signing(source: dagger.Directory) -> Signing:
    """Read how images are signed, and who is believed. Raises InvalidFilesError."""
    return load_signing(await _contents(source, SIGNING_FILE))


@dataclass(frozen=True)
class Rules:
    """The policy: its data, and Rego files (path → text), the module's own and the repository's."""

    policy: Policy
    files: Mapping[str, str]


async def read_rules(source: dagger.Directory) -> Rules:
    """Read the policy; a file of the repository stands for the module's of the same name.

    Raises InvalidFilesError.
    """
    own = await texts(source, POLICY_RULES)
    default = await texts(dag.current_module().source(), POLICY_RULES)
    return Rules(load_policy(await _contents(source, POLICY_FILE)), {**default, **own})


async def texts(directory: dagger.Directory, pattern: str) -> dict[str, str]:
    """Read all the files that match a pattern: path → text."""
    paths = await directory.glob(pattern)
    read = [directory.file(path).contents for path in paths]
    return dict(zip(paths, await gathered(read, READ_AT_A_TIME), strict=True))


async def _contents(source: dagger.Directory, path: str) -> str | None:
    return await source.file(path).contents() if await source.exists(path) else None
