"""What policy rules are told of images: the input document of Rego, as a model.

What isn't known yet is null: rules say so instead of passing.
"""

from datetime import date

from pydantic import BaseModel, Field

from pipeline.report.findings import FindingSummary


class PackageFacts(BaseModel):
    """A package in an image."""

    name: str
    version: str
    purl: str
    licences: list[str] = Field(description="SPDX identifiers or expressions; none: unknown.")


class SbomFacts(BaseModel):
    """What the SBOM names, and how it compares with what is in the image."""

    packages: list[PackageFacts]
    unexplained: list[str] = Field(description="Programs and libraries that are of no package.")
    changed: list[str] = Field(description="Files that aren't as their package has them.")
    unbacked: list[str] = Field(description="Packages of which nothing is in the image.")


class BaseImageFacts(BaseModel):
    """The image that an image stands on."""

    name: str
    digest: str
    created: date | None
    age_days: int | None


class TrustFacts(BaseModel):
    """Whether something is signed by somebody who is believed, and if not, why not."""

    verified: bool
    by: str = Field(default="", description="By whose key, or which identity.")
    why: str = Field(default="", description="Why it isn't verified.")


class Trust(BaseModel):
    """Who signed something, and attested to it what policy.yml asks for (kind → by whom)."""

    signature: TrustFacts
    attestations: dict[str, TrustFacts]


class PlatformFacts(BaseModel):
    """An image on one platform; its size is in bytes, unpacked."""

    platform: str
    digest: str
    size: int | None
    user: str
    labels: dict[str, str]
    created: date | None
    sbom: SbomFacts | None = None
    signature: TrustFacts | None = None
    attestations: dict[str, TrustFacts] | None = None


class ImageFacts(BaseModel):
    """An image; of one that was built here `size_limit` says what it may weigh."""

    image: str
    digest: str = Field(description="Of the index, or of the only manifest.")
    size_limit: int | None
    signature: TrustFacts | None = None
    base: BaseImageFacts | None = Field(description="None: it is made from nothing, or unknown.")
    platforms: list[PlatformFacts]


class Facts(BaseModel):
    """All that rules can look at, as `input`."""

    today: date
    version: str
    revision: str
    images: list[ImageFacts]
    findings: list[FindingSummary] | None = Field(description="Of scanners, judged by the gate.")
