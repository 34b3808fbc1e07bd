"""A verdict as reports show it."""

from collections.abc import Sequence

from pipeline.report.findings import (
    DatabaseSummary,
    FindingSummary,
    PlaceSummary,
    ScannedImage,
    ScanSummary,
)
from pipeline.security.gate import Judgement, Verdict


def summarised(
    verdict: Verdict,
    images: Sequence[ScannedImage],
    dockerfiles: Sequence[str] = (),
    databases: Sequence[DatabaseSummary] = (),
) -> ScanSummary:
    """Sum up a verdict on these images and Dockerfiles, also those in which nothing was found."""
    return ScanSummary(
        passed=verdict.passed,
        images=list(images),
        dockerfiles=list(dockerfiles),
        databases=list(databases),
        findings=[_finding(judgement) for judgement in verdict.judgements],
        stale_waivers=[str(mistake) for mistake in verdict.stale],
    )


def _finding(judgement: Judgement) -> FindingSummary:
    finding = judgement.finding
    package, cvss = finding.package, finding.cvss
    return FindingSummary(
        kind=finding.kind.value,
        ids=list(finding.ids),
        package=package.name if package else "",
        version=package.version if package else "",
        purl=package.purl if package else "",
        severity=finding.severity.value,
        severities={name: severity.value for name, severity in finding.severities.items()},
        score=cvss.score if cvss else None,
        vector=cvss.vector if cvss else "",
        fixed_versions=finding.fixed_versions,
        disagreements=finding.disagreements,
        title=next((said.title for said in finding.assessments if said.title), ""),
        url=next((said.url for said in finding.assessments if said.url), ""),
        published=finding.published.isoformat() if finding.published else "",
        # Layers and targets are left out, so places may come out the same.
        places=[
            PlaceSummary(image=image, platform=platform, path=path, line=line)
            for image, platform, path, line in dict.fromkeys(
                (at.image, at.platform, at.path, at.line) for at in finding.places
            )
        ],
        result=judgement.result.value,
        why=judgement.why,
    )
