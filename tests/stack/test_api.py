"""The API against its own OpenAPI document: everything that it allows, and what it forbids."""

import subprocess
import sys
from pathlib import Path

from tests.stack.conftest import Stack

CHECKS = "--exclude-checks=positive_data_acceptance"  # no schema says which texts score too low


def test_the_api_keeps_to_its_document(stack: Stack, tmp_path: Path) -> None:
    asked = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "run"),
            *(f"{stack.url}/api/v1/openapi.json", f"--origin={stack.url}"),
            *(CHECKS, "--continue-on-failure", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout[-6000:]
    assert "Tested: 3" in asked.stdout
