"""A whole run: all services that were asked for, built side by side."""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Self

import anyio
import dagger
from dagger import Doc, dag, field, function

from pipeline.build.engine.image import Image, build_image
from pipeline.build.engine.service import PipelineService, service_of
from pipeline.build.platforms import Platform, platforms_named
from pipeline.catalogue.catalogue import choose
from pipeline.catalogue.repository import Repository
from pipeline.config.load import load_environments
from pipeline.engine import flags
from pipeline.engine.objects import object_type
from pipeline.errors import PipelineError, first_of, raise_all
from pipeline.report.render import Format
from pipeline.report.summary import BuildSummary, ImageSummary, PlatformSummary, render_build
from pipeline.version.engine.git import head_commit
from pipeline.version.release import Release, release_of


@object_type
class Build:
    """What a run built: an image of each service for each platform."""

    version: Annotated[str, Doc("Semantic version, from git")] = field()
    revision: Annotated[str, Doc("The commit")] = field()
    tags: Annotated[list[str], Doc("By which it is published")] = field()
    images: Annotated[list[Image], Doc("One for each service")] = field()
    origin: str
    timestamp: int
    dirty: bool

    @classmethod
    def of(cls, release: Release, images: Sequence[Image]) -> Self:
        """Make the object of a release's images."""
        return cls(
            version=release.version,
            revision=release.revision,
            tags=list(release.tags),
            images=list(images),
            origin=release.origin,
            timestamp=release.timestamp,
            dirty=release.dirty,
        )

    @property
    def release(self) -> Release:
        """How it is called, and where it comes from."""
        return Release(
            version=self.version,
            tags=self.tags,
            timestamp=self.timestamp,
            revision=self.revision,
            origin=self.origin,
            dirty=self.dirty,
        )

    @function
    def report(self, format_: flags.Format = Format.TABLE) -> str:
        """Render what was built and published, for a person or a program."""
        return render_build(self.summary(), format_)

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


@dataclasses.dataclass(frozen=True)
class Selection:
    """What to build of a repository: services and platforms, all when none is named.

    `jobs` is how many images are built at a time.
    """

    services: Sequence[str] = ()
    platforms: Sequence[str] = ()
    jobs: int = 4

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise PipelineError(f"--jobs is {self.jobs}: expected how many at a time, 1 or more.")

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return not self.services and not self.platforms


async def build_services(
    source: dagger.Directory, repository: Repository, selection: Selection
) -> Build:
    """Build services of a repository. Raises the errors of all that failed, once all have ended."""
    platforms = platforms_named(selection.platforms)
    entries = choose(repository.services, selection.services)
    if repository.environments:
        load_environments(repository)
    release = release_of(await head_commit(source, repository.images.git))
    chosen = [service_of(entry, repository.images, release, source) for entry in entries]
    return Build.of(release, await _build_images(chosen, platforms, selection.jobs))


async def _build_images(
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


async def build_for_engine(services: Sequence[PipelineService]) -> dict[str, dagger.Container]:
    """Build services for the engine's own platform, to run them there: name → container.

    Raises the errors of all that failed, once all have ended.
    """
    [platform] = platforms_named([await dag.default_platform()])
    containers: dict[str, dagger.Container] = {}

    async def build(service: PipelineService) -> None:
        containers[service.name] = await service.build(platform)

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
