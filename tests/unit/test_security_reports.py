"""Reports of a scan: table, Markdown, JSON, SARIF within GitHub's limits, one HTML page."""

import gzip
import hashlib
import json
from collections import Counter
from datetime import date

from pipeline.catalogue.waivers import load_waivers
from pipeline.report import sarif
from pipeline.report.findings import (
    DatabaseSummary,
    FindingSummary,
    PlaceSummary,
    ScannedImage,
    ScanSummary,
)
from pipeline.report.findings import render_scan as render
from pipeline.report.html import html_page
from pipeline.report.sarif import sarif_files
from pipeline.security.gate import judge
from pipeline.security.summary import summarised
from tests.unit.page import Page
from tests.unit.scans import AMD64, ARM64, CANARY, shop, vulnerability

EMPTY = ScannedImage(image="clean", platform="linux/amd64")
WAIVERS = """\
waivers:
  - {id: CVE-2021-23337, package: pkg:npm/lodash, reason: No., owner: me, expires: 2026-06-30}
  - {id: CVE-1, package: pkg:npm/gone, reason: Once., owner: me, expires: 2026-06-30}
"""
VERDICT = judge(shop(), load_waivers(WAIVERS), date(2026, 6, 30))
SUMMARY = summarised(VERDICT, [AMD64, ARM64, EMPTY])


def finding(number: int = 1, **changed: object) -> FindingSummary:
    place = PlaceSummary(image="shop", platform="linux/amd64", path="usr/bin/a", line=None)
    values: dict[str, object] = {
        "kind": "vulnerability",
        "ids": [f"CVE-{number}"],
        "package": "a",
        "version": "1",
        "purl": "pkg:npm/a@1",
        "severity": "high",
        "severities": {"trivy": "high"},
        "score": 7.5,
        "vector": "",
        "fixed_versions": ["2"],
        "disagreements": [],
        "title": "A flaw",
        "url": "https://security.example/1",
        "published": "",
        "places": [place],
        "result": "fail",
        "why": "high, fixed in 2",
    }
    return FindingSummary.model_validate(values | changed)


def summary(*findings: FindingSummary, images: tuple[ScannedImage, ...] = (AMD64,)) -> ScanSummary:
    return ScanSummary(passed=False, images=list(images), findings=findings, stale_waivers=[])


def test_table() -> None:
    assert render(summary(finding()), "table") == (
        "RESULT  SEVERITY  ID     IN  VERSION  FIXED IN  IMAGES\n"
        "fail    high      CVE-1  a   1        2         shop (linux/amd64)\n"
        "\n"
        "Scanned 1 image: 1 finding (1 high).\n"
        "1 to fix before a release, 0 waived, 0 that may stay.\n"
        "Failed.\n"
    )
    clean = ScanSummary(passed=True, images=[AMD64], findings=[], stale_waivers=[])
    assert render(clean, "table") == (
        "Scanned 1 image: 0 findings.\n"
        "0 to fix before a release, 0 waived, 0 that may stay.\n"
        "Passed.\n"
    )


def test_a_table_of_a_whole_scan() -> None:
    text = render(SUMMARY, "table")
    lines = text.splitlines()
    assert [line.split()[1] for line in lines[1:15]] == (
        ["critical"] * 3 + ["high"] * 5 + ["medium"] * 3 + ["low"] * 3
    )
    assert any(
        line.startswith("fail    critical  aws-access-key-id  app/deploy.env:3 ") for line in lines
    )
    for expected in [
        "Waived:\n  CVE-2021-23337 in lodash: until 2026-06-30 by me: No.",
        "Scanners disagree:\n  CVE-2024-5535 in libssl3: severity: grype high, trivy critical",
        "Waivers that are no longer right:\n  config/waivers.yml:3:5: waivers[1]: ",
        "shop (linux/amd64, linux/arm64)",
        "Scanned 3 images: 14 findings (3 critical, 5 high, 3 medium, 3 low).",
        "5 to fix before a release, 1 waived, 8 that may stay.",
        "1 waiver no longer right.",
    ]:
        assert expected in text


