"""The worked example as `dagger call` brings it up by Docker Compose, and out of its sources."""

import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagger
import httpx
import yaml
from dagger import dag

from pipeline.report.render import Format
from tests.conftest import ROOT, Called, dagger_call
from tests.docker import Docker
from tests.module import call, pipeline, secret

KEY = "config/secrets/example-key.txt"
DEVELOPMENT = ["environment", "--name=development", f"--secrets-key=file://{KEY}"]
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# Where npm and cargo look for the authorities that this machine trusts.
TRUSTED_BY = ("NODE_EXTRA_CA_CERTS", "CARGO_HTTP_CAINFO")


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@dataclass(frozen=True)
class Composed:
    """A Compose project of the worked example, on a port of its own."""

    docker: Docker
    name: str
    port: int

    @property
    def settings(self) -> list[str]:
        """What it has of its own."""
        return [f"deployment.project={self.name}", f"deployment.port={self.port}"]

    @property
    def unix_socket(self) -> dagger.Socket:
        """The same for functions that are called in this process."""
        return dag.host().unix_socket(self.socket)

    def command(self, *settings: str) -> list[str]:
        """What every call for it begins with."""
        return [*DEVELOPMENT, f"--set={','.join([*self.settings, *settings])}"]

    @property
    def url(self) -> str:
        """Where its entry answers."""
        return f"http://localhost:{self.port}"

    @property
    def socket(self) -> str:
        """Where its daemon answers."""
        where = self.docker.environment.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        return where.removeprefix("unix://")

    def call_deploy(self, *settings: str) -> Called:
        """Deploy it as people do."""
        deploy = ["deploy", f"--docker-socket={self.socket}"]
        return dagger_call(*self.command(*settings), *deploy)

    async def deploy(self, *settings: str, version: str | None = None) -> str:
        """Deploy it by the same function."""
        environment = pipeline().environment(
            name="development",
            set_=[*self.settings, *settings],
            secrets_key=secret((ROOT / KEY).read_text()),
        )
        return await call(
            environment.deploy,
            docker_socket=self.unix_socket,
            version=version,
            format_=Format.JSON,
        )

    def containers(self) -> dict[str, str]:
        """Ids of its containers that run, by service."""
        told = ['--format={{.Label "com.docker.compose.service"}} {{.ID}}']
        of_it = f"--filter=label=com.docker.compose.project={self.name}"
        lines = self.docker("ps", of_it, *told).splitlines()
        return dict(line.split() for line in lines)

    def remove(self, *options: str) -> None:
        """Remove all of it."""
        self.docker("compose", f"--project-name={self.name}", "down", "--timeout=1", *options)
        self.docker("volume", "rm", "--force", f"{self.name}_deployed")


@contextmanager
def composed(docker: Docker) -> Iterator[Composed]:
    """A project that nobody else has, until it is no longer needed."""
    project = Composed(docker, f"test-{secrets.token_hex(4)}", free_port())
    try:
        yield project
    finally:
        project.remove("--volumes")


@dataclass(frozen=True)
class Watched:
    """A project that runs out of a copy of the sources, while Compose watches them."""

    project: Composed
    folder: Path

    def change(self, path: str, old: str, new: str) -> None:
        """Change a file as an editor does."""
        file = self.folder / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def seconds_until(self, path: str, wanted: str, patience: float) -> float:
        """Ask the entry until its answer has the text; gives the seconds that it took."""
        start = time.monotonic()
        with httpx.Client(base_url=self.project.url) as client:
            while time.monotonic() - start < patience:
                try:
                    if wanted in client.get(path).text:
                        return time.monotonic() - start
                except httpx.TransportError:
                    continue  # it is starting anew
        raise AssertionError(f"{path} doesn't have {wanted!r} after {patience} s")


@contextmanager
def watched(docker: Docker, folder: Path) -> Iterator[Watched]:
    """Run the worked example out of a copy; what it downloads and compiles stays in volumes."""
    # With a name that stays, so that its volumes are found again.
    project = Composed(docker, "pipeline-test-reload", free_port())
    listed = subprocess.run(
        ["git", "ls-files", "-z", "services", ".dockerignore"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for path in listed.stdout.rstrip("\0").split("\0"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, folder / path)
    compose = ["compose", "--reload", "export", f"--path={folder}/compose.yml"]
    called = dagger_call(*project.command(), *compose)
    assert called.status == 0, called.progress[-3000:]
    variables = dagger_call(*project.command(), "compose-variables", "plaintext")
    assert variables.status == 0, variables.progress[-3000:]
    (folder / ".env").write_text(variables.output)
    (folder / "compose.override.yml").write_text(yaml.safe_dump(_trusting(folder)))
    up = ["compose", f"--project-directory={folder}", "--ansi=never"]
    try:
        docker(*up, "up", "--build", "--detach", "--wait")
        with subprocess.Popen(
            ["docker", *up, "watch", "--no-up"],
            env=docker.environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as watch:
            assert watch.stdout is not None
            assert re.search("Watch enabled", watch.stdout.readline())
            yield Watched(project, folder)
            watch.terminate()
    finally:
        project.remove()


def _trusting(folder: Path) -> dict[str, object]:
    """An overlay: containers that download trust what this machine trusts."""
    shutil.copyfile(AUTHORITIES, folder / "authorities.crt")
    trusting = {
        "volumes": ["./authorities.crt:/authorities.crt:ro"],
        "environment": dict.fromkeys(TRUSTED_BY, "/authorities.crt"),
    }
    services = yaml.safe_load((folder / "compose.yml").read_text())["services"]
    return {"services": {name: trusting for name, its in services.items() if "build" in its}}
