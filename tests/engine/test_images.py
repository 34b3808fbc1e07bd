"""The published images, pulled back by digest: what they say, hold, weigh, and that they answer."""

import hashlib
import io
import json
import tarfile
from datetime import datetime
from typing import Any

import pytest
from dagger import dag

from tests.engine.conftest import Registry
from tests.engine.stack import PORTS, image_of, pulled, repository, stack

LIMITS = {
    "api-gateway": 5_000_000,
    "consciousness-engine": 6_000_000,
    "proxy": 14_000_000,
    "web-ui": 14_000_000,
}
PLATFORMS = ["linux/amd64", "linux/arm64"]
BOTH = [(service, platform) for service in LIMITS for platform in PLATFORMS]
TOOLS = {
    *("sh", "bash", "dash", "busybox", "apt", "apt-get", "dpkg", "apk", "pip", "npm", "node"),
    *("cargo", "rustc", "gcc", "cc", "ld", "perl", "python3", "curl", "wget"),
}


def platform_of(published: dict[str, Any], service: str, platform: str) -> dict[str, Any]:
    platforms = image_of(published, service)["platforms"]
    return next(entry for entry in platforms if entry["platform"] == platform)


@pytest.mark.parametrize("service", LIMITS)
def test_one_index_names_both_platforms(
    published: dict[str, Any], registry: Registry, service: str
) -> None:
    image = image_of(published, service)
    index = registry.manifest(repository(service), image["digest"])
    named = {
        f"{entry['platform']['os']}/{entry['platform']['architecture']}": entry["digest"]
        for entry in index["manifests"]
    }
    assert named == {entry["platform"]: entry["digest"] for entry in image["platforms"]}
    assert index["annotations"]["org.opencontainers.image.version"] == published["version"]
    assert len(image["references"]) == 2
    for reference in image["references"]:
        name, digest = reference.split("@")
        tag = name.rpartition(":")[2]
        assert digest == image["digest"]
        assert registry.manifest(repository(service), tag) == index


@pytest.mark.parametrize(("service", "platform"), BOTH)
def test_the_config_says_how_to_run_it(
    published: dict[str, Any], registry: Registry, service: str, platform: str
) -> None:
    entry = platform_of(published, service, platform)
    manifest = registry.manifest(repository(service), entry["digest"])
    config = json.loads(registry.blob(repository(service), manifest["config"]["digest"]))
    port = PORTS[service]
    run = config["config"]
    assert f"{config['os']}/{config['architecture']}" == platform
    assert run["User"] == "65532:65532"
    assert run["ExposedPorts"] == {f"{port}/tcp": {}}
    assert run["Healthcheck"]["Test"] == ["CMD", "/healthcheck", str(port), "/health/live"]
    if service in {"api-gateway", "consciousness-engine"}:
        assert run["Entrypoint"] == [f"/{service}"]
    else:
        assert run["Entrypoint"][0] == "/usr/sbin/nginx"
    labels = run["Labels"]
    assert labels["org.opencontainers.image.revision"] == published["revision"]
    assert labels["org.opencontainers.image.version"] == published["version"]
    assert labels["org.opencontainers.image.created"] == config["created"]
    assert labels["org.opencontainers.image.title"]
    assert manifest["annotations"] == labels


@pytest.mark.parametrize(("service", "platform"), BOTH)
def test_the_files_are_only_what_runs(
    published: dict[str, Any], registry: Registry, service: str, platform: str
) -> None:
    entry = platform_of(published, service, platform)
    manifest = registry.manifest(repository(service), entry["digest"])
    sizes: dict[str, int] = {}
    created = manifest["annotations"]["org.opencontainers.image.created"]
    committed = datetime.fromisoformat(created).timestamp()
    for layer in manifest["layers"]:
        content = io.BytesIO(registry.blob(repository(service), layer["digest"]))
        with tarfile.open(fileobj=content) as archive:
            for member in archive:
                # Nothing tells when it was built: the commit's time, or none.
                assert member.mtime in {0, committed}, member
                if member.isfile():
                    assert member.name not in sizes, "in two layers"
                    sizes[member.name] = member.size
                    assert not member.mode & 0o6022, f"{member.name} is writable or setuid"
    assert {name.rpartition("/")[2] for name in sizes} & TOOLS == set()
    assert "healthcheck" in sizes
    assert len(manifest["layers"]) == (
        2 if service in {"api-gateway", "consciousness-engine"} else 3
    )
    assert sum(sizes.values()) == entry["size"]
    assert entry["size"] <= LIMITS[service]


def files_of(registry: Registry, service: str, digest: str) -> dict[str, bytes]:
    """Unpack an image: path → content."""
    files: dict[str, bytes] = {}
    for layer in registry.manifest(repository(service), digest)["layers"]:
        content = io.BytesIO(registry.blob(repository(service), layer["digest"]))
        with tarfile.open(fileobj=content) as archive:
            for member in archive:
                if file := archive.extractfile(member):
                    files[member.name.removeprefix("./")] = file.read()
    return files


