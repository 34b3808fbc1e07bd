"""A Kubernetes cluster as tests use it: the one that is set up here, and its kubectl."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.settings import REPOSITORY
from tests.costs import spent_on
from tests.started import variables_of


@dataclass(frozen=True)
class Cluster:
    """Runs `kubectl …`, and knows how other programs find the cluster."""

    environment: dict[str, str]

    @property
    def kubeconfig(self) -> Path:
        """The administrator's, for `--kubeconfig`."""
        return Path(self.environment["KUBECONFIG"])

    def kubectl(self, *arguments: str, given: object = None) -> str:
        """Give what the command printed; its failure says why.

        Objects that are given stand in for `--filename=-`.
        """
        result = self.try_kubectl(*arguments, given=given)
        command = f"kubectl {' '.join(arguments)}"
        assert result.returncode == 0, f"{command}: status {result.returncode}, {result.stderr}"
        return result.stdout.strip()

    def try_kubectl(
        self, *arguments: str, given: object = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command that may fail."""
        with spent_on("kubectl"):
            return subprocess.run(
                ["kubectl", *arguments, *(["--filename=-"] if given else [])],
                env=self.environment,
                input=json.dumps(given) if given else None,
                capture_output=True,
                text=True,
                check=False,
            )

    def get(self, *arguments: str) -> dict[str, Any]:
        """Give an object, or a list of them, as Kubernetes has it."""
        found: dict[str, Any] = json.loads(self.kubectl("get", "--output=json", *arguments))
        return found


def start_cluster() -> Cluster:
    """Start the cluster unless it runs, by the command that people use."""
    return Cluster(variables_of("cluster"))


def stop_cluster() -> None:
    """Stop the cluster that is set up here; fine when there is none."""
    subprocess.run(["python3", "-m", "bootstrap", "cluster", "stop"], cwd=REPOSITORY, check=True)
