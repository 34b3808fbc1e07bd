"""Images as results: what was built for each platform, how large it is, and its digests."""

from collections.abc import Sequence
from typing import Annotated

import anyio
import dagger
from dagger import Doc, dag, field

from pipeline.build.engine.run import run_step, shell
from pipeline.build.engine.service import PipelineService
from pipeline.build.layout import (
    INDEX,
    Additions,
    Layout,
    blob_path,
    complete,
    config_digests,
    descriptors,
)
from pipeline.build.platforms import Platform
from pipeline.build.recipe import Recipe
from pipeline.build.sizes import FileSize, SizeLimitError, files_below, parse_listing
from pipeline.build.steps import health_check, stop_signal
from pipeline.engine.objects import object_type

UNPACK = r"""
tar -xf /image.tar
cd /images
find . -type f -printf '%s\t%P\n'
"""


@object_type
class PlatformImage:
    """A service's image for one platform: its size in bytes, unpacked, and manifest digest."""

    platform: Annotated[str, Doc("As OCI has it, e.g. linux/arm64")] = field()
    size: Annotated[int, Doc("Bytes, unpacked")] = field()
    digest: Annotated[str, Doc("Of its manifest")] = field()
    container: Annotated[dagger.Container, Doc("To run or to look into")] = field()


@object_type
class Image:
    """A service's image: the index of its platforms, and where it was published."""

    service: Annotated[str, Doc("Name of the service")] = field()
    size_limit: int
    base: Annotated[str, Doc("Image that it stands on; empty: it is made from nothing")] = field()
    digest: Annotated[str, Doc("Of its index")] = field()
    layout: Annotated[dagger.Directory, Doc("OCI image layout: what is published")] = field()
    platforms: Annotated[list[PlatformImage], Doc("One for each platform")] = field()
    references: Annotated[list[str], Doc("Where it was published, by tag and digest")] = field(
        default=list
    )

    def published_as(self, references: Sequence[str]) -> "Image":
        """Give the image with the places where it now is, too."""
        return Image(
            service=self.service,
            size_limit=self.size_limit,
            base=self.base,
            digest=self.digest,
            layout=self.layout,
            platforms=self.platforms,
            references=[*self.references, *references],
        )


async def build_image(
    service: PipelineService, platforms: Sequence[Platform], limiter: anyio.CapacityLimiter
) -> Image:
    """Build a service for all platforms, within the limit of builds at a time.

    Raises BuildFailedError, and SizeLimitError when an image is larger than its limit.
    """
    containers: dict[str, dagger.Container] = {}

    async def build(platform: Platform) -> None:
        async with limiter:
            containers[platform.name] = await service.build(platform)

    async with anyio.create_task_group() as group:
        for platform in platforms:
            group.start_soon(build, platform)
    ordered = {platform.name: containers[platform.name] for platform in platforms}
    base = await service.base(platforms[0])
    return await run_step(_completed(service, ordered, base), service.name, "all platforms")


async def _completed(
    service: PipelineService, containers: dict[str, dagger.Container], base: str
) -> Image:
    recipe = Recipe.model_validate_json(service.recipe)
    archive = dag.container().as_tarball(platform_variants=list(containers.values()))
    tools = dag.container().from_(recipe.images.debian).with_mounted_file("/image.tar", archive)
    for platform, container in containers.items():
        tools = tools.with_mounted_directory(f"/images/{platform}", container.rootfs())
    tools = tools.with_workdir("/layout").with_exec(shell(UNPACK))
    files = parse_listing(await tools.stdout())
    sizes = {platform: _checked_size(service, platform, files) for platform in containers}
    unpacked = tools.directory("/layout")
    layout = await _layout(
        unpacked,
        Additions(
            health_check=health_check(recipe.service),
            stop_signal=stop_signal(recipe.service),
            timestamp=recipe.timestamp,
            annotations=recipe.annotations,
        ),
    )
    directory = unpacked.without_files([blob_path(digest) for digest in layout.replaced])
    for digest, text in layout.written.items():
        directory = directory.with_new_file(blob_path(digest), text)
    return Image(
        service=service.name,
        size_limit=service.size_limit,
        base=base,
        digest=layout.digest,
        layout=directory.with_new_file("index.json", layout.index_json),
        platforms=[
            PlatformImage(
                platform=platform,
                size=sizes[platform],
                digest=layout.platforms[platform],
                container=container,
            )
            for platform, container in containers.items()
        ],
    )


def _checked_size(service: PipelineService, platform: str, files: Sequence[FileSize]) -> int:
    """Add up one platform's files of a listing of all. Raises SizeLimitError."""
    own = files_below(platform, files)
    size = sum(file.size for file in own)
    if size > service.size_limit:
        raise SizeLimitError(service.name, platform, service.size_limit, own)
    return size


async def _layout(unpacked: dagger.Directory, additions: Additions) -> Layout:
    async def blob(digest: str) -> str:
        return await unpacked.file(blob_path(digest)).contents()

    found = descriptors(await unpacked.file("index.json").contents())
    if found[0]["mediaType"] == INDEX:
        found = descriptors(await blob(found[0]["digest"]))
    manifests = {entry["digest"]: await blob(entry["digest"]) for entry in found}
    configs = {digest: await blob(digest) for digest in config_digests(manifests.values())}
    return complete(manifests, configs, additions)
