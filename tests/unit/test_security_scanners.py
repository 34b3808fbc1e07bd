"""Scanners' own reports become findings, as many as there are and with nothing secret."""

import json
from collections import Counter
from datetime import date

import pytest

from pipeline.security.finding import Cvss, Finding, Kind, Severity
from pipeline.security.grype import parse_grype
from pipeline.security.package import canonical_purl, oci_purl, package_of
from pipeline.security.scanner import ScannerReportError, is_advisory
from pipeline.security.scout import parse_scout
from pipeline.security.trivy import parse_trivy
from tests.unit.scans import CANARY, GRYPE, SCOUT, TRIVY, shop

# Made by hand from the two reports: name, package, version, worst severity, who found it.
TRUTH = {
    ("CVE-2024-5535", "libssl3", "3.0.11-1~deb12u2", "critical", "grype trivy"),
    ("CVE-2023-45853", "zlib1g", "1:1.2.13.dfsg-1", "critical", "grype trivy"),
    ("aws-access-key-id", "app/deploy.env", "3", "critical", "trivy"),
    ("CVE-2023-52425", "libexpat1", "2.5.0-1", "high", "grype trivy"),
    ("CVE-2024-28757", "libexpat1", "2.5.0-1", "high", "grype trivy"),
    ("CVE-2021-23337", "lodash", "4.17.20", "high", "grype trivy"),
    ("CVE-2023-39325", "stdlib", "1.21.0", "high", "grype trivy"),
    ("DS-0002", "services/shop/Dockerfile", "7", "high", "trivy"),
    ("CVE-2023-45288", "golang.org/x/net", "0.17.0", "medium", "grype trivy"),
    ("CVE-2020-26235", "time", "0.1.43", "medium", "grype trivy"),
    ("CVE-2023-31486", "perl-base", "5.36.0-7+deb12u1", "medium", "grype"),
    ("CVE-2023-29383", "login", "1:4.13+dfsg1-1+b1", "low", "grype trivy"),
    ("CVE-2005-2541", "tar", "1.34+dfsg-1.2", "low", "trivy"),
    ("DS-0026", "services/shop/Dockerfile", "None", "low", "trivy"),
}
OF_EACH = {"trivy": 10 + 1 + 2, "grype": 11}


def row(finding: Finding) -> tuple[str, str, str, str, str]:
    place = finding.places[0]
    about = (
        (finding.package.name, finding.package.version)
        if finding.package
        else (place.path, str(place.line))
    )
    return (finding.ids[0], *about, finding.severity.value, " ".join(finding.scanners))


def by_id(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.ids[0]: finding for finding in findings}


def test_two_scanners_and_two_platforms_give_what_is_there_once() -> None:
    found = shop()
    assert len(found) == len(TRUTH) == 14
    assert {row(finding) for finding in found} == TRUTH
    for finding in found:
        assert {place.platform for place in finding.places} == {"linux/amd64", "linux/arm64"}
    assert Counter(finding.kind for finding in found) == {
        Kind.VULNERABILITY: 11,
        Kind.SECRET: 1,
        Kind.MISCONFIGURATION: 2,
    }


def test_each_scanner_by_itself() -> None:
    assert len(parse_trivy(TRIVY, "shop", "linux/amd64")) == OF_EACH["trivy"]
    assert len(parse_grype(GRYPE, "shop", "linux/amd64")) == OF_EACH["grype"]


def test_what_a_scanner_says_is_kept() -> None:
    found = by_id(shop())["CVE-2024-5535"]
    said = {assessment.scanner: assessment for assessment in found.assessments}
    assert said["trivy"].severity is Severity.CRITICAL
    assert said["grype"].severity is Severity.HIGH
    assert said["trivy"].cvss == Cvss(
        score=9.1, vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:H"
    )
    assert said["trivy"].fixed_versions == ("3.0.14-1~deb12u1",)
    assert said["trivy"].published == date(2024, 6, 27)
    assert said["trivy"].title == "openssl: SSL_select_next_proto buffer overread"
    assert said["trivy"].url == "https://avd.aquasec.com/nvd/cve-2024-5535"
    assert said["trivy"].advisories == ("DSA-5764-1",)
    assert said["grype"].title == "libssl3 has a flaw."
    assert {place.path for place in found.places} == {"", "var/lib/dpkg/status"}
    assert all(place.layer.startswith("sha256:78") for place in found.places)
    assert found.disagreements == ["severity: grype high, trivy critical"]


def test_aliases_of_one_vulnerability_chain() -> None:
    found = by_id(shop())
    assert found["CVE-2020-26235"].ids == (
        "CVE-2020-26235",
        "GHSA-wcg3-cvx6-7396",
        "RUSTSEC-2020-0071",
    )
    assert found["CVE-2023-39325"].ids == ("CVE-2023-39325", "GO-2023-2102")
    assert found["CVE-2023-39325"].fixed_versions == ["1.20.10", "1.21.3"]


