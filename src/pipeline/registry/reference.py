"""Names of registries and of images in them."""

import re

from pipeline.errors import PipelineError

ADDRESS = re.compile(
    r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?)(?P<path>(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*)"
)


DOCKER_HUB = "docker.io"
DOCKER_HUBS = {DOCKER_HUB, "index.docker.io", "registry-1.docker.io"}


class RegistryAddressError(PipelineError):
    """No registry, or an address that isn't one."""


class CredentialsError(PipelineError):
    """A username without a password, or the other way round."""


class ForeignRegistryError(PipelineError):
    """An account of one registry, and an image in another."""

    def __init__(self, address: str, reference: str) -> None:
        super().__init__(
            f"The account is one of {address}, and {reference.rstrip('/')} is in "
            f"{registry_of(reference)}: give --registry {registry_of(reference)} with an account "
            "there, or no account."
        )


def checked_registry(address: str) -> None:
    """Check a registry address, e.g. ghcr.io/acme. Raises RegistryAddressError."""
    if not address:
        raise RegistryAddressError(
            "No registry to push to. Name one with --registry, e.g. --registry ghcr.io/acme, "
            "or for everybody in config/registry.yml: 'address: ghcr.io/acme'."
        )
    if not ADDRESS.fullmatch(address):
        shown = address.rpartition("@")[2]  # before it may be a password
        raise RegistryAddressError(
            f"'{shown}' is no registry address: expected host[:port][/path] in lower case "
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


def host_of(reference: str) -> str:
    """Give the registry of a reference or address: the host, with its port."""
    return reference.partition("/")[0]


def same_host(address: str) -> str:
    """Give the host of a registry's address, the same for all names that Docker Hub has."""
    host = host_of(address).lower().removesuffix(":443")
    return DOCKER_HUB if host in DOCKER_HUBS else host


def registry_of(reference: str) -> str:
    """Give the host of an image's registry, which is Docker Hub when it names none."""
    return same_host(full_name(reference))


def full_name(reference: str) -> str:
    """Name an image with its registry, which is Docker Hub's when it names none."""
    first, slash, _ = reference.partition("/")
    if slash and (set(first) & {".", ":"} or first == "localhost"):
        return reference
    return f"docker.io/{reference if slash else f'library/{reference}'}"


def repository_of(reference: str) -> str:
    """Leave out tag and digest: what stays the same from release to release."""
    name = reference.partition("@")[0]
    return name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name


def by_digest(reference: str) -> str:
    """Leave out the tag of a reference that has a digest, too."""
    return f"{repository_of(reference)}@{reference.rpartition('@')[2]}"
