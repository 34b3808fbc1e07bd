"""The registry that a run is about, as the command line names it, and who one is there."""

import dagger

from pipeline.catalogue.models import Registry
from pipeline.engine.objects import object_type
from pipeline.registry.engine.access import Access
from pipeline.registry.reference import (
    ForeignRegistryError,
    checked_credentials,
    checked_registry,
    full_name,
    host_of,
    registry_of,
    same_host,
)


@object_type
class RegistryAccount:
    """A registry's address, and an account there; what isn't given is the repository's default."""

    address: str | None
    username: str | None
    password: dagger.Secret | None
    plain_http: bool

    def address_or(self, default: Registry | None) -> str:
        """Give the address of images in it. Raises RegistryAddressError without any."""
        address = self._named(default)
        checked_registry(address)
        return address

    def access(self, reference: str, default: Registry | None) -> Access:
        """Give access to the registry of an image.

        An account is one of --registry, or else of config/registry.yml's: no other registry gets to
        see it. Raises ForeignRegistryError, CredentialsError, RegistryAddressError.
        """
        checked_credentials(self.username or "", self.password is not None)
        host, own_host = registry_of(reference), host_of(full_name(reference))
        address = self._named(default)
        if address:
            checked_registry(address)
        elif self.password is not None:
            raise ForeignRegistryError("no registry that is named", reference)
        known = default is not None and same_host(default.address) == host and default.plain_http
        if address and same_host(address) != host:
            if self.password is not None:
                raise ForeignRegistryError(same_host(address), reference)
            return Access(own_host, known)
        return Access(own_host, self.plain_http or known, self.username or "", self.password)

    def access_to_default(self, default: Registry | None) -> Access | None:
        """Give access to the registry that is named; none when none is."""
        address = self._named(default)
        return self.access(f"{address}/", default) if address else None

    def _named(self, default: Registry | None) -> str:
        return self.address or (default.address if default else "")
