"""Registries as their HTTP interface shows them, and a connection to the engine."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import bcrypt
import httpx
import pytest

from bootstrap import registry as registries
from bootstrap.settings import Settings
from tests.engine.key_pairs import KeyPair, key_pair

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Registry:
    """A registry as its HTTP interface shows it, for a user where it asks for one."""

    address: str
    username: str = ""
    password: str = field(default="", repr=False)

    def ask(self, method: str, path: str) -> httpx.Response:
        """Ask for something to be done with something of a repository."""
        return httpx.request(
            method,
            f"http://{self.address}/v2/{path}",
            headers={"Accept": f"{INDEX}, {MANIFEST}"},
            auth=(self.username, self.password) if self.username else None,
            follow_redirects=True,
        )

    def get(self, path: str) -> httpx.Response:
        """Ask for something of a repository: a manifest, a blob, the tags."""
        return self.ask("GET", path)

    def delete(self, path: str) -> None:
        """Delete a manifest."""
        response = self.ask("DELETE", path)
        assert response.status_code == httpx.codes.ACCEPTED, response.text

    def manifest(self, repository: str, reference: str) -> dict[str, Any]:
        """Read a manifest or index by tag or digest."""
        response = self.get(f"{repository}/manifests/{reference}")
        assert response.status_code == httpx.codes.OK, response.text
        content: dict[str, Any] = response.json()
        return content

    def blob(self, repository: str, digest: str) -> bytes:
        """Read a config or a layer."""
        response = self.get(f"{repository}/blobs/{digest}")
        assert response.status_code == httpx.codes.OK, response.text
        return response.content


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The registry without authentication, where --push goes."""
    return Registry(os.environ["PIPELINE_TEST_REGISTRY"])


@pytest.fixture(scope="session")
def private_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that lets in one user, whose password is new every time."""
    settings = Settings.from_environment()
    password = secrets.token_urlsafe(16)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(5)).decode()
    htpasswd = tmp_path_factory.mktemp("registry") / "htpasswd"
    htpasswd.write_text(f"tester:{hashed}\n")
    registries.start_private(settings, htpasswd)
    yield Registry(settings.private_registry, "tester", password)
    registries.stop_private(settings)


@pytest.fixture(scope="session")
def keys(
    scanners: None,  # noqa: ARG001 - cosign makes it
    tmp_path_factory: pytest.TempPathFactory,
) -> KeyPair:
    """A key pair to sign with."""
    return key_pair(tmp_path_factory.mktemp("keys"))
