"""What is said of a registry that didn't take an image, or doesn't have one."""

from collections.abc import Sequence

from pipeline.errors import PipelineError


class PublishError(PipelineError):
    """A registry didn't take an image."""

    def __init__(self, reference: str, cause: str, published: Sequence[str]) -> None:
        super().__init__(
            f"{reference} wasn't published: {_reason(cause)}\n"
            f"The registry said: {_last_words(cause)}\n"
            + (
                "Published before that, in this run: " + ", ".join(published)
                if published
                else "Nothing was published."
            )
        )


class NotPublishedError(PipelineError):
    """Images that a registry doesn't have."""

    def __init__(self, references: Sequence[str]) -> None:
        super().__init__(
            "Not published:\n"
            + "\n".join(f"  {reference}" for reference in references)
            + "\nPublish them with `dagger call build-all --push`, of the same sources and to the "
            "same --registry."
        )


class UnreadableRegistryError(PipelineError):
    """A registry doesn't say what it has."""

    def __init__(self, reference: str, cause: str) -> None:
        super().__init__(
            f"{reference} can't be looked up: {_reason(cause)}\n"
            f"The registry said: {_last_words(cause)}"
        )


def is_missing(cause: str) -> bool:
    """Whether a registry said that it has no such image."""
    return "http 404" in cause.lower()


def _last_words(cause: str) -> str:
    lines = cause.strip().splitlines()
    return lines[-1][-400:] if lines else "nothing"


def _reason(cause: str) -> str:
    said = cause.lower()
    if any(word in said for word in ("401", "403", "unauthorized", "denied", "authorization")):
        return (
            "access denied. Check --registry-username and --registry-password "
            "(e.g. --registry-password env://REGISTRY_PASSWORD), and what the user may do there."
        )
    if any(word in said for word in ("refused", "no such host", "timeout", "unreachable")):
        return "the registry can't be reached. Is it running, and is its address right?"
    return "the registry refused it."
