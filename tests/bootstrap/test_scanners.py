"""Both scanners, as they are made here, find an example of every record, and nothing else."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bootstrap.settings import Settings
from tests import vulnerable

SETTINGS = Settings.from_environment()
GRYPE = SETTINGS.scanners / "grype"
EXPECTED = sorted(
    (record["example"]["installed"], record["example"]["affected"]) for record in vulnerable.RECORDS
)
NAMES = {frozenset(record["ids"]) for record in vulnerable.RECORDS}


@pytest.fixture(params=["affected", "fixed"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / str(request.param)
    vulnerable.make(folder, folder.name)
    return folder


def scan(program: Path, *arguments: str | Path, **environment: str) -> Any:
    done = subprocess.run(
        [program, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


def expected(root: Path) -> list[tuple[str, str]]:
    return EXPECTED if root.name == "affected" else []


def names(*found: str) -> frozenset[str]:
    """The record whose names these are."""
    return next(known for known in NAMES if known.issuperset(found))


def test_trivy_pulls_its_database_and_finds_each_example(root: Path, tmp_path: Path) -> None:
    report = scan(
        SETTINGS.trivy,
        *("rootfs", "--quiet", "--format", "json", "--scanners", "vuln", root),
        TRIVY_CACHE_DIR=str(tmp_path / "cache"),
        TRIVY_DB_REPOSITORY=SETTINGS.trivy_database,
        TRIVY_SKIP_VERSION_CHECK="true",
        TRIVY_OFFLINE_SCAN="true",
    )
    found = [
        finding
        for result in report.get("Results", [])
        for finding in result.get("Vulnerabilities", [])
    ]
    assert sorted((one["PkgName"], one["InstalledVersion"]) for one in found) == expected(root)
    for one in found:
        assert names(one["VulnerabilityID"], *one.get("VendorIDs", []))


def test_grype_imports_its_database_and_finds_each_example(root: Path, tmp_path: Path) -> None:
    offline = {
        "GRYPE_DB_CACHE_DIR": str(tmp_path / "cache"),
        "GRYPE_DB_AUTO_UPDATE": "false",
        "GRYPE_DB_VALIDATE_AGE": "false",
        "GRYPE_CHECK_FOR_APP_UPDATE": "false",
    }
    database = SETTINGS.databases / "grype-db.tar.gz"
    scan(GRYPE, "--quiet", "db", "import", database, **offline)
    report = scan(GRYPE, f"dir:{root}", "--quiet", "--output", "json", **offline)
    found = report["matches"]
    assert sorted(
        (one["artifact"]["name"], one["artifact"]["version"]) for one in found
    ) == expected(root)
    for one in found:
        others = [related["id"] for related in one["relatedVulnerabilities"]]
        assert names(one["vulnerability"]["id"], *others)
