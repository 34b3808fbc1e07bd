"""What a registry says of images without their layers: manifests and configs, byte for byte."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.build.layout import platform_of
from pipeline.engine.batch import CommandResult
from pipeline.errors import PipelineError
from pipeline.registry.reference import repository_of

# Attestations of BuildKit stand among the platforms, as manifests for nothing that runs.
NO_PLATFORM = "unknown/unknown"
MANIFEST = ("manifest", "get")
CONFIG = ("image", "inspect")
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
ALGORITHMS = ("sha256", "sha384", "sha512")

Run = Callable[[Sequence[Sequence[str]]], Awaitable[Sequence[CommandResult]]]
"""Runs commands, and says of each how it ended."""


class NoSuchImageError(PipelineError):
    """An image, or a platform of it, isn't there or can't be read."""


@dataclass(frozen=True)
class OnPlatform:
    """An image on one platform: the descriptor of its manifest, the manifest, and the config."""

    descriptor: Mapping[str, Any]
    manifest: Mapping[str, Any]
    config: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The digest of the manifest."""
        return str(self.descriptor["digest"])

    @property
    def name(self) -> str:
        """The platform; an image without an index says it itself."""
        return platform_of(self.descriptor.get("platform") or self.config)


@dataclass(frozen=True)
class Manifests:
    """An image's index, or its only manifest, by its digest, and all that this names."""

    reference: str
    digest: str
    platforms: Mapping[str, OnPlatform]

    def chosen(self, names: Sequence[str]) -> list[OnPlatform]:
        """Give platforms, all if none is named. Raises NoSuchImageError."""
        missing = [name for name in names if name not in self.platforms]
        if missing:
            raise NoSuchImageError(
                f"{self.reference} has no {' and no '.join(missing)}: "
                f"it has {', '.join(self.platforms)}. Choose with --platforms."
            )
        if not self.platforms:
            raise NoSuchImageError(f"{self.reference} has no platform: nothing of it can run.")
        return [self.platforms[name] for name in names or self.platforms]


async def read_manifests(references: Sequence[str], run: Run) -> list[Manifests]:
    """Read what describes images; `run` is for commands of regctl. Raises NoSuchImageError."""
    roots = await _read(run, [(name, MANIFEST, name) for name in references])
    named = [
        (reference, entry)
        for reference, root in zip(references, roots, strict=True)
        for entry in _entries(_checked(reference, root, reference.partition("@")[2]), root)
    ]
    texts = await _read(
        run,
        [
            (reference, what, f"{repository_of(reference)}@{entry['digest']}")
            for reference, entry in named
            for what in (MANIFEST, CONFIG)
        ],
    )
    found: dict[str, dict[str, OnPlatform]] = {reference: {} for reference in references}
    for (reference, entry), text, config in zip(named, texts[::2], texts[1::2], strict=True):
        manifest = _checked(reference, text, entry["digest"])
        said = _checked(reference, config, manifest["config"]["digest"])
        platform = OnPlatform(entry, manifest, said)
        found[reference][platform.name] = platform
    return [
        Manifests(reference, reference.partition("@")[2] or digest_of(root), found[reference])
        for reference, root in zip(references, roots, strict=True)
    ]


def digest_of(text: str, algorithm: str = "sha256") -> str:
    """Give the digest of a blob."""
    return f"{algorithm}:{hashlib.new(algorithm, text.encode()).hexdigest()}"


async def _read(run: Run, asked: Sequence[tuple[str, Sequence[str], str]]) -> list[str]:
    """Read blobs of images: for which reference, what it is, and its name."""
    ended = await run([["regctl", *what, "--format=raw-body", name] for _, what, name in asked])
    for (reference, _, _), each in zip(asked, ended, strict=True):
        if not each.succeeded:
            said = each.errors.strip().splitlines() or ["nothing"]
            raise NoSuchImageError(
                f"{reference} can't be read: is its name right, and may this user read it "
                f"(--registry-username, --registry-password)?\nThe registry said: {said[-1][-400:]}"
            )
    return [each.output for each in ended]


def _checked(reference: str, text: str, digest: str) -> dict[str, Any]:
    """Take a blob for what its digest says, if it has one."""
    algorithm = digest.partition(":")[0]
    if digest and (algorithm not in ALGORITHMS or digest_of(text, algorithm) != digest):
        raise NoSuchImageError(
            f"{reference} can't be read: what the registry gives isn't what {digest} names."
        )
    content: dict[str, Any] = json.loads(text)
    return content


def _entries(root: Mapping[str, Any], text: str) -> list[Mapping[str, Any]]:
    """List the descriptors of what runs: an index's, or that of the only manifest."""
    if "config" in root:
        own = {"mediaType": root.get("mediaType", OCI_MANIFEST), "digest": digest_of(text)}
        return [{**own, "size": len(text.encode())}]
    return [
        entry
        for entry in root["manifests"]
        if platform_of(entry.get("platform", {})) != NO_PLATFORM
    ]
