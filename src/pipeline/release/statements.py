"""What is attested to an image: predicates of in-toto statements, as cosign takes them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.report.findings import ScanSummary
from pipeline.version.release import Release

BUILD_TYPE = "urn:pipeline:build:v1"


@dataclass(frozen=True)
class Kind:
    """A type of statement: cosign's name for it, and its URI."""

    name: str
    uri: str


CYCLONE_DX = Kind("cyclonedx", "https://cyclonedx.org/bom")
SPDX = Kind("spdxjson", "https://spdx.dev/Document")
SCAN = Kind("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1")
PROVENANCE = Kind("slsaprovenance1", "https://slsa.dev/provenance/v1")
# By the policy's names; an SBOM may come in either format.
KINDS: Mapping[str, tuple[Kind, ...]] = {
    "sbom": (CYCLONE_DX, SPDX),
    "scan": (SCAN,),
    "provenance": (PROVENANCE,),
}


@dataclass(frozen=True)
class Statement:
    """One thing that is said of an image: of which type, and the predicate as JSON."""

    kind: Kind
    predicate: str


@dataclass(frozen=True)
class Span:
    """When something began and ended."""

    started: datetime
    finished: datetime


def now() -> datetime:
    """Give the time, as statements have it."""
    return datetime.now(UTC)


def scan_statement(
    summary: ScanSummary, image: str, platform: str, scanners: str, span: Span
) -> Statement:
    """Say what scanners found in an image on one platform, as cosign's specification has it."""
    predicate = {
        "scanner": {
            "uri": scanners,
            "result": summary.only(image, platform).model_dump(mode="json"),
        },
        "metadata": {
            "scanStartedOn": _time(span.started),
            "scanFinishedOn": _time(span.finished),
        },
    }
    return Statement(SCAN, json.dumps(predicate))


def provenance_statement(
    release: Release, service: str, tools: Mapping[str, str], builder: str, span: Span
) -> Statement:
    """Say how an image came to be, as SLSA's provenance 1.0 has it.

    `tools` are the images that built it: name → digest. Source: slsa.dev/spec/v1.0/provenance.
    """
    source = f"git+{release.origin}" if release.origin else "git+file:///"
    dependencies = [
        {"uri": f"docker://{name}", "digest": dict([digest.split(":", 1)])}
        for name, digest in sorted(tools.items())
    ]
    # Sources with changes that aren't committed are no commit's.
    if release.revision and not release.dirty:
        commit = {"gitCommit": release.revision}
        dependencies.insert(0, {"uri": f"{source}@{release.revision}", "digest": commit})
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"source": source, "service": service},
            "internalParameters": {"version": release.version},
            "resolvedDependencies": dependencies,
        },
        "runDetails": {
            "builder": {"id": builder},
            "metadata": {
                "startedOn": _time(span.started),
                "finishedOn": _time(span.finished),
            },
        },
    }
    return Statement(PROVENANCE, json.dumps(predicate))


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
