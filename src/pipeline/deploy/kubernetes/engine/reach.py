"""A release within reach: the environment's, by its kubeconfig and the module's own chart."""

from pathlib import Path

import dagger

from pipeline.catalogue.repository import OWN, Repository
from pipeline.config.resolve import Configuration
from pipeline.deploy.contents import Contents, setting_of
from pipeline.deploy.kubernetes.deployer import Deployer, Target, Tools
from pipeline.deploy.kubernetes.health import checks_of
from pipeline.deploy.kubernetes.helm import Helm
from pipeline.deploy.kubernetes.kubeconfig import checked_kubeconfig
from pipeline.deploy.kubernetes.rollout import Limits
from pipeline.deploy.kubernetes.values import Secrets, Values, chart_values
from pipeline.engine.programs import program

CHART = OWN / "deploy/chart"
# Where the images have their programs: not all have them as their entry point.
HELM = "/usr/bin/helm"
KUBECTL = "/bin/kubectl"


async def deployer_of(
    repository: Repository, configuration: Configuration, kubeconfig: dagger.Secret
) -> Deployer:
    """Reach an environment's release."""
    images = repository.images
    text = checked_kubeconfig(await kubeconfig.plaintext())
    tools = Tools(await program(images.helm, HELM), await program(images.kubectl, KUBECTL), CHART)
    return Deployer(tools, _target(repository, configuration), text)


def values_of(
    repository: Repository,
    configuration: Configuration,
    contents: Contents,
    secrets: Secrets | None,
) -> Values:
    """Give the chart's values for an environment; without secrets, text in their place."""
    return chart_values(configuration, repository.stack, repository.services, contents, secrets)


async def render_manifests(
    repository: Repository,
    configuration: Configuration,
    contents: Contents,
    secrets: Secrets | None,
) -> str:
    """Render all objects of an environment, as they would be applied."""
    values = values_of(repository, configuration, contents, secrets)
    namespace = _namespace(configuration)
    helm: Path = await program(repository.images.helm, HELM)
    return await Helm(helm, namespace, namespace).template(CHART, values)


def _namespace(configuration: Configuration) -> str:
    """Name the namespace and the Helm release of an environment."""
    return str(setting_of(configuration, "namespace") or configuration.environment)


def _target(repository: Repository, configuration: Configuration) -> Target:
    services = {entry.service.name: entry.service for entry in repository.services}
    stack = repository.stack
    entry = services[stack.entry]
    return Target(
        environment=configuration.environment,
        namespace=_namespace(configuration),
        entry=stack.entry,
        port=entry.port,
        url=str(setting_of(configuration, "url") or ""),
        checks=checks_of(entry.health_path, stack.ready, stack.checks),
        limits=Limits(
            bake=int(str(setting_of(configuration, "bake_seconds"))),
            health_timeout=int(str(setting_of(configuration, "health_timeout_seconds"))),
            rollback_timeout=int(str(setting_of(configuration, "rollback_timeout_seconds"))),
            max_error_percent=float(str(setting_of(configuration, "max_error_percent"))),
            max_latency_ms=int(str(setting_of(configuration, "max_latency_ms"))),
        ),
    )
