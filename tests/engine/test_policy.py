"""Verdicts on images by the module's rules and a repository's own, with exemptions."""

import json
import os
import re
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagger
import pytest
import yaml
from dagger import dag

from tests.conftest import ROOT, Called, dagger_call
from tests.engine.conftest import Registry
from tests.engine.test_failures import repository
from tests.engine.test_scan import repository as vulnerable_repository
from tests.module import made, pipeline, pushed, refusal
from tests.scanners import DATABASES, databases

pytestmark = pytest.mark.usefixtures("engine", "scanners")

POLICY = ROOT / "config/policy"
REGION = (ROOT / "docs/policy.md").read_text().partition("```rego\n")[2].partition("```")[0]


def typed(source: Path, *arguments: str) -> Called:
    return dagger_call(*DATABASES, "images", "verdict", *arguments, source=source)


async def verdict(source: Path) -> str:
    return await made(pipeline(source, **databases()).images).verdict()


def day(offset: int) -> date:
    """Give a day before or after today, with a day of room: midnight may pass meanwhile."""
    return datetime.now(UTC).date() + timedelta(days=offset)


def write(source: Path, path: str, text: str) -> None:
    (source / path).parent.mkdir(parents=True, exist_ok=True)
    (source / path).write_text(text)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository with one image that no rule of the module finds fault with."""
    source = repository(tmp_path, "small")
    write(source, "services/small/Dockerfile", "FROM scratch\nCOPY file /file\nUSER 65532\n")
    return source


def verified(rules: dagger.Directory) -> dagger.Container:
    image = yaml.safe_load((ROOT / "config/images.yml").read_text())["conftest"]
    command = ["conftest", "verify", "--policy=/policy", "--no-color"]
    expect = dagger.ReturnType.ANY
    folder = dag.container().from_(image).with_directory("/policy", rules)
    return folder.with_exec(command, expect=expect)


async def test_the_modules_rules_pass_their_own_tests() -> None:
    rules = dag.directory()
    for path in POLICY.glob("*.rego"):
        rules = rules.with_new_file(path.name, path.read_text())
    whole = verified(rules)
    assert ", 0 failures" in await whole.stdout()
    assert await whole.exit_code() == 0
    size = (POLICY / "size.rego").read_text().replace(">", "<")
    broken = verified(rules.with_new_file("size.rego", size))
    assert await broken.exit_code() != 0
    assert "test_size" in await broken.stdout()


def test_each_rule_says_what_comes_of_an_image(small: Path) -> None:
    called = typed(small, "--format=json")
    assert called.status == 0, called.progress[-3000:]
    told = json.loads(called.output)
    assert told["passed"]
    assert told["images"] == ["small linux/amd64", "small linux/arm64"]
    outcomes = {rule["rule"]: rule["outcome"] for rule in told["rules"]}
    rules = {path.stem for path in POLICY.glob("*.rego")} - {"policy_test"}
    expected = dict.fromkeys(rules | {"waivers"}, "pass")
    expected |= dict.fromkeys(("attestations", "signatures"), "skipped")
    assert outcomes == expected


def test_findings_fail_the_rules_they_are_for(tmp_path: Path) -> None:
    source = vulnerable_repository(tmp_path, "affected")
    called = typed(source)
    assert called.status != 0
    assert called.output == ""
    assert "Traceback" not in called.progress
    rows = [line.split()[:2] for line in called.message.splitlines()]
    assert ["fail", "vulnerabilities"] in rows
    assert ["fail", "secrets"] in rows
    assert ["fail", "misconfigurations"] in rows
    assert ["pass", "sbom"] in rows
    assert "CVE-2025-49844" in called.message


def exempt(source: Path, expires: date) -> None:
    exemption = {
        "rule": "region",
        "subject": "small",
        "reason": "an example",
        "owner": "tests",
        "expires": expires,
    }
    text = yaml.safe_dump({"exemptions": [exemption]}, sort_keys=False)
    write(source, "config/waivers.yml", text)


async def test_a_rule_of_the_repositorys_own_counts_and_can_be_exempted_from(small: Path) -> None:
    write(small, "config/policy/region.rego", REGION)
    failed = await refusal(verdict(small))
    assert "Every image says in which region it may run" in failed
    assert "small linux/arm64 lacks a region" in failed

    tomorrow = day(1)
    exempt(small, tomorrow)
    exempted = await verdict(small)
    assert f"lacks a region (until {tomorrow} by tests: an example)" in exempted

    exempt(small, day(-2))
    expired = await refusal(verdict(small))
    assert "config/waivers.yml:6:12: exemptions[0].expires: the exemption of small" in expired


async def test_the_repositorys_own_policy_and_rules_stand_for_the_modules(small: Path) -> None:
    write(small, "config/policy/policy.yml", "labels: [org.acme.region]\n")
    write(small, "config/policy/user.rego", "package pipeline.user\n")
    examination = await made(pipeline(small, **databases()).images).examine()
    page = await examination.verdict.html().contents()
    assert "small linux/amd64 lacks org.acme.region" in page
    assert "<td>user</td>" in page
    assert "Nobody runs as root" not in page


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("broken.rego", "package acme.broken\n\ndeny contains if {\n", "broken.rego:3: rego_parse"),
        ("broken.rego", "deny := 1\n", "broken.rego: expected 'package <name>'"),
        (
            "policy.yml",
            "signature: required\n",
            "policy.yml:1:1: signature: unknown field; did you",
        ),
    ],
)
async def test_what_cannot_be_evaluated_is_said(
    small: Path, path: str, text: str, said: str
) -> None:
    write(small, f"config/policy/{path}", text)
    assert f"config/policy/{said}" in await refusal(verdict(small))


def commit(source: Path, when: date) -> None:
    """Commit a repository on a day: its images are of that day."""
    time = f"{when}T12:00:00Z"
    who = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
        subprocess.run(
            ["git", *who, *command],
            cwd=source,
            env={**os.environ, "GIT_AUTHOR_DATE": time, "GIT_COMMITTER_DATE": time},
            check=True,
        )


async def test_an_old_base_image_is_told(tmp_path: Path, registry: Registry) -> None:
    base = repository(tmp_path / "base", "base")
    commit(base, day(-92))
    place = f"{registry.address}/old"
    image = await pushed(base, place)
    source = repository(tmp_path / "shop", "shop")
    name = f"{place}/base@{image.digest}"
    write(source, "services/shop/Dockerfile", f"FROM {name}\nCOPY file /shop\n")
    write(source, "config/registry.yml", f"address: {registry.address}\nplain_http: true\n")
    message = await refusal(verdict(source))
    assert re.search(rf"shop stands on {re.escape(name)}, 9[23] days old, allowed are 90", message)
