"""Verifies who signed images that are in a registry, and who attested what to them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import dagger

from pipeline.catalogue.signing import KMS_SCHEMES, SIGNING_FILE, Identity
from pipeline.errors import PipelineError
from pipeline.registry.engine.access import Access
from pipeline.release.commands import TRUSTED_ROOT, ImageRepository, Trusted
from pipeline.release.engine.cosign import Cosign, Where
from pipeline.security.engine.criteria import Criteria
from pipeline.security.engine.examination import BuildFacts, examine
from pipeline.security.engine.subject import Subject, published_subjects
from pipeline.security.engine.verdict import VerdictReport
from pipeline.security.facts import Trust

PUBLIC_KEY = "COSIGN_PUBLIC_KEY"
# Where only a key is trusted, no authority and no log is: then nothing comes over the network.
EMPTY_ROOT = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'


class NobodyTrustedError(PipelineError):
    """Signatures can't be verified, as nobody's count."""


class NotPublishedImageError(PipelineError):
    """Only what is published is signed."""

    def __init__(self) -> None:
        super().__init__(
            "Signatures are of published images: name one, e.g. "
            "`images --image ghcr.io/acme/shop:1.2.3 verify`."
        )


@dataclass(frozen=True)
class Signatory:
    """Whose signature the command line trusts: a key's, or somebody's without a key."""

    key: dagger.Secret | None = None
    identity: Identity | None = None

    @classmethod
    def of(cls, key: dagger.Secret | None, identity: str | None, issuer: str | None) -> Self:
        """Take what the command line has. Raises NobodyTrustedError when it is only a half."""
        if identity is None and issuer is None:
            return cls(key)
        if identity is None or issuer is None:
            missing = "--identity" if identity is None else "--issuer"
            raise NobodyTrustedError(
                f"Somebody is an --identity of an --issuer: {missing} is missing."
            )
        if not issuer.startswith(("https://", "http://")):
            raise NobodyTrustedError(
                f"--issuer '{issuer}' is no address: expected one like "
                "https://token.actions.githubusercontent.com."
            )
        return cls(key, Identity(issuer=issuer, subject=identity))

    @property
    def is_named(self) -> bool:
        """Whether the command line names anybody."""
        return self.key is not None or self.identity is not None


@dataclass(frozen=True)
class Verifier:
    """Whose signatures count, keys and identities; `cosign` has the keys."""

    trusted: Sequence[Trusted]
    cosign: Cosign

    @classmethod
    async def of(cls, signatory: Signatory, source: dagger.Directory, cosign: Cosign) -> Self:
        """Trust whom the command line names, and all those of config/signing.yml.

        Raises NobodyTrustedError when there is none.
        """
        signing = cosign.signing
        root = signing.sigstore.trusted_root
        container = (
            cosign.container.with_mounted_file(TRUSTED_ROOT, source.file(root))
            if root
            else cosign.container.with_new_file(TRUSTED_ROOT, EMPTY_ROOT, permissions=0o444)
        )
        trusted = []
        if signatory.key is not None:
            trusted.append(Trusted("the key given", key=f"env://{PUBLIC_KEY}"))
            container = container.with_secret_variable(PUBLIC_KEY, signatory.key)
        if signatory.identity is not None:
            trusted.append(_identified(signatory.identity))
        for name in signing.keys:
            if name.partition("://")[0] in KMS_SCHEMES:
                trusted.append(Trusted(name, key=name))
            else:
                if not await source.exists(name):
                    raise NobodyTrustedError(
                        f"{SIGNING_FILE}: keys: there is no file {name}; expected a public key."
                    )
                trusted.append(Trusted(name, key=f"/{name}"))
                container = container.with_mounted_file(f"/{name}", source.file(name))
        trusted += map(_identified, signing.identities)
        if not trusted:
            raise NobodyTrustedError(
                "Whose signature counts? Name a public key with --public-key, e.g. "
                "env://COSIGN_PUBLIC_KEY or file://cosign.pub, somebody with --identity and "
                f"--issuer, or both for everybody in {SIGNING_FILE}."
            )
        return cls(trusted, replace(cosign, container=container))

    async def trust(self, subjects: Sequence[Subject], kinds: Collection[str]) -> dict[str, Trust]:
        """Say who signed each platform and the index, and who attested these kinds: by digest."""
        asked: dict[Where, Collection[str]] = {}
        for subject in subjects:
            place = ImageRepository(subject.image, self.cosign.plain_http)
            asked.setdefault((subject.index, place), ())
            asked[subject.digest, place] = kinds
        found = await self.cosign.trust(asked, self.trusted)
        return {digest: trust for (digest, _), trust in found.items()}


async def verify_images(
    references: Sequence[str],
    platforms: Sequence[str],
    source: dagger.Directory,
    access: Access,
    signatory: Signatory,
    criteria: Criteria,
) -> VerdictReport:
    """Judge published images of one registry together, by who signed and attested them, too.

    No image at all is no success: raises NotPublishedImageError, and what its parts raise.
    """
    if not references:
        raise NotPublishedImageError
    images = criteria.repository.images
    cosign = await Cosign.to(access, images, criteria.repository.signing)
    verifier = await Verifier.of(signatory, source, cosign)
    subjects = await published_subjects(references, platforms, access, images)
    kinds = criteria.repository.rules.policy.attestations
    verify = partial(verifier.trust, subjects, kinds)
    return (await examine(subjects, BuildFacts(), criteria, verify)).verdict


def _identified(identity: Identity) -> Trusted:
    name = identity.subject or f"whoever is {identity.subject_pattern}"
    return Trusted(f"{name} of {identity.issuer}", identity=identity)
