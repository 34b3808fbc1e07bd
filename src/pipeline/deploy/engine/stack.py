"""The whole stack as services of the engine: started together, given away once it is ready."""

import secrets
import uuid
from collections.abc import Mapping
from string import Template

import dagger
from dagger import dag

from pipeline.build.engine.build import build_for_engine
from pipeline.build.engine.service import service_of
from pipeline.catalogue.catalogue import choose
from pipeline.catalogue.repository import Repository
from pipeline.catalogue.stack import Backing, Member, Stack
from pipeline.config.variables import Variables, check_secrets
from pipeline.errors import PipelineError, shortened
from pipeline.version.engine.git import head_commit
from pipeline.version.release import release_of

ENTRY = "entry"
TEMPORARY = "/tmp"  # noqa: S108 - of a container, on a file system of its own
# Ready within half a minute, or it won't be.
ASK = [
    *("curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "5"),
    *("--retry", "30", "--retry-delay", "1", "--retry-max-time", "30", "--retry-all-errors"),
]


class UnhealthyStackError(PipelineError):
    """The stack was started and didn't become ready."""


async def run_stack(
    source: dagger.Directory, repository: Repository, settings: Mapping[str, Variables]
) -> dagger.Service:
    """Build all services of a stack and start it; `settings` are an environment's, by service.

    Gives its entry once it is ready. Raises UnhealthyStackError, UnknownSecretsError.
    """
    stack, images = repository.stack, repository.images
    check_secrets(stack, settings)
    release = release_of(await head_commit(source, images.git))
    entries = choose(repository.services, stack.services)
    services = [service_of(entry, images, release, source) for entry in entries]
    containers = await build_for_engine(services)
    ports = {service.name: service.port for service in services}
    return await start_stack(stack, containers, ports, settings, images.git)


async def start_stack(
    stack: Stack,
    containers: Mapping[str, dagger.Container],
    ports: Mapping[str, int],
    settings: Mapping[str, Variables],
    tools: str,
) -> dagger.Service:
    """Start a stack of the services' containers, and give its entry once it is ready.

    `settings` are an environment's, by service; what the stack says itself counts for more, since
    it knows where everything is. `tools` is an image with curl. Raises UnhealthyStackError with
    what the stack answered.
    """
    running = _services(stack, containers, settings)
    entry = running[stack.entry]
    url = f"http://{ENTRY}:{ports[stack.entry]}{stack.ready}"
    ask = (
        dag.container()
        .from_(tools)
        .with_service_binding(ENTRY, entry)
        # Asked each time anew, never answered out of a cache.
        .with_env_variable("RUN", str(uuid.uuid4()))
        .with_exec([*ASK, url])
    )
    try:
        await entry.start()
        await ask.sync()
    except dagger.ExecError as error:
        said = f"{error.stdout}\n{error.stderr}".strip().splitlines()
        raise UnhealthyStackError(
            f"The stack isn't ready: '{' '.join(error.command)}' ended with {error.exit_code}.\n\n"
            f"{shortened(said)}"
        ) from error
    except dagger.QueryError as error:
        raise UnhealthyStackError(f"The stack doesn't start: {error}") from error
    return entry


def _services(
    stack: Stack, containers: Mapping[str, dagger.Container], settings: Mapping[str, Variables]
) -> dict[str, dagger.Service]:
    # Hexadecimal, since it may stand in a URL.
    values = {name: secrets.token_hex(16) for name in stack.generated}
    running = {
        name: _backing(backing, values).as_service(use_entrypoint=True)
        for name, backing in stack.backing.items()
    }

    def service(name: str) -> dagger.Service:
        if name not in running:
            member = stack.services[name]
            container = containers[name].with_mounted_temp(TEMPORARY)
            if name in settings:
                container = _with_settings(container, settings[name], member)
            for variable, value in member.environment.items():
                container = _with_setting(container, variable, value, values)
            for needed in member.needs:
                container = container.with_service_binding(needed, service(needed))
            running[name] = container.as_service(use_entrypoint=True)
        return running[name]

    for name in stack.services:
        service(name)
    return running


def _backing(backing: Backing, values: Mapping[str, str]) -> dagger.Container:
    container = dag.container().from_(backing.image).with_exposed_port(backing.port)
    for variable, value in backing.environment.items():
        container = container.with_env_variable(variable, value)
    for variable in backing.generated:
        container = _with_setting(container, variable, f"${{{variable}}}", values)
    return container


def _with_settings(
    container: dagger.Container, settings: Variables, member: Member
) -> dagger.Container:
    """Set what the stack doesn't say itself; a later secret wouldn't stand for an earlier one."""
    for variable, text in settings.plain.items():
        if variable not in member.environment:
            container = container.with_env_variable(variable, text)
    for variable, text in settings.secret.items():
        if variable not in member.environment:
            container = container.with_secret_variable(variable, _secret(variable, text))
    return container


def _with_setting(
    container: dagger.Container, variable: str, value: str, values: Mapping[str, str]
) -> dagger.Container:
    template = Template(value)
    text = template.substitute(values)
    if not template.get_identifiers():
        return container.with_env_variable(variable, text)
    return container.with_secret_variable(variable, _secret(variable, text))


def _secret(name: str, text: str) -> dagger.Secret:
    return dag.set_secret(f"{name}-{uuid.uuid4()}", text)