@pytest.mark.parametrize("service", ["proxy", "web-ui"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_file_of_a_debian_package_is_as_the_packages_entry_says(
    published: dict[str, Any], registry: Registry, service: str, platform: str
) -> None:
    digest = platform_of(published, service, platform)["digest"]
    files = files_of(registry, service, digest)
    database = "var/lib/dpkg/status.d/"
    entries = {
        name.removeprefix(database)
        for name in files
        if name.startswith(database) and not name.endswith(".md5sums")
    }
    assert {"nginx", "libc6", "libssl3t64"} <= entries
    listed: dict[str, str] = {}
    for name in entries:
        assert f"Package: {name}\n" in files[f"{database}{name}"].decode()
        assert f"usr/share/doc/{name}/copyright" in files
        for line in files[f"{database}{name}.md5sums"].decode().splitlines():
            sum_, path = line.split("  ")
            listed[path] = sum_
    for path, sum_ in listed.items():
        assert hashlib.md5(files[path]).hexdigest() == sum_, path
    programs = {path for path, content in files.items() if content.startswith(b"\x7fELF")}
    assert programs - {"healthcheck"} <= listed.keys()


@pytest.mark.parametrize("service", ["api-gateway", "consciousness-engine"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_binary_names_its_crates(
    published: dict[str, Any], registry: Registry, service: str, platform: str
) -> None:
    digest = platform_of(published, service, platform)["digest"]
    binary = files_of(registry, service, digest)[service]
    assert b".dep-v0" in binary


def test_a_page_names_its_npm_packages(published: dict[str, Any], registry: Registry) -> None:
    digest = platform_of(published, "web-ui", "linux/amd64")["digest"]
    files = files_of(registry, "web-ui", digest)
    [react] = [path for path in files if path.endswith("node_modules/react/package.json")]
    manifest = json.loads(files[react])
    assert (manifest["name"], manifest["license"]) == ("react", "MIT")


def test_the_three_services_of_the_mission_are_small_together(published: dict[str, Any]) -> None:
    for platform in PLATFORMS:
        total = sum(
            platform_of(published, service, platform)["size"]
            for service in ("api-gateway", "consciousness-engine", "web-ui")
        )
        assert total <= 25_000_000


@pytest.mark.parametrize("platform", PLATFORMS)
def test_page_and_proxy_share_their_layers(
    published: dict[str, Any], registry: Registry, platform: str
) -> None:
    layers = []
    for service in ("web-ui", "proxy"):
        digest = platform_of(published, service, platform)["digest"]
        manifest = registry.manifest(repository(service), digest)
        layers.append([layer["digest"] for layer in manifest["layers"]])
    assert layers[0][:2] == layers[1][:2]
    assert layers[0][2] != layers[1][2]


TEXT = "The river was calm. The river carried the small boat, and the boat carried us home."
CURL = "curl --fail-with-body --silent --show-error --max-time 30"
ANALYSES = "http://proxy:8080/api/v1/analyses"


async def said_to(
    published: dict[str, Any], registry: Registry, platform: str, asked: list[str]
) -> str:
    """Ask all services of a platform for their health, then something; gives the answers."""
    client = dag.container().from_("buildpack-deps:trixie-scm")
    for service in PORTS:
        running = stack(registry, published, service, platform)
        client = client.with_service_binding(service, running)
    health = [f"{CURL} http://{name}:{port}/health/live >/dev/null" for name, port in PORTS.items()]
    script = "\n".join([*health, *asked])
    return await client.with_exec(["bash", "-euo", "pipefail", "-c", script]).stdout()


@pytest.mark.usefixtures("engine")
async def test_each_answers_on_another_processor(
    published: dict[str, Any], registry: Registry
) -> None:
    # Emulated, an analysis takes longer than its timeout.
    page = f"{CURL} http://proxy:8080/ | grep --count '<script'"
    assert int(await said_to(published, registry, "linux/arm64", [page])) >= 1


@pytest.mark.usefixtures("engine")
async def test_each_answers_and_a_text_goes_from_the_entry_to_the_database_and_comes_back(
    published: dict[str, Any], registry: Registry
) -> None:
    post = f"{CURL} --json '{json.dumps({'text': TEXT})}' {ANALYSES}"
    asked = [post, "echo", post, "echo", f"{CURL} {ANALYSES}", "echo"]
    asked += [f"{CURL} http://proxy:8080/ | grep --count '<script'"]
    output = await said_to(published, registry, "linux/amd64", asked)
    first, second, listed, scripts = output.splitlines()
    analysis = json.loads(first)
    assert analysis["cached"] is False
    assert 0.8 <= analysis["score"] <= 1
    assert set(analysis["parts"]) == {
        *("readability", "lexical_diversity", "repetition", "coherence"),
    }
    again = json.loads(second)
    assert again["cached"] is True
    assert again["id"] == analysis["id"]
    assert [item["id"] for item in json.loads(listed)["items"]] == [analysis["id"]]
    assert int(scripts) >= 1


CHECKED = """
import subprocess, threading
from http.server import HTTPServer, SimpleHTTPRequestHandler
server = HTTPServer(("127.0.0.1", 8000), SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for arguments in (["8000", "/"], ["8000", "/nothing"], ["8001", "/"], ["8000"], ["no", "/"]):
    ended = subprocess.run(["/healthcheck", *arguments])
    print("alive" if ended.returncode == 0 else "dead")
"""


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_the_health_check_tells_alive_from_dead(
    published: dict[str, Any], registry: Registry, platform: str
) -> None:
    check = pulled(registry, published, "web-ui", platform).file("/healthcheck")
    output = await (
        dag.container()
        .from_("python:3.13-slim")
        .with_file("/healthcheck", check)
        .with_exec(["python3", "-c", CHECKED])
        .stdout()
    )
    assert output.split() == ["alive", "dead", "dead", "dead", "dead"]
