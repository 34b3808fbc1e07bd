"""Where databases come from, which failures are worth another try, and how old they are."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.catalogue.scan import ScanSettings, load_scan
from pipeline.errors import InvalidFilesError
from pipeline.report.findings import DatabaseSummary, ScannedImage, ScanSummary, conclusion
from pipeline.security.age import aged, built_grype, built_trivy
from pipeline.security.mirrors import is_temporary, no_mirror_answers
from pipeline.security.scanner import ScannerReportError

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
TRIVY_SAYS = (
    "FATAL\tFatal error\trun error: init error: DB error: failed to download vulnerability DB: "
    "OCI artifact error: failed to download artifact from {}: OCI repository error: 1 error "
    "occurred:\n\t* GET https://{}/manifests/2: {}\n\n"
)


def test_without_a_file_databases_are_upstreams() -> None:
    settings = load_scan(None)
    assert settings.trivy_databases == [
        "mirror.gcr.io/aquasec/trivy-db:2",
        "ghcr.io/aquasecurity/trivy-db:2",
    ]
    assert settings.grype_databases == ["https://grype.anchore.io/databases"]


def test_one_scanners_places_leave_the_other_as_it_is() -> None:
    settings = load_scan("trivy_databases: ['mirror.example:5000/trivy-db@sha256:abc']\n")
    assert settings.grype_databases == ScanSettings().grype_databases


def test_all_mistakes_at_once() -> None:
    wrong = (
        "trivy_databases:\n  - https://mirror.example/db:2\n"
        "grype_databases: []\ngrype_database: x\n"
    )
    with pytest.raises(InvalidFilesError) as caught:
        load_scan(wrong)
    said = str(caught.value)
    assert "config/scan.yml:2:5: trivy_databases[0]: String should match pattern" in said
    assert "config/scan.yml:3:18: grype_databases: List should have at least 1 item" in said
    assert "config/scan.yml:4:1: grype_database: unknown field; did you mean" in said


@pytest.mark.parametrize(
    "said",
    [
        "TOOMANYREQUESTS: retry-after: 700.682µs, allowed: 44000/minute",
        "unexpected status code 429 Too Many Requests",
        "failed to get manifest: request failed: http status: 503",
        'Get "https://ghcr.io/v2/": net/http: TLS handshake timeout',
        "dial tcp 10.1.2.3:443: i/o timeout",
        "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        "read: connection reset by peer",
    ],
)
def test_a_busy_mirror_is_asked_again(said: str) -> None:
    assert is_temporary(TRIVY_SAYS.format("a", "a", said))


@pytest.mark.parametrize(
    "said",
    [
        "MANIFEST_UNKNOWN: manifest unknown; map[Tag:2]",
        "dial tcp: lookup mirror.gcr.io: no such host",
        "UNAUTHORIZED: authentication required",
        "unexpected status code 404 Not Found",
        "sha256:1429503",
    ],
)
def test_a_mirror_that_never_will_is_not(said: str) -> None:
    assert not is_temporary(TRIVY_SAYS.format("a", "a", said))


def test_all_mirrors_are_named_with_what_they_said() -> None:
    failures = {
        "one.example/db:2": TRIVY_SAYS.format("one", "one", "TOOMANYREQUESTS: slow down"),
        "two.example/db:2": "",
        "three.example/db:2": "x" * 1000,
    }
    said = str(no_mirror_answers("trivy", failures))
    assert said.startswith("Trivy's database can't be had:\n  one.example/db:2: * GET https://one/")
    assert "TOOMANYREQUESTS: slow down\n  two.example/db:2: no word of why\n" in said
    assert "config/scan.yml (trivy_databases)" in said
    assert "--databases." in said
    assert all(len(line) < 400 for line in said.splitlines())


def test_days_of_databases() -> None:
    trivy = '{"Version": 2, "NextUpdate": "2026-07-02T00:00:00Z", "UpdatedAt": "%s"}'
    built = built_trivy(trivy % "2026-06-24T12:10:01.123456789Z")
    assert aged("trivy", built, "a file", NOW) == DatabaseSummary(
        scanner="trivy", built="2026-06-24", age_days=6, origin="a file"
    )
    grype = '{"schemaVersion": "v6.1.4", "built": "2026-06-30T06:20:09Z", "valid": true}'
    assert built_grype(grype).date() == date(2026, 6, 30)
    # A clock that is behind makes no age below nothing.
    assert aged("grype", NOW + timedelta(days=2), "a file", NOW).age_days == 0


@pytest.mark.parametrize(("parse", "said"), [(built_trivy, "UpdatedAt"), (built_grype, "built")])
def test_a_database_without_a_day_is_none(parse, said: str) -> None:
    with pytest.raises(ScannerReportError, match=f"{said}: Field required"):
        parse("{}")


def scanned(*days: int) -> ScanSummary:
    names = ("trivy", "grype")
    return ScanSummary(
        passed=True,
        images=[ScannedImage(image="shop", platform="linux/amd64")],
        findings=[],
        stale_waivers=[],
        databases=[
            aged(name, NOW - timedelta(days=age), "here.example/db:2", NOW)
            for name, age in zip(names, days, strict=False)
        ],
    )


def test_a_report_says_how_old_databases_are() -> None:
    lines = conclusion(scanned(0, 1))
    today = "Trivy's database was made today, on 2026-07-01; it is from here.example/db:2."
    assert today in lines
    yesterday = "Grype's database was made yesterday, on 2026-06-30; it is from here.example/db:2."
    assert yesterday in lines
    assert not any("Warning" in line for line in lines)


def test_after_a_week_it_warns() -> None:
    assert not any("Warning" in line for line in conclusion(scanned(7, 7)))
    [warning] = [line for line in conclusion(scanned(7, 8)) if "Warning" in line]
    assert warning.startswith("Warning: Grype's database is older than 7 days")
