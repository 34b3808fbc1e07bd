"""How long Compose takes to bring the worked example up, and how soon a change shows.

Run with the engine up: `eval "$(python3 -m bootstrap start)" && python3 -m bench.compose`.
Each figure of a deployment is one whole `environment deploy`, with the images in the daemon.
Changes are seen by asking the proxy, every time anew until the answer has them.
"""

import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import PUSH, dagger_call
from tests.docker import Docker, start_docker
from tests.stack.composed import Composed, composed, watched

# What of the worked example is changed, and where that shows.
CHANGES = {
    "one line of the page": ("services/web-ui/index.html", "<title>", "/"),
    "one line of Rust": (
        "services/api-gateway/src/openapi.rs",
        'title = "',
        "/api/v1/openapi.json",
    ),
}


def deployed(project: Composed) -> float:
    """Deploy and give the seconds that it took."""
    start = time.monotonic()
    called = project.deploy()
    if called.status != 0:
        sys.exit(called.progress[-3000:])
    return time.monotonic() - start


def deployments(docker: Docker) -> None:
    """Print a line for each deployment."""
    with composed(docker) as project:
        deployed(project)
        print(f"nothing changed         {deployed(project):6.1f} s", flush=True)
    with composed(docker) as project:
        print(f"from nothing            {deployed(project):6.1f} s", flush=True)


def changes(docker: Docker) -> None:
    """Print a line for each change, the median of three."""
    with tempfile.TemporaryDirectory() as folder, watched(docker, Path(folder)) as sources:
        for what, (path, before, address) in CHANGES.items():
            seconds = []
            for _ in range(3):
                mark = secrets.token_hex(4)
                sources.change(path, before, f"{before}{mark} ")
                seconds.append(sources.seconds_until(address, mark, patience=300))
            print(f"{what:23} {sorted(seconds)[1]:6.1f} s", flush=True)


def main() -> None:
    """Print all figures."""
    published = dagger_call(*PUSH)
    if published.status != 0:
        sys.exit(published.progress[-3000:])
    docker = start_docker()
    deployments(docker)
    changes(docker)


if __name__ == "__main__":
    main()
