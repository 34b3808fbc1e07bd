"""HTML pages: whatever a text says, a page has the elements that its template has."""

import subprocess
import sys
from collections.abc import Callable
from random import Random

import pytest

from pipeline.report.config import ConfigSummary, SecretSummary, SettingSummary
from pipeline.report.findings import (
    DatabaseSummary,
    FindingSummary,
    PlaceSummary,
    ScannedImage,
    ScanSummary,
)
from pipeline.report.html import config_page, html_page, verdict_page
from pipeline.report.verdict import RuleSummary, VerdictSummary
from tests.unit.hostile import hostile
from tests.unit.page import Page

NASTY = [
    "<script>alert('1')</script>",
    '"><img src=x onerror=alert(1)>',
    "' onclick='alert(1)",
    "</style></title></td></table><b>",
    "<!--",
    "{{ 7 * 7 }}{% for x in y %}{# z",
    "&lt;b&gt;&amp;",
    "a\x00\x1b[2J",
    *("<".join(hostile(Random(seed * 20 + each)) for each in range(20)) for seed in range(4)),
]


def findings(text: str) -> str:
    place = PlaceSummary(image=text, platform=text, path=text, line=None)
    finding = FindingSummary(
        kind="vulnerability",
        ids=[text, text],
        package=text,
        version=text,
        purl=text,
        severity=text,
        severities={text: text},
        score=1.0,
        vector=text,
        fixed_versions=[text],
        disagreements=[text],
        title=text,
        url=f"https://{text}",
        published=text,
        places=[place],
        result="fail",
        why=text,
    )
    database = DatabaseSummary(scanner=text, built=text, age_days=8, origin=text)
    scan = ScanSummary(
        passed=False,
        images=[ScannedImage(image=text, platform=text)],
        dockerfiles=[text],
        databases=[database],
        findings=[finding],
        stale_waivers=[text],
    )
    return html_page(scan, text)


def verdict(text: str) -> str:
    rule = RuleSummary(rule=text, title=text, outcome="fail", why=[text])
    return verdict_page(VerdictSummary(passed=False, images=[text], rules=[rule]), text)


def config(text: str) -> str:
    setting = SettingSummary(
        setting=text, description=text, unit=text, values=[text], origins=[text]
    )
    secret = SecretSummary(setting=text, owner=text, changed=[text])
    summary = ConfigSummary(
        environments=[text], settings=[setting], secrets=[secret], recipients=[[text]]
    )
    return config_page(summary, text)


@pytest.mark.parametrize("write", [findings, verdict, config])
def test_no_text_makes_an_element(write: Callable[[str], str]) -> None:
    plain = Page(write("text"))
    assert plain.open == []
    for text in NASTY:
        page = Page(write(text))
        assert page.tags == plain.tags, text
        assert [name for name, _ in page.attributes] == [name for name, _ in plain.attributes], text
        assert page.open == []


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,a", " https://a", "//a", "HTTPS:javascript", ""]
)
def test_only_addresses_of_the_web_are_links(url: str) -> None:
    assert Page(findings("a")).tags["a"] == 1
    place = PlaceSummary(image="a", platform="b", path="c", line=1)
    values = {"kind": "secret", "ids": ["a"], "score": None, "places": [place], "result": "pass"}
    texts = dict.fromkeys(("package", "version", "purl", "severity", "vector", "title"), "a")
    texts |= dict.fromkeys(("published", "why"), "a")
    lists = {"severities": {}, "fixed_versions": [], "disagreements": []}
    finding = FindingSummary.model_validate(values | texts | lists | {"url": url})
    scan = ScanSummary(passed=True, images=[], findings=[finding], stale_waivers=[])
    assert Page(html_page(scan, "Scan")).tags["a"] == 0


def test_who_wants_no_page_does_not_wait_for_templates() -> None:
    program = "import sys, pipeline.report.html; sys.exit('jinja2' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": "src"})
