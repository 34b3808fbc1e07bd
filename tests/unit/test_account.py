"""An account is shown to its own registry alone."""

from typing import Any

import pytest

from pipeline.catalogue.models import Registry
from pipeline.registry.engine.access import Access
from pipeline.registry.engine.account import RegistryAccount
from pipeline.registry.reference import (
    CredentialsError,
    ForeignRegistryError,
    RegistryAddressError,
)

DEFAULT = Registry(address="ghcr.io/acme")
PASSWORD: Any = object()


def access(
    reference: str,
    address: str | None = None,
    *,
    default: Registry | None = DEFAULT,
    username: str | None = "me",
    password: Any = PASSWORD,
    plain_http: bool = False,
) -> Access:
    account = RegistryAccount(
        address=address, username=username, password=password, plain_http=plain_http
    )
    return account.access(reference, default)


@pytest.mark.parametrize(
    ("reference", "address"),
    [
        ("ghcr.io/acme/shop:1", None),
        ("ghcr.io/other/shop:1", "ghcr.io/acme"),
        ("GHCR.io/acme/shop@sha256:1", "ghcr.io"),
        ("ghcr.io/acme/shop", "ghcr.io:443/acme"),
        ("nginx:latest", "docker.io"),
        ("acme/shop:1", "docker.io/acme"),
        ("docker.io/acme/shop:1", "index.docker.io/acme"),
        ("localhost:5000/shop", "localhost:5000"),
    ],
)
def test_its_own_registry_sees_it(reference: str, address: str | None) -> None:
    assert access(reference, address).password is PASSWORD


@pytest.mark.parametrize(
    ("reference", "address", "said"),
    [
        ("10.0.0.1:5999/x:1", None, "of ghcr.io, and 10.0.0.1:5999/x:1 is in 10.0.0.1:5999"),
        ("nginx:latest", None, "of ghcr.io, and nginx:latest is in docker.io"),
        ("ghcr.io/acme/shop", "docker.io", "give --registry ghcr.io with an account there"),
        ("127.0.0.1:5000/shop", "localhost:5000", "of localhost:5000"),
        ("evil.example/ghcr.io/shop", "ghcr.io", "is in evil.example"),
    ],
)
def test_no_other_registry_sees_it(reference: str, address: str | None, said: str) -> None:
    with pytest.raises(ForeignRegistryError, match=said):
        access(reference, address)


def test_an_account_of_no_registry_that_is_named_is_refused() -> None:
    with pytest.raises(ForeignRegistryError, match=r"give --registry example\.org"):
        access("example.org/shop", default=None)


@pytest.mark.parametrize("half", [{"password": None}, {"username": None}])
def test_half_an_account_is_refused(half: dict[str, None]) -> None:
    with pytest.raises(CredentialsError, match="is missing"):
        access("example.org/shop", "ghcr.io/acme", **half)


def test_an_address_is_told_without_the_password_in_it() -> None:
    with pytest.raises(RegistryAddressError) as error:
        access("x/y", "https://me:hunter2@x/y")
    assert "hunter2" not in str(error.value)


def test_without_tls_is_the_named_registry_alone() -> None:
    nobody = {"username": None, "password": None, "plain_http": True}
    assert access("10.0.0.1:5000/x", "10.0.0.1:5000", **nobody).plain_http
    assert access("10.0.0.1:5000/x", default=None, **nobody).plain_http
    assert not access("example.org/x", "10.0.0.1:5000", **nobody).plain_http
    plain = Registry(address="10.0.0.1:5000/acme", plain_http=True)
    assert access("10.0.0.1:5000/x", default=plain, username=None, password=None).plain_http
