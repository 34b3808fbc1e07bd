"""An environment's Compose project on the command line: the file, its variables, its deployment."""

import uuid
from dataclasses import dataclass
from typing import Annotated, Self

import dagger
from dagger import Doc, dag, field

from pipeline import handed
from pipeline.build.rust import sources_of
from pipeline.catalogue.models import Images, RustService
from pipeline.catalogue.repository import read_repository, read_stack
from pipeline.config.config import Config
from pipeline.config.environment_file import environment_file
from pipeline.deploy.compose import (
    Deployed,
    compose_project,
    entry_port,
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
        project = await _project(config, contents, name, reload)
        return cls(file=handed.file("compose.yml", project.text), name=project.name, config=config)

    @side_effect
    async def variables(self) -> dagger.Secret:
        """Decrypt the secrets that Compose puts in: `variables plaintext >> .env`."""
        deployed, _ = await _deployed(self.config, {})
        values = environment_file(await _secrets(self.config, deployed))
        return dag.set_secret(f"compose-{uuid.uuid4()}", values)


@dataclass(frozen=True)
class Project:
    """A project's text, and what it is made from."""

    name: str
    text: str
    deployed: Deployed
    images: Images


async def compose_socket(config: Config, socket: dagger.Socket | None) -> dagger.Socket:
    """Check that an environment is deployed by Compose, and give the socket for it.

    Raises WrongTargetError, SopsError.
    """
    configuration = (await config.loaded()).one(config.environment)
    target = configuration.values[DEPLOYMENT]["target"].value
    if target != "compose":
        raise WrongTargetError(
            f"{configuration.environment} is deployed by {target} (deployment.target): give the "
            "cluster's --kubeconfig, e.g. file://~/.kube/config, or "
            "--set deployment.target=compose."
        )
    if socket is None:
        raise WrongTargetError(
            f"{configuration.environment} is deployed by Docker Compose: give the daemon's socket, "
            "e.g. --docker-socket /var/run/docker.sock."
        )
    need_secrets_key(config, configuration)
    return socket


async def deployed_by_compose(
    config: Config,
    contents: Contents,
    name: str | None,
    socket: dagger.Socket,
    access: Access,
    format_: str,
) -> str:
    """Bring contents up on a daemon, or leave all as it was. Raises DockerError and its kin."""
    project = await _project(config, contents, name, reload=False)
    deployed, stack = project.deployed, project.deployed.stack
    configuration = deployed.configuration
    secrets = await _secrets(config, deployed)
    daemon = await Daemon.at(socket, project.images.docker, access, secrets)
    [entry] = [service for service in deployed.services if service.name == stack.entry]
    patience = configuration.values[DEPLOYMENT]["health_timeout_seconds"].value
    deployment = Deployment(
        daemon.run,
        project.name,
        project.text,
        Entry(entry.name, entry.port, stack.ready),
        int(str(patience)),
    )
    containers, seconds = await deployment.up()
    url = f"http://localhost:{entry_port(configuration)}"
    summary = DeploymentSummary(
        environment=configuration.environment,
        project=project.name,
        version=contents.version,
        healthy=True,
        workloads=workloads(containers),
        said=[f"Healthy after {seconds:.1f} s, at {url}"],
    )
    return render_deployment(summary, format_)


async def _project(config: Config, contents: Contents, name: str | None, reload: bool) -> Project:
    deployed, images = await _deployed(config, contents.images)
    configuration = deployed.configuration
    name = name or project_name(configuration, deployed.stack)
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
    return Project(name, written(project, head), deployed, images)


async def _deployed(config: Config, images: dict[str, str]) -> tuple[Deployed, Images]:
    repository = await read_repository(config.source)
    names = [entry.service.name for entry in repository.services]
    configuration = (await config.loaded()).one(config.environment)
    stack = managed(await read_stack(config.source, names), configuration)
    return Deployed(configuration, stack, repository.services, images), repository.images


async def _secrets(config: Config, deployed: Deployed) -> dict[str, str]:
    need_secrets_key(config, deployed.configuration)
    secrets = await config.opened(deployed.configuration)
    return given_values(deployed.configuration, deployed.stack, secrets)
