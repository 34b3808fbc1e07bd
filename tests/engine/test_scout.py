"""Docker Scout as a third scanner, with a stand-in for it: its service wants an account."""

import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagger import dag

from tests.conftest import Called, dagger_call
from tests.engine.conftest import Registry
from tests.engine.test_failures import repository
from tests.module import call, pipeline, refusal
from tests.scanners import DATABASES, databases
from tests.unit.scans import DATA

PASSWORD = secrets.token_urlsafe(16)
HERE = Path(__file__).parent
pytestmark = pytest.mark.usefixtures("engine", "scanners")


@pytest.fixture(scope="module")
async def source(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    hashed = hashlib.sha256(PASSWORD.encode()).hexdigest()
    image = await (
        dag.container()
        .from_("debian:trixie-slim")
        .with_env_variable("PASSWORD_SHA256", hashed)
        .with_new_file("/scout.sarif.json", (DATA / "scout.sarif.json").read_text())
        .with_new_file("/scout", (HERE / "scout.sh").read_text(), permissions=0o755)
        .with_entrypoint(["/scout"])
        .with_user("1000")
        .publish(f"{registry.address}/tests/scout:1")
    )
    source = repository(tmp_path_factory.mktemp("scout"), "small")
    (source / "config").mkdir()
    (source / "config/images.yml").write_text(yaml.safe_dump({"scout": image}))
    return source


def typed(source: Path, password: str = PASSWORD) -> Called:
    environment = {"SCOUT_PASSWORD": password}
    account = ["--scout-username=tester", "--scout-password=env://SCOUT_PASSWORD"]
    return dagger_call("scan", *DATABASES, *account, "json", source=source, environment=environment)


def test_with_an_account_it_joins_in(source: Path) -> None:
    called = typed(source)
    assert called.status == 0, called.progress[-3000:]
    assert PASSWORD not in called.output + called.progress
    report: dict[str, Any] = json.loads(called.output)
    found = {each["ids"][0]: each for each in report["findings"] if each["package"]}
    assert "CVE-2021-22945" in found
    assert found["CVE-2021-22945"]["severities"] == {"scout": "critical"}
    platforms = {at["platform"] for at in found["CVE-2021-22945"]["places"]}
    assert platforms == {"linux/amd64", "linux/arm64"}


async def test_without_one_it_is_left_out(source: Path) -> None:
    report = await call(pipeline(source).scan, **databases())
    assert not [each for each in report.known().findings if each.package]


async def test_half_an_account_is_refused(source: Path) -> None:
    message = await refusal(call(pipeline(source).scan, scout_username="tester", **databases()))
    assert "--scout-password (e.g. env://SCOUT_PASSWORD) is missing" in message


def test_scouts_own_words_are_shown_without_the_password(source: Path) -> None:
    called = typed(source, "another-" + PASSWORD)
    assert called.status != 0
    assert "stand-in: password" in called.message
    assert PASSWORD not in called.output + called.progress
