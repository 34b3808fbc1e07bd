"""Scans images with Trivy and Grype, each platform of each image, and judges what they find."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import anyio
import dagger
from dagger import dag, field, function

from pipeline import handed
from pipeline.catalogue.models import Images
from pipeline.catalogue.waivers import WaiversFile
from pipeline.errors import PipelineError, first_of, shortened
from pipeline.objects import object_type
from pipeline.report.findings import ScannedImage, ScanSummary, render_scan
from pipeline.report.html import html_page
from pipeline.report.sarif import sarif_files
from pipeline.security.finding import Finding
from pipeline.security.gate import Threshold, judge, today
from pipeline.security.grype import parse_grype
from pipeline.security.merge import merge
from pipeline.security.subject import Subject
from pipeline.security.summary import summarised
from pipeline.security.trivy import parse_trivy

SCANS_AT_A_TIME = 4
TRIVY_CACHE = "/trivy-cache"
GRYPE_CACHE = "/grype-cache"
# What is written to the standard output is shown in the progress of every run, whole.
REPORT = "/report.json"


class ScanError(PipelineError):
    """A scanner didn't get as far as a report."""


@dataclass(frozen=True)
class Databases:
    """Where vulnerabilities come from, if not from the scanners' own places.

    `trivy` is an OCI reference, `grype` a database archive; both for mirrors and closed networks.
    """

    trivy: str = ""
    grype: dagger.File | None = None


@object_type
class ScanReport:
    """What the scanners found in images, each thing once, and what becomes of it."""

    passed: bool = field()
    summary: str

    @classmethod
    def of(cls, summary: ScanSummary) -> Self:
        """Make the object of a summary."""
        return cls(passed=summary.passed, summary=summary.model_dump_json())

    @function
    def table(self) -> str:
        """Render the findings for a terminal, the worst first."""
        return render_scan(self.known(), "table")

    @function
    def markdown(self) -> str:
        """Render the findings for a job summary."""
        return render_scan(self.known(), "markdown")

    @function
    def json(self) -> str:
        """Render the findings for programs."""
        return render_scan(self.known(), "json")

    @function
    def html(self) -> dagger.File:
        """Render the findings as one page that needs nothing else."""
        return handed.file("scan.html", html_page(self.known(), "Scan"))

    @function
    def sarif(self) -> dagger.Directory:
        """Write SARIF files for code scanning: a run for each image and platform."""
        files = enumerate(sarif_files(self.known()), 1)
        return handed.files({f"scan-{number}.sarif": text for number, text in files})

    @function
    def check(self) -> str:
        """Give the table when nothing blocks, else fail with it."""
        if not self.passed:
            raise ScanError(self.table())
        return self.table()

    def known(self) -> ScanSummary:
        """Give what was found, and what becomes of it."""
        return ScanSummary.model_validate_json(self.summary)


async def scan(
    subjects: Sequence[Subject],
    images: Images,
    databases: Databases,
    waivers: WaiversFile,
    threshold: Threshold,
    *,
    complete: bool,
) -> ScanReport:
    """Scan images side by side, and judge the findings of all of them together.

    `complete` says that these are all the repository's images: then a waiver that matches
    nothing is one too many. Raises ScanError with a scanner's own words.
    """
    trivy, grype = _trivy(images.trivy, databases), await _grype(images.grype, databases)
    limiter = anyio.CapacityLimiter(SCANS_AT_A_TIME)
    found: dict[int, list[Finding]] = {}

    async def scan_one(index: int, subject: Subject) -> None:
        async with limiter:
            named = (subject.image, subject.platform)
            said = await _report(
                trivy.with_mounted_directory("/layout", subject.layout), TRIVY_SCAN
            )
            found[index] = parse_trivy(said, *named)
            # In an image Grype leaves out what it reads in a folder, such as Cargo.lock.
            said = await _report(grype.with_mounted_directory("/files", subject.files), GRYPE_SCAN)
            found[index] += parse_grype(said, *named)

    try:
        async with anyio.create_task_group() as group:
            for index, subject in enumerate(subjects):
                group.start_soon(scan_one, index, subject)
    except* PipelineError as errors:
        raise first_of(errors) from errors
    findings = merge([finding for index in sorted(found) for finding in found[index]])
    verdict = judge(findings, waivers, today(), threshold, complete=complete)
    scanned = [ScannedImage(image=each.image, platform=each.platform) for each in subjects]
    return ScanReport.of(summarised(verdict, scanned))


TRIVY_SCAN = [
    *("image", "--input=/layout", "--format=json", "--quiet", "--scanners=vuln,secret"),
    # Of the config only secrets: what the engine hands on lacks the health check.
    *("--image-config-scanners=secret", "--skip-db-update", "--skip-java-db-update"),
    *("--skip-check-update", "--offline-scan"),
]
GRYPE_SCAN = ["dir:/files", "--output=json"]


def _trivy(image: str, databases: Databases) -> dagger.Container:
    """Give Trivy with its database, which it loads anew once it is a day old."""
    own = [f"--db-repository={databases.trivy}"] if databases.trivy else []
    # Trivy goes on with the database that it has, wherever that came from.
    cache = dag.cache_volume(f"pipeline-trivy {databases.trivy}".strip())
    return (
        _tool(image)
        .with_mounted_cache(TRIVY_CACHE, cache)
        .with_env_variable("TRIVY_CACHE_DIR", TRIVY_CACHE)
        .with_env_variable("TRIVY_SKIP_VERSION_CHECK", "true")
        .with_exec(["image", "--download-db-only", "--quiet", *own], use_entrypoint=True)
    )


async def _grype(image: str, databases: Databases) -> dagger.Container:
    """Give Grype with its database: its own, or the one of an archive."""
    tool = (
        _tool(image)
        .with_env_variable("GRYPE_DB_CACHE_DIR", GRYPE_CACHE)
        .with_env_variable("GRYPE_CHECK_FOR_APP_UPDATE", "false")
    )
    if databases.grype is None:
        tool = tool.with_mounted_cache(GRYPE_CACHE, dag.cache_volume("pipeline-grype"))
        tool = tool.with_exec(["db", "update"], use_entrypoint=True)
    else:
        # Grype tells the kind of an archive by its name.
        archive = f"/{await databases.grype.name()}"
        tool = tool.with_env_variable("GRYPE_DB_VALIDATE_AGE", "false")
        tool = tool.with_mounted_file(archive, databases.grype)
        tool = tool.with_exec(["db", "import", archive], use_entrypoint=True)
    return tool.with_env_variable("GRYPE_DB_AUTO_UPDATE", "false")


def _tool(image: str) -> dagger.Container:
    # Databases change: a scan is never answered out of the engine's cache.
    return dag.container().from_(image).with_env_variable("RUN", str(uuid.uuid4()))


async def _report(tool: dagger.Container, command: list[str]) -> str:
    try:
        ended = tool.with_exec(command, use_entrypoint=True, redirect_stdout=REPORT)
        return await ended.file(REPORT).contents()
    except dagger.ExecError as error:
        said = shortened((error.stderr or error.stdout).splitlines(), 20)
        raise ScanError(
            f"'{' '.join(error.command)}' ended with {error.exit_code}.\n\n{said}"
        ) from error