def test_markdown() -> None:
    text = render(SUMMARY, "markdown")
    assert (
        "| fail | critical | `CVE-2024-5535` | `libssl3` | `3.0.11-1~deb12u2` | "
        "`3.0.14-1~deb12u1` | `shop (linux/amd64, linux/arm64)` |"
    ) in text
    assert "- Waived:\n  - `CVE-2021-23337 in lodash: until 2026-06-30 by me: No.`" in text
    assert text.endswith("- Failed.\n")


def test_json_is_the_model() -> None:
    assert ScanSummary.model_validate_json(render(SUMMARY, "json")) == SUMMARY


def test_a_summary_has_the_first_day_of_publication() -> None:
    found = vulnerability("CVE-1")
    said = found.assessments[0]
    days = [date(2024, 2, 1), date(2023, 1, 1), None]
    told = tuple(said.model_copy(update={"published": day}) for day in days)
    verdict = judge(
        [found.model_copy(update={"assessments": told})], load_waivers(None), date(2026, 1, 1)
    )
    assert summarised(verdict, [AMD64]).findings[0].published == "2023-01-01"


def test_names_from_an_image_steer_nothing() -> None:
    hostile = summary(finding(package="a\x1b[2J|`<img src=x>`\nfail"))
    assert "\x1b" not in render(hostile, "table")
    assert "a�[2J|" in render(hostile, "table")
    line = "| `a�[2J\\|'<img src=x>'�fail` |"
    assert line in render(hostile, "markdown")


def test_no_report_has_a_secret() -> None:
    reports = [render(SUMMARY, name) for name in ("table", "markdown", "json")]
    assert all(CANARY not in text for text in [*reports, *sarif_files(SUMMARY)])
    assert CANARY not in html_page(SUMMARY, "Scan")


def checked(text: str) -> list[dict]:
    """Check a file against SARIF 2.1.0's rules and GitHub's, and give its runs."""
    log = json.loads(text)
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    assert 0 < len(log["runs"]) <= 20
    assert len(gzip.compress(text.encode())) <= 10_000_000
    categories = [run["automationDetails"]["id"] for run in log["runs"]]
    assert len(set(categories)) == len(categories)
    for run in log["runs"]:
        check_run(run)
    return log["runs"]


def check_run(run: dict) -> None:
    assert run["automationDetails"]["id"].endswith("/")
    assert run["invocations"][0]["executionSuccessful"] is True
    driver = run["tool"]["driver"]
    assert driver["name"] == "pipeline"
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids) <= 25_000
    for rule in driver["rules"]:
        for text in ("shortDescription", "fullDescription", "help"):
            assert 0 < len(rule[text]["text"]) <= 1024
        assert rule["defaultConfiguration"]["level"] in {"note", "warning", "error"}
        assert len(rule["properties"]["tags"]) <= 20
        score = rule["properties"].get("security-severity")
        assert score is None or 0.0 < float(score) <= 10.0
    assert len(run["results"]) <= 25_000
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"note", "warning", "error"}
        assert 0 < len(result["message"]["text"]) <= 1024
        assert 0 < len(result["locations"]) <= 100
        for location in result["locations"]:
            physical = location["physicalLocation"]
            uri = physical["artifactLocation"]["uri"]
            assert uri
            assert not uri.startswith("/")
            assert not set(uri) & set(' <>"{}|\\^`')
            assert physical["region"]["startLine"] >= 1
        assert list(result["partialFingerprints"]) == ["primaryLocationLineHash"]
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


