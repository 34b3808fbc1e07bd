"""How images are signed and who is trusted: the file, cosign's command lines, what it says."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.catalogue.signing import Identity, Signing, Sigstore, load_signing
from pipeline.catalogue.waivers import load_waivers
from pipeline.errors import InvalidFilesError
from pipeline.release import commands
from pipeline.release.commands import ImageRepository, Trusted
from pipeline.release.engine.signer import SigningError, kms_reference
from pipeline.release.engine.verify import (
    NobodyTrustedError,
    NotPublishedImageError,
    Signatory,
    verify_images,
)
from pipeline.release.statements import (
    KINDS,
    PROVENANCE,
    SCAN,
    Span,
    provenance_statement,
    scan_statement,
)
from pipeline.release.trust import (
    UNSIGNED,
    Attempt,
    attempted_attestation,
    attestation,
    reason,
    signature,
)
from pipeline.security.gate import judge
from pipeline.security.summary import summarised
from pipeline.version.release import Release
from tests.unit.scans import AMD64, ARM64, vulnerability

PLACE = ImageRepository("ghcr.io/acme/shop", plain_http=False)
DIGEST = "sha256:" + "a" * 64
KEY = Trusted("the key given", key="env://COSIGN_PUBLIC_KEY")
GITHUB = "https://token.actions.githubusercontent.com"
WORKFLOW = "https://github.com/acme/shop/.github/workflows/ci.yml@refs/heads/main"
SPAN = Span(datetime(2026, 6, 30, 8, tzinfo=UTC), datetime(2026, 6, 30, 8, 5, tzinfo=UTC))


def mistakes(text: str) -> str:
    with pytest.raises(InvalidFilesError) as error:
        load_signing(text)
    return str(error.value)


def test_without_a_file_signatures_are_logged_and_older_tools_read_them() -> None:
    assert load_signing(None) == Signing(transparency_log="always", older_format=True)


def test_mistakes_are_named_with_their_lines() -> None:
    said = mistakes("transparancy_log: never\nkeys: [1]\nidentities:\n  - issuer: github\n")
    assert "config/signing.yml:1:1: transparancy_log: unknown field" in said
    assert "did you mean 'transparency_log'?" in said
    assert "config/signing.yml:2:8: keys[0]" in said
    assert "config/signing.yml:4:13: identities[0].issuer" in said


@pytest.mark.parametrize(
    "identity", [f"issuer: {GITHUB}", f"{{issuer: '{GITHUB}', subject: a, subject_pattern: b}}"]
)
def test_an_identity_is_one_name_or_one_pattern(identity: str) -> None:
    assert "expected either 'subject' or 'subject_pattern'" in mistakes(
        f"identities:\n  - {identity}\n"
    )


def test_a_pattern_is_a_regular_expression() -> None:
    said = mistakes(f"identities:\n  - issuer: {GITHUB}\n    subject_pattern: '('\n")
    assert "expected a regular expression" in said


def test_identities_need_a_time() -> None:
    identities = f"identities:\n  - issuer: {GITHUB}\n    subject: {WORKFLOW}\n"
    never = f"transparency_log: never\n{identities}"
    assert "can't be trusted without a time" in mistakes(never)
    timed = load_signing(f"{never}sigstore:\n  timestamp_authority: https://tsa.acme.com/api\n")
    assert timed.identities[0].subject == WORKFLOW


def test_both_formats_are_signed_with_index_and_platforms() -> None:
    new, old = commands.sign(DIGEST, PLACE, "env://KEY", Signing(transparency_log="keyless"))
    assert new[:2] == old[:2] == ["sign", "--recursive"]
    assert "--new-bundle-format=true" in new
    assert "--new-bundle-format=false" in old
    for command in (new, old):
        assert {"--key=env://KEY", "--tlog-upload=false", "--yes"} < set(command)
        assert command[-1] == f"ghcr.io/acme/shop@{DIGEST}"


def test_the_older_format_can_be_left_out() -> None:
    signing = Signing(older_format=False)
    assert len(commands.sign(DIGEST, PLACE, "env://KEY", signing)) == 1
    [attest] = commands.attest(DIGEST, SCAN, "/scan.json", PLACE, "env://KEY", signing)
    assert {"--type=vuln", "--predicate=/scan.json", "--new-bundle-format=true"} < set(attest)


@pytest.mark.parametrize(
    ("log", "key", "logged"),
    [
        ("always", "env://KEY", "true"),
        ("always", "", "true"),
        ("keyless", "env://KEY", "false"),
        ("keyless", "", "true"),
        ("never", "env://KEY", "false"),
        ("never", "", "false"),
    ],
)
def test_what_is_written_to_the_log(log: str, key: str, logged: str) -> None:
    signing = Signing.model_validate({"transparency_log": log})
    command = commands.sign(DIGEST, PLACE, key, signing)[0]
    assert f"--tlog-upload={logged}" in command
    assert any(word.startswith("--key=") for word in command) == bool(key)


def test_a_sigstore_of_ones_own_is_asked_and_trusted() -> None:
    own = Sigstore(
        fulcio="https://fulcio.acme.com",
        rekor="https://rekor.acme.com",
        timestamp_authority="https://tsa.acme.com",
        certificate_log=False,
        trusted_root="config/trusted_root.json",
    )
    signing = Signing(sigstore=own)
    assert {
        "--fulcio-url=https://fulcio.acme.com",
        "--rekor-url=https://rekor.acme.com",
        "--timestamp-server-url=https://tsa.acme.com",
        "--insecure-skip-verify=true",
    } < set(commands.sign(DIGEST, PLACE, "", signing)[0])
    verify = set(commands.verify(DIGEST, PLACE, KEY, signing))
    assert {
        "--trusted-root=/trusted_root.json",
        "--use-signed-timestamps",
        "--insecure-ignore-sct=true",
    } < verify


def test_a_key_is_verified_offline_unless_a_log_has_to_know_it() -> None:
    offline = commands.verify(DIGEST, PLACE, KEY, Signing(transparency_log="keyless"))
    assert {"--insecure-ignore-tlog=true", "--trusted-root=/trusted_root.json"} < set(offline)
    logged = commands.verify(DIGEST, PLACE, KEY, Signing(transparency_log="always"))
    assert not any("tlog" in word or "trusted-root" in word for word in logged)


def test_a_pattern_has_to_match_a_whole_identity() -> None:
    identity = Identity(issuer=GITHUB, subject_pattern="https://github.com/acme/.*|other")
    command = commands.verify_attestation(
        DIGEST, SCAN, PLACE, Trusted("acme", identity=identity), Signing()
    )
    assert "--certificate-identity-regexp=^(?:https://github.com/acme/.*|other)$" in command
    assert f"--certificate-oidc-issuer={GITHUB}" in command
    assert not any(word.startswith("--key") for word in command)


def test_a_registry_without_tls_is_named_so() -> None:
    place = ImageRepository("registry.local:5000/shop", plain_http=True)
    for command in (
        commands.sign(DIGEST, place, "env://KEY", Signing())[0],
        commands.verify(DIGEST, place, KEY, Signing()),
    ):
        assert "--allow-http-registry" in command


def said(*types: str, by: str = "the key given") -> Attempt:
    """What `cosign verify --output=json` prints of signatures that it verified."""
    entries = [{"critical": {"type": each}, "optional": None} for each in types]
    return Attempt(by, succeeded=True, output=json.dumps(entries), errors="")


def failed(error: str, by: str = "the key given") -> Attempt:
    errors = f"WARNING: …\nError: {error}\nerror during command execution: {error}\n"
    return Attempt(by, succeeded=False, output="", errors=errors)


@pytest.mark.parametrize(
    "type_", ["https://sigstore.dev/cosign/sign/v1", "cosign container image signature"]
)
def test_a_signature_in_either_format_counts(type_: str) -> None:
    trust = signature([failed("no signatures found", "one"), said(type_, by="two")])
    assert (trust.verified, trust.by, trust.why) == (True, "two", "")


def test_an_attestation_is_no_signature() -> None:
    trust = signature([said(SCAN.uri)])
    assert (trust.verified, trust.why) == (False, UNSIGNED)


def test_an_attestation_of_any_of_the_kinds_counts() -> None:
    assert attestation(KINDS["sbom"], [said("https://spdx.dev/Document")]) is not None
    assert attestation(KINDS["sbom"], [said(SCAN.uri)]) is None
    assert attestation(KINDS["scan"], [failed("no signatures found")]) is None


def test_reasons_of_all_who_are_trusted_are_told_once() -> None:
    trust = attempted_attestation(
        [
            failed("no matching attestations: ", "one"),
            failed("no matching attestations: ", "two"),
            failed("none of the attestations matched the predicate type: vuln, found: x"),
        ]
    )
    assert not trust.verified
    assert trust.why.startswith(f"{UNSIGNED}; nobody who is trusted attested it")
    assert trust.why.count(UNSIGNED) == 1


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        ("no signatures found", UNSIGNED),
        (
            "no matching attestations: failed to verify signature: could not verify envelope: "
            "accepted signatures do not match threshold, Found: 0, Expected 1",
            "signed by somebody else, or what is signed was changed",
        ),
        (
            "no matching signatures: invalid signature when validating ASN.1 encoded signature",
            "signed by somebody else, or what is signed was changed",
        ),
        (
            "no matching attestations: failed to verify certificate identity: no matching "
            'CertificateIdentity found, last error: expected SAN value "a", got "b"',
            'it is signed by somebody who isn\'t trusted: "b"',
        ),
        ("the moon is full", "the moon is full"),
    ],
)
def test_reasons_are_in_plain_words_or_in_cosigns_own(error: str, meaning: str) -> None:
    assert meaning in reason(failed(error).errors)


def test_a_silent_failure_is_said_to_be_one() -> None:
    assert reason("") == "cosign doesn't say why not"


@pytest.mark.parametrize("reference", ["awskms:///alias/a", "hashivault://key"])
def test_keys_of_key_management_services(reference: str) -> None:
    assert kms_reference(reference) == reference


@pytest.mark.parametrize("reference", ["cosign.key", "awskms://", "file://cosign.key", ""])
def test_what_is_no_key_of_a_service_is_refused(reference: str) -> None:
    with pytest.raises(SigningError, match=r"expected one of awskms://, .*awskms:///alias"):
        kms_reference(reference)


def test_an_identity_needs_both_halves() -> None:
    assert not Signatory.of(None, None, None).is_named
    identity = Identity(issuer=GITHUB, subject=WORKFLOW)
    assert Signatory.of(None, WORKFLOW, GITHUB) == Signatory(None, identity)
    with pytest.raises(NobodyTrustedError, match="--issuer is missing"):
        Signatory.of(None, WORKFLOW, None)
    with pytest.raises(NobodyTrustedError, match="--identity is missing"):
        Signatory.of(None, None, GITHUB)
    with pytest.raises(NobodyTrustedError, match="'github' is no address: expected one like"):
        Signatory.of(None, WORKFLOW, "github")


RELEASE = Release("1.2.0", ["1.2.0"], revision="c" * 40, origin="https://github.com/acme/shop")


def test_provenance_names_source_tools_and_builder() -> None:
    tools = {"rust:1": f"sha256:{'b' * 64}"}
    statement = provenance_statement(RELEASE, "shop", tools, "https://ci.acme.com", SPAN)
    assert statement.kind is PROVENANCE
    said = json.loads(statement.predicate)
    definition, details = said["buildDefinition"], said["runDetails"]
    assert definition["externalParameters"] == {
        "source": "git+https://github.com/acme/shop",
        "service": "shop",
    }
    assert definition["resolvedDependencies"] == [
        {
            "uri": f"git+https://github.com/acme/shop@{'c' * 40}",
            "digest": {"gitCommit": "c" * 40},
        },
        {"uri": "docker://rust:1", "digest": {"sha256": "b" * 64}},
    ]
    assert details["builder"] == {"id": "https://ci.acme.com"}
    assert details["metadata"] == {
        "startedOn": "2026-06-30T08:00:00Z",
        "finishedOn": "2026-06-30T08:05:00Z",
    }


@pytest.mark.parametrize("release", [Release("0.0.0-dev", []), replace(RELEASE, dirty=True)])
def test_provenance_of_what_is_no_commit_names_none(release: Release) -> None:
    statement = provenance_statement(release, "shop", {}, "https://a", SPAN)
    assert json.loads(statement.predicate)["buildDefinition"]["resolvedDependencies"] == []


def test_a_scan_tells_of_one_image_on_one_platform() -> None:
    findings = [vulnerability("CVE-1"), vulnerability("CVE-2", platform="linux/arm64")]
    verdict = judge(findings, load_waivers(None), SPAN.started.date())
    summary = summarised(verdict, [AMD64, ARM64], [], [])
    statement = scan_statement(summary, "shop", "linux/amd64", "trivy grype", SPAN)
    said = json.loads(statement.predicate)
    assert said["metadata"]["scanFinishedOn"] == "2026-06-30T08:05:00Z"
    result = said["scanner"]["result"]
    assert result["images"] == [{"image": "shop", "platform": "linux/amd64"}]
    assert [each["ids"] for each in result["findings"]] == [["CVE-1"]]
    assert result["passed"] is False
    other = scan_statement(summary, "other", "linux/amd64", "trivy grype", SPAN)
    assert json.loads(other.predicate)["scanner"]["result"]["findings"] == []


async def test_nothing_to_verify_is_no_success() -> None:
    nothing: Any = None
    with pytest.raises(NotPublishedImageError, match="Signatures are of published images"):
        await verify_images([], [], nothing, nothing, Signatory(), nothing)
