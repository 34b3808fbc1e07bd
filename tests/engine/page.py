"""The page's own tests and tools, in a container of Node.js."""

import dagger
from dagger import dag

from tests.conftest import ROOT


def node() -> dagger.Container:
    """Node.js and npm, nothing else."""
    return dag.container().from_("node:22-trixie-slim")


def with_page(container: dagger.Container) -> dagger.Container:
    """Install the page's dependencies, and put its sources beside them."""
    folder = str(ROOT / "services/web-ui")
    sources = dag.host().directory(folder, exclude=["node_modules", "dist"])
    # Read by themselves, so that dependencies stay installed when a source changes.
    manifests = dag.host().directory(
        folder, include=["package.json", "package-lock.json", ".npmrc"]
    )
    return (
        container.with_mounted_cache("/npm-cache", dag.cache_volume("pipeline-npm"))
        .with_env_variable("npm_config_cache", "/npm-cache")
        .with_workdir("/src")
        .with_directory("/src", manifests)
        .with_exec(["npm", "ci", "--no-audit", "--no-fund"])
        .with_directory("/src", sources)
    )
