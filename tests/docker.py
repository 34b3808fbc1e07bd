"""Docker's command line as tests use it, with the daemon that there is or that is set up here."""

import json
import subprocess
import time
from dataclasses import dataclass
from typing import Any

from bootstrap.settings import REPOSITORY
from tests.costs import spent_on
from tests.started import variables_of


@dataclass(frozen=True)
class Docker:
    """Runs `docker …`, and knows how to wait for a container."""

    environment: dict[str, str]

    def __call__(self, *arguments: str) -> str:
        """Give what the command printed; its failure says why."""
        with spent_on("docker"):
            result = subprocess.run(
                ["docker", *arguments],
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
            )
        command = f"docker {' '.join(arguments)}"
        assert result.returncode == 0, f"{command}: status {result.returncode}, {result.stderr}"
        return result.stdout.strip()

    def inspect(self, name: str) -> dict[str, Any]:
        """Give all that Docker knows of a container or an image."""
        found: dict[str, Any] = json.loads(self("inspect", name))[0]
        return found

    def wait_until_healthy(self, container: str, seconds: int = 60) -> None:
        """Wait for Docker's own word, as it says it."""
        now = time.time()
        state = self.inspect(container)["State"]
        if state["Health"]["Status"] == "healthy":
            return
        assert state["Running"], f"{container} ended: {self.logs(container)}"
        command = ["timeout", str(seconds), "docker", "events", f"--since={now}"]
        command += [f"--filter=container={container}", "--format={{.Action}}"]
        command += ["--filter=event=health_status", "--filter=event=die"]
        with subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, text=True
        ) as events:
            assert events.stdout is not None
            said = events.stdout.readline()
            events.terminate()
        assert "health_status: healthy" in said, f"{container}: {said}{self.logs(container)}"

    def logs(self, container: str) -> str:
        """Give what a container said, on either of its outputs."""
        return subprocess.run(
            ["docker", "logs", container],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        ).stdout


def start_docker(**environment: str) -> Docker:
    """Start a daemon where none works, by the command that people use in this environment."""
    return Docker(variables_of("docker", **environment))


def stop_docker() -> None:
    """Stop the daemon that is set up here; fine when there is none."""
    subprocess.run(["python3", "-m", "bootstrap", "docker", "stop"], cwd=REPOSITORY, check=True)
