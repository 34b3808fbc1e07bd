"""Docker's command line in a container, by the socket of a daemon."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import dagger
from dagger import dag

from pipeline.deploy.compose.up import FILE, CommandResult
from pipeline.engine.files import file_of
from pipeline.registry.engine.access import Access

SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True)
class Daemon:
    """Docker's command line, by a daemon's socket, with the secrets that Compose puts in."""

    tool: dagger.Container

    @classmethod
    async def at(
        cls, socket: dagger.Socket, image: str, access: Access, secrets: Mapping[str, str]
    ) -> Self:
        """Reach a daemon, which pulls images as `access` has it."""
        tool = (await access.client(image)).with_unix_socket(SOCKET, socket)
        for name, value in secrets.items():
            secret = dag.set_secret(f"{name}-{uuid.uuid4()}", value)
            tool = tool.with_secret_variable(name, secret)
        return cls(tool)

    async def run(self, command: Sequence[str], project: str) -> CommandResult:
        """Run a command, with a project at its place."""
        tool = self.tool.with_env_variable("RUN", str(uuid.uuid4()))
        if project:
            tool = tool.with_mounted_file(FILE, file_of("compose.yml", project))
        ended = tool.with_exec(list(command), expect=dagger.ReturnType.ANY)
        return CommandResult(await ended.exit_code(), await ended.stdout(), await ended.stderr())
