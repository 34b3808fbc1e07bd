"""Where everything of an installation lies, and what the environment can change of it."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from bootstrap.steps import SetupError

VERSION = "v0.19.10"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
HERE = Path(__file__).parent
REPOSITORY = HERE.parent
LAST_PORT = 65535
LONGEST_SOCKET = 100  # the kernel takes 107 bytes


@dataclass(frozen=True)
class Settings:
    """Places and names of one installation; two of different settings don't meet."""

    cache: Path
    address: str
    registry_port: int
    network: str
    network_range: str
    docker_range: str
    pod_range: str
    service_range: str

    @classmethod
    def from_environment(cls) -> Settings:
        """Read PIPELINE_CACHE, _ADDRESS, _REGISTRY_PORT, _NETWORK and the four ranges."""
        cache = Path(os.environ.get("PIPELINE_CACHE") or "~/.cache/pipeline").expanduser()
        port = os.environ.get("PIPELINE_REGISTRY_PORT") or "5001"
        if not port.isdecimal() or not 0 < int(port) < LAST_PORT:
            raise SetupError(f"PIPELINE_REGISTRY_PORT is {port!r}: give a port number below 65535.")
        settings = cls(
            cache=cache.absolute(),
            address=os.environ.get("PIPELINE_ADDRESS") or "10.99.0.1",
            registry_port=int(port),
            network=os.environ.get("PIPELINE_NETWORK") or "dagger",
            network_range=os.environ.get("PIPELINE_NETWORK_RANGE") or "10.87.0.0/16",
            docker_range=os.environ.get("PIPELINE_DOCKER_RANGE") or "10.88.0.0/16",
            pod_range=os.environ.get("PIPELINE_POD_RANGE") or "10.89.0.0/16",
            service_range=os.environ.get("PIPELINE_SERVICE_RANGE") or "10.90.0.0/16",
        )
        if len(str(settings.socket)) > LONGEST_SOCKET:
            raise SetupError(f"PIPELINE_CACHE is too long for the engine's socket: {cache}")
        return settings

    @property
    def instance(self) -> str:
        """A short name of this installation, for what the machine knows by name."""
        return "pipeline-" + hashlib.sha256(str(self.cache).encode()).hexdigest()[:8]

    @property
    def registry(self) -> str:
        """The loopback registry: the engine's docker.io, and the default target of a push.

        Its address is one of the loopback interface, but not 127.0.0.1: every container of the
        engine has a 127.0.0.1 of its own, and the tools that publish run in containers.
        """
        return f"{self.address}:{self.registry_port}"

    @property
    def private_registry(self) -> str:
        """Where tests may run a registry with authentication."""
        return f"{self.address}:{self.registry_port + 1}"

    @property
    def run(self) -> Path:
        """What only a running installation has: configuration, sockets, state of containers."""
        return self.cache / "run"

    @property
    def socket(self) -> Path:
        """The engine's socket."""
        return self.run / "dagger" / "engine.sock"

    @property
    def root(self) -> Path:
        """The root file system of engine, registry and Go SDK."""
        return self.cache / "root"

    @property
    def dagger(self) -> Path:
        """The command line client."""
        return self.cache / "commands" / "dagger"

    @property
    def scanners(self) -> Path:
        """The scanners and their kin, and what builds databases."""
        return self.cache / "scanners"

    @property
    def trivy(self) -> Path:
        """Trivy."""
        return self.cache / "trivy" / "trivy"

    @property
    def sops(self) -> Path:
        """Programs that keep secrets."""
        return self.cache / "sops"

    @property
    def kubernetes_tools(self) -> Path:
        """helm, kubectl, and what checks and loads what they deploy."""
        return self.cache / "kubernetes-tools"

    @property
    def databases(self) -> Path:
        """The scanners' databases, as files."""
        return self.cache / "databases"

    @property
    def trivy_database(self) -> str:
        """Where Trivy finds its database: upstream's name, in the loopback registry."""
        return f"{self.registry}/aquasecurity/trivy-db:2"

    @property
    def grype_database(self) -> str:
        """Where Grype's database is in the loopback registry: upstream has none in any registry."""
        return f"{self.registry}/anchore/grype-db:6"

    @property
    def keys(self) -> Path:
        """A key pair to sign with, and its password."""
        return self.cache / "keys"

    @property
    def docker(self) -> Path:
        """The root file system and the clients of the Docker daemon."""
        return self.cache / "docker"

    @property
    def docker_socket(self) -> Path:
        """The Docker daemon's socket."""
        return self.run / "docker" / "docker.sock"

    @property
    def cluster(self) -> Path:
        """The root file system of the cluster's node."""
        return self.cache / "cluster"

    @property
    def kubeconfig(self) -> Path:
        """How clients reach the cluster, as its administrator."""
        return self.run / "cluster" / "kubeconfig"

    def log(self, name: str) -> Path:
        """Log of a step or a container."""
        return self.cache / "logs" / f"{name}.log"

    def exports(self) -> dict[str, str]:
        """Environment variables with which clients and tests find this installation."""
        return {
            "_EXPERIMENTAL_DAGGER_RUNNER_HOST": f"unix://{self.socket}",
            "_EXPERIMENTAL_DAGGER_CLI_BIN": str(self.dagger),
            "DO_NOT_TRACK": "1",
            "DAGGER_NO_NAG": "1",
            "PIPELINE_TEST_REGISTRY": self.registry,
            "PIPELINE_TEST_PRIVATE_REGISTRY": self.private_registry,
        }
