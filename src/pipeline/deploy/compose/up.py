"""Brings a Compose project up on a Docker daemon: all of it is healthy, or all is as it was."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from shlex import join

from pipeline.build.steps import HEALTH_CHECK
from pipeline.deploy.compose.containers import (
    MOST_LINES,
    ComposeContainer,
    DockerError,
    UnhealthyProjectError,
    last_words,
    parse_containers,
)
from pipeline.errors import shortened

FILE = "/compose.yml"
COMPOSE = ["docker", "compose", f"--file={FILE}", "--ansi=never", "--progress=plain"]
LIST = [*COMPOSE, "ps", "--all", "--format=json"]
# What was deployed last stands on a label of a volume that holds nothing: there is no other place
# with the daemon that needs no image, and that outlives the containers.
LABEL = "pipeline.project"
REMEMBER = f"""\
docker volume rm --force "$1" >/dev/null
docker volume create --label "{LABEL}=$(cat {FILE})" "$1" >/dev/null
{join(LIST)}
"""
RECALL = ["docker", "volume", "inspect", f'--format={{{{index .Labels "{LABEL}"}}}}']
# Starts what changed and waits for all of it ($1 s); then the entry ($2) asks itself, as its health
# check does, for its port may be anywhere. One script: each command in a container costs seconds.
UNREADY = 75
START = f"""\
{join(COMPOSE)} up --detach --wait "--wait-timeout=$1" --remove-orphans --quiet-pull
end=$(($(date +%s) + $1))
until {join(COMPOSE)} exec -T "$2" {HEALTH_CHECK} "$3" "$4"; do
    [ "$(date +%s)" -lt "$end" ] || exit {UNREADY}
    sleep 0.2
done
"""


@dataclass(frozen=True)
class EntryPoint:
    """Where people come in: its service, port and path that tells whether all is ready."""

    service: str
    port: int
    ready: str


@dataclass(frozen=True)
class CommandResult:
    """What came of a command."""

    status: int
    output: str
    errors: str


Runner = Callable[[Sequence[str], str], Awaitable[CommandResult]]
"""Runs a command beside Docker's, with a project's text at its place when there is one."""


@dataclass(frozen=True)
class ComposeRelease:
    """A project on its way to a daemon; `patience` is in seconds, for all to become healthy."""

    run: Runner
    name: str
    project: str
    entry: EntryPoint
    patience: int

    async def up(self) -> tuple[list[ComposeContainer], float]:
        """Bring it up, or back what there was. Gives the containers and the seconds it took.

        Raises DockerError when Compose can't begin, UnhealthyProjectError.
        """
        start = time.monotonic()
        listed = await self._listed(self.project)
        if listed.status != 0:
            raise DockerError(f"Compose can't begin, and nothing was changed.\n{_said(listed)}")
        before = parse_containers(listed.output)
        failure = await self._failure(self.project)
        if failure:
            containers = await self._containers(self.project)
            # Images are pulled before anything is changed.
            if {each.identifier for each in before} == {each.identifier for each in containers}:
                raise DockerError(f"{failure}\nNothing was changed.")
            raise UnhealthyProjectError(f"{failure}\n{await self._back()}")
        told = await self.run(["sh", "-euc", REMEMBER, "remember", self._memory], self.project)
        if told.status != 0:
            raise DockerError(
                "All of it is up and healthy, but the daemon keeps no note of it, so nothing can "
                f"bring it back later.\n{_said(told)}"
            )
        return parse_containers(told.output), time.monotonic() - start

    async def _failure(self, project: str) -> str:
        """Start what changed and wait for all of it; says what went wrong."""
        entry = [self.entry.service, str(self.entry.port), self.entry.ready]
        started = await self.run(
            ["sh", "-euc", START, "start", str(self.patience), *entry], project
        )
        if started.status == UNREADY:
            return (
                f"Everything runs, but {self.entry.service} doesn't answer {self.entry.ready} "
                f"with 2xx, not after {self.patience} s either."
            )
        if started.status != 0:
            containers = await self._containers(project)
            failed = [each for each in containers if not each.is_well and not each.waits]
            logs = [(each, await self._log(each)) for each in failed]
            return last_words(logs) if logs else f"Compose can't start it: {_said(started)}"
        return ""

    async def _containers(self, project: str) -> list[ComposeContainer]:
        return parse_containers((await self._listed(project)).output)

    async def _listed(self, project: str) -> CommandResult:
        return await self.run(LIST, project)

    async def _log(self, container: ComposeContainer) -> str:
        command = ["docker", "logs", f"--tail={MOST_LINES}", container.identifier]
        log = await self.run(command, "")
        return log.output + log.errors

    async def _back(self) -> str:
        """Bring back what was healthy last; says what came of it."""
        recalled = await self.run([*RECALL, self._memory], "")
        previous = recalled.output
        if recalled.status != 0 or not previous.strip():
            return "Nothing was healthy here before: it stays as it is, to look at."
        if previous.strip() == self.project.strip():
            return "It is what was deployed before, too: it stays as it is, to look at."
        failure = await self._failure(previous)
        if failure:
            return f"What was deployed before doesn't come back either:\n{failure}"
        return "What was deployed before is back, and healthy."

    @property
    def _memory(self) -> str:
        return f"{self.name}_deployed"


def _said(ran: CommandResult) -> str:
    return shortened((ran.errors or ran.output).strip().splitlines(), 20)
