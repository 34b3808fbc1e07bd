"""cosign in a container: signs and attests what is in a repository, and says what is verified."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import dagger

from pipeline.catalogue.models import Images
from pipeline.catalogue.signing import Signing
from pipeline.engine.batch import run_all, with_program
from pipeline.engine.files import directory_of
from pipeline.registry.engine.access import Access
from pipeline.release import commands
from pipeline.release.commands import ImageRepository, Trusted
from pipeline.release.engine.signer import Signer, SigningError
from pipeline.release.statements import KINDS, Statement
from pipeline.release.trust import Attempt, attempted_attestation, attestation, cause, signature
from pipeline.security.facts import Trust

STATEMENTS = "/statements"

T = TypeVar("T")
Where = tuple[str, ImageRepository]
"""A digest, and the repository that it is in."""


@dataclass(frozen=True)
class Cosign:
    """cosign with access to a registry, where there is a shell: many commands are one exec."""

    container: dagger.Container
    plain_http: bool
    signing: Signing

    @classmethod
    async def to(cls, access: Access, images: Images, signing: Signing) -> Self:
        """Give cosign for a registry that there is access to."""
        shell = await access.client(images.debian)
        return cls(await with_program(shell, images.cosign), access.plain_http, signing)

    async def sign(
        self,
        digest: str,
        repository: str,
        statements: Mapping[str, Sequence[Statement]],
        signer: Signer,
    ) -> None:
        """Sign an index with its platforms, and attest statements to each (digest → statements).

        One after the other, as some registries lose one of two writes at a time.
        Raises SigningError.
        """
        place = ImageRepository(repository, self.plain_http)
        todo = commands.sign(digest, place, signer.key, self.signing)
        predicates = {}
        for platform, said in statements.items():
            for number, statement in enumerate(said):
                path = f"{platform.rpartition(':')[2]}/{number}.json"
                predicates[path] = statement.predicate
                todo += commands.attest(
                    platform,
                    statement.kind,
                    f"{STATEMENTS}/{path}",
                    place,
                    signer.key,
                    self.signing,
                )
        cosign = signer.with_secrets(self.container)
        cosign = cosign.with_mounted_directory(STATEMENTS, directory_of(predicates))
        script = "\n".join(shlex.join(["cosign", *command]) for command in todo)
        try:
            await cosign.with_exec(["sh", "-euc", script]).sync()
        except dagger.ExecError as error:
            raise SigningError(
                f"{place.at(digest)} wasn't signed, and no tag was moved to it.\n"
                f"cosign said: {cause(error.stderr or error.stdout)}"
            ) from error

    async def trust(
        self, kinds: Mapping[Where, Collection[str]], trusted: Sequence[Trusted]
    ) -> dict[Where, Trust]:
        """Say of digests who that is trusted signed them, and attested these kinds to them."""
        verified = await self._attempts(
            [
                (where, each, commands.verify(*where, each, self.signing))
                for where in kinds
                for each in trusted
            ]
        )
        attested = {
            (where, kind): attestation(KINDS[kind], verified[where])
            for where, asked in kinds.items()
            for kind in asked
        }
        # What isn't seen so is asked for alone: also of cosign 2's format, and for the reason.
        tried = await self._attempts(
            [
                (
                    ((digest, place), kind),
                    each,
                    commands.verify_attestation(digest, type_, place, each, self.signing),
                )
                for ((digest, place), kind), seen in attested.items()
                if seen is None
                for type_ in KINDS[kind]
                for each in trusted
            ],
            output=False,
        )
        return {
            where: Trust(
                signature=signature(verified[where]),
                attestations={
                    kind: attested[where, kind] or attempted_attestation(tried[where, kind])
                    for kind in asked
                },
            )
            for where, asked in kinds.items()
        }

    async def _attempts(
        self, asked: Sequence[tuple[T, Trusted, list[str]]], *, output: bool = True
    ) -> dict[T, list[Attempt]]:
        """Run commands, each about something and for one who is trusted, all at once."""
        ended = await run_all(
            self.container, [["cosign", *command] for _, _, command in asked], output=output
        )
        attempts: dict[T, list[Attempt]] = {}
        for (about, by, _), each in zip(asked, ended, strict=True):
            attempt = Attempt(by.name, each.succeeded, each.output, each.errors)
            attempts.setdefault(about, []).append(attempt)
        return attempts
