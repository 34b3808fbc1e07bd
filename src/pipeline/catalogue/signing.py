"""config/signing.yml: how images are signed, and whose signatures are trusted."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from pipeline import documents
from pipeline.catalogue.models import PathInside, Strict

SIGNING_FILE = "config/signing.yml"
KMS_SCHEMES = ("awskms", "azurekms", "gcpkms", "hashivault", "k8s")


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None
    return text


Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
Pattern = Annotated[str, AfterValidator(_pattern)]


class Identity(Strict):
    """Somebody who signs without a key: a workflow or person, vouched for by an issuer."""

    issuer: Url = Field(
        description="Who vouches, e.g. https://token.actions.githubusercontent.com."
    )
    subject: str | None = Field(
        default=None,
        min_length=1,
        description="Exactly who, e.g. https://github.com/acme/shop/.github/workflows/ci.yml"
        "@refs/heads/main.",
    )
    subject_pattern: Pattern | None = Field(
        default=None, min_length=1, description="Whoever this regular expression matches, whole."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "Identity":
        if (self.subject is None) == (self.subject_pattern is None):
            raise ValueError("expected either 'subject' or 'subject_pattern'")
        return self


class Sigstore(Strict):
    """A Sigstore of one's own; where a field is missing, the public one's."""

    fulcio: Url | None = Field(default=None, description="Gives certificates to identities.")
    rekor: Url | None = Field(default=None, description="The transparency log.")
    timestamp_authority: Url | None = Field(
        default=None, description="Says when something was signed; none: the log says it."
    )
    certificate_log: bool = Field(
        default=True, description="Whether its certificates are written to a log of their own."
    )
    trusted_root: PathInside | None = Field(
        default=None, description="Its trusted_root.json, in the repository."
    )


class Signing(Strict):
    """How images are signed, and whose signatures are trusted."""

    transparency_log: Literal["always", "keyless", "never"] = Field(
        default="always",
        description="Which signatures are written to a public log, with the image's name: all, "
        "only those without a key (their certificates are valid for minutes), or none.",
    )
    older_format: bool = Field(
        default=True,
        description="Sign and attest as cosign 2 did, too: admission controllers may read it only.",
    )
    keys: list[str] = Field(
        default=[],
        description="Public keys that are trusted: files of the repository, or KMS references "
        f"({', '.join(f'{scheme}://' for scheme in KMS_SCHEMES)}).",
    )
    identities: list[Identity] = Field(default=[], description="Identities that are trusted.")
    sigstore: Sigstore = Sigstore()
    builder: str = Field(
        default="https://dagger.io",
        min_length=1,
        description="Whom the provenance names as the builder: a URI of those who run it.",
    )

    @model_validator(mode="after")
    def _time_of_keyless(self) -> "Signing":
        timed = self.transparency_log != "never" or self.sigstore.timestamp_authority
        if self.identities and not timed:
            raise ValueError(
                "identities can't be trusted without a time: certificates are valid for "
                "minutes. Set transparency_log: keyless, or sigstore.timestamp_authority"
            )
        return self


SIGNING: TypeAdapter[Signing] = TypeAdapter(Signing)


def load_signing(text: str | None) -> Signing:
    """Read how images are signed; the default without a file. Raises InvalidFilesError."""
    if text is None:
        return Signing()
    document = documents.parse(SIGNING_FILE, text)
    known = [name for part in (Identity, Sigstore, Signing) for name in part.model_fields]
    return documents.validate(document, SIGNING, known)
