"""The facts of the small vulnerability database, and what the databases' builders get of them."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bootstrap.settings import REPOSITORY
from bootstrap.vulnerabilities import Facts, band, constraint, write_vuln_list, write_workspaces
from tests.vulnerable import RECORDS

DEBIAN = [record for record in RECORDS if record["package"].startswith("deb/")]


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def covers(affected: dict[str, str], version: str) -> bool:
    """Whether a range holds a version of three numbers."""
    return (
        numbers(affected["from"]) <= numbers(version)
        and ("below" not in affected or numbers(version) < numbers(affected["below"]))
        and ("through" not in affected or numbers(version) <= numbers(affected["through"]))
    )


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["ids"][0])
def test_a_record_is_whole(record: dict[str, Any]) -> None:
    pattern = r"(CVE-\d{4}-\d{4,}|DSA-\d+-\d+|GHSA(-[2-9a-z]{4}){3}|RUSTSEC-\d{4}-\d{4})"
    assert all(re.fullmatch(pattern, name) for name in record["ids"])
    assert record["package"].split("/")[0] in {"deb", "npm", "cargo"}
    assert record["ids"][0].startswith("CVE-" if record in DEBIAN else ("CVE-", "GHSA-"))
    for score in record["scores"]:
        assert score["vector"].startswith("CVSS:3.1/")
        assert 0 <= score["score"] <= 10


@pytest.mark.parametrize("record", DEBIAN, ids=lambda record: record["ids"][0])
def test_debian_tells_a_fix_and_no_ranges(record: dict[str, Any]) -> None:
    (affected,) = record["affected"]
    assert affected["from"] == "0"
    assert affected.get("below") == record["example"].get("fixed")


@pytest.mark.parametrize(
    "record", [record for record in RECORDS if record not in DEBIAN], ids=lambda r: r["ids"][0]
)
def test_examples_are_what_they_are_called(record: dict[str, Any]) -> None:
    example = record["example"]
    assert any(covers(affected, example["affected"]) for affected in record["affected"])
    if "fixed" in example:
        assert not any(covers(affected, example["fixed"]) for affected in record["affected"])


def test_nothing_of_ours_is_affected() -> None:
    crates = tomllib.loads((REPOSITORY / "services/Cargo.lock").read_text())["package"]
    lock = json.loads((REPOSITORY / "services/web-ui/package-lock.json").read_text())
    ours = {("cargo", crate["name"], crate["version"]) for crate in crates} | {
        ("npm", path.rpartition("node_modules/")[2], package.get("version", "0"))
        for path, package in lock["packages"].items()
    }
    known = {record["package"]: record["affected"] for record in RECORDS}
    compared = [
        (f"{ecosystem}/{name}", version)
        for ecosystem, name, version in ours
        if f"{ecosystem}/{name}" in known
    ]
    assert [
        package
        for package, version in compared
        if any(covers(affected, version) for affected in known[package])
    ] == []


@pytest.mark.parametrize(
    ("affected", "written"),
    [
        ({"from": "0", "below": "4.17.21"}, "< 4.17.21"),
        ({"from": "1.0.0", "below": "1.2.6"}, ">= 1.0.0, < 1.2.6"),
        ({"from": "0", "through": "0.2.14"}, "<= 0.2.14"),
        ({"from": "0"}, ""),
    ],
)
def test_ranges(affected: dict[str, str], written: str) -> None:
    assert constraint(affected) == written


@pytest.mark.parametrize(
    ("score", "name"),
    [(10, "CRITICAL"), (9, "CRITICAL"), (8.9, "HIGH"), (6.9, "MEDIUM"), (3.9, "LOW"), (0, "NONE")],
)
def test_bands(score: float, name: str) -> None:
    assert band(score) == name


def test_both_builders_get_every_record_once(tmp_path: Path) -> None:
    facts = Facts()
    write_vuln_list(facts, tmp_path / "list")
    workspaces = write_workspaces(facts, tmp_path / "vunnel")
    assert [workspace.name for workspace in workspaces] == ["nvd", "debian", "github"]
    tracker = (tmp_path / "list/vuln-list-debian/tracker/CVE").glob("*.json")
    advisories = (tmp_path / "list/ghsa").rglob("*.json")
    for_trivy = sorted(path.stem for path in (*tracker, *advisories))
    for_grype = sorted(
        path.stem for workspace in workspaces[1:] for path in (workspace / "results").iterdir()
    )
    assert len(for_trivy) == len(RECORDS)
    assert for_trivy == for_grype


def test_a_workspace_lists_its_results(tmp_path: Path) -> None:
    for workspace in write_workspaces(Facts(), tmp_path):
        state = json.loads((workspace / "metadata.json").read_text())
        listed = [
            workspace / line.split("  ")[1]
            for line in (workspace / state["listing"]["path"]).read_text().splitlines()
        ]
        assert set(listed) == set((workspace / "results").iterdir())
        for result in listed:
            assert json.loads(result.read_text())["schema"] == state["schema"]["url"]
