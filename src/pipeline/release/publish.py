"""Publishes images with regctl: all manifests stand before a tag names them."""

from collections.abc import Sequence
from dataclasses import dataclass

import dagger

from pipeline.build.image import Image
from pipeline.registry.access import Access
from pipeline.registry.reference import checked_registry
from pipeline.release.failures import PublishError


@dataclass(frozen=True)
class Destination:
    """Where to publish: an address, and access to its registry."""

    address: str
    access: Access

    def __post_init__(self) -> None:
        checked_registry(self.address)


async def publish(
    images: Sequence[Image], tags: Sequence[str], destination: Destination, tool_image: str
) -> list[Image]:
    """Publish images under each tag, and give them with their references.

    Raises PublishError at the first that the registry doesn't take: it names what went before.
    """
    tool = await destination.access.regctl(tool_image)
    published: list[Image] = []
    references: list[str] = []
    for image in images:
        repository = f"{destination.address}/{image.service}"
        layout = tool.with_mounted_directory("/layout", image.layout)
        source = f"ocidir:///layout@{image.digest}"
        for tag in tags:
            target = f"{repository}:{tag}"
            copy = layout.with_exec(["image", "copy", source, target], use_entrypoint=True)
            try:
                await copy.sync()
            except dagger.ExecError as error:
                raise PublishError(target, error.stderr or error.stdout, references) from error
            references.append(f"{target}@{image.digest}")
        published.append(image.published_as(references[-len(tags) :]))
    return published
