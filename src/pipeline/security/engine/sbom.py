"""Describes images: an SBOM of each platform as CycloneDX and SPDX, checked against its files."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import dagger
from dagger import Doc, dag, field, function

from pipeline.build.steps import HEALTH_CHECK
from pipeline.catalogue.models import Images
from pipeline.concurrency import gather
from pipeline.engine import flags
from pipeline.engine.batch import run_in, with_program
from pipeline.engine.files import file_of
from pipeline.engine.objects import object_type
from pipeline.errors import PipelineError, shortened
from pipeline.report.render import Format
from pipeline.report.sbom import SbomSummary, render_sboms
from pipeline.security.engine.subject import Subject
from pipeline.security.facts import SbomFacts
from pipeline.security.sbom_documents import settled_cyclone_dx, settled_spdx
from pipeline.security.syft import parse_syft

AT_A_TIME = 4
FORMATS = {"syft": "syft-json", "cdx": "cyclonedx-json@1.6", "spdx": "spdx-json@2.3"}
SECONDS = 1800
"""As long as the largest image takes."""


class SbomError(PipelineError):
    """Syft didn't get as far as an SBOM."""


@object_type
class Sbom:
    """What an image on one platform is made of."""

    image: Annotated[str, Doc("A name that stays from release to release")] = field()
    platform: Annotated[str, Doc("As OCI has it, e.g. linux/arm64")] = field()
    digest: Annotated[str, Doc("Of the manifest that it describes")] = field()
    cyclone_dx: Annotated[dagger.File, Doc("CycloneDX 1.6, JSON")] = field()
    spdx: Annotated[dagger.File, Doc("SPDX 2.3, JSON")] = field()
    facts: str

    def known(self) -> SbomFacts:
        """Give the packages, and how they compare with the files."""
        return SbomFacts.model_validate_json(self.facts)


@object_type
class Sboms:
    """The SBOMs of images."""

    images: Annotated[list[Sbom], Doc("One for each platform")] = field()

    @function
    def files(self) -> dagger.Directory:
        """Give all of them: <image>-<os>-<architecture>.cdx.json and .spdx.json."""
        folder = dag.directory()
        for sbom in self.images:
            parts = [sbom.image.rpartition("/")[2], *sbom.platform.split("/")]
            name = "-".join(parts)
            folder = folder.with_file(f"{name}.cdx.json", sbom.cyclone_dx)
            folder = folder.with_file(f"{name}.spdx.json", sbom.spdx)
        return folder

    @function
    def report(self, format_: flags.Format = Format.TABLE) -> str:
        """List the packages, their licences, and what doesn't fit the files of the images."""
        summaries = [
            SbomSummary(
                image=sbom.image,
                platform=sbom.platform,
                digest=sbom.digest,
                **sbom.known().model_dump(),
            )
            for sbom in self.images
        ]
        return render_sboms(summaries, format_)


async def describe(subjects: Sequence[Subject], images: Images) -> Sboms:
    """Describe images side by side. Raises SbomError with Syft's own words."""
    shell = (
        dag.container()
        .from_(images.debian)
        .with_env_variable("SYFT_CHECK_FOR_APP_UPDATE", "false")
        .with_env_variable("SYFT_FILE_METADATA_SELECTION", "all")
        .with_env_variable("SYFT_FILE_METADATA_DIGESTS", "md5")
        .with_mounted_temp("/tmp")  # noqa: S108 - in the container, where layers are unpacked
        .with_directory("/sbom", dag.directory())
    )
    syft = await with_program(shell, images.syft)
    # What lies together came at once. What was built lies alone: unless it changed, it is known.
    together: dict[int, list[Subject]] = {}
    for subject in subjects:
        together.setdefault(id(subject.layouts), []).append(subject)
    jobs = [partial(_described, syft, each) for each in together.values()]
    return Sboms(images=[sbom for group in await gather(jobs, AT_A_TIME) for sbom in group])


async def _described(syft: dagger.Container, subjects: Sequence[Subject]) -> list[Sbom]:
    """Describe images whose layouts lie together, in one exec."""
    mounted = syft.with_mounted_directory("/layouts", subjects[0].layouts)
    commands = [_scan(number, subject) for number, subject in enumerate(subjects)]
    try:
        done, ended = await run_in(mounted, commands, seconds=SECONDS)
    except dagger.ExecError as error:
        raise SbomError(
            f"The images can't be described.\n\n{_shortened(error.stderr or error.stdout)}"
        ) from error
    for subject, each in zip(subjects, ended, strict=True):
        if not each.succeeded:
            raise SbomError(f"Syft failed for {subject.image}.\n\n{_shortened(each.errors)}")
    folder = done.directory("/sbom")
    jobs = [partial(_sbom, folder, *each) for each in enumerate(subjects)]
    return await gather(jobs, AT_A_TIME)


def _scan(number: int, subject: Subject) -> list[str]:
    return [
        *("syft", "scan", f"oci-dir:/layouts/{subject.place}", "--quiet"),
        *(f"--output={format_}=/sbom/{number}.{name}.json" for name, format_ in FORMATS.items()),
        f"--source-name={subject.image}",
        f"--source-version={subject.digest}",
        f"--platform={subject.platform}",
    ]


async def _sbom(folder: dagger.Directory, number: int, subject: Subject) -> Sbom:
    syft, cyclone_dx, spdx = await gather(
        [folder.file(f"{number}.{name}.json").contents for name in FORMATS], len(FORMATS)
    )
    made = (subject.digest, subject.created)
    return Sbom(
        image=subject.image,
        platform=subject.platform,
        digest=subject.digest,
        cyclone_dx=file_of("sbom.cdx.json", settled_cyclone_dx(json.loads(cyclone_dx), *made)),
        spdx=file_of("sbom.spdx.json", settled_spdx(json.loads(spdx), *made)),
        facts=parse_syft(syft, [HEALTH_CHECK]).model_dump_json(),
    )


def _shortened(said: str) -> str:
    return shortened(said.splitlines(), 20)