def test_sarif_has_a_category_for_each_image_and_platform() -> None:
    [file] = sarif_files(SUMMARY)
    runs = checked(file)
    assert [(run["automationDetails"]["id"], len(run["results"])) for run in runs] == [
        ("shop/linux/amd64/", 14),
        ("shop/linux/arm64/", 14),
        ("clean/linux/amd64/", 0),
    ]
    levels = Counter(result["level"] for result in runs[0]["results"])
    assert levels == {"error": 8, "warning": 3, "note": 3}
    results = {result["ruleId"]: result for result in runs[0]["results"]}
    assert results["CVE-2021-23337"]["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "until 2026-06-30 by me: No."}
    ]
    assert [id_ for id_, result in results.items() if "suppressions" in result] == [
        "CVE-2021-23337"
    ]
    secret = results["aws-access-key-id"]["locations"][0]["physicalLocation"]
    assert secret == {
        "artifactLocation": {"uri": "app/deploy.env"},
        "region": {"startLine": 3},
    }


def test_the_repositorys_dockerfiles_are_a_category_of_their_own() -> None:
    path = "services/shop/Dockerfile"
    here = PlaceSummary(image="", platform="", path=path, line=7)
    found = finding(kind="misconfiguration", package="", version="", purl="", places=[here])
    scan = summary(found).model_copy(update={"dockerfiles": [path]})
    [image, repository] = json.loads(sarif_files(scan)[0])["runs"]
    assert image["results"] == []
    assert repository["automationDetails"]["id"] == "repository/"
    [location] = repository["results"][0]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": path},
        "region": {"startLine": 7},
    }
    table = render(scan, "table")
    assert "services/shop/Dockerfile:7           2         the repository\n" in table
    assert "Scanned 1 image and 1 Dockerfile: 1 finding (1 high)." in table


def test_every_report_says_how_old_the_databases_are() -> None:
    old = DatabaseSummary(scanner="grype", built="2026-06-01", age_days=30, origin="a file")
    scan = summary(finding()).model_copy(update={"databases": [old]})
    said = "older than 7 days"
    for text in (render(scan, "table"), render(scan, "markdown"), html_page(scan, "Scan")):
        assert "database was made 30 days ago, on 2026-06-01; it is from a file." in text
        assert said in text
    assert json.loads(render(scan, "json"))["databases"] == [old.model_dump()]
    [run] = json.loads(sarif_files(scan)[0])["runs"]
    assert run["properties"]["databases"] == [old.model_dump()]
    [note] = run["invocations"][0]["toolExecutionNotifications"]
    assert said in note["message"]["text"]
    assert note["level"] == "warning"


def test_sarif_tells_github_the_same_severity() -> None:
    [file] = sarif_files(
        summary(
            finding(1, severity="critical", score=7.5),
            finding(2, severity="high", score=9.8),
            finding(3, severity="medium", score=5.0),
            finding(4, severity="low", score=None),
            finding(5, severity="unknown", score=8.0),
        )
    )
    [run] = checked(file)
    scores = [
        rule["properties"].get("security-severity") for rule in run["tool"]["driver"]["rules"]
    ]
    assert scores == ["9.0", "8.9", "5.0", "3.9", None]


def test_fingerprints_stay_when_other_things_change() -> None:
    def fingerprint(**changed: object) -> str:
        [run] = checked(sarif_files(summary(finding(**changed)))[0])
        return run["results"][0]["partialFingerprints"]["primaryLocationLineHash"]

    same = fingerprint()
    assert same == fingerprint(title="Better", score=9.9, severity="low", fixed_versions=[])
    assert same != fingerprint(purl="pkg:npm/a@2")
    assert same != fingerprint(ids=["CVE-2"])


def test_sarif_of_many_images_is_several_files() -> None:
    images = tuple(ScannedImage(image=f"i{n}", platform="linux/amd64") for n in range(45))
    files = sarif_files(summary(finding(), images=images))
    assert [len(checked(file)) for file in files] == [20, 20, 5]


