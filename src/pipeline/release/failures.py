"""What is said of a registry that didn't take an image."""

from collections.abc import Sequence

from pipeline.errors import PipelineError


class PublishError(PipelineError):
    """A registry didn't take an image."""

    def __init__(self, reference: str, cause: str, published: Sequence[str]) -> None:
        super().__init__(
            f"{reference} wasn't published: {_reason(cause)}\n"
            f"The registry said: {cause.strip().splitlines()[-1][-400:]}\n"
            + (
                "Published before that, in this run: " + ", ".join(published)
                if published
                else "Nothing was published."
            )
        )


def _reason(cause: str) -> str:
    said = cause.lower()
    if any(word in said for word in ("401", "403", "unauthorized", "denied", "authorization")):
        return (
            "access denied. Check --registry-username and --registry-password "
            "(e.g. --registry-password env://REGISTRY_PASSWORD), and that the user may push."
        )
    if any(word in said for word in ("refused", "no such host", "timeout", "unreachable")):
        return "the registry can't be reached. Is it running, and is its address right?"
    return "the registry refused it."
