"""Reads what cosign says when it verifies: what holds, of whom, and if not, why not."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.release.statements import Kind
from pipeline.security.facts import TrustFacts

SIGNATURES = {
    "https://sigstore.dev/cosign/sign/v1",
    "cosign container image signature",  # of cosign 2
}
UNSIGNED = "it isn't signed"
# cosign's words, as a regular expression, and what they mean; the first that fits counts.
REASONS = (
    (
        r"(?:none of the expected identities|no matching CertificateIdentity).*got (?P<who>.*)",
        "it is signed by somebody who isn't trusted: ",
    ),
    (
        r"none of the attestations matched the predicate type",
        "nobody who is trusted attested it: it is missing, was changed, or is of another image",
    ),
    (r"no signatures found|no matching attestations:\s*$", UNSIGNED),
    (
        r"digest.*(does not|doesn't|not) match|digest mismatch|missing digest in claim"
        r"|no matching subject",
        "what is signed is another image",
    ),
    (
        r"accepted signatures do not match threshold|invalid signature|failed to verify signature",
        "it is signed by somebody else, or what is signed was changed",
    ),
    (r"MANIFEST_UNKNOWN|NAME_UNKNOWN|not found in the registry", "it isn't in the registry"),
    (r"UNAUTHORIZED|DENIED|authentication required", "the registry doesn't let this user read it"),
)


@dataclass(frozen=True)
class Attempt:
    """What cosign said when it verified for one who is trusted."""

    by: str
    succeeded: bool
    output: str
    errors: str


def types_verified(attempt: Attempt) -> set[str]:
    """List what is verified to be signed: signatures, and statements by the URIs of their types."""
    if not attempt.succeeded:
        return set()
    return {entry["critical"]["type"] for entry in json.loads(attempt.output)}


def signature(attempts: Sequence[Attempt]) -> TrustFacts:
    """Say whether somebody who is trusted signed it."""
    for attempt in attempts:
        if types_verified(attempt) & SIGNATURES:
            return TrustFacts(verified=True, by=attempt.by)
    failed = [attempt for attempt in attempts if not attempt.succeeded]
    return TrustFacts(verified=False, why=_reasons(failed) or UNSIGNED)


def attestation(kinds: Sequence[Kind], attempts: Sequence[Attempt]) -> TrustFacts | None:
    """Say who that is trusted attested one of these kinds, as far as `verify` tells."""
    for attempt in attempts:
        if types_verified(attempt) & {kind.uri for kind in kinds}:
            return TrustFacts(verified=True, by=attempt.by)
    return None


def attempted_attestation(attempts: Sequence[Attempt]) -> TrustFacts:
    """Say whether an attempt at an attestation succeeded, and if none did, why not."""
    for attempt in attempts:
        if attempt.succeeded:
            return TrustFacts(verified=True, by=attempt.by)
    return TrustFacts(verified=False, why=_reasons(attempts))


def _reasons(attempts: Sequence[Attempt]) -> str:
    return "; ".join(dict.fromkeys(reason(attempt.errors) for attempt in attempts))


def cause(errors: str) -> str:
    """Pick from what cosign says why it failed."""
    said = errors.partition("Error: ")[2].partition("\nerror during command execution")[0]
    return (said or errors).strip()[-400:] or "cosign doesn't say why not"


def reason(errors: str) -> str:
    """Put why cosign failed into plain words; what isn't known stays in its own."""
    said = cause(errors)
    for pattern, meaning in REASONS:
        if match := re.search(pattern, said):
            return meaning + match.groupdict().get("who", "")
    return said
