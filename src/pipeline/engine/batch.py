"""Many commands in one exec, several at a time: a container for each costs more than it does."""

import base64
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import dagger
from dagger import dag

from pipeline.engine.files import directory_of

AT_A_TIME = 4
SECONDS = 120
"""A command that takes longer is ended: it waits for something that doesn't come."""

UPSTREAM = "/upstream"
BATCH = "/batch"
ENDED = "/ended"
NOT_BY_ITSELF = {
    "124": "timeout: it took longer than {seconds} s",
    "137": "it was killed: it didn't end after {seconds} s, or there was no memory left",
}
"""How `timeout` ends when a command didn't."""

# Commands are files with numbers for names: no word of a command is read by these two scripts.
ALL = f"""\
set -eu
cd "$(dirname "$0")"
results=$(mktemp -d)
ls commands | xargs -P {AT_A_TIME} -I % sh one % "$results/%"
cat "$results"/*.ended >"$1"
"""
# Each has a home of its own: what programs keep there isn't made for two at a time.
ONE = """\
mkdir "$2"
HOME=$2 timeout -k 5 "$(cat seconds)" sh "commands/$1" >"$2.output" 2>"$2.errors"
{
    printf '%s ' $?
    base64 -w 0 "$2.output"
    printf ' '
    base64 -w 0 "$2.errors"
    echo
} >"$2.ended"
"""


@dataclass(frozen=True)
class CommandResult:
    """How a command ended, and what it said."""

    succeeded: bool
    output: str
    errors: str


async def with_program(container: dagger.Container, image: str) -> dagger.Container:
    """Give a container with a shell the program of an image that may have none."""
    upstream = dag.container().from_(image)
    program, *_ = await upstream.entrypoint()
    # Mounted whole: the engine of v0.19.10 dies of two mounts out of one container.
    return (
        container.with_mounted_directory(UPSTREAM, upstream.rootfs())
        .with_env_variable("SSL_CERT_DIR", f"{UPSTREAM}/etc/ssl/certs")
        .with_env_variable("PATH", f"{UPSTREAM}{PurePosixPath(program).parent}:$PATH", expand=True)
    )


async def run_all(
    container: dagger.Container,
    commands: Sequence[Sequence[str]],
    *,
    output: bool = True,
    seconds: int = SECONDS,
) -> list[CommandResult]:
    """Run commands, and say of each how it ended; `output` is whether theirs is of use.

    What one of them says, or that it never ends, is no matter of the others.
    """
    return (await run_in(container, commands, output=output, seconds=seconds))[1]


async def run_in(
    container: dagger.Container,
    commands: Sequence[Sequence[str]],
    *,
    output: bool = True,
    seconds: int = SECONDS,
) -> tuple[dagger.Container, list[CommandResult]]:
    """Run commands as `run_all` does, and give the container with the files that they wrote."""
    if not commands:
        return container, []
    given = directory_of(files_of(commands, output=output, seconds=seconds))
    ended = container.with_mounted_directory(BATCH, given).with_exec(["sh", f"{BATCH}/all", ENDED])
    return ended, ended_of(await ended.file(ENDED).contents(), seconds)


def files_of(
    commands: Sequence[Sequence[str]], *, output: bool = True, seconds: int = SECONDS
) -> dict[str, str]:
    """Write commands as the files that the scripts read: path → text."""
    rest = "" if output else " >/dev/null"
    numbered = {
        f"commands/{number:06}": f"exec {shlex.join(command)}{rest}\n"
        for number, command in enumerate(commands)
    }
    return {"all": ALL, "one": ONE, "seconds": str(seconds), **numbered}


def ended_of(text: str, seconds: int = SECONDS) -> list[CommandResult]:
    """Read how commands ended, in their order."""
    return [_ended(line, seconds) for line in text.splitlines()]


def _ended(line: str, seconds: int) -> CommandResult:
    status, output, errors = line.split(" ")
    why = NOT_BY_ITSELF.get(status, "").format(seconds=seconds)
    return CommandResult(status == "0", _text(output), why or _text(errors))


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode(errors="replace")
