"""cosign's own command line, as its documentation shows it, and what a registry keeps of it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx

from tests.engine.conftest import Registry
from tests.engine.key_pairs import COSIGN


async def cosign(*arguments: str | Path) -> str:
    """Run cosign and give what it prints; what it says when it fails is the failure."""
    ended = await anyio.run_process([COSIGN, *arguments], check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode()


@dataclass(frozen=True)
class Shelf:
    """A repository of a registry, with its manifests as they are and as somebody makes them."""

    registry: Registry
    repository: str

    def url(self, path: str) -> str:
        return f"http://{self.registry.address}/v2/{self.repository}/{path}"

    def at(self, reference: str) -> str:
        separator = "@" if reference.startswith("sha256:") else ":"
        return f"{self.registry.address}/{self.repository}{separator}{reference}"

    def digest(self, tag: str) -> str:
        return f"sha256:{hashlib.sha256(self.raw(tag)[0]).hexdigest()}"

    def manifest(self, reference: str) -> dict[str, Any]:
        return self.registry.manifest(self.repository, reference)

    def raw(self, reference: str) -> tuple[bytes, str]:
        """Give a manifest byte for byte, and its media type."""
        response = self.registry.get(f"{self.repository}/manifests/{reference}")
        return response.content, response.headers["Content-Type"]

    def platforms(self, index: str) -> list[str]:
        return [entry["digest"] for entry in self.manifest(index)["manifests"]]

    def tags(self) -> list[str]:
        found: list[str] = self.registry.get(f"{self.repository}/tags/list").json().get("tags", [])
        return found

    def put(self, manifest: dict[str, Any], reference: str = "") -> dict[str, Any]:
        """Keep a manifest under its digest or a tag; gives its descriptor."""
        return self.put_raw(json.dumps(manifest).encode(), manifest["mediaType"], reference)

    def put_raw(self, content: bytes, media_type: str, reference: str = "") -> dict[str, Any]:
        """Keep a manifest byte for byte."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        response = httpx.put(
            self.url(f"manifests/{reference or digest}"),
            content=content,
            headers={"Content-Type": media_type},
        )
        assert response.status_code == httpx.codes.CREATED, response.text
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def put_blob(self, content: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        started = httpx.post(self.url("blobs/uploads/"))
        place = httpx.URL(started.headers["Location"])
        place = httpx.URL(self.url("")).join(place).copy_merge_params({"digest": digest})
        response = httpx.put(place, content=content)
        assert response.status_code == httpx.codes.CREATED, response.text
        return {"digest": digest, "size": len(content)}

    def referrers(self, digest: str) -> list[dict[str, Any]]:
        """List what refers to a digest, as registries without the API for it keep it."""
        tag = digest.replace(":", "-")
        if tag not in self.tags():
            return []
        found: list[dict[str, Any]] = self.manifest(tag)["manifests"]
        return found

    def refer(self, digest: str, descriptors: Sequence[dict[str, Any]]) -> None:
        """Say what refers to a digest, and nothing else."""
        index = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": list(descriptors),
        }
        self.put(index, digest.replace(":", "-"))

    def bundles(self, digest: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Give the Sigstore bundles that refer to a digest: their manifest and their content."""
        found = []
        for descriptor in self.referrers(digest):
            manifest = self.manifest(descriptor["digest"])
            content = self.registry.blob(self.repository, manifest["layers"][0]["digest"])
            found.append((manifest, json.loads(content)))
        return found