def test_an_advisory_for_two_vulnerabilities_makes_them_no_less() -> None:
    found = by_id(shop())
    for id_ in ("CVE-2023-52425", "CVE-2024-28757"):
        assert found[id_].ids == (id_,)
        assert ("DSA-6000-1",) in [said.advisories for said in found[id_].assessments]
    match = json.loads(GRYPE)["matches"][0]
    match["vulnerability"]["id"] = "ALAS2023-2024-123"
    match["relatedVulnerabilities"] = [{"id": "CVE-1-1"}, {"id": "CVE-1-2"}]
    findings = parse_grype(json.dumps({"matches": [match]}), "shop", "linux/amd64")
    assert [finding.ids for finding in findings] == [("CVE-1-1",), ("CVE-1-2",)]
    assert findings[0].assessments[0].advisories == ("ALAS2023-2024-123",)
    match["relatedVulnerabilities"] = []
    [alone] = parse_grype(json.dumps({"matches": [match]}), "shop", "linux/amd64")
    assert alone.ids == ("ALAS2023-2024-123",)


@pytest.mark.parametrize("id_", ["DSA-1-1", "ALAS-2023-1", "ALAS2-2023-1", "RHSA-2024:1", "USN-1"])
def test_advisories(id_: str) -> None:
    assert is_advisory(id_)


@pytest.mark.parametrize("id_", ["CVE-2024-1", "GHSA-a", "GO-2024-1", "RUSTSEC-1", "TEMP-0-1"])
def test_names_of_one_vulnerability(id_: str) -> None:
    assert not is_advisory(id_)


def test_of_a_secret_only_rule_path_and_line() -> None:
    findings = parse_trivy(TRIVY, "shop", "linux/amd64")
    assert CANARY in TRIVY
    assert CANARY not in "".join(finding.model_dump_json() for finding in findings)
    [secret] = [finding for finding in findings if finding.kind is Kind.SECRET]
    assert secret.ids == ("aws-access-key-id",)
    assert (secret.places[0].path, secret.places[0].line) == ("app/deploy.env", 3)


def test_what_is_wrong_with_an_images_own_configuration_is_at_its_name() -> None:
    report = TRIVY.replace('"Target": "services/shop/Dockerfile"', '"Target": "/layout"')
    assert report != TRIVY
    findings = parse_trivy(report, "ghcr.io/acme/shop", "linux/amd64")
    places = [place for finding in findings for place in finding.places if not finding.package]
    assert "shop/config.json" in [place.path for place in places]
    assert not [place for place in places if place.path == "layout"]


def test_an_unreadable_report_quotes_no_secret() -> None:
    for broken in (TRIVY.replace('"StartLine": 3', f'"StartLine": "{CANARY}"'), TRIVY[:-200]):
        assert broken != TRIVY
        with pytest.raises(ScannerReportError) as caught:
            parse_trivy(broken, "shop", "linux/amd64")
        assert CANARY not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


def test_docker_scout() -> None:
    findings = parse_scout(SCOUT, "shop", "linux/amd64")
    assert [
        (
            finding.ids[0],
            finding.package.name if finding.package else "",
            finding.package.version if finding.package else "",
            finding.severity.value,
            finding.fixed_versions,
        )
        for finding in findings
    ] == [
        ("CVE-2021-22945", "curl", "7.74.0-1.3+deb11u1", "critical", ["7.74.0-1.3+deb11u2"]),
        ("CVE-2023-44487", "nghttp2", "1.43.0-1", "high", ["1.43.0-1+deb11u1"]),
        ("CVE-2023-44487", "nginx", "1.21.6-1~bullseye", "high", []),
        ("CVE-2023-45288", "golang.org/x/net", "0.17.0", "medium", ["0.23.0"]),
        ("CVE-2022-37434", "zlib", "1.2.11.dfsg-2+deb11u1", "low", ["1.2.11.dfsg-2+deb11u2"]),
        ("GMS-2022-9109", "xstream", "1.4.5", "unknown", []),
    ]
    assert findings[0].cvss == Cvss(
        score=9.1, vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:H"
    )
    assert findings[0].assessments[0].title == "CVE-2021-22945: Double Free"
    assert findings[0].assessments[0].url == "https://scout.docker.com/v/CVE-2021-22945"
    assert findings[4].cvss is None
    assert findings[3].places[0].path == "usr/local/bin/worker"


def test_a_third_scanner_joins_in() -> None:
    trivy = parse_trivy(TRIVY, "shop", "linux/amd64")
    package = by_id(trivy)["CVE-2023-45288"].package
    assert package in [finding.package for finding in parse_scout(SCOUT, "shop", "linux/amd64")]


