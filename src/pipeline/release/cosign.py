"""cosign in a container: signs and attests what is in a repository, and says what is verified."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Self

import dagger
from dagger import dag

from pipeline import handed
from pipeline.catalogue.models import Images
from pipeline.catalogue.signing import Signing
from pipeline.concurrency import gathered
from pipeline.registry.access import Access
from pipeline.release import commands
from pipeline.release.commands import Place, Trusted
from pipeline.release.signer import Signer, SigningError
from pipeline.release.statements import KINDS, Statement
from pipeline.release.trust import Attempt, attempted_attestation, attestation, cause, signature
from pipeline.security.facts import Trust, TrustFacts

VERIFICATIONS_AT_A_TIME = 4
STATEMENTS = "/statements"
UPSTREAM = "/upstream"


@dataclass(frozen=True)
class Cosign:
    """cosign with access to a registry, for one repository there."""

    container: dagger.Container
    place: Place
    signing: Signing

    @classmethod
    async def to(cls, access: Access, repository: str, image: str, signing: Signing) -> Self:
        """Give cosign of an image, for a repository that there is access to."""
        place = Place(repository, access.plain_http)
        return cls(await access.client(image), place, signing)

    @classmethod
    async def with_shell(
        cls, access: Access, repository: str, images: Images, signing: Signing
    ) -> Self:
        """Give cosign where there is a shell: many commands are much faster in one exec."""
        upstream = dag.container().from_(images.cosign)
        program, *_ = await upstream.entrypoint()
        folder = PurePosixPath(program).parent
        # Mounted whole: the engine of v0.19.10 dies of two mounts out of one container.
        container = (
            (await access.client(images.debian))
            .with_mounted_directory(UPSTREAM, upstream.rootfs())
            .with_env_variable("SSL_CERT_DIR", f"{UPSTREAM}/etc/ssl/certs")
            .with_env_variable("PATH", f"{UPSTREAM}{folder}:$PATH", expand=True)
        )
        return cls(container, Place(repository, access.plain_http), signing)

    async def sign(
        self, digest: str, statements: Mapping[str, Sequence[Statement]], signer: Signer
    ) -> None:
        """Sign an index with its platforms, and attest statements to each (digest → statements).

        One after the other, as some registries lose one of two writes at a time. It takes a shell.
        Raises SigningError.
        """
        todo = commands.sign(digest, self.place, signer.key, self.signing)
        predicates = {}
        for platform, said in statements.items():
            for number, statement in enumerate(said):
                path = f"{platform.rpartition(':')[2]}/{number}.json"
                predicates[path] = statement.predicate
                todo += commands.attest(
                    platform,
                    statement.kind,
                    f"{STATEMENTS}/{path}",
                    self.place,
                    signer.key,
                    self.signing,
                )
        cosign = signer.with_secrets(self.container)
        cosign = cosign.with_mounted_directory(STATEMENTS, handed.files(predicates))
        script = "\n".join(shlex.join(["cosign", *command]) for command in todo)
        try:
            await cosign.with_exec(["sh", "-euc", script]).sync()
        except dagger.ExecError as error:
            raise SigningError(
                f"{self.place.at(digest)} wasn't signed, and no tag was moved to it.\n"
                f"cosign said: {cause(error.stderr or error.stdout)}"
            ) from error

    async def trust(
        self, digests: Collection[str], kinds: Collection[str], trusted: Sequence[Trusted]
    ) -> dict[str, Trust]:
        """Say of digests who that is believed signed them, and attested these kinds to them."""
        jobs = [partial(self._trust, digest, kinds, trusted) for digest in digests]
        found = await gathered(jobs, VERIFICATIONS_AT_A_TIME)
        return dict(zip(digests, found, strict=True))

    async def _trust(
        self, digest: str, kinds: Collection[str], trusted: Sequence[Trusted]
    ) -> Trust:
        attempts = [
            await self._attempt(each, commands.verify(digest, self.place, each, self.signing))
            for each in trusted
        ]
        attestations = {
            kind: attestation(KINDS[kind], attempts)
            or await self._attestation(digest, kind, trusted)
            for kind in kinds
        }
        return Trust(signature=signature(attempts), attestations=attestations)

    async def _attestation(self, digest: str, kind: str, trusted: Sequence[Trusted]) -> TrustFacts:
        """Ask for one kind alone: also of cosign 2's format, and for the reason why not."""
        return attempted_attestation(
            [
                await self._attempt(
                    each,
                    commands.verify_attestation(digest, type_, self.place, each, self.signing),
                )
                for type_ in KINDS[kind]
                for each in trusted
            ]
        )

    async def _attempt(self, trusted: Trusted, command: list[str]) -> Attempt:
        ended = self.container.with_exec(command, use_entrypoint=True, expect=dagger.ReturnType.ANY)
        return Attempt(
            by=trusted.name,
            succeeded=await ended.exit_code() == 0,
            output=await ended.stdout(),
            errors=await ended.stderr(),
        )
