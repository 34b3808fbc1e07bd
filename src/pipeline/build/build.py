"""A whole run: all services that were asked for, built side by side."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import anyio
import dagger
from dagger import Doc, dag, field, function

from pipeline.build.image import Image, build_image
from pipeline.build.platforms import Platform, platforms_named
from pipeline.build.service import PipelineService
from pipeline.errors import PipelineError, first_of, raise_all
from pipeline.objects import Format, object_type
from pipeline.report.summary import BuildSummary, ImageSummary, PlatformSummary, render


@object_type
class Build:
    """What a run built: an image of each service for each platform."""

    version: Annotated[str, Doc("Semantic version, from git")] = field()
    revision: Annotated[str, Doc("The commit")] = field()
    images: Annotated[list[Image], Doc("One for each service")] = field()

    @function
    def report(self, format_: Format = "table") -> str:
        """Render what was built and published, for a person or a program."""
        return render(self.summary(), format_)

    def summary(self) -> BuildSummary:
        """Sum up what was built and published."""
        return BuildSummary(
            version=self.version,
            revision=self.revision,
            images=[
                ImageSummary(
                    service=image.service,
                    size_limit=image.size_limit,
                    digest=image.digest,
                    platforms=[
                        PlatformSummary(
                            platform=platform.platform, size=platform.size, digest=platform.digest
                        )
                        for platform in image.platforms
                    ],
                    references=image.references,
                )
                for image in self.images
            ],
        )


async def build_images(
    services: Sequence[PipelineService], platforms: Sequence[Platform], jobs: int
) -> list[Image]:
    """Build services, `jobs` platform images at a time.

    Every service gets its chance: raises the errors of all that failed, once all have ended.
    """
    limiter = anyio.CapacityLimiter(jobs)
    images: dict[str, Image] = {}

    async def build(service: PipelineService) -> None:
        images[service.name] = await build_image(service, platforms, limiter)

    await _all(services, build)
    return [images[service.name] for service in services]


async def built_here(services: Sequence[PipelineService]) -> dict[str, dagger.Container]:
    """Build services for the engine's own platform, to run them there: name → container.

    Raises the errors of all that failed, once all have ended.
    """
    [platform] = platforms_named([await dag.default_platform()])
    containers: dict[str, dagger.Container] = {}

    async def build(service: PipelineService) -> None:
        containers[service.name] = await service.built(platform)

    await _all(services, build)
    return containers


async def _all(
    services: Sequence[PipelineService], build: Callable[[PipelineService], Awaitable[None]]
) -> None:
    """Give every service its chance. Raises the errors of all that failed, once all have ended."""
    errors: dict[str, PipelineError] = {}

    async def attempt(service: PipelineService) -> None:
        try:
            await build(service)
        except* PipelineError as group:
            errors[service.name] = first_of(group)

    async with anyio.create_task_group() as group:
        for service in services:
            group.start_soon(attempt, service)
    raise_all([errors[service.name] for service in services if service.name in errors])
