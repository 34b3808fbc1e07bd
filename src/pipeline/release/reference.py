"""Where images go: registry addresses and references."""

import re
from collections.abc import Sequence

from pipeline.errors import PipelineError

ADDRESS = re.compile(
    r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?)(?P<path>(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*)"
)


class RegistryAddressError(PipelineError):
    """No registry, or an address that isn't one."""


class CredentialsError(PipelineError):
    """A username without a password, or the other way round."""


class PublishError(PipelineError):
    """A registry didn't take an image."""

    def __init__(self, reference: str, cause: str, published: Sequence[str]) -> None:
        super().__init__(
            f"{reference} wasn't published: {_reason(cause)}\n"
            f"The registry said: {cause.strip().splitlines()[-1][-400:]}\n"
            + (
                "Published before that, in this run: " + ", ".join(published)
                if published
                else "Nothing was published."
            )
        )


def _reason(cause: str) -> str:
    said = cause.lower()
    if any(word in said for word in ("401", "403", "unauthorized", "denied", "authorization")):
        return (
            "access denied. Check --registry-username and --registry-password "
            "(e.g. --registry-password env://REGISTRY_PASSWORD), and that the user may push."
        )
    if any(word in said for word in ("refused", "no such host", "timeout", "unreachable")):
        return "the registry can't be reached. Is it running, and is its address right?"
    return "the registry refused it."


def checked_registry(address: str) -> None:
    """Check a registry address, e.g. ghcr.io/acme. Raises RegistryAddressError."""
    if not address:
        raise RegistryAddressError(
            "No registry to push to. Name one with --registry, e.g. --registry ghcr.io/acme, "
            "or for everybody in config/registry.yml: 'address: ghcr.io/acme'."
        )
    if not ADDRESS.fullmatch(address):
        raise RegistryAddressError(
            f"'{address}' is no registry address: expected host[:port][/path] in lower case "
            "and without https://, e.g. ghcr.io/acme."
        )


def checked_credentials(username: str, has_password: bool) -> None:
    """Check that username and password come together. Raises CredentialsError."""
    if bool(username) != has_password:
        missing = "--registry-password (e.g. env://REGISTRY_PASSWORD)"
        raise CredentialsError(
            f"A registry user needs both: {missing if username else '--registry-username'} "
            "is missing."
        )
