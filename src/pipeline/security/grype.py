"""Grype's JSON report as findings."""

import textwrap
from collections.abc import Iterator

from pydantic import Field

from pipeline.security.finding import (
    Assessment,
    Cvss,
    Finding,
    Kind,
    Location,
    ordered_ids,
    worst_cvss,
)
from pipeline.security.package import package_of
from pipeline.security.scanner import OwnSeverity, Part, Score, is_advisory, read

SCANNER = "grype"
TITLE_LENGTH = 120


class _Metrics(Part):
    base_score: Score = Field(alias="baseScore")


class _Rating(Part):
    vector: str
    metrics: _Metrics


class _Known(Part):
    """A vulnerability as some database knows it."""

    id: str
    cvss: list[_Rating] | None = None


class _Fix(Part):
    versions: list[str] | None = None


class _Advisory(Part):
    id: str


class _Vulnerability(_Known):
    severity: OwnSeverity
    url: str = Field(default="", alias="dataSource")
    description: str = ""
    fix: _Fix
    advisories: list[_Advisory] | None = None


class _Location(Part):
    path: str
    layer: str = Field(default="", alias="layerID")


class _Artifact(Part):
    name: str
    version: str
    purl: str = ""
    locations: list[_Location] | None = None


class _Match(Part):
    vulnerability: _Vulnerability
    related: list[_Known] | None = Field(default=None, alias="relatedVulnerabilities")
    artifact: _Artifact


class _Report(Part):
    matches: list[_Match]


def parse_grype(text: str, image: str, platform: str) -> list[Finding]:
    """Read what Grype found in an image's platform. Raises ScannerReportError."""
    at = Location(image=image, platform=platform)
    return [
        finding
        for match in read("Grype", text, _Report).matches
        for finding in _findings(match, at)
    ]


def _findings(match: _Match, at: Location) -> Iterator[Finding]:
    found, artifact = match.vulnerability, match.artifact
    places = [
        at.model_copy(update={"path": location.path.lstrip("/"), "layer": location.layer})
        for location in artifact.locations or []
    ]
    known = [found, *(match.related or [])]
    for ids in _vulnerabilities_named(known):
        yield Finding(
            kind=Kind.VULNERABILITY,
            ids=ordered_ids(ids),
            package=package_of(artifact.name, artifact.version, artifact.purl),
            assessments=(
                Assessment(
                    scanner=SCANNER,
                    severity=found.severity,
                    # A database without a score of its own leaves it to the others.
                    cvss=_cvss([found]) or _cvss([each for each in known if each.id in ids]),
                    fixed_versions=tuple(found.fix.versions or []),
                    title=textwrap.shorten(found.description, TITLE_LENGTH, placeholder=" …"),
                    url=found.url,
                    advisories=_advisories(found),
                ),
            ),
            places=tuple(places) or (at,),
        )


def _vulnerabilities_named(known: list[_Known]) -> list[list[str]]:
    """Give the aliases of each vulnerability: one, unless the match is of an advisory."""
    ids = [each.id for each in known if not is_advisory(each.id)]
    if not is_advisory(known[0].id):
        return [ids]
    return [[id_] for id_ in ids] or [[known[0].id]]


def _advisories(found: _Vulnerability) -> tuple[str, ...]:
    own = [found.id] if is_advisory(found.id) else []
    return tuple(dict.fromkeys([*own, *(advisory.id for advisory in found.advisories or [])]))


def _cvss(known: list[_Vulnerability] | list[_Known]) -> Cvss | None:
    return worst_cvss(
        Cvss(score=rating.metrics.base_score, vector=rating.vector)
        for each in known
        for rating in each.cvss or []
    )
