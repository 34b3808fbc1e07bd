"""Verifies who signed images that are in a registry, and who attested what to them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Self

import dagger

from pipeline.catalogue.signing import KMS_SCHEMES, SIGNING_FILE, Identity
from pipeline.errors import PipelineError
from pipeline.release.commands import TRUSTED_ROOT, Place, Trusted
from pipeline.release.cosign import Cosign, Where
from pipeline.security.facts import Trust
from pipeline.security.subject import Subject

PUBLIC_KEY = "COSIGN_PUBLIC_KEY"
# Where only a key is believed, no authority and no log is: then nothing comes over the network.
EMPTY_ROOT = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'


class NobodyBelievedError(PipelineError):
    """Signatures can't be verified, as nobody is believed."""


@dataclass(frozen=True)
class Believed:
    """Who is believed: keys and identities; `cosign` has the keys."""

    trusted: Sequence[Trusted]
    cosign: Cosign

    @classmethod
    async def of(
        cls,
        key: dagger.Secret | None,
        identity: Identity | None,
        source: dagger.Directory,
        cosign: Cosign,
    ) -> Self:
        """Believe a key or identity of the command line, and all those of config/signing.yml.

        Raises NobodyBelievedError when there is none.
        """
        signing = cosign.signing
        root = signing.sigstore.trusted_root
        container = (
            cosign.container.with_mounted_file(TRUSTED_ROOT, source.file(root))
            if root
            else cosign.container.with_new_file(TRUSTED_ROOT, EMPTY_ROOT, permissions=0o444)
        )
        trusted = []
        if key is not None:
            trusted.append(Trusted("the key given", key=f"env://{PUBLIC_KEY}"))
            container = container.with_secret_variable(PUBLIC_KEY, key)
        if identity is not None:
            trusted.append(_identified(identity))
        for name in signing.keys:
            if name.partition("://")[0] in KMS_SCHEMES:
                trusted.append(Trusted(name, key=name))
            else:
                if not await source.exists(name):
                    raise NobodyBelievedError(
                        f"{SIGNING_FILE}: keys: there is no file {name}; expected a public key."
                    )
                trusted.append(Trusted(name, key=f"/{name}"))
                container = container.with_mounted_file(f"/{name}", source.file(name))
        trusted += map(_identified, signing.identities)
        if not trusted:
            raise NobodyBelievedError(
                "Whose signature is believed? Name a public key with --key, e.g. "
                "env://COSIGN_PUBLIC_KEY or file://cosign.pub, somebody with --subject and "
                f"--issuer, or both for everybody in {SIGNING_FILE}."
            )
        return cls(trusted, replace(cosign, container=container))

    async def trust(self, subjects: Sequence[Subject], kinds: Collection[str]) -> dict[str, Trust]:
        """Say who signed each platform and the index, and who attested these kinds: by digest."""
        asked: dict[Where, Collection[str]] = {}
        for subject in subjects:
            place = Place(subject.image, self.cosign.plain_http)
            asked.setdefault((subject.index, place), ())
            asked[subject.digest, place] = kinds
        found = await self.cosign.trust(asked, self.trusted)
        return {digest: trust for (digest, _), trust in found.items()}


def identity_of(subject: str | None, issuer: str | None) -> Identity | None:
    """Put together who is believed, from the command line. Raises NobodyBelievedError."""
    if subject is None and issuer is None:
        return None
    if subject is None or issuer is None:
        missing = "--subject" if subject is None else "--issuer"
        raise NobodyBelievedError(
            f"An identity is a --subject of an --issuer: {missing} is missing."
        )
    return Identity(issuer=issuer, subject=subject)


def _identified(identity: Identity) -> Trusted:
    name = identity.subject or f"whoever is {identity.subject_pattern}"
    return Trusted(f"{name} of {identity.issuer}", identity=identity)
