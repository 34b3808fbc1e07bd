"""The one model of what scanners find, whichever scanner it was."""

from collections.abc import Iterable
from datetime import date
from enum import Enum
from functools import total_ordering

from pydantic import Field

from pipeline.catalogue.models import Strict
from pipeline.security.package import Package


@total_ordering
class Severity(Enum):
    """How bad a finding is, from the least to the worst."""

    UNKNOWN = "unknown"
    NEGLIGIBLE = "negligible"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    def __lt__(self, other: "Severity") -> bool:
        order = list(Severity)
        return order.index(self) < order.index(other)


class Kind(Enum):
    """What sort of thing is wrong."""

    VULNERABILITY = "vulnerability"
    SECRET = "secret"  # noqa: S105 - a word, not a password
    MISCONFIGURATION = "misconfiguration"


class Cvss(Strict):
    """A score of the Common Vulnerability Scoring System, and the vector it comes from."""

    score: float = Field(ge=0, le=10)
    vector: str


class Assessment(Strict):
    """What one scanner says of a finding."""

    scanner: str
    severity: Severity
    cvss: Cvss | None = None
    fixed_versions: tuple[str, ...] = ()
    title: str = ""
    url: str = ""
    published: date | None = None
    advisories: tuple[str, ...] = Field(
        default=(), description="A distribution's advisories, each for several vulnerabilities."
    )


class Location(Strict):
    """Where a finding is: an image by a name that stays the same, and a place inside."""

    image: str
    platform: str
    path: str = Field(default="", description="In the image or repository, no leading slash.")
    line: int | None = None
    target: str = Field(default="", description="What the scanner says it looked at.")
    layer: str = ""


class Finding(Strict):
    """One thing wrong, with all its names, in all the places where it is.

    Of a secret it has the rule, path and line, never the text.
    """

    kind: Kind
    ids: tuple[str, ...] = Field(min_length=1, description="All aliases, the best known first.")
    package: Package | None = None
    assessments: tuple[Assessment, ...] = Field(min_length=1)
    places: tuple[Location, ...] = Field(min_length=1)

    @property
    def severity(self) -> Severity:
        """Take the worst that any scanner says."""
        return max(assessment.severity for assessment in self.assessments)

    @property
    def cvss(self) -> Cvss | None:
        """Take the score that says most."""
        return worst_cvss(said.cvss for said in self.assessments if said.cvss)

    @property
    def fixed_versions(self) -> list[str]:
        """List the versions that any scanner names as fixed."""
        return sorted({version for said in self.assessments for version in said.fixed_versions})

    @property
    def published(self) -> date | None:
        """Take the first day that any scanner names."""
        return min((said.published for said in self.assessments if said.published), default=None)

    @property
    def scanners(self) -> list[str]:
        """List who found it."""
        return sorted({said.scanner for said in self.assessments})

    @property
    def severities(self) -> dict[str, Severity]:
        """Give each scanner's own severity: its worst, where it reports one thing twice."""
        return {
            scanner: max(said.severity for said in self.assessments if said.scanner == scanner)
            for scanner in self.scanners
        }

    @property
    def disagreements(self) -> list[str]:
        """Say where scanners differ; a scanner that doesn't know a severity has no say in it."""
        severities = {
            scanner: severity.value
            for scanner, severity in self.severities.items()
            if severity is not Severity.UNKNOWN
        }
        fixes = {
            scanner: ", ".join(sorted(self._fixed_according_to(scanner))) or "none"
            for scanner in self.scanners
        }
        return [
            f"{subject}: " + ", ".join(f"{scanner} {word}" for scanner, word in words.items())
            for subject, words in {"severity": severities, "fix": fixes}.items()
            if len(set(words.values())) > 1
        ]

    def _fixed_according_to(self, scanner: str) -> set[str]:
        return {
            version
            for said in self.assessments
            if said.scanner == scanner
            for version in said.fixed_versions
        }


def ordered_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """Sort aliases, the one that most people know first."""
    prefixes = {"CVE": 0, "GHSA": 1, "AVD": 3}
    return tuple(sorted(set(ids), key=lambda id_: (prefixes.get(id_.partition("-")[0], 2), id_)))


def worst_cvss(scores: Iterable[Cvss]) -> Cvss | None:
    """Pick the highest score; one of version 2 only where there is no newer one."""
    # Vectors carry their version from 3 on.
    return max(
        scores,
        key=lambda cvss: (cvss.vector.startswith("CVSS:"), cvss.score, cvss.vector),
        default=None,
    )
