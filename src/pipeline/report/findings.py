"""What a scan found and what became of it."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from pipeline.models import Model
from pipeline.report.render import Column, Format, Lines, Part, Report, Table, render
from pipeline.report.summary import counted

SEVERITIES = ["critical", "high", "medium", "low", "negligible", "unknown"]
RESULTS = ["fail", "waived", "pass"]
COLUMNS = (
    Column("result", plain=True),
    Column("severity", plain=True),
    *map(Column, ("id", "in", "version", "fixed in", "images")),
)
MOST_PLACES = 3
MOST_DAYS = 7
"""From then on a database's age is a warning."""


class ScannedImage(Model):
    """A platform of an image that was scanned, by a name that stays from run to run."""

    image: str
    platform: str


REPOSITORY = ScannedImage(image="", platform="")
"""Stands for what isn't in an image: the repository's Dockerfiles."""


class PlaceSummary(ScannedImage):
    """Where a finding is: in an image, or in the repository."""

    path: str
    line: int | None


class FindingSummary(Model):
    """One finding; its first id is the one to call it by."""

    kind: Literal["vulnerability", "secret", "misconfiguration"]
    ids: list[str]
    package: str
    version: str
    purl: str
    severity: str
    severities: dict[str, str]
    score: float | None
    vector: str
    fixed_versions: list[str]
    disagreements: list[str]
    title: str
    url: str
    published: str
    places: list[PlaceSummary]
    result: Literal["pass", "fail", "waived"]
    why: str


class DatabaseSummary(Model):
    """A scanner's database: the day it was made, how old it was then, where it is from."""

    scanner: str
    built: str
    age_days: int
    origin: str


class ScanSummary(Model):
    """What a scan found in these images and Dockerfiles; findings are sorted, the worst first."""

    passed: bool
    images: list[ScannedImage]
    dockerfiles: list[str] = []
    databases: list[DatabaseSummary] = []
    findings: list[FindingSummary]
    stale_waivers: list[str]

    def only(self, image: str, platform: str) -> "ScanSummary":
        """Leave out what isn't about one image on one platform; stale waivers are about none."""
        findings = []
        for finding in self.findings:
            places = [at for at in finding.places if (at.image, at.platform) == (image, platform)]
            if places:
                findings.append(finding.model_copy(update={"places": places}))
        return ScanSummary(
            passed=all(finding.result != "fail" for finding in findings),
            images=[ScannedImage(image=image, platform=platform)],
            databases=self.databases,
            findings=findings,
            stale_waivers=[],
        )


def render_scan(summary: ScanSummary, name: Format) -> str:
    """Render a scan as `table`, `markdown` or `json`."""
    rows = [_row(finding) for finding in summary.findings]
    table = [Table(COLUMNS, rows)] if rows else []
    parts: list[Part] = [*table, *_remarks(summary), Lines(conclusion(summary))]
    return render(Report(summary, parts), name)


def conclusion(summary: ScanSummary) -> list[str]:
    """Say in a few lines what came of a scan."""
    results = Counter(finding.result for finding in summary.findings)
    severities = Counter(finding.severity for finding in summary.findings)
    parts = [
        f"{severities[severity]} {severity}" for severity in SEVERITIES if severities[severity]
    ]
    found = f" ({', '.join(parts)})" if parts else ""
    scanned = counted(len(summary.images), "image")
    if summary.dockerfiles:
        scanned += f" and {counted(len(summary.dockerfiles), 'Dockerfile')}"
    lines = [
        f"Scanned {scanned}: {counted(len(summary.findings), 'finding')}{found}.",
        f"{results['fail']} to fix before a release, {results['waived']} waived, "
        f"{results['pass']} that may stay.",
    ]
    lines += map(_age, summary.databases)
    lines += warnings(summary)
    if summary.stale_waivers:
        lines.append(f"{counted(len(summary.stale_waivers), 'waiver')} no longer right.")
    return [*lines, "Passed." if summary.passed else "Failed."]


def warnings(summary: ScanSummary) -> list[str]:
    """Say which databases are too old to be relied on."""
    return [
        f"Warning: {database.scanner.capitalize()}'s database is older than {MOST_DAYS} days: "
        "it lacks what has become known since."
        for database in summary.databases
        if database.age_days > MOST_DAYS
    ]


def _age(database: DatabaseSummary) -> str:
    age = {0: "today", 1: "yesterday"}.get(database.age_days, f"{database.age_days} days ago")
    name = database.scanner.capitalize()
    return f"{name}'s database was made {age}, on {database.built}; it is from {database.origin}."


def where(finding: FindingSummary) -> str:
    """Say in which images a finding is, the first few by name."""
    platforms: dict[str, list[str]] = {}
    for place in finding.places:
        named = platforms.setdefault(place.image, [])
        if place.platform not in named:
            named.append(place.platform)
    said = [
        f"{image} ({', '.join(names)})" if image else "the repository"
        for image, names in platforms.items()
    ]
    more = len(said) - MOST_PLACES
    return ", ".join(said[:MOST_PLACES]) + (f" and {more} more" if more > 0 else "")


def subject(finding: FindingSummary) -> str:
    """Name what a finding is about: a package, or a line of a file."""
    if finding.package:
        return finding.package
    place = finding.places[0]
    return f"{place.path}:{place.line}" if place.line else place.path


def _row(finding: FindingSummary) -> Sequence[str]:
    fixed = ", ".join(finding.fixed_versions)
    return (
        finding.result,
        finding.severity,
        finding.ids[0],
        subject(finding),
        finding.version,
        fixed,
        where(finding),
    )


def _remarks(summary: ScanSummary) -> list[Lines]:
    """Give what a table has no room for, under its headings."""
    remarks = {
        "Waived:": [
            f"{_called(finding)}: {finding.why}"
            for finding in summary.findings
            if finding.result == "waived"
        ],
        "Scanners disagree:": [
            f"{_called(finding)}: {disagreement}"
            for finding in summary.findings
            for disagreement in finding.disagreements
        ],
        "Waivers that are no longer right:": summary.stale_waivers,
    }
    return [Lines([heading], lines) for heading, lines in remarks.items() if lines]


def _called(finding: FindingSummary) -> str:
    return f"{finding.ids[0]} in {subject(finding)}"
