"""The engine at the build's door: steps run, failures in people's words."""

from collections.abc import Awaitable
from typing import TypeVar

import dagger

from pipeline.build.failures import BuildFailedError
from pipeline.errors import PipelineError

T = TypeVar("T")


def shell(script: str) -> list[str]:
    """Give the command that runs a script up to its first failure."""
    return ["sh", "-euc", script]


async def run_step(step: Awaitable[T], service: str, platform: str) -> T:
    """Wait for a step. Raises BuildFailedError with the words of the command that failed."""
    try:
        return await step
    except dagger.ExecError as error:
        output = f"{error.stdout}\n{error.stderr}"
        raise BuildFailedError(service, platform, error.command, output, error.exit_code) from error
    except dagger.QueryError as error:
        raise PipelineError(f"{service} for {platform} doesn't build: {error}") from error