def test_sarif_files_keep_to_a_size() -> None:
    places = [PlaceSummary(image=i, platform="p", path="a", line=None) for i in ("a", "b")]
    images = tuple(ScannedImage(image=i, platform="p") for i in ("a", "b"))
    titles = [hashlib.sha512(str(n).encode()).hexdigest() for n in range(100)]
    many = [finding(n, places=places, title=title) for n, title in enumerate(titles)]
    whole = sarif_files(summary(*many, images=images))
    assert len(whole) == 1
    half = len(gzip.compress(whole[0].encode())) * 3 // 4
    split = sarif_files(summary(*many, images=images), most_bytes=half)
    assert [len(checked(file)) for file in split] == [1, 1]
    small = sarif_files(summary(*many, images=images), most_bytes=half // 3)
    for file in small:
        assert len(gzip.compress(file.encode())) <= half // 3 + 100
        [run] = checked(file)
        kept = [result["ruleId"] for result in run["results"]]
        assert kept == [f"CVE-{n}" for n in range(len(kept))]
        left_out = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
        assert left_out == f"{100 - len(kept)} findings, the least severe, are left out."


def test_sarif_has_the_worst_of_too_many_findings(monkeypatch) -> None:
    monkeypatch.setattr(sarif, "MOST_RESULTS", 3)
    [file] = sarif_files(summary(*map(finding, range(5))))
    [run] = checked(file)
    assert [result["ruleId"] for result in run["results"]] == ["CVE-0", "CVE-1", "CVE-2"]
    assert "toolExecutionNotifications" in run["invocations"][0]


def test_githubs_limits() -> None:
    assert (sarif.MOST_RUNS, sarif.MOST_RESULTS, sarif.MOST_BYTES) == (20, 25_000, 10_000_000)


def test_hostile_text_in_sarif() -> None:
    hostile = finding(
        title="x" * 5000,
        url="javascript:alert(1)",
        places=[PlaceSummary(image="shop", platform="linux/amd64", path='a b"|.sh', line=4)],
    )
    [run] = checked(sarif_files(summary(hostile))[0])
    assert "helpUri" not in run["tool"]["driver"]["rules"][0]
    assert len(run["results"][0]["message"]["text"]) == 1024


def test_html() -> None:
    text = html_page(SUMMARY, "Scan of shop")
    page = Page(text)
    assert page.open == []
    assert page.rows[1:] == [f"{each.severity} {each.result}" for each in SUMMARY.findings]
    assert page.rows[1] == "critical pass"
    assert "<title>Scan of shop</title>" in text
    assert "grype: high" in text
    assert "published 2024-06-27" in text
    assert "config/waivers.yml:3:5: waivers[1]: the waiver of CVE-1" in text
    for name in ("critical", "fail", "waived"):
        assert f'id="show-{name}" checked' in text
        assert f"body:has(#show-{name}:not(:checked)) tr.{name} {{ display: none; }}" in text
    assert "critical (3)</label>" in text
    assert "prefers-color-scheme: dark" in text


def test_html_needs_nothing_from_elsewhere() -> None:
    text = html_page(SUMMARY, "Scan")
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "srcset", "style"} & {name for name, _ in page.attributes}
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "@import" not in text
    assert "url(" not in text


def test_everything_in_html_is_escaped() -> None:
    hostile = "<script>alert('1')</script>\"><img src=x onerror=alert(1)>$title&"
    values = dict.fromkeys(
        ("package", "version", "severity", "title", "url", "published", "why"), hostile
    )
    place = PlaceSummary(image=hostile, platform=hostile, path=hostile, line=None)
    lists = {"ids": [hostile, hostile], "fixed_versions": [hostile], "places": [place]}
    bad = summary(finding(**values, **lists, severities={hostile: hostile}))
    text = html_page(bad.model_copy(update={"stale_waivers": [hostile]}), hostile)
    page = Page(text)
    assert not {"script", "img"} & set(page.tags)
    assert "onerror" not in {name for name, _ in page.attributes}
    assert page.tags["a"] == 0
    plain = html_page(summary(finding(url='https://a"onclick="b')), "Scan")
    assert "onclick" not in {name for name, _ in Page(plain).attributes}
