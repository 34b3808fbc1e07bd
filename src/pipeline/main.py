"""The Pipeline object: the verbs that people type. It hands on from stage to stage."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated

import dagger
from dagger import DefaultPath, Doc, Ignore, Name, function

from pipeline import handed
from pipeline.build.build import Build, build_images, built_here
from pipeline.build.platforms import platforms_named
from pipeline.build.recipe import Recipe
from pipeline.build.service import PipelineService
from pipeline.catalogue.catalogue import Entry, choose
from pipeline.catalogue.models import Images
from pipeline.catalogue.repository import (
    read_repository,
    read_rules,
    read_scan,
    read_signing,
    read_stack,
    read_waivers,
)
from pipeline.catalogue.signing import Identity as SigningIdentity
from pipeline.config.config import Config
from pipeline.config.environments import ENVIRONMENT_FILES
from pipeline.config.variables import Variables, check_secrets
from pipeline.deploy.deployer import Motive
from pipeline.deploy.deployment import Deployment, Origin, Reason, manifests
from pipeline.deploy.project import ComposeProject, compose_socket, deployed_by_compose
from pipeline.deploy.reload import is_reloaded
from pipeline.deploy.stack import started
from pipeline.deploy.values import Contents
from pipeline.objects import Format, object_type, side_effect
from pipeline.registry.access import Access
from pipeline.registry.reference import by_digest, checked_registry
from pipeline.release.cosign import Cosign
from pipeline.release.git import head_commit
from pipeline.release.publication import Publication, Signature, publish
from pipeline.release.publish import Destination
from pipeline.release.published import published_references
from pipeline.release.signer import Signer
from pipeline.release.statements import Span, now
from pipeline.release.verify import Believed, identity_of
from pipeline.release.version import Release, release_of
from pipeline.report.catalogue import services_table
from pipeline.report.summary import checked_format
from pipeline.security.databases import Sources
from pipeline.security.examination import Bar, Examination, Known, examine, examine_build, known_of
from pipeline.security.finding import severity_named
from pipeline.security.gate import Threshold
from pipeline.security.policy import titles
from pipeline.security.sbom import Sboms, describe
from pipeline.security.scan import Means, ScanReport, scan
from pipeline.security.subject import Subject, built_subjects, published_subjects
from pipeline.security.tools import Account
from pipeline.security.verdict import VerdictReport

# A failure's message is written for the person who reads it: no stack trace around it.
dagger.mod.default_module().log_exceptions = False

# A secret has no default of its own: only then Dagger takes the one of a .env file.
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
TrivyDatabase = Annotated[
    dagger.File | None, Doc("Trivy's db.tar.gz (default: of the places in config/scan.yml)")
]
GrypeDatabase = Annotated[
    dagger.File | None, Doc("Archive of Grype's database (default: of the places, too)")
]
ScoutUsername = Annotated[str | None, Doc("Account of Docker Scout, a third scanner with one")]
ScoutPassword = Annotated[
    dagger.Secret | None, Doc("Password or token of the account, e.g. env://SCOUT_PASSWORD")
]
PublicKey = Annotated[
    dagger.Secret | None, Doc("Public key that is believed, e.g. env://COSIGN_PUBLIC_KEY")
]
Identity = Annotated[
    str | None, Doc("Who is believed that signs without a key, e.g. a workflow's address")
]
Issuer = Annotated[
    str | None, Doc("Who vouches for --subject, e.g. https://token.actions.githubusercontent.com")
]
Rescan = Annotated[bool, Doc("Scan it again, by what is known today")]
Environment = Annotated[str, Doc("Name of a file in config/environments, e.g. staging")]
AnyEnvironment = Annotated[str | None, Doc("Name of a file in config/environments, e.g. staging")]
Settings = Annotated[
    list[str] | None, Name("set"), Doc("SECTION.SETTING=VALUE, on top of all else")
]
VariablesFile = Annotated[
    dagger.File | None, Doc("NAME=VALUE lines, as env prints them, on top of the files")
]
SecretsKey = Annotated[
    dagger.Secret | None, Doc("age key that opens the secrets, e.g. env://SOPS_AGE_KEY")
]
Kubeconfig = Annotated[
    dagger.Secret, Doc("Whose cluster it is, and who may change it, e.g. file://~/.kube/config")
]
AnyKubeconfig = Annotated[
    dagger.Secret | None,
    Doc("Whose cluster it is, and who may change it, e.g. file://~/.kube/config"),
]
DockerSocket = Annotated[
    dagger.Socket | None, Doc("Docker's, where Compose deploys, e.g. /var/run/docker.sock")
]
ProjectName = Annotated[
    str | None, Doc("Name of the Compose project (default: entry and environment)")
]
Version = Annotated[
    str | None, Doc("Tag of the images, e.g. 1.2.3 (default: the commit that is checked out)")
]
RegistryPlace = Annotated[
    str | None, Doc("Where they are, e.g. ghcr.io/acme (default: config/registry.yml's address)")
]
Jobs = Annotated[int, Doc("How many images to build at a time")]
Sign = Annotated[bool, Doc("Sign, and attest SBOM, scan and provenance")]
SigningKey = Annotated[
    dagger.Secret | None, Doc("Private key to sign with, e.g. file://cosign.key")
]
SigningPassword = Annotated[
    dagger.Secret | None, Doc("The private key's password, e.g. env://COSIGN_PASSWORD")
]
SigningKms = Annotated[
    str | None, Doc("A key management service's key to sign with, e.g. awskms:///alias/release")
]
SigningEnvironment = Annotated[
    dagger.Secret | None, Doc("What the key management service's client needs: NAME=value lines")
]
OidcToken = Annotated[
    dagger.Secret | None,
    Doc("Identity token to sign with, or with --oidc-url GitHub's token to ask for one"),
]
OidcUrl = Annotated[
    dagger.Secret | None,
    Doc("Where GitHub gives identity tokens: env://ACTIONS_ID_TOKEN_REQUEST_URL"),
]

NOBODY = (None, None, False)


@object_type
class Pipeline:
    """From a repository of services to running, secured containers."""

    source: Annotated[
        dagger.Directory,
        Doc("The repository: services/*/service.yml says what there is to build"),
        DefaultPath("/"),
        Ignore(
            [".env", "**/node_modules", "**/target", "**/.venv", "**/__pycache__", "**/.*_cache"]
        ),
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
        self, services: Services = None, platforms: Platforms = None, jobs: Jobs = 4
    ) -> Build:
        """Build services for all platforms: the typed result of `build-all`."""
        return (await self._built(services, platforms, jobs))[0]

    @side_effect
    async def publish(
        self,
        *,
        services: Services = None,
        platforms: Platforms = None,
        registry: RegistryAddress = None,
        registry_username: Username = None,
        registry_password: Password,
        registry_plain_http: PlainHttp = False,
        scan: Annotated[bool, Doc("Scan with Trivy and Grype")] = True,
        sign: Sign = True,
        signing_key: SigningKey,
        signing_password: SigningPassword,
        signing_kms: SigningKms = None,
        signing_environment: SigningEnvironment,
        oidc_token: OidcToken,
        oidc_url: OidcUrl,
        jobs: Jobs = 4,
    ) -> Publication:
        """Build, scan, judge, publish and sign: the typed result of `build-all --push`."""
        repository = await read_repository(self.source)
        default = repository.registry
        address = registry or (default.address if default else "")
        account = (registry_username, registry_password, registry_plain_http)
        destination = Destination(address, Access.to(address, *account, default))
        signing = await read_signing(self.source)
        bar = await self._bar(None, services, platforms, NOBODY)
        bar = replace(bar, scans=scan, registry=destination.access)
        signer = None
        if sign:
            ways = (signing_kms, signing_environment, oidc_token, oidc_url)
            signer = await Signer.of(signing_key, signing_password, *ways)
        began = now()
        build, release = await self._built(services, platforms, jobs)
        built = now()
        examination = await examine_build(build, bar)
        examination.verdict.check()
        spans = (Span(began, built), Span(built, now()))
        signature = None if signer is None else Signature(signer, signing, *spans)
        return await publish(build, release, examination, signature, destination, repository.images)

    @side_effect
    async def build_all(
        self,
        *,
        services: Services = None,
        platforms: Platforms = None,
        push: Push = False,
        registry: RegistryAddress = None,
        registry_username: Username = None,
        registry_password: Password,
        registry_plain_http: PlainHttp = False,
        scan: Annotated[
            bool | None, Doc("Scan with Trivy and Grype, and judge (default: with --push)")
        ] = None,
        sign: Sign = True,
        signing_key: SigningKey,
        signing_password: SigningPassword,
        signing_kms: SigningKms = None,
        signing_environment: SigningEnvironment,
        oidc_token: OidcToken,
        oidc_url: OidcUrl,
        jobs: Jobs = 4,
        format_: Format = "table",
    ) -> str:
        """Build all services for all platforms; with --push scan, judge, publish and sign them."""
        checked_format(format_)
        if push:
            publication = await self.publish(
                services=services,
                platforms=platforms,
                registry=registry,
                registry_username=registry_username,
                registry_password=registry_password,
                registry_plain_http=registry_plain_http,
                scan=scan is not False,
                sign=sign,
                signing_key=signing_key,
                signing_password=signing_password,
                signing_kms=signing_kms,
                signing_environment=signing_environment,
                oidc_token=oidc_token,
                oidc_url=oidc_url,
                jobs=jobs,
            )
            return publication.report(format_)
        build = await self.build(services=services, platforms=platforms, jobs=jobs)
        if not scan:
            return build.report(format_)
        bar = await self._bar(None, services, platforms, NOBODY)
        examination = await examine_build(build, bar)
        examination.verdict.check()
        return Publication(build=build, examination=examination, signer="").report(format_)

    @side_effect
    async def stack(self, *, environment: AnyEnvironment = None, key: SecretsKey) -> dagger.Service:
        """Run all services and what they stand on; `stack up` opens the entry on this machine."""
        repository = await read_repository(self.source)
        names = [entry.service.name for entry in repository.services]
        stack = await read_stack(self.source, names)
        settings: dict[str, Variables] = {}
        if environment is not None:
            config = Config.of(self.source, environment, key)
            settings = await config.variables_of_services()
        check_secrets(stack, settings)
        release = release_of(await head_commit(self.source, repository.images.git))
        entries = choose(repository.services, stack.services)
        chosen = [self._service(entry, repository.images, release) for entry in entries]
        containers = await built_here(chosen)
        ports = {service.name: service.port for service in chosen}
        return await started(stack, containers, ports, settings, repository.images.git)

    @function
    async def config(
        self,
        *,
        environment: AnyEnvironment = None,
        set_: Settings = None,
        variables: VariablesFile = None,
        key: SecretsKey,
    ) -> Config:
        """Look at what differs between environments: validate, explain, convert, diff, report."""
        return await self._config(environment, set_, variables, key)

    @side_effect
    async def manifests(
        self,
        *,
        environment: Environment,
        version: Version = None,
        registry: RegistryPlace = None,
        registry_username: Username = None,
        registry_password: Password,
        registry_plain_http: PlainHttp = False,
        set_: Settings = None,
        variables: VariablesFile = None,
        secrets_key: SecretsKey,
    ) -> dagger.File:
        """Render all Kubernetes objects of an environment; its secrets only with their key."""
        account = (registry_username, registry_password, registry_plain_http)
        contents, _ = await self._contents(version, registry, account)
        config = await self._config(environment, set_, variables, secrets_key)
        return handed.file(f"{environment}.yml", await manifests(config, contents))

    @side_effect
    async def diff(
        self,
        *,
        environment: Environment,
        kubeconfig: Kubeconfig,
        version: Version = None,
        registry: RegistryPlace = None,
        registry_username: Username = None,
        registry_password: Password,
        registry_plain_http: PlainHttp = False,
        set_: Settings = None,
        variables: VariablesFile = None,
        secrets_key: SecretsKey,
        format_: Format = "table",
    ) -> str:
        """List what `deploy` would change in the cluster, by object and field, no secrets."""
        checked_format(format_)
        account = (registry_username, registry_password, registry_plain_http)
        contents, _ = await self._contents(version, registry, account)
        config = await self._config(environment, set_, variables, secrets_key)
        return await Deployment(config=config, kubeconfig=kubeconfig).diff(contents, format_)

    @function
    async def deployment(
        self,
        *,
        environment: Environment,
        kubeconfig: Kubeconfig,
        set_: Settings = None,
        variables: VariablesFile = None,
    ) -> Deployment:
        """Look after what is deployed: status, rollback, resume, audit."""
        config = await self._config(environment, set_, variables, None)
        return Deployment(config=config, kubeconfig=kubeconfig)

    @side_effect
    async def compose(
        self,
        *,
        environment: Environment,
        reload: Annotated[
            bool, Doc("Services run out of their sources, for `docker compose up --build --watch`")
        ] = False,
        project: ProjectName = None,
        version: Version = None,
        registry: RegistryPlace = None,
        registry_username: Username = None,
        registry_password: Password,
        registry_plain_http: PlainHttp = False,
        set_: Settings = None,
        variables: VariablesFile = None,
        secrets_key: SecretsKey,
    ) -> ComposeProject:
        """Write an environment's whole stack as a Compose project: `compose file`."""
        account = (registry_username, registry_password, registry_plain_http)
        config = await self._config(environment, set_, variables, secrets_key)
        repository = await read_repository(self.source)
        built = [entry.service.name for entry in repository.services if is_reloaded(entry.service)]
        contents, _ = await self._contents(version, registry, account, built if reload else [])
        return await ComposeProject.of(config, contents, project, reload)

    @side_effect
    async def deploy(
        self,
        *,
        environment: Environment,
        kubeconfig: AnyKubeconfig,
        docker_socket: DockerSocket = None,
        project: ProjectName = None,
        version: Version = None,
        registry: RegistryPlace = None,
        registry_username: Username = None,
        registry_password: Password,
        registry_plain_http: PlainHttp = False,
        key: PublicKey,
        subject: Identity = None,
        issuer: Issuer = None,
        scan: Rescan = True,
        set_: Settings = None,
        variables: VariablesFile = None,
        secrets_key: SecretsKey,
        reason: Reason = "",
        origin: Origin = "not told",
        format_: Format = "table",
    ) -> str:
        """Verify a version and deploy it: it is healthy, or all is as it was before.

        By Docker Compose, on one's own machine, nothing is verified.
        """
        checked_format(format_)
        account = (registry_username, registry_password, registry_plain_http)
        config = await self._config(environment, set_, variables, secrets_key)
        if kubeconfig is None:
            socket = await compose_socket(config, docker_socket)
            contents, access = await self._contents(version, registry, account)
            return await deployed_by_compose(config, contents, project, socket, access, format_)
        deployment = Deployment(config=config, kubeconfig=kubeconfig)
        await deployment.check()
        contents, access = await self._contents(version, registry, account)
        identity = identity_of(subject, issuer)
        verdict = await self._verified(
            list(contents.images.values()), key, identity, None, access, scan
        )
        verdict.check()
        return await deployment.deploy(contents, Motive(reason, origin), format_)

    @side_effect
    async def scan(
        self,
        *,
        image: Published = None,
        services: Services = None,
        platforms: Platforms = None,
        registry_username: Username = None,
        registry_password: Password,
        registry_plain_http: PlainHttp = False,
        severity: BlockingSeverity = None,
        without_fix: WithoutFix = False,
        trivy_database: TrivyDatabase = None,
        grype_database: GrypeDatabase = None,
        scout_username: ScoutUsername = None,
        scout_password: ScoutPassword,
        jobs: Jobs = 4,
    ) -> ScanReport:
        """Scan images with all scanners: `scan table` shows it, `scan check` fails by it."""
        account = (registry_username, registry_password, registry_plain_http)
        bar = await self._bar(
            image,
            services,
            platforms,
            account,
            severity,
            without_fix,
            (trivy_database, grype_database),
            Account.of(scout_username, scout_password),
        )
        subjects, _ = await self._subjects(image, services, platforms, account, jobs)
        return await scan(
            subjects,
            bar.images,
            bar.means,
            bar.waivers,
            bar.threshold,
            complete=bar.complete,
        )

    @side_effect
    async def sbom(
        self,
        *,
        image: Published = None,
        services: Services = None,
        platforms: Platforms = None,
        registry_username: Username = None,
        registry_password: Password,
        registry_plain_http: PlainHttp = False,
        jobs: Jobs = 4,
    ) -> Sboms:
        """Describe images: `sbom files` gives CycloneDX and SPDX, `sbom report` a table."""
        account = (registry_username, registry_password, registry_plain_http)
        subjects, _ = await self._subjects(image, services, platforms, account, jobs)
        return await describe(subjects, (await read_repository(self.source)).images)

    @side_effect
    async def examine(
        self,
        *,
        image: Published = None,
        services: Services = None,
        platforms: Platforms = None,
        registry_username: Username = None,
        registry_password: Password,
        registry_plain_http: PlainHttp = False,
        severity: BlockingSeverity = None,
        without_fix: WithoutFix = False,
        trivy_database: TrivyDatabase = None,
        grype_database: GrypeDatabase = None,
        scout_username: ScoutUsername = None,
        scout_password: ScoutPassword,
        jobs: Jobs = 4,
    ) -> Examination:
        """Scan, describe and judge images: the typed result of `verdict`."""
        account = (registry_username, registry_password, registry_plain_http)
        bar = await self._bar(
            image,
            services,
            platforms,
            account,
            severity,
            without_fix,
            (trivy_database, grype_database),
            Account.of(scout_username, scout_password),
        )
        subjects, known = await self._subjects(image, services, platforms, account, jobs)
        return await examine(subjects, known, bar)

    @side_effect
    async def verdict(
        self,
        *,
        image: Published = None,
        services: Services = None,
        platforms: Platforms = None,
        registry_username: Username = None,
        registry_password: Password,
        registry_plain_http: PlainHttp = False,
        severity: BlockingSeverity = None,
        without_fix: WithoutFix = False,
        trivy_database: TrivyDatabase = None,
        grype_database: GrypeDatabase = None,
        scout_username: ScoutUsername = None,
        scout_password: ScoutPassword,
        jobs: Jobs = 4,
        format_: Format = "table",
    ) -> str:
        """Judge images by each rule of the policy, and fail when one of them does."""
        checked_format(format_)
        examination = await self.examine(
            image=image,
            services=services,
            platforms=platforms,
            registry_username=registry_username,
            registry_password=registry_password,
            registry_plain_http=registry_plain_http,
            severity=severity,
            without_fix=without_fix,
            trivy_database=trivy_database,
            grype_database=grype_database,
            scout_username=scout_username,
            scout_password=scout_password,
            jobs=jobs,
        )
        return examination.verdict.check(format_)

    @side_effect
    async def verification(
        self,
        *,
        image: Annotated[str, Doc("A published image")],
        key: PublicKey,
        subject: Identity = None,
        issuer: Issuer = None,
        platforms: Platforms = None,
        registry_username: Username = None,
        registry_password: Password,
        registry_plain_http: PlainHttp = False,
        scan: Rescan = True,
    ) -> VerdictReport:
        """Verify signatures, attestations and policy: the typed result of `verify`."""
        account = (registry_username, registry_password, registry_plain_http)
        access = Access.to(image, *account, (await read_repository(self.source)).registry)
        identity = identity_of(subject, issuer)
        return await self._verified([image], key, identity, platforms, access, scan)

    @side_effect
    async def verify(
        self,
        *,
        image: Annotated[str, Doc("A published image")],
        key: PublicKey,
        subject: Identity = None,
        issuer: Issuer = None,
        platforms: Platforms = None,
        registry_username: Username = None,
        registry_password: Password,
        registry_plain_http: PlainHttp = False,
        scan: Rescan = True,
        format_: Format = "table",
    ) -> str:
        """Verify signatures, attestations and policy of a published image, in one verdict."""
        checked_format(format_)
        verdict = await self.verification(
            image=image,
            key=key,
            subject=subject,
            issuer=issuer,
            platforms=platforms,
            registry_username=registry_username,
            registry_password=registry_password,
            registry_plain_http=registry_plain_http,
            scan=scan,
        )
        return verdict.check(format_)

    async def _config(
        self,
        environment: str | None,
        flags: list[str] | None,
        variables: dagger.File | None,
        key: dagger.Secret | None,
    ) -> Config:
        return Config(
            source=self.source,
            environment=environment,
            flags=flags or [],
            variables=await variables.contents() if variables else "",
            key=key,
        )

    async def _built(
        self, services: list[str] | None, platforms: list[str] | None, jobs: int
    ) -> tuple[Build, Release]:
        chosen_platforms = platforms_named(platforms or [])
        repository = await read_repository(self.source)
        entries = choose(repository.services, services or [])
        if await self.source.glob(ENVIRONMENT_FILES):
            await Config.of(self.source).loaded()
        release = release_of(await head_commit(self.source, repository.images.git))
        chosen = [self._service(entry, repository.images, release) for entry in entries]
        images = await build_images(chosen, chosen_platforms, jobs)
        return Build(version=release.version, revision=release.revision, images=images), release

    async def _contents(
        self,
        version: str | None,
        registry: str | None,
        account: tuple[str | None, dagger.Secret | None, bool],
        without: Sequence[str] = (),
    ) -> tuple[Contents, Access]:
        """Find a version's images in the registry, and say how it is reached."""
        repository = await read_repository(self.source)
        names = [entry.service.name for entry in repository.services]
        stack = await read_stack(self.source, names)
        address = registry or (repository.registry.address if repository.registry else "")
        checked_registry(address)
        access = Access.to(address, *account, repository.registry)
        release = release_of(await head_commit(self.source, repository.images.git))
        tag = version or release.tags[0]
        found = await published_references(
            [name for name in stack.services if name not in without],
            address,
            tag,
            access,
            repository.images,
        )
        # Without the tag: what didn't change from one version to the next need not start anew.
        images = {name: by_digest(reference) for name, reference in found.items()}
        name = version or release.version
        return Contents(version=name, revision=release.revision, images=images), access

    async def _verified(
        self,
        images: Sequence[str],
        key: dagger.Secret | None,
        identity: SigningIdentity | None,
        platforms: list[str] | None,
        access: Access,
        scans: bool,
    ) -> VerdictReport:
        """Judge published images of one registry together."""
        bar = await self._bar(images[0], None, platforms, NOBODY)
        signing = await read_signing(self.source)
        cosign = await Cosign.to(access, bar.images, signing)
        believed = await Believed.of(key, identity, self.source, cosign)
        subjects = await published_subjects(images, platforms or [], access, bar.images)
        bar = replace(bar, registry=access, scans=scans)
        verify = partial(believed.trust, subjects, bar.rules.policy.attestations)
        return (await examine(subjects, Known(), bar, verify)).verdict

    async def _bar(
        self,
        image: str | None,
        services: Sequence[str] | None,
        platforms: Sequence[str] | None,
        account: tuple[str | None, dagger.Secret | None, bool],
        severity: str | None = None,
        without_fix: bool = False,
        databases: tuple[dagger.File | None, dagger.File | None] = (None, None),
        scout: Account | None = None,
    ) -> Bar:
        chosen = None if severity is None else severity_named(severity)
        platforms_named(platforms or [])
        rules = await read_rules(self.source)
        titles(rules.files)
        repository = await read_repository(self.source)
        place = image or (repository.registry.address if repository.registry else "")
        sources = Sources(await read_scan(self.source), repository.registry, *databases)
        return Bar(
            images=repository.images,
            rules=rules,
            waivers=await read_waivers(self.source),
            means=Means(sources, scout, self.source if image is None else None),
            threshold=Threshold.of(rules.policy).changed(chosen, without_fix),
            complete=image is None and not services and not platforms,
            registry=Access.to(place, *account, repository.registry) if place else None,
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
        return await published_subjects(
            [image], platforms or [], access, repository.images
        ), Known()

    def _service(self, entry: Entry, images: Images, release: Release) -> PipelineService:
        recipe = Recipe(
            service=entry.service,
            directory=entry.directory,
            images=images,
            annotations=release.annotations(entry.service.title),
            timestamp=release.timestamp,
        )
        return PipelineService.of(recipe, self.source)
