"""The gate: what blocks, what doesn't, and why."""

from collections import Counter
from datetime import date

import pytest

from pipeline.catalogue.waivers import load_waivers
from pipeline.security.finding import Severity
from pipeline.security.gate import Result, Threshold, judge
from tests.unit.scans import shop, vulnerability

TODAY = date(2026, 6, 30)
NONE = load_waivers(None)
WAIVER = """\
waivers:
  - {id: CVE-1, package: pkg:deb/debian/a, reason: Unused., owner: me, expires: 2026-06-30}
"""


def test_what_blocks_by_default() -> None:
    verdict = judge(shop(), NONE, TODAY)
    failed = {each.finding.ids[0] for each in verdict.judgements if each.result is Result.FAIL}
    assert failed == {
        *("CVE-2024-5535", "CVE-2023-52425", "CVE-2021-23337", "CVE-2023-39325"),
        *("aws-access-key-id", "DS-0002"),
    }
    assert len(verdict.judgements) == 14
    assert not verdict.passed


def test_counts_are_those_of_the_truth_table() -> None:
    counts = Counter(finding.severity for finding in shop())
    assert [(severity, counts[severity]) for severity in reversed(Severity)] == [
        (Severity.CRITICAL, 3),
        (Severity.HIGH, 5),
        (Severity.MEDIUM, 3),
        (Severity.LOW, 3),
        (Severity.NEGLIGIBLE, 0),
        (Severity.UNKNOWN, 0),
    ]


@pytest.mark.parametrize(
    ("severity", "fixed", "threshold", "result", "why"),
    [
        (Severity.HIGH, ("2",), Threshold(), Result.FAIL, "high, fixed in 2"),
        (Severity.HIGH, (), Threshold(), Result.PASS, "high, but nothing fixes it yet"),
        (Severity.HIGH, (), Threshold(without_fix=Severity.HIGH), Result.FAIL, "high"),
        (
            Severity.MEDIUM,
            ("2",),
            Threshold(),
            Result.PASS,
            "medium is below high, which blocks",
        ),
        (
            Severity.MEDIUM,
            ("2", "3"),
            Threshold(Severity.LOW),
            Result.FAIL,
            "medium, fixed in 2, 3",
        ),
        (Severity.UNKNOWN, ("2",), Threshold(Severity.UNKNOWN), Result.FAIL, "unknown, fixed in 2"),
    ],
)
def test_each_result_has_its_reason(
    severity: Severity, fixed: tuple[str, ...], threshold: Threshold, result: Result, why: str
) -> None:
    finding = vulnerability("CVE-1", severity=severity, fixed=fixed)
    verdict = judge([finding], NONE, TODAY, threshold)
    [judgement] = verdict.judgements
    assert (judgement.result, judgement.why) == (result, why)
    assert verdict.passed == (result is Result.PASS)


def test_a_waiver_passes_the_gate_until_it_expires() -> None:
    finding = vulnerability("CVE-1")
    file = load_waivers(WAIVER)
    verdict = judge([finding], file, TODAY)
    assert verdict.passed
    assert verdict.judgements[0].result is Result.WAIVED
    assert verdict.judgements[0].why == "until 2026-06-30 by me: Unused."
    expired = judge([finding], file, date(2026, 7, 1))
    assert not expired.passed
    assert expired.judgements[0].result is Result.FAIL
    assert [mistake.place.line for mistake in expired.stale] == [2]


def test_a_waiver_too_many_fails_though_nothing_blocks() -> None:
    verdict = judge([], load_waivers(WAIVER), TODAY)
    assert not verdict.passed
    assert [mistake.message for mistake in verdict.stale] == [
        "the waiver of CVE-1 in pkg:deb/debian/a matches no finding any more; take it out"
    ]


def test_a_waiver_of_what_would_not_block_stays_in_place() -> None:
    verdict = judge([vulnerability("CVE-1", fixed=())], load_waivers(WAIVER), TODAY)
    assert verdict.passed
    assert verdict.judgements[0].result is Result.PASS
