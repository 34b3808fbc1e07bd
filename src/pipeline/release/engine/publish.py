"""Publishes images with regctl: first by digest, and once they are signed by their tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import dagger

from pipeline.build.engine.image import Image
from pipeline.concurrency import gather
from pipeline.registry.engine.access import Access
from pipeline.registry.reference import checked_registry
from pipeline.release.failures import PublishError

AT_A_TIME = 4


@dataclass(frozen=True)
class Destination:
    """Where to publish: an address, and access to its registry."""

    address: str
    access: Access

    def __post_init__(self) -> None:
        checked_registry(self.address)

    def repository(self, image: Image) -> str:
        """Name the repository of a service's images."""
        return f"{self.address}/{image.service}"

    def by_digest(self, image: Image) -> str:
        """Name an image there, whatever its tags are."""
        return f"{self.repository(image)}@{image.digest}"


async def upload(images: Sequence[Image], destination: Destination, tool_image: str) -> None:
    """Copy images to the registry by digest alone: no tag names them yet. Raises PublishError."""
    tool = await destination.access.regctl(tool_image)
    uploaded: list[str] = []

    async def copy(image: Image) -> None:
        target = destination.by_digest(image)
        layout = tool.with_mounted_directory("/layout", image.layout)
        await _copy(layout, f"ocidir:///layout@{image.digest}", target, uploaded)
        uploaded.append(target)

    await gather([partial(copy, image) for image in images], AT_A_TIME)


async def tag(
    images: Sequence[Image], tags: Sequence[str], destination: Destination, tool_image: str
) -> list[Image]:
    """Let tags name images that are in the registry, and give them with their references.

    Raises PublishError at the first that the registry doesn't take: it names what went before.
    """
    tool = await destination.access.regctl(tool_image)
    references: list[str] = []

    async def name(image: Image) -> Image:
        own: list[str] = []
        for tag in tags:
            target = f"{destination.repository(image)}:{tag}"
            await _copy(tool, destination.by_digest(image), target, references)
            own.append(f"{target}@{image.digest}")
            references.append(own[-1])
        return image.published_as(own)

    return await gather([partial(name, image) for image in images], AT_A_TIME)


async def _copy(tool: dagger.Container, source: str, target: str, published: Sequence[str]) -> None:
    try:
        await tool.with_exec(["image", "copy", source, target], use_entrypoint=True).sync()
    except dagger.ExecError as error:
        raise PublishError(target, error.stderr or error.stdout, published) from error
