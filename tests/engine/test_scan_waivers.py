"""`scan waivers`: each scanner, by itself and with its own file, leaves out what is waived."""

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import dagger_call
from tests.engine.test_scan import DOCKERFILE, repository
from tests.module import pushed
from tests.scanners import ARCHIVES, DATABASES, GRYPE_ALONE, SETTINGS, TRIVY_ALONE, said

pytestmark = pytest.mark.usefixtures("engine", "scanners")
WAIVED = {
    "CVE-2021-44906": "pkg:npm/minimist",
    "github-pat": "app/settings.env",
    "DS-0010": DOCKERFILE,
}
Scan = Callable[..., set[str]]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = repository(tmp_path_factory.mktemp("waived"), "affected")
    rest = {"reason": "an example", "owner": "tests", "expires": "2999-12-31"}
    waivers = [{"id": id_, "package": package, **rest} for id_, package in WAIVED.items()]
    waivers[0]["justification"] = "vulnerable_code_not_in_execute_path"
    (source / "config").mkdir()
    text = yaml.safe_dump({"waivers": waivers}).replace("'2999-12-31'", "2999-12-31")
    (source / "config/waivers.yml").write_text(text)
    return source


@pytest.fixture(scope="module")
def files(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    words = [*DATABASES, "images", "scan", "waivers", "export", f"--path={folder}"]
    called = dagger_call(*words, source=source)
    assert called.status == 0, called.progress[-3000:]
    assert {path.name for path in folder.iterdir()} == {
        "openvex.json",
        ".trivyignore.yaml",
        ".grype.yaml",
    }
    return folder


@pytest.fixture(scope="module")
def trivy(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    cache = tmp_path_factory.mktemp("trivy")
    with tarfile.open(ARCHIVES["trivy"]) as archive:
        archive.extractall(cache / "db", filter="data")

    def scan(*arguments: str | Path) -> set[str]:
        report = said(
            "trivy",
            *(*arguments, "--quiet", "--format=json", "--skip-check-update"),
            TRIVY_CACHE_DIR=str(cache),
            TRIVY_SKIP_DB_UPDATE="true",
            **TRIVY_ALONE,
        )
        return {
            found.get("VulnerabilityID") or found.get("RuleID") or found["ID"]
            for result in report.get("Results", [])
            for kind in ("Vulnerabilities", "Secrets", "Misconfigurations")
            for found in result.get(kind, [])
        }

    return scan


@pytest.fixture(scope="module")
def grype(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    alone = {**GRYPE_ALONE, "GRYPE_DB_CACHE_DIR": str(tmp_path_factory.mktemp("grype"))}
    said("grype", "--quiet", "db", "import", ARCHIVES["grype"], **alone)

    def scan(*arguments: str | Path) -> set[str]:
        report = said("grype", *arguments, "--quiet", "--output=json", **alone)
        return {found["artifact"]["name"] for found in report["matches"]}

    return scan


def test_trivy_leaves_out_what_is_waived_and_nothing_else(
    source: Path, files: Path, trivy: Scan
) -> None:
    ignored = f"--ignorefile={files / '.trivyignore.yaml'}"
    image = ["rootfs", "--scanners=vuln,secret", source / "services/vulnerable/root"]
    assert trivy(*image) - trivy(*image, ignored) == {"CVE-2021-44906", "github-pat"}
    sources = ["config", source]
    assert trivy(*sources) - trivy(*sources, ignored) == {"DS-0010"}


def test_grype_leaves_out_what_is_waived_and_nothing_else(
    source: Path, files: Path, grype: Scan
) -> None:
    root = f"dir:{source / 'services/vulnerable/root'}"
    assert grype(root) - grype(root, f"--config={files / '.grype.yaml'}") == {"minimist"}


@pytest.fixture(scope="module")
async def published(source: Path) -> str:
    """The image in a registry, where its digest is known."""
    image = await pushed(source, f"{SETTINGS.registry}/waived")
    return image.references[0]


def test_openvex_tells_both_scanners_of_the_image_that_is_not_affected(
    published: str, files: Path, trivy: Scan, grype: Scan
) -> None:
    vex = f"--vex={files / 'openvex.json'}"
    image = ["image", "--platform=linux/amd64", "--scanners=vuln", published]
    assert trivy(*image) - trivy(*image, vex) == {"CVE-2021-44906"}
    image = [f"registry:{published}", "--platform=linux/amd64"]
    assert grype(*image) - grype(*image, vex) == {"minimist"}
