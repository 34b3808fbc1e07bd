"""The verdict: what rules said, exemptions, and the files that both come from."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

from pipeline.catalogue.policy import POLICY_FILE, Policy, load_policy
from pipeline.catalogue.waivers import load_waivers
from pipeline.errors import InvalidFilesError
from pipeline.report.verdict import RuleSummary, VerdictSummary
from pipeline.security.facts import Facts, ImageFacts, PlatformFacts
from pipeline.security.finding import Severity
from pipeline.security.gate import Threshold
from pipeline.security.policy import PolicyError, is_rule, titles, verdict

ROOT = Path(__file__).parents[2]
LAST_DAY = date(2026, 6, 30)
DAY_AFTER = date(2026, 7, 1)
RULES = {"pipeline.size": "Small enough", "acme.region": "Says where it runs"}
EXEMPTION = """\
exemptions:
  - rule: region
    subject: shop
    reason: It runs everywhere.
    owner: shop@acme.example
    expires: 2026-06-30
"""


def facts(today: date = LAST_DAY) -> Facts:
    platforms = [
        PlatformFacts(
            platform=name, digest="", size=1, user="65532:65532", labels={}, created=LAST_DAY
        )
        for name in ("linux/amd64", "linux/arm64")
    ]
    image = ImageFacts(
        image="shop", digest="sha256:2", size_limit=2, base=None, platforms=platforms
    )
    return Facts(today=today, version="1.0.0", revision="", images=[image], findings=[])


def denied(msg: str = "shop lacks a region", **metadata: str) -> dict[str, object]:
    return {"msg": msg, "metadata": {"query": "data.acme.region.deny", **metadata}}


def said(*failures: object, warnings: tuple[object, ...] = ()) -> str:
    """What conftest prints of two packages, as its --output=json has it."""
    content = [
        {"filename": "/input.json", "namespace": "pipeline.size", "successes": 2},
        {
            "filename": "/input.json",
            "namespace": "acme.region",
            "successes": 0,
            "failures": list(failures),
            "warnings": list(warnings),
        },
    ]
    return json.dumps(content)


def judged(
    text: str, waivers: str | None = None, today: date = LAST_DAY, complete: bool = True
) -> VerdictSummary:
    return verdict(facts(today), text, RULES, load_waivers(waivers), complete=complete)


def rules(summary: VerdictSummary) -> Mapping[str, RuleSummary]:
    return {rule.rule: rule for rule in summary.rules}


def test_every_rule_is_listed_and_passes_when_it_says_nothing() -> None:
    summary = judged(said())
    assert summary.passed
    assert {name: rule.outcome for name, rule in rules(summary).items()} == dict.fromkeys(
        ("region", "size", "waivers"), "pass"
    )
    assert rules(summary)["size"].title == "Small enough"
    assert summary.images == ["shop linux/amd64", "shop linux/arm64"]


def test_a_rule_that_conftest_does_not_mention_is_listed_too() -> None:
    assert set(rules(judged("[]"))) == {"region", "size", "waivers"}


def test_what_is_denied_fails_and_stands_first() -> None:
    summary = judged(said(denied("b"), denied("a", subject="shop")))
    assert not summary.passed
    assert (summary.rules[0].rule, summary.rules[0].outcome) == ("region", "fail")
    assert summary.rules[0].why == ["a", "b"]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ({}, "warn"),
        ({"outcome": "waived"}, "waived"),
        ({"outcome": "skipped"}, "skipped"),
        # A warning can't pass for what it isn't.
        ({"outcome": "pass"}, "warn"),
        ({"outcome": "fail"}, "warn"),
    ],
)
def test_warnings_say_what_they_are_and_fail_nothing(
    outcome: dict[str, str], expected: str
) -> None:
    summary = judged(said(warnings=(denied("look here", **outcome),)))
    assert summary.passed
    assert rules(summary)["region"].outcome == expected
    assert rules(summary)["region"].why == ["look here"]


def test_the_worst_that_a_rule_says_is_its_outcome() -> None:
    skipped = denied("unknown", outcome="skipped")
    rule = rules(judged(said(denied("bad"), warnings=(skipped,))))["region"]
    assert (rule.outcome, rule.why) == ("fail", ["bad", "unknown"])


def test_an_exemption_counts_on_its_last_day() -> None:
    summary = judged(said(denied(subject="shop")), EXEMPTION)
    assert summary.passed
    assert rules(summary)["region"].outcome == "waived"
    assert rules(summary)["region"].why == [
        "shop lacks a region (until 2026-06-30 by shop@acme.example: It runs everywhere.)"
    ]
    assert rules(summary)["waivers"].outcome == "pass"


def test_an_exemption_that_expired_fails_with_its_line() -> None:
    summary = judged(said(denied(subject="shop")), EXEMPTION, DAY_AFTER)
    assert not summary.passed
    assert rules(summary)["region"].outcome == "fail"
    assert rules(summary)["waivers"].why == [
        "config/waivers.yml:6:14: exemptions[0].expires: the exemption of shop from region expired "
        "after 2026-06-30; ask shop@acme.example: mend it, or give a new reason and day"
    ]


@pytest.mark.parametrize(
    ("right", "wrong"), [("rule: region", "rule: size"), ("subject: shop", "subject: shops")]
)
def test_an_exemption_is_of_one_rule_and_one_subject(right: str, wrong: str) -> None:
    text = EXEMPTION.replace(right, wrong)
    summary = judged(said(denied(subject="shop")), text)
    assert rules(summary)["region"].outcome == "fail"
    assert "is needed no more; take it out" in rules(summary)["waivers"].why[0]


def test_nothing_exempts_from_what_names_no_subject() -> None:
    assert rules(judged(said(denied()), EXEMPTION))["region"].outcome == "fail"


def test_an_exemption_that_nothing_needs_fails_only_when_everything_was_judged() -> None:
    summary = judged(said(), EXEMPTION)
    assert not summary.passed
    assert rules(summary)["waivers"].why == [
        "config/waivers.yml:2:5: exemptions[0]: the exemption of shop from region is needed no "
        "more; take it out"
    ]
    assert judged(said(), EXEMPTION, complete=False).passed
    assert not judged(said(), EXEMPTION, DAY_AFTER, complete=False).passed


def test_an_exemption_from_a_rule_that_could_not_judge_stays() -> None:
    """Before images are published nothing is known of their signatures."""
    skipped = said(warnings=({"msg": "not yet", "metadata": {"outcome": "skipped"}},))
    assert judged(skipped, EXEMPTION).passed


def test_titles_and_what_counts_as_a_rule() -> None:
    files = {
        "config/policy/size.rego": "# METADATA\n# title: Small\npackage pipeline.size\n",
        "config/policy/plain.rego": "package acme.plain\n",
        "config/policy/empty.rego": "# METADATA\n# just words\npackage acme.empty\n",
        "config/policy/size_test.rego": "no package at all",
    }
    assert titles(files) == {
        "pipeline.size": "Small",
        "acme.plain": "plain",
        "acme.empty": "empty",
    }
    assert not is_rule("config/policy/policy.yml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deny contains 1", "mine.rego: expected 'package <name>', which names the rule"),
        ("# METADATA\n# title: [\npackage a\n", "mine.rego: expected YAML behind # METADATA"),
    ],
)
def test_a_file_that_cannot_be_a_rule_is_named(text: str, expected: str) -> None:
    with pytest.raises(PolicyError, match=expected):
        titles({"config/policy/mine.rego": text})


def test_every_rule_of_the_module_has_a_title() -> None:
    files = {str(path): path.read_text() for path in ROOT.glob("config/policy/*.rego")}
    found = titles(files)
    assert len(found) == len(files) - 1
    for package, title in found.items():
        assert title[0].isupper()
        assert package.startswith("pipeline.")


def test_the_docs_have_every_rule_and_a_right_example() -> None:
    text = (ROOT / "docs/policy.md").read_text()
    table = text.partition("| --- |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines()[1:]]
    files = {path.stem for path in ROOT.glob("config/policy/*.rego")}
    assert {name.strip(" `") for row in rows for name in row.split(",")} == (
        files - {"policy_test"} | {"waivers"}
    )
    example = text.partition("```yaml\n")[2].partition("```")[0]
    assert load_waivers(example).exemptions[0].subject == "shop"


def test_the_policy_without_a_file() -> None:
    assert load_policy(None) == Policy()
    assert Threshold.of(load_policy(None)) == Threshold()


def test_the_policys_values_become_the_threshold() -> None:
    text = "vulnerabilities: {with_fix: low, without_fix: critical, grace_days: 7}\nsecrets: low\n"
    threshold = Threshold.of(load_policy(text))
    assert threshold.with_fix is Severity.LOW
    assert threshold.without_fix is Severity.CRITICAL
    assert threshold.grace_days == 7
    assert threshold.secrets is Severity.LOW
    assert threshold.misconfigurations is Severity.HIGH


def test_all_mistakes_of_a_policy_at_once() -> None:
    text = """\
