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
from tests.module import made, pipeline, refusal, secret
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
    environment = {"SCOUT": f"tester:{password}"}
    images = [*DATABASES, "images", "--scout-account=env://SCOUT"]
    return dagger_call(
        *images, "scan", "report", "--format=json", source=source, environment=environment
    )


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
    report = await made(pipeline(source, **databases()).images).scan()
    assert not [each for each in report.known().findings if each.package]


@pytest.mark.parametrize("half", ["tester", "tester:", f":{PASSWORD}"])
async def test_half_an_account_is_refused(source: Path, half: str) -> None:
    images = made(pipeline(source, **databases()).images, scout_account=secret(half))
    message = await refusal(images.scan())
    assert "--scout-account is no account of Docker Scout: expected USER:PASSWORD" in message
    assert PASSWORD not in message


def test_scouts_own_words_are_shown_without_the_password(source: Path) -> None:
    called = typed(source, "another-" + PASSWORD)
    assert called.status != 0
    assert "stand-in: password" in called.message
    assert PASSWORD not in called.output + called.progress
