"""A scan as SARIF 2.1.0, in files that GitHub's code scanning takes.

One run, and so one category, for each image and platform: also for those without findings,
or GitHub would never close an alert.
"""

import gzip
import hashlib
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from pipeline.report.findings import (
    REPOSITORY,
    FindingSummary,
    PlaceSummary,
    ScannedImage,
    ScanSummary,
    warnings,
)

# What GitHub refuses, or cuts off.
MOST_RUNS = 20
MOST_RESULTS = 25_000
MOST_LOCATIONS = 100
MOST_CHARACTERS = 1024
MOST_BYTES = 10_000_000

LEVELS = {"critical": "error", "high": "error", "medium": "warning"}
# GitHub works out its severity from a score: from 9.0, from 7.0, from 4.0, above 0.
SCORES = {
    "critical": (9.0, 10.0),
    "high": (7.0, 8.9),
    "medium": (4.0, 6.9),
    "low": (0.1, 3.9),
    "negligible": (0.1, 0.1),
}

Object = dict[str, Any]


def sarif_files(summary: ScanSummary, most_bytes: int = MOST_BYTES) -> list[str]:
    """Write a scan as SARIF files, each of so many compressed bytes at most."""
    scans = [*summary.images, *([REPOSITORY] if summary.dockerfiles else [])]
    runs = [_fitting_run(scanned, summary, most_bytes) for scanned in scans]
    files: list[list[str]] = [[]]
    size = 0
    for run in runs:
        bytes_ = _compressed(run)
        if files[-1] and (len(files[-1]) == MOST_RUNS or size + bytes_ > most_bytes):
            files.append([])
            size = 0
        files[-1].append(run)
        size += bytes_
    return [_file(file) for file in files]


def _file(runs: Sequence[str]) -> str:
    return (
        '{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", '
        f'"runs": [{", ".join(runs)}]}}\n'
    )


def _compressed(text: str) -> int:
    return len(gzip.compress(text.encode()))


def _fitting_run(scanned: ScannedImage, summary: ScanSummary, most_bytes: int) -> str:
    """Write a run, without the least of its findings where they are too many or too long."""
    found = [
        (finding, places)
        for finding in summary.findings
        if (places := _places_in(finding, scanned))
    ]
    kept = found[:MOST_RESULTS]
    run = json.dumps(_run(scanned, kept, len(found), summary))
    while kept and _compressed(run) > most_bytes:
        kept = kept[: len(kept) // 2]
        run = json.dumps(_run(scanned, kept, len(found), summary))
    return run


def _places_in(finding: FindingSummary, scanned: ScannedImage) -> list[PlaceSummary]:
    return [
        place
        for place in finding.places
        if (place.image, place.platform) == (scanned.image, scanned.platform)
    ]


def _run(
    scanned: ScannedImage,
    found: Sequence[tuple[FindingSummary, list[PlaceSummary]]],
    all_found: int,
    summary: ScanSummary,
) -> Object:
    rules: dict[str, Object] = {}
    # The worst finding of a rule comes first, and speaks for it.
    for finding, _ in found:
        rules.setdefault(finding.ids[0], _rule(finding))
    indexes = {id_: index for index, id_ in enumerate(rules)}
    invocation: Object = {"executionSuccessful": True}
    notes = warnings(summary)
    if len(found) < all_found:
        notes.append(f"{all_found - len(found)} findings, the least severe, are left out.")
    if notes:
        invocation["toolExecutionNotifications"] = [
            {"message": {"text": text}, "level": "warning"} for text in notes
        ]
    return {
        "tool": {"driver": {"name": "pipeline", "rules": list(rules.values())}},
        # GitHub takes what is before the last slash for the category.
        "automationDetails": {
            "id": f"{scanned.image}/{scanned.platform}/" if scanned.image else "repository/"
        },
        "invocations": [invocation],
        "properties": {"databases": [each.model_dump() for each in summary.databases]},
        "results": [
            _result(finding, places, indexes[finding.ids[0]], scanned) for finding, places in found
        ],
    }


def _rule(finding: FindingSummary) -> Object:
    properties: Object = {"tags": ["security", finding.kind], "precision": "very-high"}
    if finding.severity in SCORES:
        least, most = SCORES[finding.severity]
        score = most if finding.score is None else min(max(finding.score, least), most)
        properties["security-severity"] = f"{score:.1f}"
    rule: Object = {
        "id": finding.ids[0],
        "shortDescription": {"text": _cut(finding.title or finding.ids[0])},
        "fullDescription": {"text": _cut(finding.title or finding.ids[0])},
        "help": {"text": _cut(f"{', '.join(finding.ids)}\n{finding.url}".strip())},
        "defaultConfiguration": {"level": _level(finding)},
        "properties": properties,
    }
    if finding.url.startswith(("https://", "http://")):
        rule["helpUri"] = finding.url
    return rule


def _result(
    finding: FindingSummary, places: Sequence[PlaceSummary], rule: int, scanned: ScannedImage
) -> Object:
    result: Object = {
        "ruleId": finding.ids[0],
        "ruleIndex": rule,
        "level": _level(finding),
        "message": {"text": _cut(_message(finding))},
        "locations": [_location(place) for place in places[:MOST_LOCATIONS]],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(finding, scanned)},
    }
    if finding.result == "waived":
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": _cut(finding.why)}
        ]
    return result


def _message(finding: FindingSummary) -> str:
    if not finding.package:
        return finding.title or finding.ids[0]
    fixed = ", ".join(finding.fixed_versions)
    remedy = f"fixed in {fixed}" if fixed else "not fixed yet"
    return f"{finding.ids[0]} in {finding.package} {finding.version}: {remedy}. {finding.title}"


def _location(place: PlaceSummary) -> Object:
    # Without a path it is the image as a whole.
    physical: Object = {"artifactLocation": {"uri": quote(place.path or place.image)}}
    physical["region"] = {"startLine": place.line or 1}
    return {"physicalLocation": physical}


def _fingerprint(finding: FindingSummary, scanned: ScannedImage) -> str:
    """Make what stays the same as long as it is the same finding in the same image."""
    place = finding.places[0]
    about = finding.purl or f"{finding.package}@{finding.version} {place.path}:{place.line}"
    parts = [scanned.image, scanned.platform, finding.kind, finding.ids[0], about]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _level(finding: FindingSummary) -> str:
    return LEVELS.get(finding.severity, "note")


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