def test_clean_reports() -> None:
    assert parse_trivy('{"SchemaVersion": 2, "New": 1}', "a", "b") == []
    assert parse_grype('{"matches": []}', "a", "b") == []
    clean = '{"runs": [{"tool": {"driver": {"name": "docker scout"}}, "results": []}]}'
    assert parse_scout(clean, "a", "b") == []


def without(report: str, *path: str | int) -> str:
    """Take one value out of a JSON document."""
    data = json.loads(report)
    inner = data
    for part in path[:-1]:
        inner = inner[part]
    del inner[path[-1]]
    return json.dumps(data)


@pytest.mark.parametrize(
    ("parse", "report", "said"),
    [
        (parse_trivy, "", r"Trivy's report isn't what was expected: Invalid JSON"),
        (parse_trivy, "[]", r"Trivy's report .* Input should be an object"),
        (parse_trivy, "{}", r"Trivy's report .* SchemaVersion: Field required"),
        (parse_trivy, '{"SchemaVersion": 3}', r"SchemaVersion: Input should be 2"),
        (
            parse_trivy,
            without(TRIVY, "Results", 0, "Vulnerabilities", 1, "VulnerabilityID"),
            r"Results\[0\]\.Vulnerabilities\[1\]\.VulnerabilityID: Field required",
        ),
        (
            parse_trivy,
            TRIVY.replace('"CRITICAL"', '"SEVERE"'),
            r"Severity: expected a severity \(unknown.*\), and 2 more like it",
        ),
        (parse_trivy, TRIVY.replace('"PASS"', '"PERHAPS"'), r"\[2\]\.Status: Input should be"),
        (parse_trivy, TRIVY.replace("2024-06-27", "yesterday, "), r"PublishedDate: Invalid iso"),
        (parse_grype, "{}", r"Grype's report .* matches: Field required"),
        (
            parse_grype,
            without(GRYPE, "matches", 3, "artifact", "version"),
            r"matches\[3\]\.artifact\.version: Field required",
        ),
        (parse_grype, GRYPE.replace("9.1,", "91,"), r"baseScore: Input should be less than"),
        (parse_scout, '{"runs": []}', r"Docker Scout's report .* runs: List should have at least"),
        (parse_scout, without(SCOUT, "runs", 0, "results"), r"runs\[0\]\.results: Field required"),
        (
            parse_scout,
            without(SCOUT, "runs", 0, "tool", "driver", "rules", 2),
            r"no rule is called 'CVE-2023-45288'",
        ),
        (
            parse_scout,
            SCOUT.replace('"purl"', '"url"'),
            r"a result of 'GMS-2022-9109' names no package",
        ),
    ],
)
def test_a_report_that_lacks_what_is_needed(parse, report: str, said: str) -> None:
    with pytest.raises(ScannerReportError, match=said):
        parse(report, "shop", "linux/amd64")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pkg:deb/debian/a@1.0%2Bb1?arch=amd64&distro=debian-12", "pkg:deb/debian/a@1.0+b1"),
        ("pkg:npm/%40angular/core@1.0.0", "pkg:npm/@angular/core@1.0.0"),
        ("pkg:golang/golang.org/x/net@v1.2.3#http2", "pkg:golang/golang.org/x/net@1.2.3"),
        ("pkg:golang/github.com/Azure/sdk@v1", "pkg:golang/github.com/azure/sdk@v1"),
        ("pkg:pypi/Typing_Extensions@4", "pkg:pypi/typing-extensions@4"),
        ("pkg:rpm/redhat/bash@0:5.1-2", "pkg:rpm/redhat/bash@5.1-2"),
    ],
)
def test_package_urls_of_the_same_package(one: str, other: str) -> None:
    assert canonical_purl(one) == canonical_purl(other)


def test_packages_are_named_by_their_package_url() -> None:
    scoped = package_of("core", "1", "pkg:npm/%40angular/core@1")
    assert (scoped.name, scoped.purl) == ("@angular/core", "pkg:npm/%40angular/core@1")
    java = package_of("org.x:y", "1", "pkg:maven/org.x/y@1")
    assert (java.name, java.purl) == ("y", "pkg:maven/org.x/y@1")
    nameless = package_of("thing", "1", "")
    assert (nameless.name, nameless.version, nameless.purl) == ("thing", "1", "")


def test_images_have_package_urls() -> None:
    assert oci_purl("shop", "sha256:ab") == "pkg:oci/shop@sha256%3Aab"
    assert oci_purl("10.0.0.1:5000/acme/shop", "sha256:ab") == "pkg:oci/shop@sha256%3Aab"


def test_severities_are_in_order() -> None:
    assert sorted(Severity, reverse=True)[0] is Severity.CRITICAL
    assert [severity.value for severity in sorted(Severity)] == [
        *("unknown", "negligible", "low", "medium", "high", "critical"),
    ]
