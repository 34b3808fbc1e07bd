"""What a registry says of images without their layers, and whether it is what was asked for."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from pipeline.build.layout import INDEX
from pipeline.engine.batch import CommandResult
from pipeline.security.manifests import NoSuchImageError, digest_of, read_manifests

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SHOP = "ghcr.io/acme/shop"


class Registry:
    """What regctl says of a registry: texts by name, in as many rounds as there were."""

    def __init__(self) -> None:
        self.manifests: dict[str, str] = {}
        self.configs: dict[str, str] = {}
        self.rounds = 0

    def image(self, repository: str, architecture: str) -> dict[str, Any]:
        """Keep an image on one platform, and give its descriptor."""
        config = json.dumps({"os": "linux", "architecture": architecture, "config": {}})
        manifest = json.dumps(
            {"mediaType": MANIFEST, "config": {"digest": digest_of(config)}, "layers": []}
        )
        name = f"{repository}@{digest_of(manifest)}"
        self.manifests[name], self.configs[name] = manifest, config
        return {"mediaType": MANIFEST, "digest": digest_of(manifest), "size": len(manifest)}

    def index(self, repository: str, *architectures: str, tag: str = "1") -> str:
        """Keep an image on several platforms under a tag and its digest, and give this."""
        entries = [
            {**self.image(repository, each), "platform": {"os": "linux", "architecture": each}}
            for each in architectures
        ]
        nothing = {"os": "unknown", "architecture": "unknown"}
        entries.append({**entries[0], "digest": "sha256:0", "platform": nothing})
        text = json.dumps({"mediaType": INDEX, "manifests": entries})
        self.manifests[f"{repository}:{tag}"] = text
        self.manifests[f"{repository}@{digest_of(text)}"] = text
        return digest_of(text)

    async def run(self, commands: Sequence[Sequence[str]]) -> list[CommandResult]:
        """Answer as regctl does."""
        self.rounds += 1
        return [self._said(*command) for command in commands]

    def _said(self, program: str, noun: str, verb: str, how: str, name: str) -> CommandResult:
        assert (program, how) == ("regctl", "--format=raw-body")
        texts = {"manifest get": self.manifests, "image inspect": self.configs}[f"{noun} {verb}"]
        if name in texts:
            return CommandResult(succeeded=True, output=texts[name], errors="")
        said = f"failed to get manifest {name}: request failed: not found [http 404]"
        return CommandResult(succeeded=False, output="", errors=said)


@pytest.fixture
def registry() -> Registry:
    return Registry()


async def test_all_images_are_read_in_two_rounds(registry: Registry) -> None:
    names = [f"ghcr.io/acme/{name}" for name in ("a", "b", "c", "d")]
    digests = [registry.index(name, "amd64", "arm64") for name in names]
    images = await read_manifests([f"{name}:1" for name in names], registry.run)
    assert registry.rounds == 2
    assert [image.digest for image in images] == digests
    assert [image.reference for image in images] == [f"{name}:1" for name in names]
    for image in images:
        assert list(image.platforms) == ["linux/amd64", "linux/arm64"]
        assert [each.config["architecture"] for each in image.chosen([])] == ["amd64", "arm64"]


async def test_an_image_without_an_index_is_its_own_platform(registry: Registry) -> None:
    entry = registry.image(SHOP, "arm64")
    [image] = await read_manifests([f"{SHOP}@{entry['digest']}"], registry.run)
    assert image.digest == entry["digest"]
    assert image.platforms["linux/arm64"].descriptor == entry


async def test_an_image_that_isnt_there_is_named(registry: Registry) -> None:
    registry.index(SHOP, "amd64")
    with pytest.raises(NoSuchImageError, match=r"^ghcr.io/acme/none:1 can't be read"):
        await read_manifests([f"{SHOP}:1", "ghcr.io/acme/none:1"], registry.run)


async def test_a_platform_that_isnt_there_is_named(registry: Registry) -> None:
    digest = registry.index(SHOP, "amd64")
    [entry] = json.loads(registry.manifests[f"{SHOP}@{digest}"])["manifests"][:1]
    del registry.manifests[f"{SHOP}@{entry['digest']}"]
    with pytest.raises(NoSuchImageError, match=f"^{SHOP}:1 can't be read"):
        await read_manifests([f"{SHOP}:1"], registry.run)


async def test_platforms_are_chosen(registry: Registry) -> None:
    registry.index(SHOP, "amd64", "arm64")
    [image] = await read_manifests([f"{SHOP}:1"], registry.run)
    assert [each.name for each in image.chosen(["linux/arm64"])] == ["linux/arm64"]
    with pytest.raises(NoSuchImageError, match="has no linux/s390x: it has linux/amd64, linux/ar"):
        image.chosen(["linux/s390x"])


async def test_an_image_of_nothing_that_runs_is_no_image(registry: Registry) -> None:
    registry.manifests[f"{SHOP}:1"] = json.dumps({"mediaType": INDEX, "manifests": []})
    [image] = await read_manifests([f"{SHOP}:1"], registry.run)
    with pytest.raises(NoSuchImageError, match="has no platform"):
        image.chosen([])


@pytest.mark.parametrize("changed", ["index", "manifest", "config"])
async def test_what_isnt_what_its_digest_names_is_refused(registry: Registry, changed: str) -> None:
    digest = registry.index(SHOP, "amd64")
    reference = f"{SHOP}@{digest}"
    [entry] = json.loads(registry.manifests[reference])["manifests"][:1]
    platform = f"{SHOP}@{entry['digest']}"
    texts, name = {
        "index": (registry.manifests, reference),
        "manifest": (registry.manifests, platform),
        "config": (registry.configs, platform),
    }[changed]
    texts[name] += " "
    with pytest.raises(NoSuchImageError, match="what the registry gives isn't what sha256:"):
        await read_manifests([reference], registry.run)


@pytest.mark.parametrize("digest", ["md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:"])
async def test_a_digest_that_proves_nothing_is_refused(registry: Registry, digest: str) -> None:
    registry.index(SHOP, "amd64")
    registry.manifests[f"{SHOP}@{digest}"] = registry.manifests[f"{SHOP}:1"]
    with pytest.raises(NoSuchImageError, match="isn't what"):
        await read_manifests([f"{SHOP}@{digest}"], registry.run)
