"""The Pipeline object: the verbs that people type. It hands on from stage to stage."""

import dagger
from dagger import check

from pipeline.build.engine.build import Build, Selection, build_services
from pipeline.build.engine.service import PipelineService, service_of
from pipeline.catalogue.catalogue import choose
from pipeline.catalogue.engine.source import read_repository
from pipeline.catalogue.report import services_table
from pipeline.config.load import check_repository
from pipeline.engine import flags
from pipeline.engine.objects import function, object_type
from pipeline.environment import Environment
from pipeline.errors import InapplicableFlagError
from pipeline.images import BlockingSeverity, Images
from pipeline.registry.engine.account import RegistryAccount
from pipeline.release.engine.publication import Publication, build_and_examine, build_and_publish
from pipeline.release.engine.signer import Signer
from pipeline.report.render import Format
from pipeline.version.engine.git import head_commit
from pipeline.version.release import release_of

# A failure's message is written for the person who reads it: no stack trace around it.
dagger.mod.default_module().log_exceptions = False


@object_type
class Pipeline:
    """From a repository of services to running, secured containers."""

    source: flags.Source
    registry: flags.Registry = None
    registry_username: flags.RegistryUsername = None
    registry_password: flags.RegistryPassword
    registry_plain_http: flags.RegistryPlainHttp = False
    signing_key: flags.SigningKey
    signing_password: flags.SigningPassword
    signing_kms: flags.SigningKms = None
    signing_environment: flags.SigningEnvironment
    oidc_token: flags.OidcToken
    oidc_url: flags.OidcUrl
    databases: flags.Databases
    origin: flags.Origin = "not told"

    @function
    async def services(self) -> str:
        """List the services: kind, port and size limit."""
        return services_table((await read_repository(self.source)).services)

    @function
    async def service(self, name: flags.ServiceName) -> PipelineService:
        """Pick one service, to build it and look into it."""
        repository = await read_repository(self.source)
        [entry] = choose(repository.services, [name])
        release = release_of(await head_commit(self.source, repository.images.git))
        return service_of(entry, repository.images, release, self.source)

    @function(cache="never")
    async def build(
        self,
        services: flags.Services = None,
        platforms: flags.Platforms = None,
        jobs: flags.Jobs = 4,
    ) -> Build:
        """Build services for all platforms: the typed result of `build-all`."""
        repository = await read_repository(self.source)
        selection = Selection(services or [], platforms or [], jobs)
        return await build_services(self.source, repository, selection)

    @function(cache="never")
    async def publish(
        self,
        scan: flags.Scan = None,
        sign: flags.Sign = True,
        services: flags.Services = None,
        platforms: flags.Platforms = None,
        jobs: flags.Jobs = 4,
    ) -> Publication:
        """Build, scan, judge, publish and sign: the typed result of `build-all --push`."""
        repository = await read_repository(self.source)
        signer = await self._signer() if sign else None
        selection = Selection(services or [], platforms or [], jobs)
        return await build_and_publish(
            self.source,
            repository,
            self._account(),
            self.databases,
            signer,
            selection,
            scans=scan is not False,
        )

    @function(cache="never")
    async def build_all(
        self,
        push: flags.Push = False,
        scan: flags.Scan = None,
        sign: flags.Sign = True,
        services: flags.Services = None,
        platforms: flags.Platforms = None,
        jobs: flags.Jobs = 4,
        format_: flags.Format = Format.TABLE,
    ) -> str:
        """Build all services for all platforms; with --push scan, judge, publish and sign them."""
        if push:
            publication = await self.publish(scan, sign, services, platforms, jobs)
            return publication.report(format_)
        if not sign:
            raise InapplicableFlagError("--sign=false", "what is published: add --push")
        if not scan:
            return (await self.build(services, platforms, jobs)).report(format_)
        repository = await read_repository(self.source)
        selection = Selection(services or [], platforms or [], jobs)
        examined = await build_and_examine(
            self.source, repository, self._account(), self.databases, selection
        )
        return examined.report(format_)

    @function
    @check
    async def configuration(self) -> str:
        """Check all that the repository's files say: `dagger check configuration`."""
        return check_repository(await read_repository(self.source))

    @function(cache="never")
    @check
    async def policy(self) -> str:
        """Build, scan and judge all images: `dagger check policy`."""
        return await self.images(scout_account=None).verdict()

    @function
    def images(
        self,
        *,
        image: flags.Image = None,
        services: flags.Services = None,
        platforms: flags.Platforms = None,
        jobs: flags.Jobs = 4,
        severity: BlockingSeverity = None,
        without_fix: flags.WithoutFix = False,
        scout_account: flags.ScoutAccount,
    ) -> Images:
        """Look into images: scan, sbom, examine, verdict; a published one's signatures: verify."""
        return Images(
            source=self.source,
            account=self._account(),
            image=image,
            services=services or [],
            platforms=platforms or [],
            jobs=jobs,
            severity=severity,
            without_fix=without_fix,
            databases=self.databases,
            scout_account=scout_account,
        )

    @function
    def environment(
        self,
        *,
        name: flags.Environment = None,
        set_: flags.Settings = None,
        variables: flags.Variables = None,
        secrets_key: flags.SecretsKey,
    ) -> Environment:
        """Pick an environment: its configuration and secrets, where and how it is deployed."""
        return Environment(
            source=self.source,
            account=self._account(),
            databases=self.databases,
            name=name,
            settings=set_ or [],
            variables=variables,
            secrets_key=secrets_key,
            origin=self.origin,
        )

    def _account(self) -> RegistryAccount:
        return RegistryAccount(
            address=self.registry,
            username=self.registry_username,
            password=self.registry_password,
            plain_http=self.registry_plain_http,
        )

    async def _signer(self) -> Signer:
        return await Signer.of(
            self.signing_key,
            self.signing_password,
            self.signing_kms,
            self.signing_environment,
            self.oidc_token,
            self.oidc_url,
        )
