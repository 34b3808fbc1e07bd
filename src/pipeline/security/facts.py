"""What policy rules are told of images: the input document of Rego, as a model.

What isn't known yet is null: rules say so instead of passing.
"""

from collections.abc import Mapping
from datetime import date

from pydantic import ConfigDict, Field

from pipeline.models import Model
from pipeline.report.findings import FindingSummary

BASE_NAME = "org.opencontainers.image.base.name"
BASE_DIGEST = "org.opencontainers.image.base.digest"


class _Part(Model):
    # Rules are told everything, so the schema may promise it: also what has a default.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class PackageFacts(_Part):
    """A package in an image."""

    name: str
    version: str
    purl: str
    licences: list[str] = Field(description="SPDX identifiers or expressions; none: unknown.")


class SbomFacts(_Part):
    """What the SBOM names, and how it compares with what is in the image."""

    packages: list[PackageFacts]
    unexplained: list[str] = Field(description="Programs and libraries that are of no package.")
    changed: list[str] = Field(description="Files that aren't as their package has them.")
    unbacked: list[str] = Field(description="Packages of which nothing is in the image.")


class BaseImageFacts(_Part):
    """The image that an image stands on."""

    name: str = Field(description="As its FROM or label has it, e.g. debian:trixie-slim.")
    digest: str = Field(description="Empty if nothing says it.")
    created: date | None = Field(description="Null: it doesn't say, or can't be read.")
    age_days: int | None


class TrustFacts(_Part):
    """Whether something is signed by somebody who is trusted, and if not, why not."""

    verified: bool
    by: str = Field(default="", description="Whose key, or which identity, it is signed with.")
    why: str = Field(default="", description="Why it isn't verified.")


class Trust(_Part):
    """Who signed something, and attested to it what policy.yml asks for (kind → by whom)."""

    signature: TrustFacts
    attestations: dict[str, TrustFacts]


class PlatformFacts(_Part):
    """An image on one platform."""

    platform: str = Field(description="As OCI has it, e.g. linux/arm64.")
    digest: str = Field(description="Of its manifest.")
    size: int | None = Field(description="Bytes, unpacked; known of what was built here.")
    user: str = Field(description="As the image's config has it; empty: root.")
    labels: dict[str, str]
    created: date | None
    sbom: SbomFacts | None = None
    signature: TrustFacts | None = Field(
        default=None, description="Null before the image is published."
    )
    attestations: dict[str, TrustFacts] | None = Field(
        default=None, description="By kind, such as sbom; null before the image is published."
    )


class ImageFacts(_Part):
    """An image on all its platforms."""

    image: str = Field(description="The service's name; of a published image, its repository.")
    digest: str = Field(description="Of the index, or of the only manifest.")
    size_limit: int | None = Field(description="Bytes, of service.yml; null: not built here.")
    signature: TrustFacts | None = Field(
        default=None, description="Of the index; null before the image is published."
    )
    base: BaseImageFacts | None = Field(description="Null: it is made from nothing, or unknown.")
    platforms: list[PlatformFacts]


class Facts(_Part):
    """All that rules can look at, as `input`."""

    today: date = Field(description="UTC: the same everywhere.")
    version: str = Field(description="Of what was built here; empty otherwise.")
    revision: str = Field(description="Commit of what was built here; empty otherwise.")
    images: list[ImageFacts]
    findings: list[FindingSummary] | None = Field(description="Of scanners, judged by the gate.")


def base_said(annotations: Mapping[str, str], built_on: str | None) -> tuple[str, str]:
    """Give name and digest of a base image, empty where nothing says them.

    `built_on` is what an image that was built here stands on: labels may be its base image's own.
    """
    if built_on is not None:
        return built_on, built_on.partition("@")[2]
    return annotations.get(BASE_NAME, ""), annotations.get(BASE_DIGEST, "")
