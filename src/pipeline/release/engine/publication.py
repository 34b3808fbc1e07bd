"""From images that were built to images that are published: examined, signed, attested, tagged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import dagger
from dagger import Doc, dag, field, function

from pipeline.build.engine.build import Build, Selection, build_services
from pipeline.build.engine.image import Image
from pipeline.catalogue.models import Images
from pipeline.catalogue.repository import Repository
from pipeline.catalogue.signing import Signing
from pipeline.concurrency import gather
from pipeline.engine import flags
from pipeline.engine.objects import object_type
from pipeline.registry.engine.account import RegistryAccount
from pipeline.release.engine.cosign import Cosign
from pipeline.release.engine.publish import Destination, tag, upload
from pipeline.release.engine.signer import Signer
from pipeline.release.statements import (
    CYCLONE_DX,
    SPDX,
    Span,
    Statement,
    now,
    provenance_statement,
    scan_statement,
)
from pipeline.report.publication import published_summary
from pipeline.report.render import Format
from pipeline.report.summary import render_build
from pipeline.security.engine.criteria import Criteria
from pipeline.security.engine.examination import Examination, examine_build
from pipeline.version.release import Release

REPOSITORIES_AT_A_TIME = 4


@object_type
class Publication:
    """What a run built, found out and published."""

    build: Annotated[Build, Doc("What was built, and where it is now")] = field()
    examination: Annotated[Examination, Doc("What was found out about it")] = field()
    signer: Annotated[str, Doc("How it was signed; empty: it wasn't")] = field()

    @function
    def report(self, format_: flags.Format = Format.TABLE) -> str:
        """Render what was built, found out and published, for a person or a program."""
        scan = self.examination.scan
        summary = published_summary(
            self.build.summary(),
            scan.known() if scan else None,
            self.examination.verdict.known(),
            self.signer or None,
        )
        return render_build(summary, format_)


@dataclass(frozen=True)
class Signature:
    """Who signs and how; `built` and `scanned` is when that was, for what is attested."""

    signer: Signer
    signing: Signing
    built: Span
    scanned: Span


async def build_and_examine(
    source: dagger.Directory,
    repository: Repository,
    account: RegistryAccount,
    databases: dagger.Directory | None,
    selection: Selection,
) -> Publication:
    """Build, examine and judge images as if they were to be published. Raises as its parts do."""
    registry = account.access_to_default(repository.registry)
    criteria = await Criteria.of(
        repository,
        registry,
        sources=source,
        complete=selection.is_all,
        databases=databases,
    )
    build = await build_services(source, repository, selection)
    examination = await examine_build(build, criteria)
    examination.verdict.check()
    return Publication(build=build, examination=examination, signer="")


async def build_and_publish(
    source: dagger.Directory,
    repository: Repository,
    account: RegistryAccount,
    databases: dagger.Directory | None,
    signer: Signer | None,
    selection: Selection,
    *,
    scans: bool,
) -> Publication:
    """Build, examine and judge images, and publish them when no rule fails.

    All that is wrong is found before the build as far as it can be. Raises what its parts raise.
    """
    address = account.address_or(repository.registry)
    destination = Destination(address, account.access(address, repository.registry))
    criteria = await Criteria.of(
        repository,
        destination.access,
        sources=source,
        complete=selection.is_all,
        scans=scans,
        databases=databases,
    )
    signing = repository.signing
    began = now()
    build = await build_services(source, repository, selection)
    built = now()
    examination = await examine_build(build, criteria)
    examination.verdict.check()
    spans = (Span(began, built), Span(built, now()))
    signature = None if signer is None else Signature(signer, signing, *spans)
    return await _publish(build, examination, signature, destination, repository.images)


async def _publish(
    build: Build,
    examination: Examination,
    signature: Signature | None,
    destination: Destination,
    images: Images,
) -> Publication:
    """Publish images: tags name them only once they are signed and attested, if they are to be.

    Raises PublishError, SigningError.
    """
    await upload(build.images, destination, images.regctl)
    if signature is not None:
        statements = await _statements(build.release, examination, signature, images)
        await _sign(build.images, statements, signature, destination, images)
    tagged = await tag(build.images, build.tags, destination, images.regctl)
    return Publication(
        build=Build.of(build.release, tagged),
        examination=examination,
        signer=signature.signer.name if signature else "",
    )


async def _sign(
    images: Sequence[Image],
    statements: Mapping[str, Sequence[Statement]],
    signature: Signature,
    destination: Destination,
    tools: Images,
) -> None:
    cosign = await Cosign.to(destination.access, tools, signature.signing)

    async def sign(image: Image) -> None:
        repository = destination.repository(image)
        attested = {platform.digest: statements[platform.digest] for platform in image.platforms}
        await cosign.sign(image.digest, repository, attested, signature.signer)

    await gather([partial(sign, image) for image in images], REPOSITORIES_AT_A_TIME)


async def _statements(
    release: Release,
    examination: Examination,
    signature: Signature,
    images: Images,
) -> dict[str, list[Statement]]:
    """Gather what is to be attested to each platform's digest."""
    builder, scan = signature.signing.builder, examination.scan
    tools = await _digests([images.debian, images.node, images.rust])
    scanners = f"{images.trivy} {images.grype}"
    found = {}
    for sbom in examination.sboms.images:
        found[sbom.digest] = [
            Statement(CYCLONE_DX, await sbom.cyclone_dx.contents()),
            Statement(SPDX, await sbom.spdx.contents()),
            provenance_statement(release, sbom.image, tools, builder, signature.built),
        ]
        if scan:
            found[sbom.digest].append(
                scan_statement(scan.known(), sbom.image, sbom.platform, scanners, signature.scanned)
            )
    return found


async def _digests(images: Sequence[str]) -> dict[str, str]:
    """Resolve names of images: name → digest."""
    found = {}
    for name in images:
        reference = await dag.container().from_(name).image_ref()
        found[name] = reference.rpartition("@")[2]
    return found
