"""One service of the catalogue as an object: what it is, and its container on each platform."""

from pathlib import PurePosixPath
from typing import Annotated, Self

import dagger
from dagger import Doc, dag, field, function

from pipeline.build.base_image import base_image
from pipeline.build.dockerfile import rust_dockerfile, web_dockerfile
from pipeline.build.engine import web
from pipeline.build.engine.run import run_step
from pipeline.build.engine.rust import RustBuild, sources_of
from pipeline.build.engine.toolchain import foundation
from pipeline.build.platforms import Platform, platforms_named
from pipeline.build.recipe import Recipe
from pipeline.build.steps import DEFAULT_PATH, NGINX_COMMAND, npm_manifests
from pipeline.catalogue.catalogue import ServiceEntry
from pipeline.catalogue.models import DockerfileService, Images, RustService, WebService
from pipeline.engine import flags
from pipeline.engine.objects import object_type
from pipeline.errors import PipelineError
from pipeline.version.release import Release


@object_type
class PipelineService:
    """One service of the repository: what it is called, and its container on each platform."""

    name: Annotated[str, Doc("Name, as in its service.yml")] = field()
    title: str
    kind: Annotated[str, Doc("rust, web or dockerfile")] = field()
    port: Annotated[int, Doc("TCP port that it listens on")] = field()
    size_limit: int
    source: dagger.Directory
    recipe: str

    @classmethod
    def of(cls, recipe: Recipe, source: dagger.Directory) -> Self:
        """Make the object of a recipe and the repository that it is for."""
        service = recipe.service
        return cls(
            name=service.name,
            title=service.title,
            kind=service.kind,
            port=service.port,
            size_limit=service.size_limit,
            source=source,
            recipe=recipe.model_dump_json(),
        )

    @function
    async def container(
        self,
        platform: flags.Platform = "linux/amd64",
    ) -> dagger.Container:
        """Build the service for one platform and give its container, to run or to look into."""
        return await self.build(platforms_named([platform])[0])

    @function
    async def dockerfile(self) -> dagger.File:
        """Write the same build as a Dockerfile: any BuildKit builds it, without Dagger."""
        recipe = Recipe.model_validate_json(self.recipe)
        directory, images = recipe.directory, recipe.images
        match recipe.service:
            case RustService() as service:
                sources = await sources_of(directory, self.source)
                text = rust_dockerfile(service, directory, images, sources)
            case WebService() as service:
                names = await self.source.directory(directory).entries()
                text = web_dockerfile(service, directory, images, npm_manifests(names))
            case DockerfileService(build=options):
                own = PurePosixPath(directory, options.context, options.dockerfile)
                raise PipelineError(f"{self.name} has a Dockerfile of its own: {own}")
        return dag.file("Dockerfile", text)

    async def base(self, platform: Platform) -> str:
        """Name the image that this one stands on; empty: it is made from nothing."""
        recipe = Recipe.model_validate_json(self.recipe)
        match recipe.service:
            case DockerfileService(build=options):
                context = self.source.directory(recipe.directory).directory(options.context)
                text = await context.file(options.dockerfile).contents()
                system, _, architecture = platform.name.partition("/")
                target = {
                    "TARGETPLATFORM": platform.name,
                    "TARGETOS": system,
                    "TARGETARCH": architecture,
                }
                return base_image(text, options.target, {**target, **options.arguments})
        return ""

    async def build(self, platform: Platform) -> dagger.Container:
        """Build the container. Raises BuildFailedError with the compiler's words."""
        recipe = Recipe.model_validate_json(self.recipe)
        container = await run_step(self._assembled(recipe, platform), self.name, platform.name)
        labels = {**recipe.annotations, **recipe.service.labels}
        for name, value in sorted(labels.items()):
            container = container.with_label(name, value)
        container = container.with_user(recipe.service.user).with_exposed_port(self.port)
        return await run_step(container.sync(), self.name, platform.name)

    async def _assembled(self, recipe: Recipe, platform: Platform) -> dagger.Container:
        folder = self.source.directory(recipe.directory)
        base = foundation(recipe.images, platform)
        # What BuildKit gives every image: the generated Dockerfile's and this one are the same.
        empty = (
            dag.container(platform=dagger.Platform(platform.name))
            .with_env_variable("PATH", DEFAULT_PATH)
            .with_workdir("/")
        )
        match recipe.service:
            case RustService() as service:
                sources = await sources_of(recipe.directory, self.source)
                rust = RustBuild(service, recipe.images, sources, self.source)
                return (
                    empty.with_directory("/", base)
                    .with_directory("/", rust.layer(platform))
                    .with_entrypoint(rust.command)
                )
            case WebService() as service:
                files = await web.files_of(service, recipe.images, folder, recipe.timestamp)
                return (
                    empty.with_directory("/", base)
                    .with_directory("/", web.nginx(recipe.images.debian, platform))
                    .with_directory("/", files)
                    .with_entrypoint(NGINX_COMMAND)
                )
            case DockerfileService(build=options):
                return (
                    folder.directory(options.context)
                    .docker_build(
                        platform=dagger.Platform(platform.name),
                        dockerfile=options.dockerfile,
                        target=options.target or "",
                        build_args=[
                            dagger.BuildArg(name, value)
                            for name, value in options.arguments.items()
                        ],
                    )
                    .with_directory("/", base)
                )


def service_of(
    entry: ServiceEntry, images: Images, release: Release, source: dagger.Directory
) -> PipelineService:
    """Give a service of the catalogue as an object, to be built as a release."""
    recipe = Recipe(
        service=entry.service,
        directory=entry.directory,
        images=images,
        annotations=release.annotations(entry.service.title),
        timestamp=release.timestamp,
    )
    return PipelineService.of(recipe, source)
