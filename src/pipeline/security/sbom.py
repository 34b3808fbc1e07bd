"""Describes images: an SBOM of each platform as CycloneDX and SPDX, checked against its files."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import dagger
from dagger import Doc, dag, field, function

from pipeline import handed
from pipeline.build.steps import HEALTH_CHECK
from pipeline.catalogue.models import Images
from pipeline.concurrency import gathered
from pipeline.errors import PipelineError, shortened
from pipeline.objects import Format, object_type
from pipeline.report.sbom import SbomSummary, render_sboms
from pipeline.security.facts import SbomFacts
from pipeline.security.sbom_documents import settled_cyclone_dx, settled_spdx
from pipeline.security.subject import Subject
from pipeline.security.syft import parse_syft

AT_A_TIME = 4
FORMATS = {"syft": "syft-json", "cdx": "cyclonedx-json@1.6", "spdx": "spdx-json@2.3"}
SCAN = [
    *("scan", "oci-dir:/layout", "--quiet"),
    *(f"--output={format_}=/sbom/{name}.json" for name, format_ in FORMATS.items()),
]


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
    def report(self, format_: Format = "table") -> str:
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
    syft = (
        dag.container()
        .from_(images.syft)
        .with_env_variable("SYFT_CHECK_FOR_APP_UPDATE", "false")
        .with_env_variable("SYFT_FILE_METADATA_SELECTION", "all")
        .with_env_variable("SYFT_FILE_METADATA_DIGESTS", "md5")
        .with_mounted_temp("/tmp")  # noqa: S108 - in the container, where layers are unpacked
        .with_directory("/sbom", dag.directory())
    )
    jobs = [partial(_described, syft, subject) for subject in subjects]
    return Sboms(images=await gathered(jobs, AT_A_TIME))


async def _described(syft: dagger.Container, subject: Subject) -> Sbom:
    named = [
        f"--source-name={subject.image}",
        f"--source-version={subject.digest}",
        f"--platform={subject.platform}",
    ]
    scanned = syft.with_mounted_directory("/layout", subject.layout)
    try:
        folder = (
            await scanned.with_exec([*SCAN, *named], use_entrypoint=True).directory("/sbom").sync()
        )
    except dagger.ExecError as error:
        said = shortened((error.stderr or error.stdout).splitlines(), 20)
        raise SbomError(
            f"{subject.image} can't be described: '{' '.join(error.command[:3])}' "
            f"ended with {error.exit_code}.\n\n{said}"
        ) from error
    facts = parse_syft(await folder.file("syft.json").contents(), [HEALTH_CHECK])
    cyclone_dx = json.loads(await folder.file("cdx.json").contents())
    spdx = json.loads(await folder.file("spdx.json").contents())
    made = (subject.digest, subject.created)
    return Sbom(
        image=subject.image,
        platform=subject.platform,
        digest=subject.digest,
        cyclone_dx=handed.file("sbom.cdx.json", settled_cyclone_dx(cyclone_dx, *made)),
        spdx=handed.file("sbom.spdx.json", settled_spdx(spdx, *made)),
        facts=facts.model_dump_json(),
    )
