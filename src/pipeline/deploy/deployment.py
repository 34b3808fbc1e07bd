"""An environment's deployment on the command line: status, diff, rollback, resume, audit."""

import tempfile
from pathlib import Path
from typing import Annotated

import dagger
from dagger import Doc, dag

from pipeline.catalogue.models import Images
from pipeline.catalogue.repository import Repository, read_repository, read_stack
from pipeline.catalogue.stack import Stack
from pipeline.config.config import Config
from pipeline.config.resolve import Configuration
from pipeline.config.secrets import secrets_path
from pipeline.config.sops import SopsError
from pipeline.deploy.deployer import Deployer, Motive, Target, Tools
from pipeline.deploy.health import checks_of
from pipeline.deploy.helm import Helm
from pipeline.deploy.kubeconfig import checked_kubeconfig
from pipeline.deploy.rollout import Limits
from pipeline.deploy.values import DEPLOYMENT, Contents, Values, chart_values
from pipeline.errors import PipelineError
from pipeline.objects import Format, object_type, side_effect
from pipeline.programs import program
from pipeline.report.audit import render_audit
from pipeline.report.deployment import render_deployment
from pipeline.report.plan import render_plan
from pipeline.report.summary import checked_format

CHART = "deploy/chart"
# Where the images have their programs: not all have them as their entry point.
HELM = "/usr/bin/helm"
KUBECTL = "/bin/kubectl"

Reason = Annotated[str, Doc("Why, for the audit trail")]
Origin = Annotated[str, Doc("From where, for the audit trail, e.g. the address of a CI run")]


class WrongTargetError(PipelineError):
    """An environment is deployed by something else."""


@object_type
class Deployment:
    """What is deployed of an environment, in Kubernetes."""

    config: Config
    kubeconfig: dagger.Secret

    @side_effect
    async def status(self, format_: Format = "table") -> str:
        """Say what is deployed, whether it is healthy, and whether a change was interrupted."""
        checked_format(format_)
        return render_deployment(await (await self._deployer()).status(), format_)

    @side_effect
    async def rollback(
        self, reason: Reason = "", origin: Origin = "not told", format_: Format = "table"
    ) -> str:
        """Go back, whole: from an interrupted change, else to the healthy version before."""
        checked_format(format_)
        deployer = await self._deployer()
        return render_deployment(await deployer.rollback(Motive(reason, origin)), format_)

    @side_effect
    async def resume(
        self, reason: Reason = "", origin: Origin = "not told", format_: Format = "table"
    ) -> str:
        """Finish a change that was interrupted."""
        checked_format(format_)
        deployer = await self._deployer()
        return render_deployment(await deployer.resume(Motive(reason, origin)), format_)

    @side_effect
    async def audit(self, format_: Format = "table") -> str:
        """List who changed what, when and why; fail when a record was changed or is missing."""
        checked_format(format_)
        return render_audit(await (await self._deployer()).audit(), format_)

    async def check(self) -> None:
        """See that all is configured, before any expensive work. Raises what is wrong."""
        checked_kubeconfig(await self.kubeconfig.plaintext())
        configuration = (await self.config.loaded()).one(self.config.environment)
        kubernetes_target(configuration)
        need_secrets_key(self.config, configuration)

    async def diff(self, contents: Contents, format_: str) -> str:
        """List what deploying these contents would change."""
        values = await values_of(self.config, contents)
        return render_plan(await (await self._deployer()).plan(values), format_)

    async def deploy(self, contents: Contents, motive: Motive, format_: str) -> str:
        """Bring these contents up, or leave all as it was."""
        values = await values_of(self.config, contents)
        deployer = await self._deployer()
        return render_deployment(await deployer.deploy(values, contents, motive), format_)

    async def _deployer(self) -> Deployer:
        repository = await read_repository(self.config.source)
        names = [entry.service.name for entry in repository.services]
        stack = await read_stack(self.config.source, names)
        configuration = (await self.config.loaded()).one(self.config.environment)
        kubeconfig = checked_kubeconfig(await self.kubeconfig.plaintext())
        target = _target(configuration, stack, repository)
        return Deployer(await _tools(repository.images), target, kubeconfig)


async def values_of(config: Config, contents: Contents) -> Values:
    """Give the chart's values for an environment; without a key, text in place of secrets."""
    repository = await read_repository(config.source)
    names = [entry.service.name for entry in repository.services]
    stack = await read_stack(config.source, names)
    configuration = (await config.loaded()).one(config.environment)
    secrets = await config.opened(configuration) if config.key is not None else None
    return chart_values(configuration, stack, repository.services, contents, secrets)


async def manifests(config: Config, contents: Contents) -> str:
    """Render all objects of an environment, as they would be applied."""
    values = await values_of(config, contents)
    tools = await _tools((await read_repository(config.source)).images)
    namespace = namespace_of((await config.loaded()).one(config.environment))
    return await Helm(tools.helm, namespace, namespace).template(tools.chart, values)


def kubernetes_target(configuration: Configuration) -> None:
    """Check that an environment is meant for Kubernetes. Raises WrongTargetError."""
    target = configuration.values[DEPLOYMENT]["target"].value
    if target != "kubernetes":
        raise WrongTargetError(
            f"{configuration.environment} is deployed by {target} (deployment.target), so it has "
            "no kubeconfig: leave --kubeconfig out, or --set deployment.target=kubernetes."
        )


def need_secrets_key(config: Config, configuration: Configuration) -> None:
    """Check that an environment's secrets can be opened, if it has any. Raises SopsError."""
    has_secrets = any(configured.setting.sensitive for _, _, configured in configuration)
    if config.key is None and has_secrets:
        raise SopsError(
            f"{configuration.environment} has secrets: give the age key that opens "
            f"{secrets_path(configuration.environment)} with --secrets-key, e.g. "
            "env://SOPS_AGE_KEY."
        )


def namespace_of(configuration: Configuration) -> str:
    """Name the namespace and the Helm release of an environment."""
    return str(configuration.values[DEPLOYMENT]["namespace"].value or configuration.environment)


def _target(configuration: Configuration, stack: Stack, repository: Repository) -> Target:
    services = {entry.service.name: entry.service for entry in repository.services}
    entry = services[stack.entry]
    set_to = {name: each.value for name, each in configuration.values[DEPLOYMENT].items()}
    return Target(
        environment=configuration.environment,
        namespace=namespace_of(configuration),
        entry=stack.entry,
        port=entry.port,
        url=str(set_to["url"] or ""),
        checks=checks_of(entry.health_path, stack.ready, stack.checks),
        limits=Limits(
            bake=int(str(set_to["bake_seconds"])),
            health_timeout=int(str(set_to["health_timeout_seconds"])),
            rollback_timeout=int(str(set_to["rollback_timeout_seconds"])),
            max_error_percent=float(str(set_to["max_error_percent"])),
            max_latency_ms=int(str(set_to["max_latency_ms"])),
        ),
    )


async def _tools(images: Images) -> Tools:
    chart = Path(tempfile.mkdtemp()) / "chart"
    await dag.current_module().source().directory(CHART).export(str(chart))
    helm = await program(images.helm, HELM)
    return Tools(helm, await program(images.kubectl, KUBECTL), chart)
