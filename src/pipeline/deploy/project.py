"""An environment's Compose project on the command line: the file, its variables, its deployment."""

import uuid
from typing import Annotated, Self

import dagger
from dagger import Doc, dag, field

from pipeline import handed
from pipeline.build.rust import sources_of
from pipeline.catalogue.models import RustService
from pipeline.catalogue.repository import read_repository, read_stack
from pipeline.catalogue.stack import Stack
from pipeline.config.config import Config
from pipeline.config.environment_file import environment_file
from pipeline.deploy.compose import (
    Deployed,
    compose_project,
    given_values,
    project_name,
    written,
)
from pipeline.deploy.compose_up import Deployment, Entry
from pipeline.deploy.containers import workloads
from pipeline.deploy.deployment import WrongTargetError, need_secrets_key
from pipeline.deploy.docker import Daemon
from pipeline.deploy.generated import managed
from pipeline.deploy.reload import with_reload
from pipeline.deploy.values import DEPLOYMENT, Contents
from pipeline.objects import object_type, side_effect
from pipeline.registry.access import Access
from pipeline.report.deployment import DeploymentSummary, render_deployment

HEAD = """\
Made by `dagger call compose`; in the repository's folder `docker compose up` runs it.
The secrets that it names come out of its environment, or of a file .env:
`dagger call compose --environment {environment} --secrets-key … variables plaintext >> .env`
"""
HEAD_OF_RELOAD = "With sources that Compose keeps in step: `docker compose up --build --watch`.\n"


@object_type
class ComposeProject:
    """An environment's whole stack as a Compose project, for Docker on one machine."""

    file: Annotated[dagger.File, Doc("The project, without any secret")] = field()
    name: Annotated[str, Doc("By which Docker knows it")] = field()
    config: Config

    @classmethod
    async def of(cls, config: Config, contents: Contents, name: str | None, reload: bool) -> Self:
        """Make it of published images; with `reload`, of sources where they can be run."""
        deployed = await _deployed(config, contents)
        configuration = deployed.configuration
        name = name or project_name(configuration, deployed.stack)
        images = (await read_repository(config.source)).images
        head = HEAD.format(environment=configuration.environment)
        project = compose_project(deployed, name, images.prometheus)
        if reload:
            head += HEAD_OF_RELOAD
            sources = {
                entry.service.name: await sources_of(entry.directory, config.source)
                for entry in deployed.entries
                if isinstance(entry.service, RustService)
            }
            project = with_reload(project, deployed, images, sources)
        file = handed.file("compose.yml", written(project, head))
        return cls(file=file, name=name, config=config)

    @side_effect
    async def variables(self) -> dagger.Secret:
        """Decrypt the secrets that Compose puts in: `variables plaintext >> .env`."""
        values = environment_file(await self._secrets())
        return dag.set_secret(f"compose-{uuid.uuid4()}", values)

    async def deploy(
        self, socket: dagger.Socket, access: Access, contents: Contents, format_: str
    ) -> str:
        """Bring it up on a daemon. Raises DockerError, UnhealthyProjectError."""
        deployed = await _deployed(self.config, contents)
        set_to = deployed.configuration.values[DEPLOYMENT]
        [entry] = [each for each in deployed.services if each.name == deployed.stack.entry]
        images = (await read_repository(self.config.source)).images
        daemon = await Daemon.at(socket, images.docker, access, await self._secrets())
        deployment = Deployment(
            daemon.run,
            self.name,
            await self.file.contents(),
            Entry(entry.name, entry.port, deployed.stack.ready),
            int(str(set_to["health_timeout_seconds"].value)),
        )
        containers, seconds = await deployment.up()
        url = f"http://localhost:{set_to['port'].value}"
        summary = DeploymentSummary(
            environment=deployed.configuration.environment,
            project=self.name,
            version=contents.version,
            healthy=True,
            workloads=workloads(containers),
            said=[f"Healthy after {seconds:.1f} s, at {url}"],
        )
        return render_deployment(summary, format_)

    async def _secrets(self) -> dict[str, str]:
        stack = await _stack(self.config)
        configuration = (await self.config.loaded()).one(self.config.environment)
        need_secrets_key(self.config, configuration)
        secrets = await self.config.opened(configuration)
        return given_values(configuration, managed(stack, configuration), secrets)


async def compose_socket(config: Config, socket: dagger.Socket | None) -> dagger.Socket:
    """Check that an environment is deployed by Compose, and give the socket for it.

    Raises WrongTargetError.
    """
    configuration = (await config.loaded()).one(config.environment)
    target = configuration.values[DEPLOYMENT]["target"].value
    if target != "compose":
        raise WrongTargetError(
            f"{configuration.environment} is deployed by {target} (deployment.target): give the "
            "cluster's --kubeconfig, e.g. file://~/.kube/config, or"
            " --set deployment.target=compose."
        )
    if socket is None:
        raise WrongTargetError(
            f"{configuration.environment} is deployed by Docker Compose: give the daemon's socket, "
            "e.g. --docker-socket /var/run/docker.sock."
        )
    need_secrets_key(config, configuration)
    return socket


async def _deployed(config: Config, contents: Contents) -> Deployed:
    repository = await read_repository(config.source)
    configuration = (await config.loaded()).one(config.environment)
    stack = managed(await _stack(config), configuration)
    return Deployed(configuration, stack, repository.services, contents.images)


async def _stack(config: Config) -> Stack:
    repository = await read_repository(config.source)
    names = [entry.service.name for entry in repository.services]
    return await read_stack(config.source, names)
