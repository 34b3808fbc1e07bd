"""What is deployed, and by what: the same for every way to deploy."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.catalogue.settings import Value
from pipeline.config.resolve import Configuration
from pipeline.errors import PipelineError

DEPLOYMENT = "deployment"
KUBERNETES, COMPOSE = "kubernetes", "compose"
FLAG_OF = {
    KUBERNETES: "the cluster's --kubeconfig, e.g. file://~/.kube/config",
    COMPOSE: "the daemon's --docker-socket, e.g. /var/run/docker.sock",
}


class WrongTargetError(PipelineError):
    """An environment is deployed by something else."""


class MissingTargetError(PipelineError):
    """Nobody said where an environment is to be deployed."""

    def __init__(self, configuration: Configuration, target: str) -> None:
        super().__init__(
            f"{configuration.environment} is deployed by {target}: give {FLAG_OF[target]}."
        )


@dataclass(frozen=True)
class Contents:
    """What is deployed: services by name → image by digest, of a version and commit."""

    version: str
    revision: str
    images: Mapping[str, str]


def setting_of(configuration: Configuration, name: str) -> Value | None:
    """Give what an environment says of its deployment."""
    return configuration.values[DEPLOYMENT][name].value


def need_kubernetes(configuration: Configuration) -> None:
    """Check that an environment is deployed to a cluster. Raises WrongTargetError."""
    target = str(setting_of(configuration, "target"))
    if target != KUBERNETES:
        raise WrongTargetError(
            f"This is about a cluster, and {configuration.environment} is deployed by {target} "
            "(deployment.target)."
        )
