"""Waivers: read strictly, in force until their day, and as other tools read them."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import jsonschema
import pytest
import yaml

from pipeline.catalogue.waivers import WaiversFile, load_waivers
from pipeline.errors import InvalidFilesError
from pipeline.security.finding import Assessment, Finding, Kind, Location, Severity
from pipeline.security.gate import Result, judge
from pipeline.security.waiver_formats import grype_ignore, openvex, trivy_ignore
from pipeline.security.waivers import stale_waivers
from tests.unit.scans import shop, vulnerability

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schemas/waivers.schema.json").read_text())
LAST_DAY = date(2026, 6, 30)
DAY_AFTER = date(2026, 7, 1)
WAIVERS = """\
waivers:
  - id: GHSA-35jh-r3h4-6jhm
    package: pkg:npm/lodash@4.17.20
    reason: Templates are never made of input.
    owner: shop@acme.example
    expires: 2026-06-30
    justification: vulnerable_code_cannot_be_controlled_by_adversary
  - id: CVE-2023-29383
    package: pkg:deb/debian/login
    reason: Nobody logs in.
    owner: shop@acme.example
    expires: 2026-12-31
  - id: aws-access-key-id
    package: /app/deploy.env
    reason: An example out of the documentation.
    owner: shop@acme.example
    expires: 2026-12-31
  - id: DS-0002
    package: services/shop/Dockerfile
    reason: The entry point drops its rights.
    owner: shop@acme.example
    expires: 2026-12-31
"""


def one_waiver(**changed: str) -> str:
    waiver = {
        "id": "CVE-2021-23337",
        "package": "pkg:npm/lodash",
        "reason": "Because.",
        "owner": "me",
        "expires": "2026-06-30",
    } | changed
    return "waivers:\n- " + "\n  ".join(f"{key}: {value}" for key, value in waiver.items()) + "\n"


def stale(text: str, today: date) -> list[str]:
    return [str(mistake) for mistake in stale_waivers(load_waivers(text), shop(), today)]


def test_a_waiver_counts_on_its_last_day_and_not_after_it() -> None:
    file = load_waivers(WAIVERS)
    results = {}
    for today in (LAST_DAY, DAY_AFTER):
        verdict = judge(shop(), file, today)
        results[today] = {each.finding.ids[0]: each.result for each in verdict.judgements}
    assert results[LAST_DAY]["CVE-2021-23337"] is Result.WAIVED
    assert results[DAY_AFTER]["CVE-2021-23337"] is Result.FAIL
    assert stale(WAIVERS, LAST_DAY) == []
    assert stale(WAIVERS, DAY_AFTER) == [
        "config/waivers.yml:6:14: waivers[0].expires: the waiver of GHSA-35jh-r3h4-6jhm in "
        "pkg:npm/lodash@4.17.20 expired after 2026-06-30; ask shop@acme.example: "
        "fix it, or give a new reason and day"
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "CVE-1999-1"},
        {"package": "pkg:npm/lodash@4.17.21"},
        {"package": "pkg:npm/lodash-es"},
        {"package": "lodash"},
    ],
)
def test_a_waiver_that_matches_nothing_is_a_failure(changed: dict[str, str]) -> None:
    [said] = stale(one_waiver(**changed), LAST_DAY)
    assert said.startswith("config/waivers.yml:2:3: waivers[0]: the waiver of ")
    assert said.endswith("matches no finding any more; take it out")


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"id": "cve-2021-23337"},
        {"id": "GHSA-35jh-r3h4-6jhm", "package": "pkg:npm/Lodash@4.17.20"},
        {"id": "CVE-2023-29383", "package": "pkg:deb/debian/login@1:4.13+dfsg1-1+b1"},
        {"id": "AVD-DS-0002", "package": "services/shop/Dockerfile"},
    ],
)
def test_a_waiver_may_use_any_name(changed: dict[str, str]) -> None:
    assert stale(one_waiver(**changed), LAST_DAY) == []


def test_of_some_images_alone_no_waiver_is_one_too_many() -> None:
    unmatched = load_waivers(one_waiver(id="CVE-1999-0001"))
    assert stale_waivers(unmatched, None, LAST_DAY) == []
    [expired] = stale_waivers(unmatched, None, DAY_AFTER)
    assert "expired" in str(expired)


def test_no_file_is_no_waiver() -> None:
    assert load_waivers(None).waivers == []
    assert load_waivers("waivers: []\n").waivers == []


def test_the_file_of_the_repository() -> None:
    text = (ROOT / "config/waivers.yml").read_text()
    load_waivers(text)
    jsonschema.validate(yaml.safe_load(text), SCHEMA)


def test_all_mistakes_of_a_file_at_once() -> None:
    wrong = """\
