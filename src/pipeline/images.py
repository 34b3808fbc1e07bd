"""Images as the command line and other modules look into them: scan, describe, judge, verify."""

from typing import Annotated

import dagger
from dagger import Doc

from pipeline.build.engine.build import Selection, build_services
from pipeline.catalogue.engine.source import read_repository
from pipeline.catalogue.repository import Repository
from pipeline.engine import flags
from pipeline.engine.objects import function, object_type
from pipeline.errors import InapplicableFlagError
from pipeline.registry.engine.account import RegistryAccount
from pipeline.release.engine.verify import NotPublishedImageError, Signatory, verify_images
from pipeline.report.render import Format
from pipeline.security.engine.criteria import Criteria
from pipeline.security.engine.examination import BuildFacts, Examination, build_facts, examine
from pipeline.security.engine.sbom import Sboms, describe
from pipeline.security.engine.scan import ScanReport, scan
from pipeline.security.engine.subject import Subject, built_subjects, published_subjects
from pipeline.security.engine.verdict import VerdictReport
from pipeline.security.finding import Severity

dagger.enum_type(Severity)

BlockingSeverity = Annotated[
    Severity | None,
    Doc("What blocks: this severity or worse (default: config/policy/policy.yml's)"),
]


@object_type
class Images:
    """Images to be judged: the repository's own, built as they are, or a published one."""

    source: dagger.Directory
    account: RegistryAccount
    image: str | None
    services: list[str]
    platforms: list[str]
    jobs: int
    severity: Severity | None
    without_fix: bool
    databases: dagger.Directory | None
    scout_account: dagger.Secret | None

    @function(cache="never")
    async def scan(self) -> ScanReport:
        """Scan with all scanners: `scan report` shows it, `scan check` fails by it."""
        repository = await read_repository(self.source)
        criteria = await self._criteria(repository)
        subjects, _ = await self._subjects(repository)
        return await scan(subjects, criteria)

    @function(cache="never")
    async def sbom(self) -> Sboms:
        """Describe them: `sbom files` gives CycloneDX and SPDX, `sbom report` a table."""
        if self.severity is not None or self.without_fix or self.scout_account is not None:
            raise InapplicableFlagError("--severity, --without-fix or --scout-account", "a scan")
        repository = await read_repository(self.source)
        await self._criteria(repository)
        subjects, _ = await self._subjects(repository)
        return await describe(subjects, repository.images)

    @function(cache="never")
    async def examine(self) -> Examination:
        """Scan, describe and judge them: the typed result of `verdict`."""
        repository = await read_repository(self.source)
        criteria = await self._criteria(repository)
        subjects, facts = await self._subjects(repository)
        return await examine(subjects, facts, criteria)

    @function(cache="never")
    async def verdict(self, format_: flags.Format = Format.TABLE) -> str:
        """Judge them by each rule of the policy, and fail when one of them does."""
        return (await self.examine()).verdict.checked(format_)

    @function(cache="never")
    async def verification(
        self,
        public_key: flags.PublicKey,
        identity: flags.Identity = None,
        issuer: flags.Issuer = None,
        rescan: flags.Rescan = True,
    ) -> VerdictReport:
        """Verify signatures, attestations and policy: the typed result of `verify`."""
        repository = await read_repository(self.source)
        if self.image is None:
            raise NotPublishedImageError
        criteria = await self._criteria(repository, scans=rescan)
        signatory = Signatory.of(public_key, identity, issuer)
        access = self.account.access(self.image, repository.registry)
        return await verify_images(
            [self.image], self.platforms, self.source, access, signatory, criteria
        )

    @function(cache="never")
    async def verify(
        self,
        public_key: flags.PublicKey,
        identity: flags.Identity = None,
        issuer: flags.Issuer = None,
        rescan: flags.Rescan = True,
        format_: flags.Format = Format.TABLE,
    ) -> str:
        """Verify signatures, attestations and policy of a published image, in one verdict."""
        return (await self.verification(public_key, identity, issuer, rescan)).checked(format_)

    async def _criteria(self, repository: Repository, *, scans: bool = True) -> Criteria:
        place, default = self.image, repository.registry
        if place and self.services:
            raise InapplicableFlagError("--services", "what is built, and --image is published")
        return await Criteria.of(
            repository,
            self.account.access(place, default)
            if place
            else self.account.access_to_default(default),
            sources=None if place else self.source,
            complete=place is None and self._selection.is_all,
            scans=scans,
            severity=self.severity,
            without_fix=self.without_fix,
            databases=self.databases,
            scout=self.scout_account,
        )

    @property
    def _selection(self) -> Selection:
        return Selection(self.services, self.platforms, self.jobs)

    async def _subjects(self, repository: Repository) -> tuple[list[Subject], BuildFacts]:
        """Give a published image's platforms, or the repository's own, built as they are."""
        if self.image is None:
            build = await build_services(self.source, repository, self._selection)
            return await built_subjects(build.images), build_facts(build)
        access = self.account.access(self.image, repository.registry)
        subjects = await published_subjects([self.image], self.platforms, access, repository.images)
        return subjects, BuildFacts()
