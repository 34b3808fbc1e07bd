"""Work side by side: in order, so much at a time, and the first error as it is."""

from functools import partial

import anyio
import pytest

from pipeline.concurrency import gather
from pipeline.errors import PipelineError


async def test_results_are_in_order_and_no_more_run_than_may() -> None:
    running: list[int] = []
    most = 0

    async def job(number: int) -> int:
        nonlocal most
        running.append(number)
        most = max(most, len(running))
        await anyio.lowlevel.checkpoint()
        running.remove(number)
        return number

    assert await gather([partial(job, number) for number in range(9)], 2) == list(range(9))
    assert most == 2


async def test_an_error_comes_out_as_it_is() -> None:
    async def fail() -> None:
        raise PipelineError("no")

    with pytest.raises(PipelineError, match="no"):
        await gather([fail, anyio.sleep_forever], 2)
