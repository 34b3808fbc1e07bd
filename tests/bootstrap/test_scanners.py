"""Both scanners, as they are made here, find an example of every record, and nothing else."""

from pathlib import Path

import pytest

from tests import vulnerable
from tests.scanners import ARCHIVES, GRYPE_ALONE, SETTINGS, TRIVY_ALONE, said

pytestmark = pytest.mark.usefixtures("scanners")

EXPECTED = sorted(
    (record["example"]["installed"], record["example"]["affected"]) for record in vulnerable.RECORDS
)
NAMES = {frozenset(record["ids"]) for record in vulnerable.RECORDS}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Root file systems with packages that are affected, and with such that aren't any more."""
    found = {which: tmp_path_factory.mktemp(which) for which in ("affected", "fixed")}
    for which, folder in found.items():
        vulnerable.make(folder, which)
    return found


def names(*found: str) -> frozenset[str]:
    """The record whose names these are."""
    return next(known for known in NAMES if known.issuperset(found))


def test_trivy_pulls_its_database_and_finds_each_example(
    roots: dict[str, Path], tmp_path: Path
) -> None:
    for which, root in roots.items():
        report = said(
            "trivy",
            *("rootfs", "--quiet", "--format", "json", "--scanners", "vuln", root),
            TRIVY_CACHE_DIR=str(tmp_path),
            TRIVY_DB_REPOSITORY=SETTINGS.trivy_database,
            **TRIVY_ALONE,
        )
        found = [
            finding
            for result in report.get("Results", [])
            for finding in result.get("Vulnerabilities", [])
        ]
        packages = sorted((one["PkgName"], one["InstalledVersion"]) for one in found)
        assert packages == (EXPECTED if which == "affected" else [])
        for one in found:
            assert names(one["VulnerabilityID"], *one.get("VendorIDs", []))


def test_grype_imports_its_database_and_finds_each_example(
    roots: dict[str, Path], tmp_path: Path
) -> None:
    alone = {**GRYPE_ALONE, "GRYPE_DB_CACHE_DIR": str(tmp_path)}
    said("grype", "--quiet", "db", "import", ARCHIVES["grype"], **alone)
    for which, root in roots.items():
        found = said("grype", f"dir:{root}", "--quiet", "--output", "json", **alone)["matches"]
        packages = sorted((one["artifact"]["name"], one["artifact"]["version"]) for one in found)
        assert packages == (EXPECTED if which == "affected" else [])
        for one in found:
            others = [related["id"] for related in one["relatedVulnerabilities"]]
            assert names(one["vulnerability"]["id"], *others)
