"""The generated Dockerfile gives the image of the typed build: the same files, the same config."""

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import dagger
import pytest
from dagger import dag

from pipeline.build.dockerfile import COMMIT
from pipeline.build.engine.build import Build
from pipeline.build.layout import blob_path
from tests.conftest import ROOT
from tests.engine.test_images import PLATFORMS
from tests.module import folder, pipeline, refusal

pytestmark = pytest.mark.usefixtures("engine")

SHOP = Path(__file__).with_name("shop")
"""A repository of a Rust service and a page, each small, made of what larger ones are made of."""

SERVICES = ["front-door", "shop-window"]
BOTH = [(service, platform) for service in SERVICES for platform in PLATFORMS]
OCI = "org.opencontainers.image."
SECOND = 10**9


class Image(NamedTuple):
    """An image as it is stored: its config, and its files with what they are."""

    config: dict[str, Any]
    files: dict[str, tuple[bytes, str, int, int, str]]
    size: int


def read_image(config: bytes, layers: Iterable[bytes]) -> Image:
    files = {}
    sizes = {}
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                digest = hashlib.sha256(content.read()).hexdigest() if content else ""
                name = member.name.strip("./")
                files[name] = (member.type, oct(member.mode), member.uid, member.gid, digest)
                sizes[name] = member.size
    return Image(json.loads(config)["config"], files, sum(sizes.values()))


def read_layout(layout: Path, digest: str) -> Image:
    """Read an image of an OCI layout by its manifest's digest."""

    def blob(digest: str) -> bytes:
        return (layout / blob_path(digest)).read_bytes()

    manifest = json.loads(blob(digest))
    layers = [blob(layer["digest"]) for layer in manifest["layers"]]
    return read_image(blob(manifest["config"]["digest"]), layers)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small repository with a history, which labels tell of."""
    copied = tmp_path_factory.mktemp("shop") / "shop"
    shutil.copytree(SHOP, copied)
    git = ["git", "-c", "user.name=me", "-c", "user.email=me@example.org"]
    for command in (
        ["init", "--quiet"],
        ["remote", "add", "origin", "https://example.org/shop.git"],
        ["add", "."],
        ["commit", "--quiet", "--message=Open"],
    ):
        subprocess.run([*git, *command], cwd=copied, check=True)
    return copied


@pytest.fixture(scope="module")
async def build(shop: Path) -> Build:
    """The typed build."""
    return await pipeline(shop).build()


@pytest.fixture(scope="module")
async def typed(
    build: Build, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Image]:
    """Its images, by service and platform."""
    images = {}
    for image in build.images:
        layout = tmp_path_factory.mktemp("layout")
        await image.layout.export(str(layout))
        for each in image.platforms:
            found = images[image.service, each.platform] = read_layout(layout, each.digest)
            assert found.size == each.size
    return images


async def dockerfile_of(repository: Path, service: str) -> str:
    file = await (await pipeline(repository).service(service)).dockerfile()
    return await file.contents()


async def built(
    repository: Path, service: str, platform: str, labels: dict[str, str], place: Path
) -> Image:
    """Build the Dockerfile as `docker build -f services/<service>/Dockerfile .` does."""
    path = f"services/{service}/Dockerfile"
    source = folder(repository).with_new_file(path, await dockerfile_of(repository, service))
    container = source.docker_build(
        platform=dagger.Platform(platform),
        dockerfile=path,
        build_args=[dagger.BuildArg(name, labels.get(OCI + name.lower(), "")) for name in COMMIT],
    )
    await container.as_tarball().export(str(place / "image.tar"))
    shutil.unpack_archive(place / "image.tar", place)
    [root] = json.loads((place / "index.json").read_text())["manifests"]
    return read_layout(place, root["digest"])


@pytest.mark.parametrize(("service", "platform"), BOTH)
async def test_it_gives_the_same_image(
    shop: Path,
    typed: dict[tuple[str, str], Image],
    tmp_path: Path,
    service: str,
    platform: str,
) -> None:
    expected = typed[service, platform]
    assert expected.config["Labels"][f"{OCI}source"] == "https://example.org/shop"
    image = await built(shop, service, platform, expected.config["Labels"], tmp_path)
    assert image.files == expected.files
    assert image.size == expected.size
    for field in ("User", "Entrypoint", "ExposedPorts", "StopSignal", "Cmd", "Env", "WorkingDir"):
        assert image.config.get(field) == expected.config.get(field), field
    # A label without a value is one that the typed build leaves out.
    labels = {name: value for name, value in image.config["Labels"].items() if value}
    assert labels == expected.config["Labels"]


@pytest.mark.parametrize("service", SERVICES)
async def test_the_health_check_is_the_same(
    shop: Path, typed: dict[tuple[str, str], Image], service: str
) -> None:
    # The engine drops it from what it builds of a Dockerfile, so this compares the text.
    check = typed[service, PLATFORMS[0]].config["Healthcheck"]
    interval, timeout, period, start = (
        check[name] // SECOND for name in ("Interval", "Timeout", "StartPeriod", "StartInterval")
    )
    assert (
        f"HEALTHCHECK --interval={interval}s --timeout={timeout}s --start-period={period}s"
        f" --start-interval={start}s --retries={check['Retries']}"
        f" CMD {json.dumps(check['Test'][1:])}"
    ) in (await dockerfile_of(shop, service)).splitlines()


async def test_the_context_is_only_what_images_are_made_from() -> None:
    source = (
        dag.host()
        .directory(str(ROOT))
        .with_new_file("services/web-ui/node_modules/a/index.js", "")
        .with_new_file("services/target/release/a", "")
        .with_new_file("everything", "FROM scratch\nCOPY . /\n")
    )
    context = source.docker_build(dockerfile="everything").rootfs()
    left_out = (".git/**", "**/node_modules/**", "**/target/**")
    assert [await context.glob(pattern) for pattern in left_out] == [[], [], []]
    assert await context.glob("services/web-ui/package.json")


async def test_a_service_with_its_own_has_none_generated(tmp_path: Path) -> None:
    own = tmp_path / "services" / "own"
    own.mkdir(parents=True)
    (own / "service.yml").write_text(
        "name: own\ntitle: Own\nkind: dockerfile\nport: 8080\nsize_limit: 1 MB\n"
        "build:\n  context: image\n"
    )
    message = await refusal(dockerfile_of(tmp_path, "own"))
    assert message == "own has a Dockerfile of its own: services/own/image/Dockerfile"
