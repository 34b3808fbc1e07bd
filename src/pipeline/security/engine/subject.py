"""What is scanned, described and judged: each platform of an image, byte for byte."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dagger
from dagger import dag

from pipeline.build.engine.image import Image, PlatformImage
from pipeline.build.layout import blob_path, index_of
from pipeline.catalogue.models import Images
from pipeline.concurrency import gather
from pipeline.engine.batch import run_all
from pipeline.registry.engine.access import Access
from pipeline.registry.reference import repository_of
from pipeline.security.manifests import OnPlatform, read_manifests

AT_A_TIME = 4
LAYOUTS = "/layouts"
COPY = f'printf "%s\\0" "$@" | xargs -0 -n 2 -P {AT_A_TIME} regctl image copy'


@dataclass(frozen=True)
class Subject:
    """An image on one platform, as it is or will be published.

    `image` is a name that stays from run to run; `index` is the digest of the index that names
    this manifest, or the manifest's own; `place` is where in `layouts` there is an OCI image
    layout with this one manifest; `files` is what it unpacks to; `config` is OCI's image config;
    `annotations` are the manifest's, and the labels.
    """

    image: str
    index: str
    platform: str
    digest: str
    layouts: dagger.Directory
    place: str
    files: dagger.Directory
    config: Mapping[str, Any]
    annotations: Mapping[str, str]

    @property
    def layout(self) -> dagger.Directory:
        """The OCI image layout with this one manifest."""
        return self.layouts.directory(self.place)

    @property
    def created(self) -> str:
        """When it was made, as ISO 8601 has it; the epoch if it doesn't say."""
        return str(self.config.get("created") or "1970-01-01T00:00:00Z")


async def built_subjects(images: Sequence[Image]) -> list[Subject]:
    """Give every platform of images that were built here."""
    built = [(image, platform) for image in images for platform in image.platforms]
    return await gather([partial(_built_subject, *each) for each in built], AT_A_TIME)


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
        layouts=image.layout.with_new_file("index.json", index_of(entry)),
        place=".",
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
    found = [
        (image, platform)
        for image in await read_manifests(references, partial(run_all, regctl))
        for platform in image.chosen(platforms)
    ]
    # Who may not read the images didn't get as far as this.
    regctl = await access.regctl_in_shell(images, f"layers of {access.host}")
    layouts = _fetched(regctl, [(image.reference, platform) for image, platform in found])
    return [
        Subject(
            image=repository_of(image.reference),
            index=image.digest,
            platform=platform.name,
            digest=platform.digest,
            layouts=layouts,
            place=str(place),
            files=_unpacked(layouts.directory(str(place)), platform.name, images.debian),
            **_said(platform.manifest, platform.config),
        )
        for place, (image, platform) in enumerate(found)
    ]


def _fetched(
    regctl: dagger.Container, wanted: Sequence[tuple[str, OnPlatform]]
) -> dagger.Directory:
    """Copy images on platforms into layouts, numbered as they come."""
    copies = []
    for place, (reference, platform) in enumerate(wanted):
        name = f"{repository_of(reference)}@{platform.digest}"
        copies += [name, f"ocidir://{LAYOUTS}/{place}"]
    layouts = regctl.with_exec(["sh", "-euc", COPY, "sh", *copies]).directory(LAYOUTS)
    # regctl's own says when it was copied, too: the same image would be another every time.
    for place, (_, platform) in enumerate(wanted):
        layouts = layouts.with_new_file(f"{place}/index.json", index_of(platform.descriptor))
    return layouts


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
