"""The scanners of this machine, and the small databases with which tests scan."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import dagger
from dagger import dag

from bootstrap.settings import Settings

SETTINGS = Settings.from_environment()
PROGRAMS = {"trivy": SETTINGS.trivy, "grype": SETTINGS.scanners / "grype"}
ARCHIVES = {
    "trivy": SETTINGS.databases / "files/db.tar.gz",
    "grype": SETTINGS.databases / "files/vulnerability-db.tar.gz",
}
DATABASES = [f"--databases={SETTINGS.databases / 'files'}"]
"""For repositories that have no config/scan.yml."""
GRYPE_ALONE = {
    "GRYPE_DB_AUTO_UPDATE": "false",
    "GRYPE_DB_VALIDATE_AGE": "false",
    "GRYPE_CHECK_FOR_APP_UPDATE": "false",
    "GRYPE_REGISTRY_INSECURE_USE_HTTP": "true",
}
TRIVY_ALONE = {"TRIVY_SKIP_VERSION_CHECK": "true", "TRIVY_OFFLINE_SCAN": "true"}


def databases(folder: Path = SETTINGS.databases / "files") -> dict[str, dagger.Directory]:
    """Give DATABASES for functions that are called in this process, or those of a folder."""
    return {"databases": dag.host().directory(str(folder))}


def said(program: str, *arguments: str | Path, **environment: str) -> Any:
    """Run a scanner on this machine, and give its report."""
    done = subprocess.run(
        [PROGRAMS[program], *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")
