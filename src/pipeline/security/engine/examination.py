"""All that is found out about images before they are published: scanned, described, judged."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated

import anyio
from dagger import Doc, field

from pipeline.build.engine.build import Build
from pipeline.engine.objects import object_type
from pipeline.errors import PipelineError, first_of
from pipeline.security.engine.base_images import base_images
from pipeline.security.engine.criteria import Criteria
from pipeline.security.engine.sbom import Sboms, describe
from pipeline.security.engine.scan import ScanReport, scan
from pipeline.security.engine.subject import Subject, built_subjects
from pipeline.security.engine.verdict import VerdictReport, image_facts, judge_images
from pipeline.security.facts import BaseImageFacts, Facts, Trust
from pipeline.security.gate import today

Verify = Callable[[], Awaitable[Mapping[str, Trust]]]
"""Says who signed what, and attested what to it: by digest."""


@dataclasses.dataclass(frozen=True)
class BuildFacts:
    """What is known of images ahead: sizes (bytes) by digest, the rest by image."""

    version: str = ""
    revision: str = ""
    sizes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    limits: Mapping[str, int] = dataclasses.field(default_factory=dict)
    bases: Mapping[str, str] = dataclasses.field(default_factory=dict)


def build_facts(build: Build) -> BuildFacts:
    """Take what a build knows of its images."""
    platforms = [platform for image in build.images for platform in image.platforms]
    return BuildFacts(
        version=build.version,
        revision=build.revision,
        sizes={platform.digest: platform.size for platform in platforms},
        limits={image.service: image.size_limit for image in build.images},
        bases={image.service: image.base for image in build.images},
    )


@object_type
class Examination:
    """What was found out about images."""

    scan: Annotated[ScanReport | None, Doc("None: it wasn't scanned")] = field()
    sboms: Annotated[Sboms, Doc("What it is made of")] = field()
    verdict: Annotated[VerdictReport, Doc("What the rules of the policy say")] = field()


async def examine_build(build: Build, criteria: Criteria) -> Examination:
    """Examine all images of a build. Raises what its parts raise."""
    return await examine(await built_subjects(build.images), build_facts(build), criteria)


async def examine(
    subjects: Sequence[Subject], known: BuildFacts, criteria: Criteria, verify: Verify | None = None
) -> Examination:
    """Scan, describe and verify images side by side, and judge them. Raises what its parts raise.

    `verify` is for images that are published: others are signed by nobody yet.
    """
    day, images = today(), criteria.repository.images
    trust: dict[str, Trust] = {}
    scans: list[ScanReport] = []
    descriptions: list[Sboms] = []
    bases: dict[str, BaseImageFacts] = {}

    async def scanned() -> None:
        scans.append(await scan(subjects, criteria))

    async def described() -> None:
        descriptions.append(await describe(subjects, images))

    async def verified(by: Verify) -> None:
        trust.update(await by())

    async def looked_up() -> None:
        bases.update(await base_images(subjects, known.bases, criteria.registry, images, day))

    try:
        async with anyio.create_task_group() as group:
            if criteria.scans:
                group.start_soon(scanned)
            if verify is not None:
                group.start_soon(verified, verify)
            group.start_soon(described)
            group.start_soon(looked_up)
    except* PipelineError as errors:
        raise first_of(errors) from errors
    report, [sboms] = scans[0] if scans else None, descriptions
    facts = Facts(
        today=day,
        version=known.version,
        revision=known.revision,
        images=image_facts(
            subjects,
            known.sizes,
            known.limits,
            {sbom.digest: sbom.known() for sbom in sboms.images},
            trust,
            bases,
        ),
        findings=report.known().findings if report else None,
    )
    verdict = await judge_images(facts, criteria.repository, complete=criteria.complete)
    return Examination(scan=report, sboms=sboms, verdict=verdict)
