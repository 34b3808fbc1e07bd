"""Work side by side, so much at a time."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from pipeline.errors import PipelineError, first_of

T = TypeVar("T")


async def gather(jobs: Sequence[Callable[[], Awaitable[T]]], at_a_time: int) -> list[T]:
    """Do all jobs and give their results in order. Raises the first PipelineError, as it is."""
    limiter = anyio.CapacityLimiter(at_a_time)
    results: dict[int, T] = {}

    async def do(index: int, job: Callable[[], Awaitable[T]]) -> None:
        async with limiter:
            results[index] = await job()

    try:
        async with anyio.create_task_group() as group:
            for index, job in enumerate(jobs):
                group.start_soon(do, index, job)
    except* PipelineError as errors:
        raise first_of(errors) from errors
    return [results[index] for index in range(len(jobs))]
