"""An image as an OCI image layout: completed here, byte for byte what is scanned and published.

The engine leaves out what its API has no word for: the health check and the stop signal (Docker's
own fields of the image config), the commit's time in place of the build's, and annotations on the
index. All of that is in a few small JSON blobs; the layers stay as the engine wrote them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
SECOND = 10**9
"""Docker counts a health check's times in nanoseconds."""

HEALTH_CHECK_SECONDS = {"Interval": 10, "Timeout": 3, "StartPeriod": 10, "StartInterval": 1}
HEALTH_CHECK_RETRIES = 3
MADE_BY_ENGINE = "buildkit.exporter.image.v0"
"""What an engine's exporter says beside a layer of which no Dockerfile told how it came to be."""


@dataclass(frozen=True)
class Additions:
    """What the engine can't write into an image. `timestamp` is in seconds."""

    health_check: Sequence[str]
    stop_signal: str
    timestamp: int
    annotations: Mapping[str, str]


@dataclass(frozen=True)
class Layout:
    """A completed layout: the digests, and the blobs that stand for the engine's own."""

    digest: str
    platforms: Mapping[str, str]
    index_json: str
    written: Mapping[str, str]
    replaced: Sequence[str]


def blob_path(digest: str) -> str:
    """Give a blob's place in a layout."""
    return "blobs/" + digest.replace(":", "/")


def descriptors(text: str) -> list[dict[str, Any]]:
    """List the descriptors of an index, or of a layout's index.json."""
    found: list[dict[str, Any]] = json.loads(text)["manifests"]
    return found


def index_of(*entries: Mapping[str, Any]) -> str:
    """Write the index.json of a layout that has these."""
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})


def platform_of(entry: Mapping[str, str]) -> str:
    """Name the platform of a descriptor's `platform`, or of a config: linux/arm/v7."""
    parts = (entry.get("os"), entry.get("architecture"), entry.get("variant"))
    name = "/".join(part for part in parts if part)
    return "linux/arm64" if name == "linux/arm64/v8" else name


def config_digests(manifests: Iterable[str]) -> list[str]:
    """List the digests of the configs that manifests name."""
    return [json.loads(text)["config"]["digest"] for text in manifests]


def complete(
    manifests: Mapping[str, str], configs: Mapping[str, str], additions: Additions
) -> Layout:
    """Complete the image that these manifests and configs (digest → text) are.

    The result is always an index, for one platform too, sorted by platform: the engine lists
    them in any order, and the same image must have the same digest.
    """
    written: dict[str, str] = {}
    entries: dict[str, dict[str, Any]] = {}
    for text in manifests.values():
        manifest = json.loads(text)
        config = _completed_config(json.loads(configs[manifest["config"]["digest"]]), additions)
        manifest["config"] |= _stored(config, written)
        manifest["annotations"] = dict(additions.annotations)
        platform = {"architecture": config["architecture"], "os": config["os"]}
        descriptor = {"mediaType": manifest["mediaType"], **_stored(manifest, written)}
        entries[f"{config['os']}/{config['architecture']}"] = {**descriptor, "platform": platform}
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [entries[name] for name in sorted(entries)],
        "annotations": dict(additions.annotations),
    }
    root = {"mediaType": INDEX, **_stored(index, written)}
    return Layout(
        digest=root["digest"],
        platforms={name: entry["digest"] for name, entry in entries.items()},
        index_json=index_of(root),
        written=written,
        replaced=[digest for digest in (*manifests, *configs) if digest not in written],
    )


def _completed_config(config: dict[str, Any], additions: Additions) -> dict[str, Any]:
    created = datetime.fromtimestamp(additions.timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    config["created"] = created
    # Scanners read what was done to an image in its history, a health check among it.
    added = {"created_by": "HEALTHCHECK", "comment": "pipeline", "empty_layer": True}
    config["history"] = [*config.get("history", []), added]
    for step in config["history"]:
        step["created"] = created
        if step.get("comment") == MADE_BY_ENGINE:
            # Each version of the engine names its own steps here: the digest would be another.
            step |= {"created_by": "COPY layer /", "comment": "pipeline"}
    config["config"] |= {
        "StopSignal": additions.stop_signal,
        "Healthcheck": {
            "Test": ["CMD", *additions.health_check],
            **{name: seconds * SECOND for name, seconds in HEALTH_CHECK_SECONDS.items()},
            "Retries": HEALTH_CHECK_RETRIES,
        },
    }
    return config


def _stored(content: Mapping[str, Any], blobs: dict[str, str]) -> dict[str, Any]:
    text = json.dumps(content, separators=(",", ":"))
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    blobs[digest] = text
    return {"digest": digest, "size": len(text.encode())}
