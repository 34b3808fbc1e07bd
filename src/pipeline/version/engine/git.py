"""Reads from the repository's history what a release needs to know."""

import dagger
from dagger import dag

from pipeline.version.release import Commit

SCRIPT = """
git rev-parse --verify --quiet HEAD >/dev/null || exit 0
git log -1 --format='%H%n%ct'
git rev-list --count HEAD
git rev-parse --is-shallow-repository
git status --porcelain -- . ':(exclude).env' | head -c 1 | wc -c
git config --get remote.origin.url || echo
git tag --points-at HEAD
"""


async def head_commit(source: dagger.Directory, image: str) -> Commit | None:
    """Read the commit that is checked out; none when the folder isn't a clone."""
    if ".git/" not in await source.entries():
        return None
    output = await (
        dag.container()
        .from_(image)
        .with_env_variable("GIT_CONFIG_COUNT", "1")
        .with_env_variable("GIT_CONFIG_KEY_0", "safe.directory")
        .with_env_variable("GIT_CONFIG_VALUE_0", "*")
        .with_mounted_directory("/source", source)
        .with_workdir("/source")
        .with_exec(["sh", "-euc", SCRIPT])
        .stdout()
    )
    if not output:
        return None
    revision, timestamp, count, shallow, dirty, origin, *tags = output.splitlines()
    return Commit(
        revision=revision,
        timestamp=int(timestamp),
        count=int(count),
        tags=tags,
        dirty=dirty.strip() != "0",
        shallow=shallow == "true",
        origin=origin,
    )
