"""The registry that a run is about, as the command line names it, and who one is there."""

import dagger

from pipeline.catalogue.models import Registry
from pipeline.engine.objects import object_type
from pipeline.registry.engine.access import Access
from pipeline.registry.reference import ForeignRegistryError, checked_registry, host_of


@object_type
class RegistryAccount:
    """A registry's address, and an account there; what isn't given is the repository's default."""

    address: str | None
    username: str | None
    password: dagger.Secret | None
    plain_http: bool

    def address_or(self, default: Registry | None) -> str:
        """Give the address of images in it. Raises RegistryAddressError without any."""
        address = self.address or (default.address if default else "")
        checked_registry(address)
        return address

    def access(self, reference: str, default: Registry | None) -> Access:
        """Give access to the registry of a reference.

        Raises ForeignRegistryError when the account is one of another registry.
        """
        host = host_of(reference)
        known = default is not None and host_of(default.address) == host and default.plain_http
        if self.address and host_of(self.address) != host:
            if self.password is not None:
                raise ForeignRegistryError(self.address, reference)
            return Access(host, known)
        return Access(host, self.plain_http or known, self.username or "", self.password)

    def access_to_default(self, default: Registry | None) -> Access | None:
        """Give access to the registry that is named; none when none is."""
        address = self.address or (default.address if default else "")
        return self.access(address, default) if address else None
