"""Waivers as others read them: OpenVEX, Trivy's ignore file, Grype's configuration.

Only waivers in force are written, under all names that the findings they cover go by: the
scanners themselves know no aliases.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import yaml

from pipeline.catalogue.waivers import Waiver
from pipeline.security.finding import Finding, Kind, ordered_ids
from pipeline.security.package import Package, spellings, version_in_purl
from pipeline.security.waivers import covers, in_force, waived_subject

Entry = dict[str, Any]
AUTHOR = "config/waivers.yml"
SECTIONS = {
    Kind.VULNERABILITY: "vulnerabilities",
    Kind.MISCONFIGURATION: "misconfigurations",
    Kind.SECRET: "secrets",
}


def waiver_files(
    waivers: Sequence[Waiver], findings: Sequence[Finding], images: Sequence[str], now: datetime
) -> dict[str, str]:
    """Write all of the formats, each under the name that its tool looks for."""
    return {
        "openvex.json": openvex(waivers, findings, images, AUTHOR, now),
        ".trivyignore.yaml": trivy_ignore(waivers, findings, now.date()),
        ".grype.yaml": grype_ignore(waivers, findings, now.date()),
    }


def openvex(
    waivers: Sequence[Waiver],
    findings: Sequence[Finding],
    images: Sequence[str],
    author: str,
    now: datetime,
) -> str:
    """Write OpenVEX 0.2.0 about images, each named by its package URL (pkg:oci/…).

    A waiver accepts a risk: the image counts as affected, unless the waiver says why it isn't.
    """
    statements = [
        _statement(waiver, covered, images)
        for waiver, covered in _applied(waivers, findings, now.date())
        if waiver.package.startswith("pkg:")  # without, it would speak for the whole image
    ]
    digest = hashlib.sha256(json.dumps(statements).encode()).hexdigest()
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": f"https://openvex.dev/docs/public/vex-{digest}",
        "author": author,
        "timestamp": now.isoformat(),
        "version": 1,
        "statements": statements,
    }
    return json.dumps(document, indent=2) + "\n"


def trivy_ignore(waivers: Sequence[Waiver], findings: Sequence[Finding], today: date) -> str:
    """Write a .trivyignore.yaml."""
    sections: dict[str, list[Entry]] = {}
    for waiver, covered in _applied(waivers, findings, today):
        kind = covered[0].kind
        if kind is not Kind.VULNERABILITY:
            where = {"paths": _patterns(waived_subject(waiver))}
        elif waiver.package.startswith("pkg:"):
            where = {"purls": spellings(waived_subject(waiver))}
        else:  # without a package URL Trivy would ignore it in all packages
            continue
        # Trivy's ends when the day begins, ours when it is over.
        ends = {"expired_at": waiver.expires + timedelta(days=1), "statement": waiver.reason}
        section = sections.setdefault(SECTIONS[kind], [])
        section += [{"id": id_, **where, **ends} for id_ in _ids(waiver, covered)]
    return yaml.safe_dump(sections, sort_keys=False)


def grype_ignore(waivers: Sequence[Waiver], findings: Sequence[Finding], today: date) -> str:
    """Write the part of a .grype.yaml that ignores; its rules don't expire by themselves."""
    rules = [
        {
            "vulnerability": id_,
            "package": words,
            "reason": f"{waiver.reason} ({waiver.owner}, until {waiver.expires})",
        }
        for waiver, covered in _applied(waivers, findings, today)
        for package in _packages(covered)
        for words in _in_grypes_words(package)
        for id_ in _ids(waiver, covered)
    ]
    return yaml.safe_dump({"ignore": rules}, sort_keys=False)


def _applied(
    waivers: Sequence[Waiver], findings: Sequence[Finding], today: date
) -> list[tuple[Waiver, list[Finding]]]:
    """Pair each waiver in force with what it covers, leaving out those that cover nothing."""
    pairs = [
        (waiver, [finding for finding in findings if covers(waiver, finding)])
        for waiver in in_force(waivers, today)
    ]
    return [(waiver, covered) for waiver, covered in pairs if covered]


def _ids(waiver: Waiver, covered: Iterable[Finding]) -> list[str]:
    return list(ordered_ids([waiver.id, *(id_ for found in covered for id_ in found.ids)]))


def _packages(covered: Iterable[Finding]) -> list[Package]:
    packages = {found.package for found in covered if found.package}
    return sorted(packages, key=Package.model_dump_json)


def _statement(waiver: Waiver, covered: Sequence[Finding], images: Sequence[str]) -> Entry:
    name, *aliases = _ids(waiver, covered)
    components = [
        {"@id": purl} for package in _packages(covered) for purl in spellings(package.purl)
    ]
    statement: Entry = {
        "vulnerability": {"name": name, "aliases": aliases},
        "products": [{"@id": image, "subcomponents": components} for image in images],
    }
    if waiver.justification:
        return statement | {
            "status": "not_affected",
            "justification": waiver.justification,
            "impact_statement": waiver.reason,
        }
    return statement | {
        "status": "affected",
        "action_statement": f"Accepted until {waiver.expires} by {waiver.owner}: {waiver.reason}",
    }


def _in_grypes_words(package: Package) -> list[dict[str, str]]:
    """Name a package as Grype's rules do: by a regular expression, and its own version."""
    name = re.escape(package.name)
    if not package.purl:
        return [{"name": name, "version": package.version}]
    return [{"name": name, "version": version_in_purl(purl)} for purl in spellings(package.purl)]


def _patterns(path: str) -> list[str]:
    """Write a path as patterns that match it alone; Trivy's has a slash in front, in images."""
    literal = re.sub(r"([*?\[\]{}\\])", r"\\\1", path)
    return [literal, f"/{literal}"]
