"""The page in a real Chromium, on the published images: from the browser to the database."""

from typing import Any

import dagger
import pytest

from tests.conftest import ROOT
from tests.engine.conftest import Registry
from tests.engine.page import node, with_page
from tests.engine.stack import stack

# Left for people to look at.
SCREENSHOTS = ROOT / ".pytest_cache/screenshots"
VIEWS = 24


def chromium() -> dagger.Container:
    return (
        node()
        .with_exec(["apt-get", "update", "-qq"])
        .with_exec(["apt-get", "install", "-qqy", "--no-install-recommends", "chromium"])
    )


@pytest.mark.usefixtures("engine")
async def test_the_page_from_end_to_end(published: dict[str, Any], registry: Registry) -> None:
    entry = stack(registry, published, "proxy", "linux/amd64")
    tested = (
        with_page(chromium())
        .with_service_binding("proxy", entry)
        .with_env_variable("BASE_URL", "http://proxy:8080")
        .with_env_variable("SCREENSHOT_DIR", "/screenshots")
        .with_exec(["npm", "run", "e2e"])
    )
    screenshots = tested.directory("/screenshots")
    await screenshots.export(str(SCREENSHOTS), wipe=True)
    assert len(await screenshots.entries()) == VIEWS
