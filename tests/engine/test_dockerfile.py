"""The generated Dockerfile gives the image of the typed build: the same files, the same config."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import dagger
import pytest
from dagger import dag

from pipeline.build.dockerfile import COMMIT
from tests.conftest import ROOT, dagger_call
from tests.engine.conftest import Registry
from tests.engine.test_images import PLATFORMS, platform_of, repository

SERVICES = ["api-gateway", "web-ui"]
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


def read_published(registry: Registry, name: str, digest: str) -> Image:
    manifest = registry.manifest(name, digest)
    blobs = [registry.blob(name, entry["digest"]) for entry in manifest["layers"]]
    return read_image(registry.blob(name, manifest["config"]["digest"]), blobs)


def read_tarball(path: Path) -> Image:
    with tarfile.open(path) as archive:

        def read(name: str) -> bytes:
            content = archive.extractfile(name)
            assert content
            return content.read()

        def blob(entry: dict[str, Any]) -> bytes:
            return read("blobs/" + entry["digest"].replace(":", "/"))

        [root] = json.loads(read("index.json"))["manifests"]
        manifest = json.loads(blob(root))
        return read_image(blob(manifest["config"]), map(blob, manifest["layers"]))


def dockerfile_of(service: str) -> str:
    called = dagger_call("service", f"--name={service}", "dockerfile", "contents")
    assert called.status == 0, called.progress[-3000:]
    return called.output


async def built(service: str, platform: str, labels: dict[str, str], folder: Path) -> Image:
    """Build the Dockerfile as `docker build -f services/<service>/Dockerfile .` does."""
    path = f"services/{service}/Dockerfile"
    source = dag.host().directory(str(ROOT)).with_new_file(path, dockerfile_of(service))
    container = source.docker_build(
        platform=dagger.Platform(platform),
        dockerfile=path,
        build_args=[dagger.BuildArg(name, labels.get(OCI + name.lower(), "")) for name in COMMIT],
    )
    tarball = folder / "image.tar"
    await container.as_tarball().export(str(tarball))
    return read_tarball(tarball)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(("service", "platform"), BOTH)
async def test_it_gives_the_same_image(
    published: dict[str, Any], registry: Registry, tmp_path: Path, service: str, platform: str
) -> None:
    entry = platform_of(published, service, platform)
    typed = read_published(registry, repository(service), entry["digest"])
    image = await built(service, platform, typed.config["Labels"], tmp_path)
    assert image.files == typed.files
    assert image.size == typed.size == entry["size"]
    for field in ("User", "Entrypoint", "ExposedPorts", "StopSignal", "Cmd", "Env", "WorkingDir"):
        assert image.config.get(field) == typed.config.get(field), field
    # A label without a value is one that the typed build leaves out.
    labels = {name: value for name, value in image.config["Labels"].items() if value}
    assert labels == typed.config["Labels"]


@pytest.mark.parametrize("service", SERVICES)
def test_the_health_check_is_the_same(
    published: dict[str, Any], registry: Registry, service: str
) -> None:
    # The engine drops it from what it builds of a Dockerfile, so this compares the text.
    entry = platform_of(published, service, PLATFORMS[0])
    config = read_published(registry, repository(service), entry["digest"]).config
    check = config["Healthcheck"]
    interval, timeout, period, start = (
        check[name] // SECOND for name in ("Interval", "Timeout", "StartPeriod", "StartInterval")
    )
    assert (
        f"HEALTHCHECK --interval={interval}s --timeout={timeout}s --start-period={period}s"
        f" --start-interval={start}s --retries={check['Retries']}"
        f" CMD {json.dumps(check['Test'][1:])}"
    ) in dockerfile_of(service).splitlines()


@pytest.mark.usefixtures("engine")
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


def test_a_service_with_its_own_has_none_generated(tmp_path: Path) -> None:
    folder = tmp_path / "services" / "own"
    folder.mkdir(parents=True)
    (folder / "service.yml").write_text(
        "name: own\ntitle: Own\nkind: dockerfile\nport: 8080\nsize_limit: 1 MB\n"
        "build:\n  context: image\n"
    )
    called = dagger_call("service", "--name=own", "dockerfile", "contents", source=tmp_path)
    assert called.status != 0
    assert called.message == "own has a Dockerfile of its own: services/own/image/Dockerfile"
