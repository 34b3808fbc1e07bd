"""Trivy's JSON report (schema version 2) as findings."""

from collections.abc import Iterator
from typing import Literal

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
from pipeline.security.scanner import Day, OwnSeverity, Part, Score, is_advisory, read

SCANNER = "trivy"
LAYOUT = "/layout"
"""Where an image is for Trivy: it calls the image's configuration by this name, too."""


class _Layer(Part):
    diff_id: str = Field(default="", alias="DiffID")


class _Identifier(Part):
    purl: str = Field(default="", alias="PURL")


class _Scores(Part):
    v2_score: Score | None = Field(default=None, alias="V2Score")
    v2_vector: str = Field(default="", alias="V2Vector")
    v3_score: Score | None = Field(default=None, alias="V3Score")
    v3_vector: str = Field(default="", alias="V3Vector")
    v4_score: Score | None = Field(default=None, alias="V40Score")
    v4_vector: str = Field(default="", alias="V40Vector")

    def all(self) -> list[Cvss]:
        pairs = [
            (self.v2_score, self.v2_vector),
            (self.v3_score, self.v3_vector),
            (self.v4_score, self.v4_vector),
        ]
        return [Cvss(score=score, vector=vector) for score, vector in pairs if score is not None]


class _Vulnerability(Part):
    id: str = Field(alias="VulnerabilityID")
    vendor_ids: list[str] | None = Field(default=None, alias="VendorIDs")
    package: str = Field(alias="PkgName")
    path: str = Field(default="", alias="PkgPath")
    identifier: _Identifier = Field(default=_Identifier(), alias="PkgIdentifier")
    version: str = Field(alias="InstalledVersion")
    fixed: str = Field(default="", alias="FixedVersion")
    layer: _Layer = Field(default=_Layer(), alias="Layer")
    severity: OwnSeverity = Field(alias="Severity")
    scores: dict[str, _Scores] | None = Field(default=None, alias="CVSS")
    title: str = Field(default="", alias="Title")
    url: str = Field(default="", alias="PrimaryURL")
    published: Day = Field(default=None, alias="PublishedDate")


class _Secret(Part):
    """Match and Code hold the secret itself or its surroundings: they aren't read."""

    rule: str = Field(alias="RuleID")
    severity: OwnSeverity = Field(alias="Severity")
    title: str = Field(default="", alias="Title")
    line: int | None = Field(default=None, alias="StartLine")
    layer: _Layer = Field(default=_Layer(), alias="Layer")


class _Cause(Part):
    line: int | None = Field(default=None, alias="StartLine")


class _Misconfiguration(Part):
    id: str = Field(alias="ID")
    avd_id: str = Field(default="", alias="AVDID")
    severity: OwnSeverity = Field(alias="Severity")
    status: Literal["FAIL", "PASS", "EXCEPTION"] = Field(alias="Status")
    title: str = Field(default="", alias="Title")
    url: str = Field(default="", alias="PrimaryURL")
    layer: _Layer = Field(default=_Layer(), alias="Layer")
    cause: _Cause = Field(default=_Cause(), alias="CauseMetadata")


class _Result(Part):
    target: str = Field(alias="Target")
    kind: str = Field(default="", alias="Class")
    vulnerabilities: list[_Vulnerability] | None = Field(default=None, alias="Vulnerabilities")
    secrets: list[_Secret] | None = Field(default=None, alias="Secrets")
    misconfigurations: list[_Misconfiguration] | None = Field(
        default=None, alias="Misconfigurations"
    )


class _Report(Part):
    schema_version: Literal[2] = Field(alias="SchemaVersion")
    results: list[_Result] | None = Field(default=None, alias="Results")


def parse_trivy(text: str, image: str, platform: str) -> list[Finding]:
    """Read what Trivy found in an image's platform. Raises ScannerReportError."""
    findings: list[Finding] = []
    for result in read("Trivy", text, _Report).results or []:
        at = Location(image=image, platform=platform, target=result.target)
        findings += _vulnerabilities(result, at)
        findings += _secrets(result, at)
        findings += _misconfigurations(result, at)
    return findings


def _vulnerabilities(result: _Result, at: Location) -> Iterator[Finding]:
    for found in result.vulnerabilities or []:
        others = found.vendor_ids or []
        # Of operating system packages the target is the image, not a path.
        path = found.path or (result.target if result.kind == "lang-pkgs" else "")
        yield Finding(
            kind=Kind.VULNERABILITY,
            ids=ordered_ids([found.id, *(id_ for id_ in others if not is_advisory(id_))]),
            package=package_of(found.package, found.version, found.identifier.purl),
            assessments=(
                Assessment(
                    scanner=SCANNER,
                    severity=found.severity,
                    cvss=worst_cvss(
                        cvss for scores in (found.scores or {}).values() for cvss in scores.all()
                    ),
                    fixed_versions=tuple(
                        version.strip() for version in found.fixed.split(",") if version.strip()
                    ),
                    title=found.title,
                    url=found.url,
                    published=found.published,
                    advisories=tuple(id_ for id_ in others if is_advisory(id_)),
                ),
            ),
            places=(
                at.model_copy(update={"path": path.lstrip("/"), "layer": found.layer.diff_id}),
            ),
        )


def _secrets(result: _Result, at: Location) -> Iterator[Finding]:
    for found in result.secrets or []:
        yield Finding(
            kind=Kind.SECRET,
            ids=(found.rule,),
            assessments=(Assessment(scanner=SCANNER, severity=found.severity, title=found.title),),
            places=(_in_file(at, found.line, found.layer),),
        )


def _misconfigurations(result: _Result, at: Location) -> Iterator[Finding]:
    for found in result.misconfigurations or []:
        if found.status == "FAIL":
            yield Finding(
                kind=Kind.MISCONFIGURATION,
                ids=ordered_ids(id_ for id_ in (found.id, found.avd_id) if id_),
                assessments=(
                    Assessment(
                        scanner=SCANNER,
                        severity=found.severity,
                        title=found.title,
                        url=found.url,
                    ),
                ),
                places=(_in_file(at, found.cause.line, found.layer),),
            )


def _in_file(at: Location, line: int | None, layer: _Layer) -> Location:
    path = at.target.lstrip("/")
    if at.target == LAYOUT:
        path = f"{at.image.rpartition('/')[2]}/config.json"
    return at.model_copy(update={"path": path, "line": line, "layer": layer.diff_id})
