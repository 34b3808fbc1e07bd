"""What is scanned, described and judged: each platform of an image, byte for byte."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dagger
from dagger import dag

from pipeline.batch import run_all
from pipeline.build.image import Image, PlatformImage
from pipeline.build.layout import blob_path, index_of
from pipeline.catalogue.models import Images
from pipeline.concurrency import gathered
from pipeline.registry.access import Access
from pipeline.registry.reference import repository_of
from pipeline.security.manifests import read_manifests

AT_A_TIME = 4


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
    built = [(image, platform) for image in images for platform in image.platforms]
    return await gathered([partial(_built_subject, *each) for each in built], AT_A_TIME)


async def _built_subject(image: Image, built: PlatformImage) -> Subject:
    index = await _blob(image.layout, image.digest)
    entry = next(each for each in index["manifests"] if each["digest"] == built.digest)
    manifest = await _blob(image.layout, built.digest)
    config = await _blob(image.layout, manifest["config"]["digest"])
    return Subject(
        image=image.service,
        index=image.digest,
        platform=built.platform,
        digest=built.digest,
        layout=image.layout.with_new_file("index.json", index_of(entry)),
        files=built.container.rootfs(),
        **_said(manifest, config),
    )


async def published_subjects(
    references: Sequence[str], platforms: Sequence[str], access: Access, images: Images
) -> list[Subject]:
    """Give platforms of images in a registry, all that each has unless some are named.

    Layers are fetched once something looks into them. Raises NoSuchImageError.
    """
    regctl = await access.regctl_in_shell(images)
    subjects = []
    for image in await read_manifests(references, partial(run_all, regctl)):
        name = f"{repository_of(image.reference)}@{image.digest}"
        copied = regctl.with_exec(["regctl", "image", "copy", name, "ocidir:///layout"])
        layout = copied.directory("/layout")
        for each in image.chosen(platforms):
            only = layout.with_new_file("index.json", index_of(each.descriptor))
            subjects.append(
                Subject(
                    image=repository_of(image.reference),
                    index=image.digest,
                    platform=each.name,
                    digest=each.descriptor["digest"],
                    layout=only,
                    files=_unpacked(only, each.name, images.debian),
                    **_said(each.manifest, each.config),
                )
            )
    return subjects


def _said(manifest: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Take what an image says of itself: `config` and `annotations`."""
    labels = config.get("config", {}).get("Labels") or {}
    return {"config": config, "annotations": {**labels, **manifest.get("annotations", {})}}


async def _blob(layout: dagger.Directory, digest: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await layout.file(blob_path(digest)).contents())
    return found


def _unpacked(layout: dagger.Directory, platform: str, tools: str) -> dagger.Directory:
    packed = (
        dag.container()
        .from_(tools)
        .with_mounted_directory("/layout", layout)
        .with_exec(["tar", "-cf", "/image.tar", "--directory=/layout", "."])
        .file("/image.tar")
    )
    return dag.container(platform=dagger.Platform(platform)).import_(packed).rootfs()
