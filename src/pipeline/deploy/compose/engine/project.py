"""An environment's Compose project: its file, its variables, its daemon."""

from dataclasses import dataclass
from typing import Any

import dagger

from pipeline.build.engine.rust import sources_of
from pipeline.catalogue.models import RustService
from pipeline.catalogue.repository import Repository
from pipeline.config.resolve import Configuration
from pipeline.deploy.compose.compose import (
    Deployed,
    compose_project,
    entry_port,
    given_values,
    project_name,
    written,
)
from pipeline.deploy.compose.containers import workloads
from pipeline.deploy.compose.engine.docker import Daemon
from pipeline.deploy.compose.reload import with_reload
from pipeline.deploy.compose.up import ComposeRelease, EntryPoint
from pipeline.deploy.contents import Contents, setting_of
from pipeline.deploy.generated import managed
from pipeline.registry.engine.access import Access
from pipeline.report.deployment import DeploymentSummary

HEAD = """\
Made by `dagger call environment compose`; in the repository's folder `docker compose up` runs it.
The secrets that it names come out of its environment, or of a file .env:
`dagger call environment --name {environment} --secrets-key … compose-variables plaintext >> .env`
"""
HEAD_OF_RELOAD = "With sources that Compose keeps in step: `docker compose up --build --watch`.\n"

ServiceSecrets = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Project:
    """A project's text, and the name by which Docker knows it."""

    name: str
    text: str


def project_of(repository: Repository, configuration: Configuration, contents: Contents) -> Project:
    """Write the project of published images."""
    deployed = _deployed(repository, configuration, contents)
    return _written(configuration, deployed, _definition(repository, deployed), HEAD)


async def reloaded_project_of(
    source: dagger.Directory,
    repository: Repository,
    configuration: Configuration,
    contents: Contents,
) -> Project:
    """Write the project with the services that can run out of their sources doing so."""
    deployed = _deployed(repository, configuration, contents)
    sources = {
        entry.service.name: await sources_of(entry.directory, source)
        for entry in deployed.entries
        if isinstance(entry.service, RustService)
    }
    definition = with_reload(
        _definition(repository, deployed), deployed, repository.images, sources
    )
    return _written(configuration, deployed, definition, HEAD + HEAD_OF_RELOAD)


def variables_of_project(
    repository: Repository, configuration: Configuration, secrets: ServiceSecrets
) -> dict[str, str]:
    """Give the secrets that Compose puts in, by variable."""
    stack = managed(repository.stack, configuration)
    return given_values(configuration, stack, secrets)


async def deploy_by_compose(
    repository: Repository,
    configuration: Configuration,
    contents: Contents,
    secrets: ServiceSecrets,
    socket: dagger.Socket,
    access: Access,
) -> DeploymentSummary:
    """Bring contents up on a daemon, or leave all as it was. Raises DockerError and its kin."""
    project = project_of(repository, configuration, contents)
    stack = repository.stack
    variables = variables_of_project(repository, configuration, secrets)
    daemon = await Daemon.at(socket, repository.images.docker, access, variables)
    [entry] = [each.service for each in repository.services if each.service.name == stack.entry]
    release = ComposeRelease(
        daemon.run,
        project.name,
        project.text,
        EntryPoint(entry.name, entry.port, stack.ready),
        int(str(setting_of(configuration, "health_timeout_seconds"))),
    )
    containers, seconds = await release.up()
    url = f"http://localhost:{entry_port(configuration)}"
    return DeploymentSummary(
        environment=configuration.environment,
        project=project.name,
        version=contents.version,
        healthy=True,
        workloads=workloads(containers),
        said=[f"Healthy after {seconds:.1f} s, at {url}"],
    )


def _deployed(repository: Repository, configuration: Configuration, contents: Contents) -> Deployed:
    stack = managed(repository.stack, configuration)
    return Deployed(configuration, stack, repository.services, contents.images)


def _name(configuration: Configuration, deployed: Deployed) -> str:
    named = setting_of(configuration, "project")
    return str(named or project_name(configuration, deployed.stack))


def _definition(repository: Repository, deployed: Deployed) -> dict[str, Any]:
    name = _name(deployed.configuration, deployed)
    return compose_project(deployed, name, repository.images.prometheus)


def _written(
    configuration: Configuration, deployed: Deployed, definition: dict[str, Any], head: str
) -> Project:
    text = written(definition, head.format(environment=configuration.environment))
    return Project(_name(configuration, deployed), text)
