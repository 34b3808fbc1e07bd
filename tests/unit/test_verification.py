"""Which commands of cosign are run to verify images, in how many rounds, and what they say."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pipeline.catalogue.signing import Signing
from pipeline.engine.batch import CommandResult
from pipeline.release.commands import ImageRepository, Trusted
from pipeline.release.engine import cosign
from pipeline.release.engine.cosign import Cosign, Where
from pipeline.release.statements import CYCLONE_DX, KINDS, PROVENANCE, SPDX
from pipeline.release.trust import UNSIGNED

SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
UNSIGNED_SAYS = "Error: no signatures found\nerror during command execution: …"
TRUSTED = [Trusted("one", key="/one.pub"), Trusted("two", key="/two.pub")]
INDEXES: list[Where] = [
    (f"sha256:{number}", ImageRepository(f"ghcr.io/acme/{number}", plain_http=False))
    for number in range(4)
]
PLATFORMS: list[Where] = [(f"{digest}-{n}", place) for digest, place in INDEXES for n in range(2)]

Says = Callable[[Sequence[str]], Sequence[str]]


class Rounds(list[list[list[str]]]):
    """Execs of cosign, each with its commands; `says` gives the types that a command verifies."""

    def __init__(self, says: Says) -> None:
        self.says = says

    async def run_all(
        self, _container: object, commands: list[list[str]], *, output: bool = True
    ) -> list[CommandResult]:
        if commands:
            self.append(commands)
        return [self._ended(command, output) for command in commands]

    def _ended(self, command: Sequence[str], output: bool) -> CommandResult:
        types = self.says(command)
        if not types:
            return CommandResult(succeeded=False, output="", errors=UNSIGNED_SAYS)
        said = json.dumps([{"critical": {"type": type_}} for type_ in types])
        return CommandResult(succeeded=True, output=said if output else "", errors="")


async def verified(
    patch: pytest.MonkeyPatch, kinds: Sequence[str], says: Says
) -> tuple[Rounds, dict[Where, Any]]:
    rounds = Rounds(says)
    patch.setattr(cosign, "run_all", rounds.run_all)
    container: Any = None
    asked = {**dict.fromkeys(INDEXES, ()), **dict.fromkeys(PLATFORMS, kinds)}
    return rounds, await Cosign(container, plain_http=False, signing=Signing()).trust(
        asked, TRUSTED
    )


async def test_one_exec_verifies_all_digests_of_all_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everything = [SIGNATURE, CYCLONE_DX.uri, PROVENANCE.uri]
    rounds, trust = await verified(monkeypatch, ["sbom", "provenance"], lambda _: everything)
    [commands] = rounds
    assert len(commands) == len(INDEXES + PLATFORMS) * len(TRUSTED)
    names = {command[-1] for command in commands}
    assert names == {place.at(digest) for digest, place in INDEXES + PLATFORMS}
    assert all(each.signature.by == "one" for each in trust.values())
    assert all(trust[where].attestations == {} for where in INDEXES)
    for where in PLATFORMS:
        assert {kind: each.by for kind, each in trust[where].attestations.items()} == {
            "sbom": "one",
            "provenance": "one",
        }


async def test_a_second_exec_asks_for_what_the_first_didnt_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing, place = PLATFORMS[3]

    def says(command: Sequence[str]) -> Sequence[str]:
        if command[1] == "verify-attestation":
            return [SPDX.uri] if {"--type=spdxjson", "--key=/two.pub"} < set(command) else []
        own = [SIGNATURE, PROVENANCE.uri]
        return own if command[-1] == place.at(missing) else [*own, CYCLONE_DX.uri]

    rounds, trust = await verified(monkeypatch, ["sbom", "provenance"], says)
    [_, commands] = rounds
    assert len(commands) == len(KINDS["sbom"]) * len(TRUSTED)
    assert {command[-1] for command in commands} == {place.at(missing)}
    found = trust[missing, place].attestations
    assert (found["sbom"].by, found["provenance"].by) == ("two", "one")


async def test_nothing_is_trusted_of_what_nobody_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds, trust = await verified(monkeypatch, ["scan"], lambda _: [])
    assert len(rounds) == 2
    for each in trust.values():
        assert (each.signature.verified, each.signature.why) == (False, UNSIGNED)
    for where in PLATFORMS:
        facts = trust[where].attestations["scan"]
        assert (facts.verified, facts.why) == (False, UNSIGNED)
