"""The facts of vulnerabilities/facts.json, written the way each scanner's database builder reads.

trivy-db reads a `vuln-list`: copies of the Debian tracker's, GitHub's (OSV) and NVD's records.
Grype's builder reads workspaces of vunnel, one for each of the same three.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.settings import HERE

FACTS = HERE / "vulnerabilities/facts.json"
OSV_ECOSYSTEMS = {"npm": "npm", "cargo": "crates.io"}
GRYPE_ECOSYSTEMS = {"npm": "npm", "cargo": "rust"}
# Debian's urgency as vunnel names it; what is not here is unknown.
URGENCIES = {"unimportant": "Negligible", "low": "Low", "medium": "Medium", "high": "High"}
GITHUB_SEVERITIES = {"LOW": "Low", "MODERATE": "Medium", "HIGH": "High", "CRITICAL": "Critical"}
NVD = "nvd@nist.gov"
GITHUB = "github"
SCHEMA = "https://raw.githubusercontent.com/anchore/vunnel/main/schema/vulnerability"
# What vunnel's schemas are called, in the order in which the builder needs them.
SCHEMAS = {
    "nvd": f"{SCHEMA}/nvd/schema-1.0.0.json",
    "debian": f"{SCHEMA}/os/schema-1.0.0.json",
    "github": f"{SCHEMA}/github-security-advisory/schema-1.0.0.json",
}


@dataclass(frozen=True)
class Vulnerability:
    """A record of facts.json."""

    ids: tuple[str, ...]
    ecosystem: str
    package: str
    title: str
    published: str
    severity: str
    affected: tuple[dict[str, str], ...]
    scores: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, record: dict[str, Any]) -> Vulnerability:
        """Read a record."""
        ecosystem, _, package = record["package"].partition("/")
        return cls(
            ids=tuple(record["ids"]),
            ecosystem=ecosystem,
            package=package,
            title=record["title"],
            published=f"{record['published']}T00:00:00Z",
            severity=record["severity"],
            affected=tuple(record["affected"]),
            scores=tuple(record["scores"]),
        )

    def named(self, prefix: str) -> list[str]:
        """Give its names in one numbering: CVE, DSA, GHSA."""
        return [name for name in self.ids if name.startswith(f"{prefix}-")]

    @property
    def fixed(self) -> str:
        """The version that fixes it in Debian, empty while there is none."""
        return self.affected[0].get("below", "")


class Facts:
    """All that facts.json says."""

    def __init__(self, path: Path = FACTS) -> None:
        content = json.loads(path.read_text())
        self.collected: str = content["collected"]
        self.codename: str = content["debian"]["codename"]
        self.debian_version: str = content["debian"]["version"]
        records = [Vulnerability.of(record) for record in content["vulnerabilities"]]
        self.debian = [record for record in records if record.ecosystem == "deb"]
        self.github = [record for record in records if record.ecosystem != "deb"]
        self.nvd = [record for record in records if record.named("CVE")]


def write_vuln_list(facts: Facts, folder: Path) -> None:
    """Write what `trivy-db build` reads."""
    tracker = folder / "vuln-list-debian/tracker"
    for name in ("CVE", "DLA", "DSA", "source", "updates-source"):
        (tracker / name).mkdir(parents=True)
    (folder / "cocoapods-specs/Specs").mkdir(parents=True)
    _write(
        tracker / "distributions.json", {facts.codename: {"major-version": facts.debian_version}}
    )
    for record in facts.debian:
        for cve in record.named("CVE"):
            _write(tracker / f"CVE/{cve}.json", _tracker_cve(record, cve, facts.codename))
        for dsa in record.named("DSA"):
            _write(tracker / f"DSA/{dsa}.json", _tracker_dsa(record, dsa, facts.codename))
    for record in facts.github:
        name = record.named("GHSA")[0]
        _write(folder / f"ghsa/advisories/github-reviewed/{name}.json", _osv(record, name))
    for record in facts.nvd:
        for cve in record.named("CVE"):
            _write(folder / f"vuln-list-nvd/api/{cve}.json", _nvd(record, cve))


def write_workspaces(facts: Facts, folder: Path) -> list[Path]:
    """Write what Grype's builder reads; gives the workspaces in the order that it needs."""
    items: dict[str, dict[str, Any]] = {
        "nvd": {
            cve: {"cve": _nvd(record, cve)} for record in facts.nvd for cve in record.named("CVE")
        },
        "debian": {
            cve: {"Vulnerability": _vunnel_debian(record, cve, facts.debian_version)}
            for record in facts.debian
            for cve in record.named("CVE")
        },
        "github": {
            name: {"Advisory": _vunnel_github(record, name)}
            for record in facts.github
            for name in record.named("GHSA")
        },
    }
    for provider, schema in SCHEMAS.items():
        workspace = folder / provider
        for name, item in items[provider].items():
            envelope = {"schema": schema, "identifier": name, "item": item}
            _write(workspace / f"results/{name}.json", envelope)
        listing = [f"-  results/{name}.json\n" for name in items[provider]]
        (workspace / "listing").write_text("".join(listing))
        state = {
            "provider": provider,
            "version": 1,
            "processor": "pipeline: a small database for closed networks",
            "schema": {"version": "1.0.0", "url": schema},
            "timestamp": f"{facts.collected}T00:00:00Z",
            "listing": {"path": "listing"},
            "store": "flat-file",
        }
        _write(workspace / "metadata.json", state)
    return [folder / provider for provider in SCHEMAS]


