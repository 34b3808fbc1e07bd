"""Scans images with every scanner, each platform of each image, and judges what they find."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Self

import dagger
from dagger import field, function

from pipeline.concurrency import gather
from pipeline.engine import flags
from pipeline.engine.files import directory_of, file_of
from pipeline.engine.objects import object_type
from pipeline.report.findings import ScannedImage, ScanSummary, render_scan
from pipeline.report.html import html_page
from pipeline.report.render import Format
from pipeline.report.sarif import sarif_files
from pipeline.security.engine.criteria import Criteria
from pipeline.security.engine.databases import grype_database, trivy_database
from pipeline.security.engine.subject import Subject
from pipeline.security.engine.tools import ScanError, Scanners
from pipeline.security.gate import judge, today
from pipeline.security.merge import merge
from pipeline.security.package import oci_purl
from pipeline.security.summary import summarised
from pipeline.security.waiver_formats import waiver_files

SCANS_AT_A_TIME = 4
DOCKERFILES = ["**/Dockerfile", "**/Dockerfile.*", "**/*.Dockerfile", "**/Containerfile"]


@object_type
class ScanReport:
    """What the scanners found in images, each thing once, and what becomes of it."""

    passed: bool = field()
    summary: str
    waived: str

    @classmethod
    def of(cls, summary: ScanSummary, waived: Mapping[str, str]) -> Self:
        """Make the object of a summary, and of files (name → text) about what is waived."""
        return cls(
            passed=summary.passed, summary=summary.model_dump_json(), waived=json.dumps(waived)
        )

    @function
    def report(self, format_: flags.Format = Format.TABLE) -> str:
        """Render the findings, the worst first."""
        return render_scan(self.known(), format_)

    @function
    def html(self) -> dagger.File:
        """Render the findings as one page that needs nothing else."""
        return file_of("scan.html", html_page(self.known(), "Scan"))

    @function
    def sarif(self) -> dagger.Directory:
        """Write SARIF files for code scanning: a run for each image and platform."""
        files = enumerate(sarif_files(self.known()), 1)
        return directory_of({f"scan-{number}.sarif": text for number, text in files})

    @function
    def waivers(self) -> dagger.Directory:
        """Write config/waivers.yml as others read it: OpenVEX, and what Trivy and Grype ignore."""
        return directory_of(json.loads(self.waived))

    @function
    def check(self) -> str:
        """Give the table when nothing blocks, else fail with it."""
        table = self.report()
        if not self.passed:
            raise ScanError(table)
        return table

    def known(self) -> ScanSummary:
        """Give what was found, and what becomes of it."""
        return ScanSummary.model_validate_json(self.summary)


async def scan(subjects: Sequence[Subject], criteria: Criteria) -> ScanReport:
    """Scan images side by side, and judge the findings of all of them together.

    Raises ScanError with a scanner's own words, and DatabaseError.
    """
    repository, files = criteria.repository, criteria.databases
    trivy, grype = await gather(
        [
            partial(trivy_database, files.trivy, repository),
            partial(grype_database, files.grype, repository),
        ],
        SCANS_AT_A_TIME,
    )
    scanners = Scanners.of(repository.images, trivy, grype, criteria.scout)
    jobs = [job for subject in subjects for job in scanners.jobs(subject)]
    dockerfiles: list[str] = []
    if criteria.sources is not None:
        found_files = criteria.sources.filter(include=DOCKERFILES)
        dockerfiles = [path for path in await found_files.glob("**") if not path.endswith("/")]
        jobs += [partial(scanners.dockerfiles, found_files)] if dockerfiles else []
    found = await gather(jobs, SCANS_AT_A_TIME)
    findings = merge([finding for each in found for finding in each])
    waivers = repository.waivers
    summary = summarised(
        judge(findings, waivers, today(), criteria.threshold, complete=criteria.complete),
        [ScannedImage(image=each.image, platform=each.platform) for each in subjects],
        dockerfiles,
        [trivy.known, grype.known],
    )
    waived = waiver_files(waivers.waivers, findings, _purls(subjects), datetime.now(UTC))
    return ScanReport.of(summary, waived)


def _purls(subjects: Sequence[Subject]) -> list[str]:
    """Name images as tools do: some by the index, some by the platform's manifest."""
    named = [
        oci_purl(subject.image, digest)
        for subject in subjects
        for digest in (subject.index, subject.digest)
    ]
    return list(dict.fromkeys(named))
