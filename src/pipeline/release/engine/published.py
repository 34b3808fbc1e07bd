"""What a registry has under a tag: the digest of each service's image."""

from collections.abc import Sequence

from pipeline.catalogue.models import Images
from pipeline.engine.batch import run_all
from pipeline.registry.engine.access import Access
from pipeline.registry.reference import checked_registry
from pipeline.release.failures import NotPublishedError, UnreadableRegistryError, is_missing


async def published_references(
    names: Sequence[str], address: str, tag: str, access: Access, images: Images
) -> dict[str, str]:
    """Find what services' images are published under a tag: name → reference with digest.

    Raises NotPublishedError with all that aren't, UnreadableRegistryError when it can't be asked.
    """
    checked_registry(address)
    references = [f"{address}/{name}:{tag}" for name in names]
    asked = await run_all(
        await access.regctl_in_shell(images),
        [["regctl", "image", "digest", reference] for reference in references],
    )
    missing = []
    for reference, each in zip(references, asked, strict=True):
        if not each.succeeded:
            if not is_missing(each.errors):
                raise UnreadableRegistryError(reference, each.errors)
            missing.append(reference)
    if missing:
        raise NotPublishedError(missing)
    return {
        name: f"{reference}@{each.output.strip()}"
        for name, reference, each in zip(names, references, asked, strict=True)
    }