def constraint(affected: dict[str, str]) -> str:
    """Write a range of versions: `>= 1.0.0, < 1.2.6`."""
    parts = [f">= {affected['from']}"] if affected["from"] != "0" else []
    parts += [f"< {affected['below']}"] if "below" in affected else []
    parts += [f"<= {affected['through']}"] if "through" in affected else []
    return ", ".join(parts)


def band(score: float) -> str:
    """Give the name that CVSS 3 has for a score."""
    bands = {9.0: "CRITICAL", 7.0: "HIGH", 4.0: "MEDIUM", 0.1: "LOW"}
    return next((name for least, name in bands.items() if score >= least), "NONE")


def _tracker_cve(record: Vulnerability, cve: str, release: str) -> dict[str, Any]:
    # The builder wants the severity, which the tracker tells for sid, before the release.
    sid = {"Type": "package", "Package": record.package, "Kind": "unfixed"}
    if record.severity in URGENCIES:
        sid["Severity"] = record.severity
    fix = {"Kind": "fixed", "Version": record.fixed} if record.fixed else {"Kind": "unfixed"}
    return {
        "Header": {"ID": cve, "Description": f"({record.title})"},
        "Annotations": [sid, _tracker_package(record, release) | fix],
    }


def _tracker_dsa(record: Vulnerability, dsa: str, release: str) -> dict[str, Any]:
    return {
        "Header": {"ID": dsa, "Description": f"{record.package} - security update"},
        "Annotations": [
            {"Type": "xref", "Bugs": record.named("CVE")},
            _tracker_package(record, release) | {"Kind": "fixed", "Version": record.fixed},
        ],
    }


def _tracker_package(record: Vulnerability, release: str) -> dict[str, str]:
    return {"Type": "package", "Release": release, "Package": record.package}


def _osv(record: Vulnerability, name: str) -> dict[str, Any]:
    events = {"from": "introduced", "below": "fixed", "through": "last_affected"}
    package = {"ecosystem": OSV_ECOSYSTEMS[record.ecosystem], "name": record.package}
    return {
        "schema_version": "1.4.0",
        "id": name,
        "aliases": [other for other in record.ids if other != name],
        "published": record.published,
        "modified": record.published,
        "summary": record.title,
        "severity": [
            {"type": "CVSS_V3", "score": score["vector"]}
            for score in record.scores
            if score["by"] == GITHUB
        ],
        "affected": [
            {
                "package": package,
                "ranges": [
                    {
                        "type": "ECOSYSTEM",
                        "events": [{events[key]: value} for key, value in affected.items()],
                    }
                ],
            }
            for affected in record.affected
        ],
        "references": [{"type": "WEB", "url": _advisory(name)}],
        "database_specific": {"severity": record.severity},
    }


def _nvd(record: Vulnerability, cve: str) -> dict[str, Any]:
    return {
        "id": cve,
        "published": record.published.removesuffix("Z"),
        "lastModified": record.published.removesuffix("Z"),
        "vulnStatus": "Analyzed",
        "descriptions": [{"lang": "en", "value": record.title}],
        "metrics": {
            "cvssMetricV31": [
                {
                    "source": score["by"],
                    "type": "Primary" if score["by"] == NVD else "Secondary",
                    "cvssData": {
                        "version": "3.1",
                        "vectorString": score["vector"],
                        "baseScore": score["score"],
                        "baseSeverity": band(score["score"]),
                    },
                }
                for score in record.scores
                if score["by"] != GITHUB
            ]
        },
        "references": [],
    }


def _vunnel_debian(record: Vulnerability, cve: str, version: str) -> dict[str, Any]:
    tracker = "https://security-tracker.debian.org/tracker"
    return {
        "Name": cve,
        "NamespaceName": f"debian:{version}",
        "Description": record.title,
        "Severity": URGENCIES.get(record.severity, "Unknown"),
        "Link": f"{tracker}/{cve}",
        "CVSS": [],
        "Metadata": {},
        "FixedIn": [
            {
                "Name": record.package,
                "NamespaceName": f"debian:{version}",
                "Version": record.fixed or "None",
                "VersionFormat": "dpkg",
                "VendorAdvisory": {
                    "NoAdvisory": False,
                    "AdvisorySummary": [
                        {"ID": dsa, "Link": f"{tracker}/{dsa}"} for dsa in record.named("DSA")
                    ],
                },
            }
        ],
    }


def _vunnel_github(record: Vulnerability, name: str) -> dict[str, Any]:
    ecosystem = GRYPE_ECOSYSTEMS[record.ecosystem]
    return {
        "ghsaId": name,
        "namespace": f"github:{ecosystem}",
        "url": _advisory(name),
        "Summary": record.title,
        "Severity": GITHUB_SEVERITIES[record.severity],
        "published": record.published,
        "updated": record.published,
        "CVE": record.named("CVE"),
        "Metadata": {"CVE": record.named("CVE")},
        "cvss_severities": [
            {"vector": score["vector"], "version": "3.1"}
            for score in record.scores
            if score["by"] == GITHUB
        ],
        "FixedIn": [
            {
                "name": record.package,
                "ecosystem": ecosystem,
                "namespace": f"github:{ecosystem}",
                "identifier": affected.get("below", "None"),
                "range": constraint(affected),
            }
            for affected in record.affected
        ],
    }


def _advisory(name: str) -> str:
    return f"https://github.com/advisories/{name}"


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1))
