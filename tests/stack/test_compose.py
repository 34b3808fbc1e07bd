"""What `environment convert --to compose` writes, as Docker Compose itself reads it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config.convert import converted
from tests.docker import Docker
from tests.unit.configs import example

SERVICES = ("api-gateway", "consciousness-engine", "proxy", "web-ui")


def merged(docker: Docker, folder: Path, overlay: str, **environment: str) -> dict[str, Any]:
    """Let Compose put an overlay on top of a project in which every service has a variable."""
    project = {
        "services": {
            name: {"image": "scratch", "environment": {"API_GATEWAY_CORS_ORIGINS": "of before"}}
            for name in SERVICES
        }
    }
    (folder / "compose.yml").write_text(yaml.safe_dump(project))
    (folder / "overlay.yml").write_text(overlay)
    files = [f"--file={folder}/{name}.yml" for name in ("compose", "overlay")]
    known = Docker({**docker.environment, **environment})
    services: dict[str, Any] = json.loads(known("compose", *files, "config", "--format=json"))
    return dict(services["services"])


@pytest.mark.parametrize("environment", ["development", "staging", "production"])
def test_compose_takes_values_and_limits(docker: Docker, tmp_path: Path, environment: str) -> None:
    configuration = example().one(environment)
    overlay = converted(configuration, "compose")
    services = merged(docker, tmp_path, overlay, DATABASE_URL="postgres://somewhere")
    engine = services["consciousness-engine"]
    timeout = {"development": "1000", "staging": "150", "production": "100"}[environment]
    assert engine["environment"]["CONSCIOUSNESS_ENGINE_PROCESSING_TIMEOUT_MS"] == timeout
    assert engine["environment"]["DATABASE_URL"] == "postgres://somewhere"
    # What an environment doesn't set is taken out of what stood there before.
    origins = services["api-gateway"]["environment"].get("API_GATEWAY_CORS_ORIGINS")
    assert origins == ("http://localhost:5173" if environment == "development" else None)
    replicas = {"development": 1, "staging": 2, "production": 3}[environment]
    assert engine["deploy"]["replicas"] == replicas


def test_compose_says_which_secret_is_missing(docker: Docker, tmp_path: Path) -> None:
    overlay = converted(example().one("staging"), "compose")
    with pytest.raises(AssertionError, match="DATABASE_URL"):
        merged(docker, tmp_path, overlay)
