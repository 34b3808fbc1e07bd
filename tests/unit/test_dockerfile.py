"""The generated Dockerfiles: fresh where one is checked in, without a finding, safe to write."""

import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import pytest

from pipeline.build.cargo import RustSources, Workspace
from pipeline.build.dockerfile import UnwritableError, rust_dockerfile, web_dockerfile
from pipeline.build.steps import HEALTH_CHECK_SOURCE, NGINX_SCRIPT, npm_manifests
from pipeline.catalogue.catalogue import IMAGES_FILE, ServiceEntry, load_images, load_services
from pipeline.catalogue.models import RustService, WebService

ROOT = Path(__file__).parents[2]
IMAGES = load_images((ROOT / IMAGES_FILE).read_text(), None)
FILES = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "services"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout.splitlines()


def texts(pattern: str) -> dict[str, str]:
    return {path: (ROOT / path).read_text() for path in FILES if fnmatch(path, pattern)}


SERVICES = [
    entry
    for entry in load_services(texts("services/*/service.yml"))
    if entry.service.kind != "dockerfile"
]
RUST = RustService(kind="rust", name="a", title="A", port=8080, size_limit=1)
WEB = WebService(kind="web", name="a", title="A", port=8080, size_limit=1)


def rust_sources(directory: str) -> RustSources:
    def inside(path: str) -> str:
        return str(PurePosixPath(path).relative_to("services"))

    manifests = {inside(path): text for path, text in texts("*/Cargo.toml").items()}
    rust_files = [inside(path) for path in FILES if path.endswith(".rs")]
    lock = {"Cargo.lock": (ROOT / "services/Cargo.lock").read_text()}
    return RustSources.of(directory, "services", Workspace(manifests, rust_files), lock)


def generated(entry: ServiceEntry) -> str:
    match entry.service:
        case RustService() as service:
            sources = rust_sources(entry.directory)
            return rust_dockerfile(service, entry.directory, IMAGES, sources)
        case WebService() as service:
            manifests = npm_manifests(path.name for path in (ROOT / entry.directory).iterdir())
            return web_dockerfile(service, entry.directory, IMAGES, manifests)
        case _:
            raise AssertionError(entry)


def hadolint(text: str) -> str:
    program = Path(sys.executable).with_name("hadolint")
    result = subprocess.run([program, "-"], input=text, capture_output=True, text=True, check=False)
    assert bool(result.stdout) == bool(result.returncode), result
    return result.stdout


def named(entry: ServiceEntry) -> str:
    return entry.service.name


@pytest.mark.parametrize("entry", SERVICES, ids=named)
def test_hadolint_finds_nothing(entry: ServiceEntry) -> None:
    text = generated(entry)
    assert hadolint(text) == ""
    assert "hadolint" not in text


def test_hadolint_reads_what_is_run() -> None:
    text = generated(SERVICES[0])
    assert "DL3008" in hadolint(text.replace("/$VERSION_CODENAME", ""))


@pytest.mark.parametrize("entry", SERVICES, ids=named)
def test_a_dockerfile_that_is_checked_in_is_fresh(entry: ServiceEntry) -> None:
    path = f"{entry.directory}/Dockerfile"
    if (ROOT / path).exists():
        assert (ROOT / path).read_text() == generated(entry), (
            f"{path} is stale. Regenerate it:\n"
            f"dagger call service --name {entry.service.name} dockerfile export --path {path}"
        )


def test_one_is_checked_in() -> None:
    assert list(ROOT.glob("services/*/Dockerfile"))


@pytest.mark.parametrize("entry", SERVICES, ids=named)
def test_nothing_foreign_is_run(entry: ServiceEntry) -> None:
    stages = [line.split() for line in generated(entry).splitlines() if line.startswith("FROM ")]
    names = {words[-1] for words in stages if "AS" in words} | {
        *("${TARGETARCH}-toolchain", "${TARGETARCH}-nginx"),
    }
    for words in stages[:-1]:
        assert words[1] == "--platform=$BUILDPLATFORM" or words[1] in names
    assert stages[-1] == ["FROM", "scratch"]


def test_programs_are_written_whole() -> None:
    text = web_dockerfile(WEB, "services/a", IMAGES, [])
    for program in (HEALTH_CHECK_SOURCE, NGINX_SCRIPT):
        assert f"<<'EOF' {program}" not in text
        assert f"\n{program}EOF\n" in text


def test_without_a_script_there_is_no_site() -> None:
    text = web_dockerfile(WEB, "services/a", IMAGES, [])
    assert "npm" not in text
    assert "/srv/www" not in text


def test_quotes_of_labels() -> None:
    service = WEB.model_copy(update={"title": 'the "best" \\ $5', "labels": {"org.a": "b"}})
    text = web_dockerfile(service, "services/a", IMAGES, [])
    assert r'LABEL org.opencontainers.image.title="the \"best\" \\ \$5"' in text
    assert '\n    org.a="b"\n' in text
    assert hadolint(text) == ""


@pytest.mark.parametrize(
    "update",
    [
        {"title": "one\nRUN two"},
        {"labels": {"a b": "c"}},
        {"labels": {"a": "c\n"}},
        {"build": WEB.build.model_copy(update={"nginx": "$HOME/nginx conf"})},
    ],
)
def test_what_a_dockerfile_cannot_say(update: dict[str, object]) -> None:
    with pytest.raises(UnwritableError):
        web_dockerfile(WEB.model_copy(update=update), "services/a", IMAGES, [])


def test_a_workspace_at_the_root() -> None:
    sources = RustSources.of(
        ".", ".", Workspace({"Cargo.toml": "[package]\nname = 'a'"}, ["src/main.rs"]), {}
    )
    text = rust_dockerfile(RUST, ".", IMAGES, sources)
    assert "\nCOPY Cargo.toml ./\n" in text
    assert "\nCOPY ./ /crates/\n" in text
    assert "docker build -f Dockerfile ." in text
    assert hadolint(text) == ""
