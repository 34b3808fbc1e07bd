"""All that is found out about images before they are published: scanned, described, judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import anyio
from dagger import field

from pipeline.build.build import Build
from pipeline.catalogue.models import Images
from pipeline.catalogue.repository import Rules
from pipeline.catalogue.waivers import WaiversFile
from pipeline.errors import PipelineError, first_of
from pipeline.objects import object_type
from pipeline.security.facts import Facts
from pipeline.security.gate import Threshold, today
from pipeline.security.sbom import Sboms, describe
from pipeline.security.scan import Databases, ScanReport, scan
from pipeline.security.subject import Subject
from pipeline.security.verdict import VerdictReport, image_facts, judged


@dataclass(frozen=True)
class Bar:
    """What images are held to, and what they are examined with.

    `complete` says that these are all the repository's images.
    """

    images: Images
    rules: Rules
    waivers: WaiversFile
    databases: Databases
    threshold: Threshold
    complete: bool


@dataclass(frozen=True)
class Known:
    """What the build knows of images: sizes in bytes by digest, limits by image."""

    version: str = ""
    revision: str = ""
    sizes: Mapping[str, int] = MappingProxyType({})
    limits: Mapping[str, int] = MappingProxyType({})


def known_of(build: Build) -> Known:
    """Take what a build knows of its images."""
    platforms = [platform for image in build.images for platform in image.platforms]
    return Known(
        version=build.version,
        revision=build.revision,
        sizes={platform.digest: platform.size for platform in platforms},
        limits={image.service: image.size_limit for image in build.images},
    )


@object_type
class Examination:
    """What was found out about images."""

    scan: ScanReport = field()
    sboms: Sboms = field()
    verdict: VerdictReport = field()


async def examine(subjects: Sequence[Subject], known: Known, bar: Bar) -> Examination:
    """Scan and describe images side by side, and judge them. Raises what its parts raise."""
    scans: list[ScanReport] = []
    descriptions: list[Sboms] = []

    async def scanned() -> None:
        scans.append(
            await scan(
                subjects,
                bar.images,
                bar.databases,
                bar.waivers,
                bar.threshold,
                complete=bar.complete,
            )
        )

    async def described() -> None:
        descriptions.append(await describe(subjects, bar.images))

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(scanned)
            group.start_soon(described)
    except* PipelineError as errors:
        raise first_of(errors) from errors
    [report], [sboms] = scans, descriptions
    facts = Facts(
        today=today(),
        version=known.version,
        revision=known.revision,
        images=image_facts(
            subjects,
            known.sizes,
            known.limits,
            {sbom.digest: sbom.known() for sbom in sboms.images},
        ),
        findings=report.known().findings,
    )
    verdict = await judged(facts, bar.rules, bar.images, bar.waivers, complete=bar.complete)
    return Examination(scan=report, sboms=sboms, verdict=verdict)
