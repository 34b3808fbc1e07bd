"""What is scanned, described and judged: each platform of an image, byte for byte."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagger
from dagger import dag

from pipeline.build.image import Image
from pipeline.build.layout import blob_path, descriptors, index_of, platform_of
from pipeline.catalogue.models import Images
from pipeline.errors import PipelineError
from pipeline.registry.access import Access
from pipeline.registry.reference import repository_of

# Attestations of BuildKit stand among the platforms, as manifests for nothing that runs.
NO_PLATFORM = "unknown/unknown"


class NoSuchImageError(PipelineError):
    """An image, or a platform of it, isn't there or can't be read."""


@dataclass(frozen=True)
class Subject:
    """An image on one platform, as it is or will be published.

    `image` is a name that stays from run to run; `index` is the digest of the index that names
    this manifest, or the manifest's own; `layout` is an OCI image layout with this one
    manifest; `files` is what it unpacks to; `config` is OCI's image config; `annotations` are
    the manifest's, and the labels.
    """

    image: str
    index: str
    platform: str
    digest: str
    layout: dagger.Directory
    files: dagger.Directory
    config: Mapping[str, Any]
    annotations: Mapping[str, str]

    @property
    def created(self) -> str:
        """When it was made, as ISO 8601 has it; the epoch if it doesn't say."""
        return str(self.config.get("created") or "1970-01-01T00:00:00Z")


async def built_subjects(images: Sequence[Image]) -> list[Subject]:
    """Give every platform of images that were built here."""
    subjects = []
    for image in images:
        manifests = await _manifests(image.layout)
        subjects += [
            Subject(
                image=image.service,
                index=image.digest,
                platform=built.platform,
                digest=built.digest,
                layout=image.layout.with_new_file(
                    "index.json", index_of(manifests[built.platform])
                ),
                files=built.container.rootfs(),
                **await _said(image.layout, built.digest),
            )
            for built in image.platforms
        ]
    return subjects


async def published_subjects(
    reference: str, platforms: Sequence[str], access: Access, images: Images
) -> list[Subject]:
    """Give platforms of an image in a registry, all that it has unless some are named.

    Raises NoSuchImageError.
    """
    layout = await _fetched(reference, await access.regctl(images.regctl))
    [root] = descriptors(await layout.file("index.json").contents())
    manifests = await _manifests(layout)
    missing = [name for name in platforms if name not in manifests]
    if missing:
        raise NoSuchImageError(
            f"{reference} has no {' and no '.join(missing)}: it has {', '.join(manifests)}. "
            "Choose with --platforms."
        )
    subjects = []
    for name in platforms or manifests:
        only = layout.with_new_file("index.json", index_of(manifests[name]))
        subjects.append(
            Subject(
                image=repository_of(reference),
                index=root["digest"],
                platform=name,
                digest=manifests[name]["digest"],
                layout=only,
                files=_unpacked(only, name, images.debian),
                **await _said(layout, manifests[name]["digest"]),
            )
        )
    return subjects


async def _fetched(reference: str, regctl: dagger.Container) -> dagger.Directory:
    copy = ["image", "copy", reference, "ocidir:///layout"]
    # regctl runs as nobody in particular: it may write here.
    copied = regctl.with_directory("/layout", dag.directory(), owner=await regctl.user() or "0")
    try:
        return await copied.with_exec(copy, use_entrypoint=True).directory("/layout").sync()
    except dagger.ExecError as error:
        said = (error.stderr or error.stdout).strip().splitlines()
        raise NoSuchImageError(
            f"{reference} can't be read: is its name right, and may this user read it "
            f"(--registry-username, --registry-password)?\nThe registry said: {said[-1][-400:]}"
        ) from error


async def _manifests(layout: dagger.Directory) -> dict[str, dict[str, Any]]:
    """Find an image's manifests: platform → descriptor."""
    [root] = descriptors(await layout.file("index.json").contents())
    text = await _blob(layout, root["digest"])
    if "config" in json.loads(text):
        return {platform_of(await _config(layout, root["digest"])): root}
    named = {platform_of(entry["platform"]): entry for entry in descriptors(text)}
    return {name: entry for name, entry in named.items() if name != NO_PLATFORM}


async def _said(layout: dagger.Directory, digest: str) -> dict[str, Any]:
    """Read what an image says of itself: `config` and `annotations`."""
    annotations = json.loads(await _blob(layout, digest)).get("annotations", {})
    config = await _config(layout, digest)
    labels = config.get("config", {}).get("Labels") or {}
    return {"config": config, "annotations": {**labels, **annotations}}


async def _config(layout: dagger.Directory, manifest: str) -> dict[str, Any]:
    digest = json.loads(await _blob(layout, manifest))["config"]["digest"]
    found: dict[str, Any] = json.loads(await _blob(layout, digest))
    return found


async def _blob(layout: dagger.Directory, digest: str) -> str:
    return await layout.file(blob_path(digest)).contents()


def _unpacked(layout: dagger.Directory, platform: str, tools: str) -> dagger.Directory:
    packed = (
        dag.container()
        .from_(tools)
        .with_mounted_directory("/layout", layout)
        .with_exec(["tar", "-cf", "/image.tar", "--directory=/layout", "."])
        .file("/image.tar")
    )
    return dag.container(platform=dagger.Platform(platform)).import_(packed).rootfs()