waivers:
  - id: CVE-1
    package: pkg:npm/a?arch=x
    reason: " "
    owner: me
    expires: tomorrow
  - id: CVE-2
    package: pkg:npm/a
    expire: 2026-06-30
    justification: because
"""
    with pytest.raises(InvalidFilesError) as caught:
        load_waivers(wrong)
    said = str(caught.value)
    for expected in [
        "config/waivers.yml:3:14: waivers[0].package: String should match pattern",
        "config/waivers.yml:4:13: waivers[0].reason: is empty, got ' '",
        "config/waivers.yml:6:14: waivers[0].expires: Input should be a valid date",
        "config/waivers.yml:7:5: waivers[1].reason: is missing",
        "config/waivers.yml:7:5: waivers[1].owner: is missing",
        "config/waivers.yml:7:5: waivers[1].expires: is missing",
        "config/waivers.yml:9:5: waivers[1].expire: unknown field; did you mean 'expires'?",
        "config/waivers.yml:10:20: waivers[1].justification: Input should be 'component_not",
    ]:
        assert expected in said
    with pytest.raises(InvalidFilesError, match=r":7:3: waivers\[1\]: is the same .* at line 2"):
        load_waivers(one_waiver() + one_waiver(id="cve-2021-23337").removeprefix("waivers:\n"))


@pytest.mark.parametrize("field", ["id", "package", "reason", "owner", "expires"])
def test_the_schema_wants_what_the_models_want(field: str) -> None:
    data = json.loads(json.dumps(yaml.safe_load(WAIVERS), default=str))
    jsonschema.validate(data, SCHEMA)
    del data["waivers"][0][field]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
IMAGE = "pkg:oci/shop@sha256%3Aab?repository_url=registry.example/shop"


def vex(text: str, now: datetime = NOW) -> dict[str, object]:
    waivers = load_waivers(text).waivers
    return json.loads(openvex(waivers, shop(), [IMAGE], "security@acme.example", now))


def test_openvex() -> None:
    document = vex(WAIVERS)
    assert document["@context"] == "https://openvex.dev/ns/v0.2.0"
    assert str(document["@id"]).startswith("https://openvex.dev/docs/public/vex-")
    assert document["author"] == "security@acme.example"
    assert document["timestamp"] == "2026-06-30T12:00:00+00:00"
    assert document["version"] == 1
    assert document["statements"] == [
        {
            "vulnerability": {"name": "CVE-2021-23337", "aliases": ["GHSA-35jh-r3h4-6jhm"]},
            "products": [
                {"@id": IMAGE, "subcomponents": [{"@id": "pkg:npm/lodash@4.17.20"}]},
            ],
            "status": "not_affected",
            "justification": "vulnerable_code_cannot_be_controlled_by_adversary",
            "impact_statement": "Templates are never made of input.",
        },
        {
            "vulnerability": {"name": "CVE-2023-29383", "aliases": []},
            "products": [
                {
                    "@id": IMAGE,
                    "subcomponents": [
                        {"@id": "pkg:deb/debian/login@1:4.13%2Bdfsg1-1%2Bb1"},
                        {"@id": "pkg:deb/debian/login@4.13%2Bdfsg1-1%2Bb1"},
                    ],
                },
            ],
            "status": "affected",
            "action_statement": "Accepted until 2026-12-31 by shop@acme.example: Nobody logs in.",
        },
    ]


def test_openvex_leaves_out_what_has_expired_and_is_another_document_then() -> None:
    later = vex(WAIVERS, datetime(2026, 7, 1, tzinfo=UTC))
    names = [statement["vulnerability"]["name"] for statement in later["statements"]]
    assert names == ["CVE-2023-29383"]
    assert later["@id"] != vex(WAIVERS)["@id"]


def written(write, file: WaiversFile, today: date) -> dict[str, list[dict[str, object]]]:
    return yaml.safe_load(write(file.waivers, shop(), today))


def test_trivys_ignore_file() -> None:
    ignored = written(trivy_ignore, load_waivers(WAIVERS), LAST_DAY)
    assert ignored == {
        "vulnerabilities": [
            {
                "id": id_,
                "purls": ["pkg:npm/lodash@4.17.20"],
                "expired_at": DAY_AFTER,
                "statement": "Templates are never made of input.",
            }
            for id_ in ("CVE-2021-23337", "GHSA-35jh-r3h4-6jhm")
        ]
        + [
            {
                "id": "CVE-2023-29383",
                "purls": ["pkg:deb/debian/login"],
                "expired_at": date(2027, 1, 1),
                "statement": "Nobody logs in.",
            }
        ],
        "secrets": [
            {
                "id": "aws-access-key-id",
                "paths": ["app/deploy.env", "/app/deploy.env"],
                "expired_at": date(2027, 1, 1),
                "statement": "An example out of the documentation.",
            }
        ],
        "misconfigurations": [
            {
                "id": id_,
                "paths": ["services/shop/Dockerfile", "/services/shop/Dockerfile"],
                "expired_at": date(2027, 1, 1),
                "statement": "The entry point drops its rights.",
            }
            for id_ in ("DS-0002", "AVD-DS-0002")
        ],
    }


@pytest.mark.parametrize(
    ("id_", "package", "as_trivy_has_it"),
    [
        (
            "CVE-2023-29383",
            "pkg:deb/debian/login@1:4.13+dfsg1-1+b1",
            "pkg:deb/debian/login@4.13%2Bdfsg1-1%2Bb1",
        ),
        (
            "CVE-2023-45288",
            "pkg:golang/golang.org/x/net@0.17.0",
            "pkg:golang/golang.org/x/net@v0.17.0",
        ),
    ],
)
def test_trivy_writes_some_versions_in_its_own_way(id_, package, as_trivy_has_it) -> None:
    file = load_waivers(one_waiver(id=id_, package=package))
    entry, *_ = written(trivy_ignore, file, LAST_DAY)["vulnerabilities"]
    assert as_trivy_has_it in entry["purls"]


def test_without_a_package_url_nothing_too_wide_is_written() -> None:
    nameless = [vulnerability("CVE-1", package="a@1")]
    waivers = load_waivers(one_waiver(id="CVE-1", package="a")).waivers
    assert yaml.safe_load(trivy_ignore(waivers, nameless, LAST_DAY)) == {}
    assert json.loads(openvex(waivers, nameless, [IMAGE], "me", NOW))["statements"] == []
    [rule] = yaml.safe_load(grype_ignore(waivers, nameless, LAST_DAY))["ignore"]
    assert rule["package"] == {"name": "a", "version": "1"}


def test_a_path_is_no_pattern() -> None:
    text = one_waiver(id="private-key", package="'app/[id]*.pem'")
    secret = Finding(
        kind=Kind.SECRET,
        ids=("private-key",),
        assessments=(Assessment(scanner="trivy", severity=Severity.HIGH),),
        places=(Location(image="shop", platform="linux/amd64", path="app/[id]*.pem", line=1),),
    )
    ignored = yaml.safe_load(trivy_ignore(load_waivers(text).waivers, [secret], LAST_DAY))
    assert ignored["secrets"][0]["paths"] == [r"app/\[id\]\*.pem", r"/app/\[id\]\*.pem"]


def test_grypes_ignore_rules() -> None:
    ignored = written(grype_ignore, load_waivers(WAIVERS), LAST_DAY)
    assert ignored == {
        "ignore": [
            {
                "vulnerability": id_,
                "package": {"name": "lodash", "version": "4.17.20"},
                "reason": "Templates are never made of input. "
                "(shop@acme.example, until 2026-06-30)",
            }
            for id_ in ("CVE-2021-23337", "GHSA-35jh-r3h4-6jhm")
        ]
        + [
            {
                "vulnerability": "CVE-2023-29383",
                "package": {"name": "login", "version": version},
                "reason": "Nobody logs in. (shop@acme.example, until 2026-12-31)",
            }
            for version in ("1:4.13+dfsg1-1+b1", "4.13+dfsg1-1+b1")
        ]
    }
    later = written(grype_ignore, load_waivers(WAIVERS), DAY_AFTER)["ignore"]
    assert {rule["vulnerability"] for rule in later} == {"CVE-2023-29383"}
    text = one_waiver(id="CVE-2023-45288", package="pkg:golang/golang.org/x/net")
    rules = written(grype_ignore, load_waivers(text), LAST_DAY)["ignore"]
    assert {"name": r"golang\.org/x/net", "version": "v0.17.0"} in [
        rule["package"] for rule in rules
    ]
