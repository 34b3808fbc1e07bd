"""The Pipeline object: the verbs that people type. It hands on from stage to stage."""

from collections.abc import Sequence
from typing import Annotated

import dagger
from dagger import DefaultPath, Doc, Ignore, Name, function

from pipeline.build.build import Build, build_images, built_here
from pipeline.build.platforms import platforms_named
from pipeline.build.recipe import Recipe
from pipeline.build.service import PipelineService
from pipeline.catalogue.catalogue import Entry, choose
from pipeline.catalogue.models import Images
from pipeline.catalogue.repository import (
    read_repository,
    read_rules,
    read_stack,
    read_waivers,
)
from pipeline.deploy.stack import started
from pipeline.objects import object_type, side_effect
from pipeline.registry.access import Access
from pipeline.release.git import head_commit
from pipeline.release.publish import Destination, publish
from pipeline.release.version import Release, release_of
from pipeline.report.catalogue import services_table
from pipeline.report.summary import checked_format
from pipeline.security.examination import Bar, Known, examine, known_of
from pipeline.security.finding import severity_named
from pipeline.security.gate import Threshold
from pipeline.security.sbom import Sboms, describe
from pipeline.security.scan import Databases, ScanReport, scan
from pipeline.security.subject import Subject, built_subjects, published_subjects
from pipeline.security.verdict import VerdictReport

# A failure's message is written for the person who reads it: no stack trace around it.
dagger.mod.default_module().log_exceptions = False

Services = Annotated[list[str] | None, Doc("Only these services, by name (default: all)")]
Platforms = Annotated[
    list[str] | None, Doc("Only these platforms (default: linux/amd64,linux/arm64)")
]
Push = Annotated[bool, Doc("Publish what was built")]
RegistryAddress = Annotated[
    str | None, Doc("Where to publish, e.g. ghcr.io/acme (default: config/registry.yml's address)")
]
Username = Annotated[str | None, Doc("User of the registry")]
Password = Annotated[
    dagger.Secret | None, Doc("Password or token of the user, e.g. env://REGISTRY_PASSWORD")
]
PlainHttp = Annotated[bool, Doc("The registry has no TLS")]
Published = Annotated[
    str | None, Doc("A published image (default: the repository's own, built as they are)")
]
BlockingSeverity = Annotated[
    str | None, Doc("What blocks: this severity or worse (default: config/policy/policy.yml's)")
]
WithoutFix = Annotated[bool, Doc("Vulnerabilities that nothing fixes yet block, too")]
TrivyDatabase = Annotated[str | None, Doc("OCI reference of Trivy's database, e.g. of a mirror")]
GrypeDatabase = Annotated[
    dagger.File | None, Doc("Archive of Grype's database, for closed networks")
]
Jobs = Annotated[int, Doc("How many images to build at a time")]


