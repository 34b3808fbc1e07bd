"""config/scan.yml: where the scanners' databases come from."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from pipeline import documents
from pipeline.catalogue.models import Strict

SCAN_FILE = "config/scan.yml"

OCI = r"[A-Za-z0-9][^\s:/]*(:[0-9]+)?/[^\s:@]+[:@]\S+"
Reference = Annotated[str, Field(pattern=f"^{OCI}$")]
ReferenceOrAddress = Annotated[str, Field(pattern=rf"^({OCI}|https?://\S+)$")]


class ScanSettings(Strict):
    """Places that are asked one after the other, until one has the database."""

    trivy_databases: list[Reference] = Field(
        default=["mirror.gcr.io/aquasec/trivy-db:2", "ghcr.io/aquasecurity/trivy-db:2"],
        min_length=1,
        description="OCI references of Trivy's database.",
    )
    grype_databases: list[ReferenceOrAddress] = Field(
        default=["https://grype.anchore.io/databases"],
        min_length=1,
        description="Of Grype's database: addresses of folders with v6/latest.json, as Grype's "
        "own `update-url`, or OCI references of the archive.",
    )


SCAN: TypeAdapter[ScanSettings] = TypeAdapter(ScanSettings)


def load_scan(text: str | None) -> ScanSettings:
    """Read where databases are; upstream's own places without a file. Raises InvalidFilesError."""
    if text is None:
        return ScanSettings()
    document = documents.parse(SCAN_FILE, text)
    return documents.validate(document, SCAN, list(ScanSettings.model_fields))
