"""config/policy/policy.yml: what an image must be like, as data that gate and rules read."""

from typing import Literal

from pydantic import Field, TypeAdapter

from pipeline import documents
from pipeline.catalogue.models import Strict

POLICY_FILE = "config/policy/policy.yml"
POLICY_RULES = "config/policy/*.rego"

Severity = Literal["negligible", "low", "medium", "high", "critical"]
Attestation = Literal["sbom", "scan", "provenance"]


class VulnerabilityPolicy(Strict):
    """Which known vulnerabilities block."""

    with_fix: Severity = Field(default="high", description="This or worse, where there is a fix.")
    without_fix: Severity | Literal["never"] = Field(
        default="never", description="This or worse, where nothing fixes it yet."
    )
    grace_days: int = Field(
        default=0, ge=0, description="Days since it was published in which it doesn't block yet."
    )


class LicencePolicy(Strict):
    """Which licences packages may have, by their SPDX identifiers."""

    denied: list[str] = Field(default=[], description="Never, e.g. AGPL-3.0-only.")
    allowed: list[str] = Field(default=[], description="Only these; none: all that aren't denied.")
    unknown: Literal["allow", "deny"] = Field(
        default="allow", description="Packages of which no licence is known."
    )


class BaseImagePolicy(Strict):
    """What an image may stand on."""

    max_age_days: int = Field(default=90, gt=0, description="Since the base image was made.")


class Policy(Strict):
    """What must hold before an image is published or deployed."""

    vulnerabilities: VulnerabilityPolicy = VulnerabilityPolicy()
    secrets: Severity = Field(default="high", description="This or worse blocks.")
    misconfigurations: Severity = Field(default="high", description="This or worse blocks.")
    licences: LicencePolicy = LicencePolicy()
    labels: list[str] = Field(
        default=["org.opencontainers.image.title", "org.opencontainers.image.version"],
        description="Labels that every image has.",
    )
    base_image: BaseImagePolicy = BaseImagePolicy()
    signatures: Literal["required", "optional"] = "required"
    attestations: list[Attestation] = Field(
        default=["sbom", "scan", "provenance"], description="What is attested to every image."
    )


POLICY: TypeAdapter[Policy] = TypeAdapter(Policy)
PARTS = (VulnerabilityPolicy, LicencePolicy, BaseImagePolicy, Policy)


def load_policy(text: str | None) -> Policy:
    """Read the policy; the default without a file. Raises InvalidFilesError."""
    if text is None:
        return Policy()
    document = documents.parse(POLICY_FILE, text)
    known = [name for part in PARTS for name in part.model_fields]
    return documents.validate(document, POLICY, known)
