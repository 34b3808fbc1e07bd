"""One deployment in a process of its own, to be killed: `python -m tests.deploy.run` and JSON."""

import json
import sys
from pathlib import Path

import anyio

from tests.cluster import Cluster
from tests.deploy.conftest import Release


def main() -> None:
    """Deploy what standard input says."""
    said = json.load(sys.stdin)
    cluster = Cluster({"KUBECONFIG": said["kubeconfig"], "PATH": said["path"]})
    assert Path(said["kubeconfig"]).exists()
    release = Release(cluster, said["name"], said["images"], password=said["password"])

    async def deploy() -> None:
        await release.deploy(said["version"], *said["flags"])

    anyio.run(deploy)


if __name__ == "__main__":
    main()
