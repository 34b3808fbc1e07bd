"""Finds images of a version in a registry, by the digests that their tags name now."""

from collections.abc import Sequence
from functools import partial

import dagger

from pipeline.concurrency import gathered
from pipeline.errors import PipelineError
from pipeline.registry.access import Access
from pipeline.registry.reference import checked_registry

AT_A_TIME = 4


class NotPublishedError(PipelineError):
    """Images of a version aren't in the registry."""


async def published_references(
    names: Sequence[str], address: str, tag: str, access: Access, regctl_image: str
) -> dict[str, str]:
    """Give each service's image of a tag as REPOSITORY@DIGEST.

    Raises NotPublishedError with all that are missing.
    """
    checked_registry(address)
    tool = await access.regctl(regctl_image)

    async def digest(name: str) -> str:
        command = ["image", "digest", f"{address}/{name}:{tag}"]
        ended = tool.with_exec(command, use_entrypoint=True, expect=dagger.ReturnType.ANY)
        if await ended.exit_code() == 0:
            return (await ended.stdout()).strip()
        errors.append((await ended.stderr()).strip().splitlines()[-1][-300:])
        return ""

    errors: list[str] = []
    digests = await gathered([partial(digest, name) for name in names], AT_A_TIME)
    found = dict(zip(names, digests, strict=True))
    missing = [name for name, digest in found.items() if not digest]
    if missing:
        raise NotPublishedError(
            f"{address} has no {tag} of {', '.join(missing)}, or this user may not read it "
            "(--registry-username, --registry-password).\n"
            f"The registry said: {errors[0]}\n"
            "Publish this commit with `dagger call build-all --push`, or choose what is there "
            "with --version."
        )
    return {name: f"{address}/{name}@{digest}" for name, digest in found.items()}
