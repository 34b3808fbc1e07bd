"""With what images are signed: a private key, a key management service, or an identity."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import dagger
from dagger import dag

from pipeline.catalogue.signing import KMS_SCHEMES
from pipeline.errors import PipelineError
from pipeline.release.commands import PRIVATE_KEY

WAYS = """\
  --signing-key file://cosign.key  a private key ('cosign generate-key-pair' makes one), and
                                   --signing-password env://COSIGN_PASSWORD if it has a password
  --signing-kms awskms:///alias/…  a key in a key management service, and what its client needs in
                                   --signing-environment env://KMS_ENVIRONMENT (NAME=value lines)
  --oidc-token env://…             an identity token; in GitHub Actions with permission
                                   'id-token: write': env://ACTIONS_ID_TOKEN_REQUEST_TOKEN, and
                                   --oidc-url env://ACTIONS_ID_TOKEN_REQUEST_URL
  --sign=false                     publish without signatures"""


class SigningError(PipelineError):
    """Images can't be signed."""


@dataclass(frozen=True)
class Signer:
    """Who signs: `key` is what cosign calls a key, none for an identity; and what cosign needs."""

    name: str
    key: str
    environment: Mapping[str, dagger.Secret]

    @classmethod
    async def of(
        cls,
        key: dagger.Secret | None,
        password: dagger.Secret | None,
        kms: str | None,
        environment: dagger.Secret | None,
        oidc_token: dagger.Secret | None,
        oidc_url: dagger.Secret | None,
    ) -> Self:
        """Choose one of the ways to sign; a key, which .env may name, is for want of another.

        Raises SigningError when there is none, or more than one.
        """
        if kms and oidc_token:
            raise SigningError(f"Both --signing-kms and --oidc-token are given. Choose:\n{WAYS}")
        if kms:
            return cls(f"with {kms}", kms_reference(kms), await _variables(environment))
        if oidc_token and oidc_url:
            names = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL")
            secrets = dict(zip(names, (oidc_token, oidc_url), strict=True))
            return cls("as this workflow", "", secrets)
        if oidc_token:
            return cls("as the identity of the token", "", {"SIGSTORE_ID_TOKEN": oidc_token})
        if key:
            # Without a password in its environment cosign would ask for one.
            secrets = {"COSIGN_PRIVATE_KEY": key, "COSIGN_PASSWORD": password or _secret("")}
            return cls("with a private key", PRIVATE_KEY, secrets)
        raise SigningError(f"There is nothing to sign with. Choose one:\n{WAYS}")

    def with_secrets(self, container: dagger.Container) -> dagger.Container:
        """Give a container with what cosign needs in its environment."""
        for name, value in self.environment.items():
            container = container.with_secret_variable(name, value)
        return container


def kms_reference(reference: str) -> str:
    """Check a key's name in a key management service. Raises SigningError."""
    scheme, separator, name = reference.partition("://")
    if scheme not in KMS_SCHEMES or not separator or not name:
        known = ", ".join(f"{scheme}://" for scheme in KMS_SCHEMES)
        raise SigningError(
            f"'{reference}' is no key of a key management service: expected one of {known}"
            "and its name, e.g. awskms:///alias/release."
        )
    return reference


async def _variables(environment: dagger.Secret | None) -> dict[str, dagger.Secret]:
    """Read NAME=value lines; values stay secrets. Raises SigningError, quoting none of them."""
    if environment is None:
        return {}
    found = {}
    for number, line in enumerate((await environment.plaintext()).splitlines(), 1):
        name, separator, value = line.partition("=")
        if not separator or not name.isidentifier():
            raise SigningError(f"--signing-environment, line {number}: expected NAME=value.")
        found[name] = _secret(value)
    return found


def _secret(value: str) -> dagger.Secret:
    return dag.set_secret(f"signing-{uuid.uuid4()}", value)
