"""cosign's command lines: to sign, to attest and to verify, as config/signing.yml has it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.catalogue.signing import Identity, Signing
from pipeline.release.statements import Kind

PRIVATE_KEY = "env://COSIGN_PRIVATE_KEY"
TRUSTED_ROOT = "/trusted_root.json"


@dataclass(frozen=True)
class ImageRepository:
    """A repository in a registry; `plain_http` is for a registry without TLS."""

    repository: str
    plain_http: bool

    def at(self, digest: str) -> str:
        """Give the reference of what has this digest there."""
        return f"{self.repository}@{digest}"


@dataclass(frozen=True)
class Trusted:
    """One who is trusted: a public key as cosign names it, or an identity without a key."""

    name: str
    key: str = ""
    identity: Identity | None = None


def sign(digest: str, place: ImageRepository, key: str, signing: Signing) -> list[list[str]]:
    """Sign an index and its platforms, or one image, in each format; no key: by identity."""
    return [
        ["sign", "--recursive", *format_, *_signing(place, key, signing), place.at(digest)]
        for format_ in _formats(signing)
    ]


def attest(
    digest: str, kind: Kind, predicate: str, place: ImageRepository, key: str, signing: Signing
) -> list[list[str]]:
    """Attest what a file says of an image, in each format; no key: by identity."""
    what = [f"--type={kind.name}", f"--predicate={predicate}"]
    return [
        ["attest", *what, *format_, *_signing(place, key, signing), place.at(digest)]
        for format_ in _formats(signing)
    ]


def verify(digest: str, place: ImageRepository, trusted: Trusted, signing: Signing) -> list[str]:
    """Verify that somebody signed this digest."""
    flags = _verifying(place, trusted, signing)
    return ["verify", "--output=json", *flags, place.at(digest)]


def verify_attestation(
    digest: str, kind: Kind, place: ImageRepository, trusted: Trusted, signing: Signing
) -> list[str]:
    """Verify that somebody attested something of a kind to this digest."""
    flags = _verifying(place, trusted, signing)
    return ["verify-attestation", f"--type={kind.name}", *flags, place.at(digest)]


def needs_trusted_root(trusted: Trusted, signing: Signing) -> bool:
    """Tell whether only the public Sigstore's root will do: it comes over the network."""
    return signing.sigstore.trusted_root is None and _is_logged(trusted.key, signing)


def _formats(signing: Signing) -> Sequence[list[str]]:
    bundle = ["--new-bundle-format=true"]
    return [bundle, ["--new-bundle-format=false"]] if signing.older_format else [bundle]


def _signing(place: ImageRepository, key: str, signing: Signing) -> list[str]:
    own = signing.sigstore
    flags = ["--yes", "--use-signing-config=false"]
    flags.append(f"--tlog-upload={str(_is_logged(key, signing)).lower()}")
    if key:
        flags.append(f"--key={key}")
    if own.fulcio:
        flags.append(f"--fulcio-url={own.fulcio}")
    if own.rekor:
        flags.append(f"--rekor-url={own.rekor}")
    if own.timestamp_authority:
        flags.append(f"--timestamp-server-url={own.timestamp_authority}")
    if not own.certificate_log:
        flags.append("--insecure-skip-verify=true")
    return [*flags, *_registry(place)]


def _verifying(place: ImageRepository, trusted: Trusted, signing: Signing) -> list[str]:
    flags = []
    if trusted.identity is None:
        flags.append(f"--key={trusted.key}")
    else:
        flags.append(f"--certificate-oidc-issuer={trusted.identity.issuer}")
        if trusted.identity.subject is not None:
            flags.append(f"--certificate-identity={trusted.identity.subject}")
        else:
            # cosign looks for the expression anywhere in the name.
            whole = f"^(?:{trusted.identity.subject_pattern})$"
            flags.append(f"--certificate-identity-regexp={whole}")
    if not _is_logged(trusted.key, signing):
        flags.append("--insecure-ignore-tlog=true")
    if signing.sigstore.timestamp_authority:
        flags.append("--use-signed-timestamps")
    if not signing.sigstore.certificate_log:
        flags.append("--insecure-ignore-sct=true")
    if not needs_trusted_root(trusted, signing):
        flags.append(f"--trusted-root={TRUSTED_ROOT}")
    return [*flags, *_registry(place)]


def _is_logged(key: str, signing: Signing) -> bool:
    return signing.transparency_log == "always" or (
        signing.transparency_log == "keyless" and not key
    )


def _registry(place: ImageRepository) -> list[str]:
    return ["--allow-http-registry"] if place.plain_http else []
