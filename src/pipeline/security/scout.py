"""Docker Scout's SARIF as findings: what `docker scout cves --format sarif` writes.

Written after its documentation and published examples, never run against the service itself.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import Field

from pipeline.security.finding import (
    Assessment,
    Cvss,
    Finding,
    Kind,
    Location,
    Severity,
    ordered_ids,
)
from pipeline.security.package import package_of, version_in_purl
from pipeline.security.scanner import OwnSeverity, Part, ScannerReportError, read

SCANNER = "scout"
# A result's message is a small table: "  Fixed version   : 1.2.3  ".
LINE = re.compile(r"^ *([A-Z][A-Za-z ]*?) *: *(\S.*?) *$", re.MULTILINE)
NOT_FIXED = "not fixed"


class _Text(Part):
    text: str = ""


class _Properties(Part):
    severity: OwnSeverity = Field(default=Severity.UNKNOWN, alias="cvssV3_severity")
    fixed_version: str = NOT_FIXED
    purls: list[str] = Field(default_factory=list)
    purl: str = ""  # releases before 1.0 name one only


class _Rule(Part):
    id: str
    title: _Text = Field(default=_Text(), alias="shortDescription")
    url: str = Field(default="", alias="helpUri")
    properties: _Properties


class _Driver(Part):
    name: str
    rules: list[_Rule] = Field(default_factory=list)


class _Tool(Part):
    driver: _Driver


class _Artifact(Part):
    uri: str = ""


class _Physical(Part):
    artifact: _Artifact = Field(default=_Artifact(), alias="artifactLocation")


class _Location(Part):
    physical: _Physical = Field(default=_Physical(), alias="physicalLocation")


class _Result(Part):
    rule: str = Field(alias="ruleId")
    message: _Text = _Text()
    locations: list[_Location] = Field(default_factory=list)


class _Run(Part):
    tool: _Tool
    results: list[_Result]


class _Report(Part):
    runs: list[_Run] = Field(min_length=1)


class _Affected(NamedTuple):
    purl: str
    fixed: str


def parse_scout(text: str, image: str, platform: str) -> list[Finding]:
    """Read what Docker Scout found in an image's platform. Raises ScannerReportError."""
    at = Location(image=image, platform=platform)
    return [
        finding
        for run in read("Docker Scout", text, _Report).runs
        for finding in _findings(run, at)
    ]


def _findings(run: _Run, at: Location) -> Iterator[Finding]:
    rules = {rule.id: rule for rule in run.tool.driver.rules}
    for result in run.results:
        if result.rule not in rules:
            raise ScannerReportError("Docker Scout", f"no rule is called '{result.rule}'")
        rule = rules[result.rule]
        said: dict[str, str] = dict(LINE.findall(result.message.text))
        paths = [location.physical.artifact.uri for location in result.locations]
        for affected in _affected(rule, said):
            yield Finding(
                kind=Kind.VULNERABILITY,
                ids=ordered_ids([rule.id]),
                package=package_of("", version_in_purl(affected.purl), affected.purl),
                assessments=(
                    Assessment(
                        scanner=SCANNER,
                        severity=rule.properties.severity,
                        cvss=_cvss(said),
                        fixed_versions=_versions(affected.fixed),
                        title=rule.title.text,
                        url=rule.url,
                    ),
                ),
                places=tuple(
                    at.model_copy(update={"path": path.lstrip("/")}) for path in paths if path
                )
                or (at,),
            )


def _affected(rule: _Rule, said: dict[str, str]) -> list[_Affected]:
    """List the packages of a result.

    A rule may have several, each with a fix of its own that only its result's message names.
    """
    if "Package" in said:
        return [_Affected(said["Package"], said.get("Fixed version", NOT_FIXED))]
    purls = rule.properties.purls or [rule.properties.purl]
    if purls == [""]:
        raise ScannerReportError("Docker Scout", f"a result of '{rule.id}' names no package")
    return [_Affected(purl, rule.properties.fixed_version) for purl in purls]


def _versions(fixed: str) -> tuple[str, ...]:
    if fixed.lower() == NOT_FIXED:
        return ()
    return tuple(version.strip() for version in fixed.split(",") if version.strip())


def _cvss(said: dict[str, str]) -> Cvss | None:
    # The rule's security-severity is no score: Scout makes one up where there is none.
    score, vector = said.get("CVSS Score", ""), said.get("CVSS Vector", "")
    if not vector or not re.fullmatch(r"10(\.0)?|\d(\.\d+)?", score):
        return None
    return Cvss(score=float(score), vector=vector)