@object_type
class Pipeline:
    """From a repository of services to running, secured containers."""

    source: Annotated[
        dagger.Directory,
        Doc("The repository: services/*/service.yml says what there is to build"),
        DefaultPath("/"),
        Ignore(["**/node_modules", "**/target", "**/.venv", "**/__pycache__", "**/.*_cache"]),
    ]

    @function
    async def services(self) -> str:
        """List the services: kind, port and size limit."""
        return services_table((await read_repository(self.source)).services)

    @function
    async def service(
        self, name: Annotated[str, Doc("Name, as in its service.yml")]
    ) -> PipelineService:
        """Pick one service, to build it and look into it."""
        repository = await read_repository(self.source)
        [entry] = choose(repository.services, [name])
        release = release_of(await head_commit(self.source, repository.images.git))
        return self._service(entry, repository.images, release)

    @side_effect
    async def build(
        self,
        services: Services = None,
        platforms: Platforms = None,
        push: Push = False,
        registry: RegistryAddress = None,
        registry_username: Username = None,
        registry_password: Password = None,
        registry_plain_http: PlainHttp = False,
        jobs: Jobs = 4,
    ) -> Build:
        """Build services for all platforms, and publish them when asked: the typed result."""
        chosen_platforms = platforms_named(platforms or [])
        repository = await read_repository(self.source)
        entries = choose(repository.services, services or [])
        destination = None
        if push:
            default = repository.registry
            address = registry or (default.address if default else "")
            destination = Destination(
                address,
                Access.to(
                    address, registry_username, registry_password, registry_plain_http, default
                ),
            )
        release = release_of(await head_commit(self.source, repository.images.git))
        chosen = [self._service(entry, repository.images, release) for entry in entries]
        images = await build_images(chosen, chosen_platforms, jobs)
        if destination is not None:
            images = await publish(images, release.tags, destination, repository.images.regctl)
        return Build(version=release.version, revision=release.revision, images=images)

    @side_effect
    async def build_all(
        self,
        services: Services = None,
        platforms: Platforms = None,
        push: Push = False,
        registry: RegistryAddress = None,
        registry_username: Username = None,
        registry_password: Password = None,
        registry_plain_http: PlainHttp = False,
        jobs: Jobs = 4,
        format_: Annotated[str, Name("format"), Doc("table, markdown or json")] = "table",
    ) -> str:
        """Build all services for all platforms, and publish them when asked: the main job."""
        checked_format(format_)
        result = await self.build(
            services,
            platforms,
            push,
            registry,
            registry_username,
            registry_password,
            registry_plain_http,
            jobs,
        )
        return result.report(format_)

    @side_effect
    async def stack(self) -> dagger.Service:
        """Run all services and what they stand on; `stack up` opens the entry on this machine."""
        repository = await read_repository(self.source)
        names = [entry.service.name for entry in repository.services]
        stack = await read_stack(self.source, names)
        release = release_of(await head_commit(self.source, repository.images.git))
        entries = choose(repository.services, stack.services)
        chosen = [self._service(entry, repository.images, release) for entry in entries]
        containers = await built_here(chosen)
        ports = {service.name: service.port for service in chosen}
        return await started(stack, containers, ports, repository.images.git)

    @side_effect
    async def scan(
        self,
        image: Published = None,
        services: Services = None,
        platforms: Platforms = None,
        registry_username: Username = None,
        registry_password: Password = None,
        registry_plain_http: PlainHttp = False,
        severity: BlockingSeverity = None,
        without_fix: WithoutFix = False,
        trivy_database: TrivyDatabase = None,
        grype_database: GrypeDatabase = None,
        jobs: Jobs = 4,
    ) -> ScanReport:
        """Scan images with Trivy and Grype: `scan table` shows it, `scan check` fails by it."""
        bar = await self._bar(
            severity, without_fix, trivy_database, grype_database, image, services, platforms
        )
        account = (registry_username, registry_password, registry_plain_http)
        subjects, _ = await self._subjects(image, services, platforms, account, jobs)
        return await scan(
            subjects,
            bar.images,
            bar.databases,
            bar.waivers,
            bar.threshold,
            complete=bar.complete,
        )

    @side_effect
    async def sbom(
        self,
        image: Published = None,
        services: Services = None,
        platforms: Platforms = None,
        registry_username: Username = None,
        registry_password: Password = None,
        registry_plain_http: PlainHttp = False,
        jobs: Jobs = 4,
    ) -> Sboms:
        """Describe images: `sbom files` gives CycloneDX and SPDX, `sbom report` a table."""
        account = (registry_username, registry_password, registry_plain_http)
        subjects, _ = await self._subjects(image, services, platforms, account, jobs)
        return await describe(subjects, (await read_repository(self.source)).images)

    @side_effect
    async def verdict(
        self,
        image: Published = None,
        services: Services = None,
        platforms: Platforms = None,
        registry_username: Username = None,
        registry_password: Password = None,
        registry_plain_http: PlainHttp = False,
        severity: BlockingSeverity = None,
        without_fix: WithoutFix = False,
        trivy_database: TrivyDatabase = None,
        grype_database: GrypeDatabase = None,
        jobs: Jobs = 4,
    ) -> VerdictReport:
        """Judge images by each rule of the policy: `verdict table`, or `verdict check` to fail."""
        bar = await self._bar(
            severity, without_fix, trivy_database, grype_database, image, services, platforms
        )
        account = (registry_username, registry_password, registry_plain_http)
        subjects, known = await self._subjects(image, services, platforms, account, jobs)
        return (await examine(subjects, known, bar)).verdict

    async def _bar(
        self,
        severity: str | None,
        without_fix: bool,
        trivy_database: str | None,
        grype_database: dagger.File | None,
        image: str | None,
        services: Sequence[str] | None,
        platforms: Sequence[str] | None,
    ) -> Bar:
        chosen = None if severity is None else severity_named(severity)
        platforms_named(platforms or [])
        rules = await read_rules(self.source)
        return Bar(
            images=(await read_repository(self.source)).images,
            rules=rules,
            waivers=await read_waivers(self.source),
            databases=Databases(trivy_database or "", grype_database),
            threshold=Threshold.of(rules.policy).changed(chosen, without_fix),
            complete=image is None and not services and not platforms,
        )

    async def _subjects(
        self,
        image: str | None,
        services: list[str] | None,
        platforms: list[str] | None,
        account: tuple[str | None, dagger.Secret | None, bool],
        jobs: int,
    ) -> tuple[list[Subject], Known]:
        """Give a published image's platforms, or the repository's own, built as they are."""
        if image is None:
            built = await self.build(services=services, platforms=platforms, jobs=jobs)
            return await built_subjects(built.images), known_of(built)
        repository = await read_repository(self.source)
        access = Access.to(image, *account, repository.registry)
        return await published_subjects(image, platforms or [], access, repository.images), Known()

    def _service(self, entry: Entry, images: Images, release: Release) -> PipelineService:
        recipe = Recipe(
            service=entry.service,
            directory=entry.directory,
            images=images,
            annotations=release.annotations(entry.service.title),
            timestamp=release.timestamp,
        )
        return PipelineService.of(recipe, self.source)
