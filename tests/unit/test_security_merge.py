"""Merging: the order doesn't matter, nothing is lost, aliases chain."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.security.finding import Assessment, Finding, Kind, Location, Severity
from pipeline.security.merge import merge
from pipeline.security.package import Package
from tests.unit.scans import vulnerability

IDS = ["CVE-1", "CVE-2", "GHSA-1", "GHSA-2", "GO-1", "RUSTSEC-1"]
PACKAGES = [
    Package(name=name, version=version, purl=purl)
    for name in "ab"
    for version in "12"
    for purl in ("", f"pkg:npm/{name}@{version}")
]


@st.composite
def any_finding(draw: st.DrawFn) -> Finding:
    kind = draw(st.sampled_from(Kind))
    severities, scanners = st.sampled_from(Severity), st.sampled_from(["trivy", "grype"])
    fixes = st.lists(st.sampled_from("123"), max_size=2).map(tuple)
    return Finding(
        kind=kind,
        ids=tuple(draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=3, unique=True))),
        package=draw(st.sampled_from(PACKAGES)) if kind is Kind.VULNERABILITY else None,
        assessments=(
            Assessment(
                scanner=draw(scanners), severity=draw(severities), fixed_versions=draw(fixes)
            ),
        ),
        places=(
            Location(
                image=draw(st.sampled_from("xy")),
                platform="linux/amd64",
                path=draw(st.sampled_from(["", "etc/a"])),
                line=draw(st.sampled_from([None, 1])),
            ),
        ),
    )


FINDINGS = st.lists(any_finding(), max_size=12)


def subject(finding: Finding) -> object:
    return finding.package or (finding.places[0].path, finding.places[0].line)


def claims(finding: Finding) -> set[tuple[object, ...]]:
    """Give every single thing that a finding says."""
    about = (finding.kind, subject(finding))
    return (
        {(*about, id_) for id_ in finding.ids}
        | {(*about, said) for said in finding.assessments}
        | {(*about, place) for place in finding.places}
    )


@settings(max_examples=100, deadline=None)
@given(FINDINGS, st.randoms(use_true_random=False))
def test_the_order_of_inputs_does_not_matter(findings: list[Finding], random) -> None:
    shuffled = list(findings)
    random.shuffle(shuffled)
    assert merge(shuffled) == merge(findings)


@settings(max_examples=100, deadline=None)
@given(FINDINGS)
def test_no_finding_is_lost_and_none_is_made_up(findings: list[Finding]) -> None:
    merged = merge(findings)
    for finding in findings:
        assert len([one for one in merged if claims(finding) <= claims(one)]) == 1
    said = [claim for finding in findings for claim in claims(finding)]
    assert {claim for one in merged for claim in claims(one)} == set(said)


@settings(max_examples=100, deadline=None)
@given(FINDINGS)
def test_aliases_chain_and_nothing_else_joins(findings: list[Finding]) -> None:
    """Compare with the plainest way: join any two that share a name until none are left."""
    groups = [{(one.kind, subject(one), id_) for id_ in one.ids} for one in findings]
    while True:
        pairs = ((a, b) for a, b in combinations(groups, 2) if a & b)
        first = next(pairs, None)
        if first is None:
            break
        groups = [group for group in groups if group not in first] + [set.union(*first)]
    expected = sorted(sorted(id_ for _, _, id_ in group) for group in groups)
    assert sorted(sorted(one.ids) for one in merge(findings)) == expected


@settings(max_examples=30, deadline=None)
@given(FINDINGS)
def test_merging_again_changes_nothing(findings: list[Finding]) -> None:
    assert merge(merge(findings)) == merge(findings)


def test_a_long_chain_is_one_finding() -> None:
    chain = [vulnerability(f"CVE-{n}", f"CVE-{n + 1}") for n in range(200)]
    [one] = merge(chain[::2] + chain[1::2])
    assert len(one.ids) == 201


def test_other_versions_and_packages_stay_apart() -> None:
    found = merge(
        [
            vulnerability("CVE-1", package="pkg:npm/a@1"),
            vulnerability("CVE-1", package="pkg:npm/a@2"),
            vulnerability("CVE-1", package="pkg:npm/b@1"),
            vulnerability("cve-1", package="pkg:npm/a@1?arch=x", scanner="grype"),
        ]
    )
    assert len(found) == 3


def test_the_worst_is_first_and_scanners_may_disagree() -> None:
    low, high = merge(
        [
            vulnerability("CVE-1", severity=Severity.UNKNOWN, fixed=()),
            vulnerability("CVE-2", severity=Severity.LOW, fixed=()),
            vulnerability("CVE-2", severity=Severity.CRITICAL, scanner="grype"),
            vulnerability("CVE-2", severity=Severity.UNKNOWN, scanner="scout"),
        ]
    )[::-1]
    assert (high.ids, high.severity) == (("CVE-2",), Severity.CRITICAL)
    assert high.disagreements == [
        "severity: grype critical, trivy low",
        "fix: grype 2, scout 2, trivy none",
    ]
    assert low.disagreements == []
