"""A whole run: all services that were asked for, built side by side."""

from collections.abc import Sequence
from typing import Annotated

import anyio
from dagger import Doc, Name, field, function

from pipeline.build.image import Image, build_image
from pipeline.build.platforms import Platform
from pipeline.build.service import PipelineService
from pipeline.errors import PipelineError, raise_all
from pipeline.objects import object_type
from pipeline.report.summary import BuildSummary, ImageSummary, PlatformSummary, render


@object_type
class Build:
    """What a run built: an image of each service for each platform."""

    version: str = field()
    revision: str = field()
    images: list[Image] = field()

    @function
    def report(
        self, format_: Annotated[str, Name("format"), Doc("table, markdown or json")] = "table"
    ) -> str:
        """Render what was built and published, for a person or a program."""
        return render(self._summary(), format_)

    def _summary(self) -> BuildSummary:
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
    errors: dict[str, PipelineError] = {}

    async def build(service: PipelineService) -> None:
        try:
            images[service.name] = await build_image(service, platforms, limiter)
        except* PipelineError as group:
            errors[service.name] = _first(group)

    async with anyio.create_task_group() as group:
        for service in services:
            group.start_soon(build, service)
    raise_all([errors[service.name] for service in services if service.name in errors])
    return [images[service.name] for service in services]


def _first(group: ExceptionGroup[PipelineError]) -> PipelineError:
    error: Exception = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, PipelineError)  # noqa: S101 - what except* let through
    return error