vulnerabilities:
  with_fix: bad
  without_fx: never
  grace_days: -1
licences:
  denied: AGPL-3.0-only
  unknown: maybe
base_image: {max_age_days: 0}
signatures: sometimes
attestations: [sbom, scn]
label: [a]
"""
    with pytest.raises(InvalidFilesError) as caught:
        load_policy(text)
    told = str(caught.value)
    for expected in [
        f"{POLICY_FILE}:2:13: vulnerabilities.with_fix: Input should be 'negligible', 'low'",
        f"{POLICY_FILE}:3:3: vulnerabilities.without_fx: unknown field; did you mean",
        f"{POLICY_FILE}:4:15: vulnerabilities.grace_days: Input should be greater than or equal",
        f"{POLICY_FILE}:6:11: licences.denied: Input should be a valid list, got 'AGPL-3.0-only'",
        f"{POLICY_FILE}:7:12: licences.unknown: Input should be 'allow' or 'deny', got 'maybe'",
        f"{POLICY_FILE}:8:28: base_image.max_age_days: Input should be greater than 0, got 0",
        f"{POLICY_FILE}:9:13: signatures: Input should be 'required' or 'optional'",
        f"{POLICY_FILE}:10:22: attestations[1]: Input should be 'sbom', 'scan' or 'provenance'",
        f"{POLICY_FILE}:11:1: label: unknown field; did you mean 'labels'?",
    ]:
        assert expected in told


def test_the_schema_takes_the_modules_own_policy() -> None:
    text = (ROOT / POLICY_FILE).read_text()
    schema = json.loads((ROOT / "schemas/policy.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(text), schema)
    assert load_policy(text).licences.denied[0] == "AGPL-3.0-only"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"signatures": "sometimes"}, schema)


def test_mistakes_in_exemptions() -> None:
    text = "exemptions:\n  - rule: Region\n    subjct: shop\n    reason: ' '\n    owner: me\n"
    with pytest.raises(InvalidFilesError) as caught:
        load_waivers(text)
    told = str(caught.value)
    for expected in [
        "config/waivers.yml:2:11: exemptions[0].rule: String should match pattern",
        "config/waivers.yml:3:5: exemptions[0].subjct: unknown field; did you mean 'subject'?",
        "config/waivers.yml:4:13: exemptions[0].reason: is empty, got ' '",
        "config/waivers.yml:2:5: exemptions[0].expires: is missing",
    ]:
        assert expected in told
