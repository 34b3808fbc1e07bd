"""The module works on any repository: two services, under other names, in other folders."""

import json

import pytest

from pipeline.report.render import Format
from tests.engine.test_dockerfile import SHOP
from tests.module import pipeline


@pytest.mark.usefixtures("engine")
async def test_two_services_under_other_names() -> None:
    build = await pipeline(SHOP).build()
    summary = json.loads(build.report(Format.JSON))
    assert [image["service"] for image in summary["images"]] == ["front-door", "shop-window"]
    assert summary["version"] == "0.0.0-dev"
    assert all(len(image["platforms"]) == 2 for image in summary["images"])
    door = build.images[0].platforms[0].container
    assert await door.with_exec(["/doorman"]).stdout() == "Welcome: 1 came in\n"
