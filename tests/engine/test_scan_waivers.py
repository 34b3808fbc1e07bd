"""`scan waivers`: each scanner, by itself and with its own file, leaves out what is waived."""

import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.settings import Settings
from tests.conftest import dagger_call
from tests.engine.test_scan import DOCKERFILE, repository
from tests.scanners import DATABASES

SETTINGS = Settings.from_environment()
WAIVED = {
    "CVE-2021-44906": "pkg:npm/minimist",
    "github-pat": "app/settings.env",
    "DS-0002": DOCKERFILE,
}
Scan = Callable[..., set[str]]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = repository(tmp_path_factory.mktemp("waived"), "affected")
    rest = {"reason": "an example", "owner": "tests", "expires": "2999-12-31"}
    waivers = [{"id": id_, "package": package, **rest} for id_, package in WAIVED.items()]
    (source / "config").mkdir()
    text = yaml.safe_dump({"waivers": waivers}).replace("'2999-12-31'", "2999-12-31")
    (source / "config/waivers.yml").write_text(text)
    return source


@pytest.fixture(scope="module")
def files(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    called = dagger_call("scan", *DATABASES, "waivers", "export", f"--path={folder}", source=source)
    assert called.status == 0, called.progress[-3000:]
    assert {path.name for path in folder.iterdir()} == {
        "openvex.json",
        ".trivyignore.yaml",
        ".grype.yaml",
    }
    return folder


def said(program: str, *arguments: str | Path, **environment: str) -> Any:
    done = subprocess.run(
        [SETTINGS.scanners / program, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


@pytest.fixture(scope="module")
def trivy(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    cache = tmp_path_factory.mktemp("trivy")
    with tarfile.open(SETTINGS.databases / "trivy-db.tar.gz") as archive:
        archive.extractall(cache / "db", filter="data")

    def scan(*arguments: str | Path) -> set[str]:
        report = said(
            "trivy",
            *(*arguments, "--quiet", "--format=json", "--skip-check-update"),
            TRIVY_CACHE_DIR=str(cache),
            TRIVY_SKIP_DB_UPDATE="true",
            TRIVY_SKIP_VERSION_CHECK="true",
            TRIVY_OFFLINE_SCAN="true",
        )
        return {
            found.get("VulnerabilityID") or found.get("RuleID") or found["ID"]
            for result in report.get("Results", [])
            for kind in ("Vulnerabilities", "Secrets", "Misconfigurations")
            for found in result.get(kind, [])
        }

    return scan


def test_trivy_leaves_out_what_is_waived_and_nothing_else(
    source: Path, files: Path, trivy: Scan
) -> None:
    ignored = f"--ignorefile={files / '.trivyignore.yaml'}"
    image = ["rootfs", "--scanners=vuln,secret", source / "services/vulnerable/root"]
    assert trivy(*image) - trivy(*image, ignored) == {"CVE-2021-44906", "github-pat"}
    sources = ["config", source]
    assert trivy(*sources) - trivy(*sources, ignored) == {"DS-0002"}


def test_grype_leaves_out_what_is_waived_and_nothing_else(
    source: Path, files: Path, tmp_path: Path
) -> None:
    offline = {
        "GRYPE_DB_CACHE_DIR": str(tmp_path),
        "GRYPE_DB_AUTO_UPDATE": "false",
        "GRYPE_DB_VALIDATE_AGE": "false",
        "GRYPE_CHECK_FOR_APP_UPDATE": "false",
    }
    said("grype", "--quiet", "db", "import", SETTINGS.databases / "grype-db.tar.gz", **offline)

    def scan(*arguments: str) -> set[str]:
        root = f"dir:{source / 'services/vulnerable/root'}"
        report = said("grype", root, "--quiet", "--output=json", *arguments, **offline)
        return {found["artifact"]["name"] for found in report["matches"]}

    assert scan() - scan(f"--config={files / '.grype.yaml'}") == {"minimist"}


def test_openvex_is_about_the_images_that_were_scanned(files: Path) -> None:
    [statement] = json.loads((files / "openvex.json").read_text())["statements"]
    assert statement["vulnerability"]["name"] == "CVE-2021-44906"
    assert len(statement["products"]) == 2
    for product in statement["products"]:
        assert product["@id"].startswith("pkg:oci/vulnerable@sha256%3A")
