"""What the scanners say of their databases: when they were made."""

from datetime import datetime

from pydantic import AwareDatetime, Field

from pipeline.report.findings import DatabaseSummary
from pipeline.security.scanner import Part, read


class _Trivy(Part):
    updated: AwareDatetime = Field(alias="UpdatedAt")


class _Grype(Part):
    built: AwareDatetime


def built_trivy(metadata: str) -> datetime:
    """Read the metadata.json of Trivy's database. Raises ScannerReportError."""
    return read("Trivy", metadata, _Trivy).updated


def built_grype(status: str) -> datetime:
    """Read what `grype db status --output json` says. Raises ScannerReportError."""
    return read("Grype", status, _Grype).built


def aged(scanner: str, built: datetime, origin: str, now: datetime) -> DatabaseSummary:
    """Give a database as reports show it."""
    return DatabaseSummary(
        scanner=scanner,
        built=built.date().isoformat(),
        age_days=max((now - built).days, 0),
        origin=origin,
    )
