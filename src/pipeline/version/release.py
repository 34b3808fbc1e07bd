"""A commit's version, tags and origin, worked out from what git knows of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from semver import Version

from pipeline.errors import PipelineError

SHORT = 7
UNVERSIONED = "0.0.0-dev"


class ShallowHistoryError(PipelineError):
    """Commits can't be counted because the clone has only some of them."""


@dataclass(frozen=True)
class Commit:
    """What git knows of the commit that is built."""

    revision: str
    timestamp: int
    count: int
    tags: Sequence[str]
    dirty: bool
    shallow: bool
    origin: str


@dataclass(frozen=True)
class Release:
    """How this build is called: its version, the image tags, and where it comes from."""

    version: str
    tags: Sequence[str]
    timestamp: int = 0
    revision: str = ""
    origin: str = ""
    dirty: bool = False

    def annotations(self, title: str) -> dict[str, str]:
        """Give the OCI annotations, which are the image's labels too."""
        created = datetime.fromtimestamp(self.timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        values = {
            "title": title,
            "version": self.version,
            "revision": self.revision,
            "source": self.origin,
            "created": created,
        }
        return {f"org.opencontainers.image.{key}": value for key, value in values.items() if value}


def release_of(commit: Commit | None) -> Release:
    """Work out the release: a git tag's version, else a development version.

    Sources with changes that aren't committed never get a commit's own tag.
    """
    if commit is None:
        return Release(UNVERSIONED, [UNVERSIONED])
    version = None if commit.dirty else _highest_version(commit.tags)
    if version is None:
        if commit.shallow:
            raise ShallowHistoryError(
                "The clone is shallow, so its commits can't be counted for a version.\n"
                "Fetch the whole history: git fetch --unshallow --tags "
                "(in GitHub Actions: fetch-depth: 0)."
            )
        version = f"0.0.0-dev.{commit.count}+{commit.revision[:SHORT]}"
    suffix = "-dirty" if commit.dirty else ""
    return Release(
        version=version + suffix.replace("-", "."),
        tags=[f"{commit.revision}{suffix}", as_tag(version + suffix)],
        timestamp=commit.timestamp,
        revision=commit.revision,
        origin=public_address(commit.origin),
        dirty=commit.dirty,
    )


def as_tag(version: str) -> str:
    """Make a version fit for an image tag, which has no plus sign and at most 128 characters."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", version)[:128]


def _highest_version(tags: Sequence[str]) -> str | None:
    versions = [tag.removeprefix("v") for tag in tags]
    valid = [Version.parse(version) for version in versions if Version.is_valid(version)]
    return str(max(valid)) if valid else None


def public_address(origin: str) -> str:
    """Turn a git remote into an address for people, without any credentials in it."""
    if match := re.fullmatch(r"(?:ssh://)?[\w.-]+@([\w.-]+)[:/](.+?)(?:\.git)?/?", origin):
        return f"https://{match[1]}/{match[2]}"
    if match := re.fullmatch(r"(https?)://(?:[^@/]*@)?(.+?)(?:\.git)?/?", origin):
        return f"{match[1]}://{match[2]}"
    return ""
