"""Scanning a deliberately vulnerable image: both scanners' findings once, judged, waived."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.report.render import Format
from pipeline.security.engine.scan import ScanReport
from tests.conftest import Called, dagger_call
from tests.engine.conftest import Registry
from tests.module import made, pipeline, pushed, refusal, secret
from tests.scanners import DATABASES, databases
from tests.vulnerable import RECORDS, make

pytestmark = pytest.mark.usefixtures("engine", "scanners")

SERVICE = """\
name: vulnerable
title: Everything that scanners should find
kind: dockerfile
port: 8080
size_limit: 1 MB
"""
TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
BLOCKING = 7
"""Two packages of Debian, two of npm, one of cargo, the secret, and sudo in a Dockerfile."""


DOCKERFILE = "services/vulnerable/Dockerfile"
MISCONFIGURATIONS = {("DS-0010", "critical"): 2, ("DS-0026", "low"): None}
"""In which line; that there is no USER counts for nothing, as the pipeline sets it."""


def repository(folder: Path, which: str) -> Path:
    service = folder / "services/vulnerable"
    make(service / "root", which)
    (service / "service.yml").write_text(SERVICE)
    (service / "Dockerfile").write_text(
        "FROM scratch AS never\nRUN sudo true\nFROM scratch\nCOPY root /\n"
    )
    if which == "affected":
        (service / "root/app/settings.env").write_text(f"GITHUB_TOKEN={TOKEN}\n")
    return folder


def typed(source: Path, *arguments: str) -> Called:
    return dagger_call(*DATABASES, "images", "scan", *arguments, source=source)


async def scan(source: Path, image: str | None = None, **account: Any) -> ScanReport:
    return await made(pipeline(source, **databases(), **account).images, image=image).scan()


async def check(source: Path) -> str:
    return (await scan(source)).check()


@pytest.fixture(scope="module")
def vulnerable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repository(tmp_path_factory.mktemp("vulnerable"), "affected")


@pytest.fixture(scope="module")
def report(vulnerable: Path) -> dict[str, Any]:
    called = typed(vulnerable, "report", "--format=json")
    assert called.status == 0, called.progress[-3000:]
    assert TOKEN not in called.output + called.progress
    found: dict[str, Any] = json.loads(called.output)
    return found


def test_every_record_is_found_once_by_both_on_both_platforms(report: dict[str, Any]) -> None:
    vulnerabilities = [each for each in report["findings"] if each["kind"] == "vulnerability"]
    assert len(vulnerabilities) == len(RECORDS)
    for record in RECORDS:
        [found] = [each for each in vulnerabilities if set(each["ids"]) & set(record["ids"])]
        assert set(found["severities"]) == {"trivy", "grype"}
        assert found["package"] == record["example"]["installed"]
        assert found["version"] == record["example"]["affected"]
        assert {place["platform"] for place in found["places"]} == {"linux/amd64", "linux/arm64"}


def test_a_planted_secret_is_found_by_its_place(report: dict[str, Any]) -> None:
    [secret] = [each for each in report["findings"] if each["kind"] == "secret"]
    assert {(at["path"], at["line"]) for at in secret["places"]} == {("app/settings.env", 1)}
    assert len(report["findings"]) == len(RECORDS) + len(MISCONFIGURATIONS) + 1


def test_the_repositorys_dockerfile_is_looked_at_and_the_images_configuration_is_right(
    report: dict[str, Any],
) -> None:
    found = [each for each in report["findings"] if each["kind"] == "misconfiguration"]
    places = {
        (each["ids"][0], each["severity"]): at["line"] for each in found for at in each["places"]
    }
    assert places == MISCONFIGURATIONS
    # The pipeline itself gives the image a user and a health check.
    assert {(at["image"], at["path"]) for each in found for at in each["places"]} == {
        ("", DOCKERFILE)
    }
    assert report["dockerfiles"] == [DOCKERFILE]


def test_a_report_has_the_age_of_the_databases(report: dict[str, Any]) -> None:
    known = {each["scanner"]: each for each in report["databases"]}
    assert set(known) == {"trivy", "grype"}
    for database in known.values():
        assert database["origin"] == "a file"
        built = date.fromisoformat(database["built"])
        assert built <= datetime.now(UTC).date()
        assert abs((datetime.now(UTC).date() - built).days - database["age_days"]) <= 1


def test_it_blocks_with_a_table(vulnerable: Path) -> None:
    called = typed(vulnerable, "check")
    assert called.status != 0
    assert f"{BLOCKING} to fix before a release" in called.message
    assert "CVE-2025-49844" in called.message


def waive(source: Path, report: dict[str, Any], expires: date) -> None:
    waivers = [
        {
            "id": found["ids"][0],
            "package": found["purl"] or found["places"][0]["path"],
            "reason": "an example",
            "owner": "tests",
            "expires": expires + timedelta(0),  # one each, or YAML refers to the first
        }
        for found in report["findings"]
        if found["result"] == "fail"
    ]
    assert len(waivers) == BLOCKING
    (source / "config").mkdir(exist_ok=True)
    (source / "config/waivers.yml").write_text(yaml.safe_dump({"waivers": waivers}))


async def test_waivers_let_it_pass_until_their_day(tmp_path: Path, report: dict[str, Any]) -> None:
    source = repository(tmp_path, "affected")
    today = datetime.now(UTC).date()
    waive(source, report, today)
    assert f"{BLOCKING} waived" in await check(source)
    waive(source, report, today - timedelta(days=1))
    assert "expired" in await refusal(check(source))


async def test_a_fixed_image_has_only_what_nothing_fixes(tmp_path: Path) -> None:
    found = (await scan(repository(tmp_path, "fixed"))).known().findings
    assert {each.kind for each in found} == {"misconfiguration"}


async def test_a_published_image_is_scanned_where_it_is(
    vulnerable: Path, report: dict[str, Any], private_registry: Registry
) -> None:
    account: dict[str, Any] = {
        "registry_username": "tester",
        "registry_password": secret(private_registry.password),
    }
    place = f"{private_registry.address}/scanned"
    image = await pushed(vulnerable, place, **account)
    account |= {"registry": place, "registry_plain_http": True}
    scanned = await scan(vulnerable, image.references[0], **account)
    found = json.loads(scanned.report(Format.JSON))
    # The sources of a published image are elsewhere.
    assert found["dockerfiles"] == []
    assert [each["ids"] for each in found["findings"]] == [
        each["ids"] for each in report["findings"] if each["kind"] != "misconfiguration"
    ]
    assert {image["image"] for image in found["images"]} == {f"{place}/vulnerable"}


async def test_an_image_that_is_not_there_is_said(vulnerable: Path, registry: Registry) -> None:
    message = await refusal(scan(vulnerable, f"{registry.address}/nobody/nothing:1"))
    assert "can't be read: is its name right" in message
    assert "nobody/nothing:1" in message
