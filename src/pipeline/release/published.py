"""What a registry has under a tag: the digest of each service's image."""

from collections.abc import Sequence
from functools import partial

import dagger

from pipeline.concurrency import gathered
from pipeline.registry.access import Access
from pipeline.registry.reference import checked_registry
from pipeline.release.failures import NotPublishedError, UnreadableRegistryError, is_missing

AT_A_TIME = 4


async def published_references(
    names: Sequence[str], address: str, tag: str, access: Access, regctl_image: str
) -> dict[str, str]:
    """Find what services' images are published under a tag: name → reference with digest.

    Raises NotPublishedError with all that aren't, UnreadableRegistryError when it can't be asked.
    """
    checked_registry(address)
    regctl = await access.regctl(regctl_image)

    async def find(name: str) -> str | None:
        reference = f"{address}/{name}:{tag}"
        asked = regctl.with_exec(
            ["image", "digest", reference],
            use_entrypoint=True,
            expect=dagger.ReturnType.ANY,
        )
        if await asked.exit_code() == 0:
            return f"{reference}@{(await asked.stdout()).strip()}"
        cause = await asked.stderr()
        if not is_missing(cause):
            raise UnreadableRegistryError(reference, cause)
        return None

    found = dict(
        zip(names, await gathered([partial(find, name) for name in names], AT_A_TIME), strict=True)
    )
    missing = [f"{address}/{name}:{tag}" for name, reference in found.items() if reference is None]
    if missing:
        raise NotPublishedError(missing)
    return {name: reference for name, reference in found.items() if reference is not None}
