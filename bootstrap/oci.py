"""Writes OCI images as blobs, and pushes them to a registry of this machine."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.settings import ARCHITECTURE
from bootstrap.steps import SetupError

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
BINARY = "application/octet-stream"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Layer:
    """A layer among the blobs: its descriptor, and the digest of its unpacked tar."""

    descriptor: dict[str, Any]
    diff_id: str


def add_layer(blobs: Path, tar: Path) -> Layer:
    """Pack a tar as a layer."""
    packed = blobs / "layer.new"
    with tar.open("rb") as source, gzip.GzipFile(packed, "wb", compresslevel=1, mtime=0) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return Layer(_keep(blobs, packed, LAYER), _digest(tar))


def add_image(blobs: Path, layers: Sequence[Layer], config: dict[str, Any]) -> str:
    """Write config and manifest of an image of these layers; gives the manifest's digest."""
    image = {
        "architecture": ARCHITECTURE,
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _keep_json(blobs, image, CONFIG),
        "layers": [layer.descriptor for layer in layers],
    }
    return str(_keep_json(blobs, manifest, MANIFEST)["digest"])


def add_artifact(blobs: Path, file: Path, media_type: str, config_type: str) -> str:
    """Take a file in as the one layer of an artifact; gives the digest of its manifest."""
    title = {"org.opencontainers.image.title": file.name}
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _keep_json(blobs, {}, config_type),
        "layers": [_keep(blobs, file, media_type) | {"annotations": title}],
    }
    return str(_keep_json(blobs, manifest, MANIFEST)["digest"])


def push(blobs: Path, digest: str, registry: str, repository: str, tag: str) -> None:
    """Push an image from the blobs, its manifest last, to a registry without authentication."""
    manifest = json.loads(_blob(blobs, digest))
    for blob in (manifest["config"], *manifest["layers"]):
        upload = _request(registry, "POST", f"/v2/{repository}/blobs/uploads/")
        joint = "&" if "?" in upload else "?"
        data = _blob(blobs, blob["digest"])
        _request(registry, "PUT", f"{upload}{joint}digest={blob['digest']}", data)
    address = f"/v2/{repository}/manifests/{tag}"
    _request(registry, "PUT", address, _blob(blobs, digest), MANIFEST)


def _request(
    registry: str, method: str, address: str, data: bytes = b"", media_type: str = BINARY
) -> str:
    """Ask the registry; gives the location that it answers."""
    connection = http.client.HTTPConnection(registry, timeout=60)
    try:
        path = address.removeprefix(f"http://{registry}")
        connection.request(method, path, data, {"Content-Type": media_type})
        response = connection.getresponse()
        body = response.read()
    except OSError as error:
        raise SetupError(f"The registry at {registry} does not answer: {error}.") from error
    finally:
        connection.close()
    if response.status not in (http.client.CREATED, http.client.ACCEPTED):
        raise SetupError(f"The registry at {registry} refused {method} {path}: {body.decode()}")
    return response.headers.get("Location", "")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _blob(blobs: Path, digest: str) -> bytes:
    return (blobs / digest.removeprefix("sha256:")).read_bytes()


def _keep_json(blobs: Path, value: dict[str, Any], media_type: str) -> dict[str, Any]:
    path = blobs / "json.new"
    path.write_text(json.dumps(value))
    return _keep(blobs, path, media_type)


def _keep(blobs: Path, path: Path, media_type: str) -> dict[str, Any]:
    digest, size = _digest(path), path.stat().st_size
    path.rename(blobs / digest.removeprefix("sha256:"))
    return {"mediaType": media_type, "digest": digest, "size": size}
