"""PostgreSQL and Redis fail under load: no accepted text is lost, and no answer is undocumented."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import httpx
import pytest

from tests.docker import Docker
from tests.stack.conftest import Stack
from tests.stack.test_hardening import processes

CLIENTS = 8
WARM = 80
"""Requests before the fault, and after it."""
PATIENCE = 60
"""Seconds until they must have been answered."""
ANALYSES = "/api/v1/analyses"
KEPT = httpx.Limits()
NEW_EACH_TIME = httpx.Limits(max_keepalive_connections=0)
ACCEPTED = {httpx.codes.OK, httpx.codes.CREATED}


@dataclass
class Load:
    """What clients were answered: statuses, and the ids of the texts that were accepted."""

    connections: httpx.Limits
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    undocumented: list[str] = field(default_factory=list)
    changed: anyio.Condition = field(default_factory=anyio.Condition)

    async def run(self, url: str, client: int, ended: anyio.Event) -> None:
        """Send a new text and ask for an old one, in turn, until told to end."""
        limits = self.connections
        async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as session:
            number = 0
            while not ended.is_set():
                number += 1
                boat = f"{client}x{number}x{time.time_ns()}"
                text = f"The river carried the boat {boat}. The boat carried us home."
                answer = await session.post(ANALYSES, json={"text": text})
                await self._note(answer)
                if answer.status_code in ACCEPTED:
                    self.accepted.append(answer.json()["id"])
                if self.accepted:
                    await self._note(await session.get(f"{ANALYSES}/{self.accepted[0]}"))

    async def goes_on(self) -> None:
        """Wait for so many more answers."""
        with anyio.fail_after(PATIENCE):
            async with self.changed:
                wanted = self.statuses.total() + WARM
                while self.statuses.total() < wanted:
                    await self.changed.wait()

    async def _note(self, answer: httpx.Response) -> None:
        async with self.changed:
            self.statuses[answer.status_code] += 1
            self.changed.notify_all()
        documented = answer.status_code in ACCEPTED or (
            answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            and "retry-after" in answer.headers
        )
        if not documented:
            self.undocumented.append(f"{answer.request.method} {answer.status_code}: {answer.text}")


async def under_load(
    stack: Stack, fault: Callable[[], None], connections: httpx.Limits = KEPT
) -> Load:
    """Run clients through a fault, until the stack is ready again and has answered for a while."""
    load = Load(connections)
    ended = anyio.Event()

    async with httpx.AsyncClient(base_url=stack.url) as session, anyio.create_task_group() as group:
        for client in range(CLIENTS):
            group.start_soon(load.run, stack.url, client, ended)
        await load.goes_on()
        await anyio.to_thread.run_sync(fault)
        await anyio.to_thread.run_sync(stack.wait_until_ready)
        await load.goes_on()
        ended.set()
        for identifier in load.accepted:
            kept = await session.get(f"{ANALYSES}/{identifier}")
            assert kept.status_code == httpx.codes.OK, kept.text
    return load


@pytest.fixture(params=["restart", "kill"])
def broken(request: pytest.FixtureRequest, docker: Docker) -> Callable[[str], None]:
    """Ends a container and starts it again: in good order, or as a power cut would."""

    def end_and_start(container: str) -> None:
        if request.param == "kill":
            docker("kill", container)
        else:
            docker("stop", container)
        docker("start", container)

    return end_and_start


async def test_without_postgresql(stack: Stack, broken: Callable[[str], None]) -> None:
    load = await under_load(stack, lambda: broken(stack.containers["postgres"]))
    assert load.undocumented == []
    assert load.statuses[httpx.codes.SERVICE_UNAVAILABLE] > 0
    assert load.statuses[httpx.codes.CREATED] > WARM / 2


async def test_without_redis(stack: Stack, broken: Callable[[str], None]) -> None:
    load = await under_load(stack, lambda: broken(stack.containers["redis"]))
    assert load.undocumented == []
    # The engine goes on without its cache.
    assert load.statuses[httpx.codes.SERVICE_UNAVAILABLE] == 0


async def test_the_proxy_reads_its_configuration_again(stack: Stack, docker: Docker) -> None:
    proxy = stack.containers["proxy"]
    before = processes(proxy)
    # A client that keeps connections may lose an idle one, and has to try again by itself.
    load = await under_load(
        stack, lambda: docker("kill", "--signal=HUP", proxy), connections=NEW_EACH_TIME
    )
    assert len(set(before) & set(processes(proxy))) == 1, "all but the master are new"
    assert set(load.statuses) <= ACCEPTED, load.undocumented
