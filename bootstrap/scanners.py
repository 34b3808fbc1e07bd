"""What checks images: scanners, Syft, cosign, conftest, and the databases of the two scanners."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bootstrap import go, oci, vulnerabilities
from bootstrap.programs import Programs
from bootstrap.settings import HERE, Settings
from bootstrap.steps import key_of, make_once, run

PROGRAMS = Programs(
    name="scanners",
    title="Grype, Syft, cosign and conftest, once (4 to 8 minutes)",
    compiled={
        "grype": ("github.com/anchore/grype/cmd/grype", "-X main.version=0.110.0"),
        "syft": ("github.com/anchore/syft/cmd/syft", "-X main.version=1.42.3"),
        "cosign": ("github.com/sigstore/cosign/v3/cmd/cosign", ""),
        "conftest": (
            "github.com/open-policy-agent/conftest",
            "-X github.com/open-policy-agent/conftest/internal/version.Version=0.66.0",
        ),
        "trivy-db": ("github.com/aquasecurity/trivy-db/cmd/trivy-db", ""),
        "grype-db": ("./grype-db", ""),
    },
)
TRIVY = Programs(
    name="trivy", title="Trivy, once (seconds)", compiled={}, wheels={"trivy": "trivy.txt"}
)
TRIVY_SOURCES = ("nvd", "debian", "ghsa")
# A database that is never replaced is not to be looked for again each day: ten years.
TRIVY_INTERVAL = "87600h"
TRIVY_LAYER = "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip"
TRIVY_CONFIG = "application/vnd.aquasec.trivy.config.v1+json"
GRYPE_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
GRYPE_CONFIG = "application/vnd.oci.empty.v1+json"
GRYPE_ARCHIVE = "vulnerability-db_*.tar.gz"


def databases_key() -> str:
    """Say what the databases are made from."""
    return key_of(
        PROGRAMS.key,
        HERE / "scanners.py",
        HERE / "vulnerabilities.py",
        vulnerabilities.FACTS,
        TRIVY_INTERVAL,
        GRYPE_CONFIG,
    )


def make_databases(settings: Settings) -> None:
    """Build both scanners' databases from the facts, each as its scanner takes it from a file.

    Below `grype/` it is as `GRYPE_DB_UPDATE_URL` wants it; `blobs/` has both for a registry.
    """
    log = settings.log("databases")
    facts = vulnerabilities.Facts()

    def make(folder: Path) -> None:
        sources = folder / "sources"
        vulnerabilities.write_vuln_list(facts, sources / "vuln-list")
        _build_trivy(settings, sources / "vuln-list", folder, log)
        workspaces = vulnerabilities.write_workspaces(facts, sources / "vunnel")
        _build_grype(settings, workspaces, folder, log)
        shutil.rmtree(sources)

    make_once(settings.databases, databases_key(), make)


def push_databases(settings: Settings) -> None:
    """Push both databases to the registry: where config/scan.yml looks last."""
    for reference, note in (
        (settings.trivy_database, "trivy.digest"),
        (settings.grype_database, "grype.digest"),
    ):
        repository, tag = reference.removeprefix(f"{settings.registry}/").split(":")
        digest = (settings.databases / note).read_text()
        oci.push(settings.databases / "blobs", digest, settings.registry, repository, tag)


def _build_trivy(settings: Settings, sources: Path, folder: Path, log: Path) -> None:
    database = sources.with_name("trivy")
    command: list[str | Path] = [settings.scanners / "trivy-db", "build", "--cache-dir", sources]
    command += ["--output-dir", database, "--update-interval", TRIVY_INTERVAL]
    for source in TRIVY_SOURCES:
        command += ["--only-update", source]
    # It asks Go for the names of Go's own packages.
    search = f"{go.toolchain(settings) / 'bin'}:{os.environ['PATH']}"
    run(command, log, "Run this again.", environment={**os.environ, "PATH": search})
    archive = _files(folder) / "db.tar.gz"
    pack: list[str | Path] = ["tar", "--create", "--gzip", "--file", archive]
    run([*pack, "--directory", database, "metadata.json", "trivy.db"], log, "Is the disk full?")
    packed = _blobs(folder) / "db.tar.gz"
    shutil.copy(archive, packed)
    digest = oci.add_artifact(packed.parent, packed, TRIVY_LAYER, TRIVY_CONFIG)
    (folder / "trivy.digest").write_text(digest)


def _build_grype(settings: Settings, workspaces: list[Path], folder: Path, log: Path) -> None:
    database = workspaces[0].parent.with_name("grype")
    database.mkdir()
    run([settings.scanners / "grype-db", database, *workspaces], log, "Run this again.")
    (archive,) = database.glob(GRYPE_ARCHIVE)
    served = folder / "grype/v6"
    served.mkdir(parents=True)
    for file in (archive, database / "latest.json"):
        shutil.copy(file, served)
    shutil.copy(archive, _files(folder) / "vulnerability-db.tar.gz")
    # Grype tells the kind of an archive by its name.
    packed = _blobs(folder) / archive.name
    shutil.copy(archive, packed)
    digest = oci.add_artifact(packed.parent, packed, GRYPE_LAYER, GRYPE_CONFIG)
    (folder / "grype.digest").write_text(digest)


def _files(folder: Path) -> Path:
    """Give where both are under the names that `--databases` looks for."""
    files = folder / "files"
    files.mkdir(exist_ok=True)
    return files


def _blobs(folder: Path) -> Path:
    blobs = folder / "blobs"
    blobs.mkdir(exist_ok=True)
    return blobs
