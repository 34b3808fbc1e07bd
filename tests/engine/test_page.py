"""The page in a real Chromium, on the published images: from the browser to the database."""

from typing import Any

import dagger
import pytest
from dagger import dag

from tests.conftest import ROOT
from tests.engine.conftest import Registry
from tests.engine.stack import stack

# Left for people to look at.
SCREENSHOTS = ROOT / ".pytest_cache/screenshots"
VIEWS = 4


def chromium() -> dagger.Container:
    return (
        dag.container()
        .from_("node:22-trixie-slim")
        .with_exec(["apt-get", "update", "-qq"])
        .with_exec(["apt-get", "install", "-qqy", "--no-install-recommends", "chromium"])
    )


def page() -> dagger.Container:
    sources = dag.host().directory(str(ROOT / "services/web-ui"), exclude=["node_modules", "dist"])
    manifests = sources.filter(include=["package.json", "package-lock.json", ".npmrc"])
    return (
        chromium()
        .with_mounted_cache("/npm-cache", dag.cache_volume("pipeline-npm"))
        .with_env_variable("npm_config_cache", "/npm-cache")
        .with_workdir("/src")
        .with_directory("/src", manifests)
        .with_exec(["npm", "ci", "--no-audit", "--no-fund"])
        .with_directory("/src", sources)
    )


@pytest.mark.usefixtures("engine")
async def test_the_page_from_end_to_end(published: dict[str, Any], registry: Registry) -> None:
    entry = stack(registry, published, "proxy", "linux/amd64")
    tested = (
        page()
        .with_service_binding("proxy", entry)
        .with_env_variable("BASE_URL", "http://proxy:8080")
        .with_env_variable("SCREENSHOT_DIR", "/screenshots")
        .with_exec(["npm", "run", "e2e"])
    )
    screenshots = tested.directory("/screenshots")
    await screenshots.export(str(SCREENSHOTS), wipe=True)
    assert len(await screenshots.entries()) >= VIEWS
