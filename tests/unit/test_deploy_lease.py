"""One deployer at a time, and what the next one finds."""

from datetime import timedelta

import anyio
import pytest

from pipeline.deploy.audit_store import ClusterStore
from pipeline.deploy.cluster import ClusterAwayError
from pipeline.deploy.lease import (
    KEPT,
    SECONDS,
    BusyError,
    GoodRevision,
    LostLeaseError,
    Memory,
    Trial,
    acquired,
    held_until,
    holding,
    memory_of,
    remembered,
)
from pipeline.errors import PipelineError
from tests.unit.api_server import ApiServer

TRIAL = Trial(
    action="deploy", version="2.0.0", content="b", who="ann", since="2026-11-26T10:00:00Z", back=1
)
LATER = timedelta(seconds=SECONDS + 1)


def good(revision: int, content: str = "a") -> GoodRevision:
    return GoodRevision(revision=revision, version="1.0.0", content=content)


async def test_a_second_deployer_is_told_who_deploys() -> None:
    server = ApiServer()
    lease = await acquired(server.cluster(), "shop", "ann/1")
    await lease.begin(TRIAL)
    with pytest.raises(BusyError, match=r"ann/1 deploys to shop right now: deploy of 2\.0\.0"):
        await acquired(server.cluster(), "shop", "bob/1")
    await lease.release()
    assert (await acquired(server.cluster(), "shop", "bob/1")).holder == "bob/1"


async def test_two_at_the_same_moment_do_not_both_get_it() -> None:
    server = ApiServer()
    won: list[str] = []
    lost: list[str] = []

    async def take(holder: str) -> None:
        try:
            await acquired(server.cluster(), "shop", holder)
            won.append(holder)
        except BusyError:
            lost.append(holder)

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(take, f"run/{number}")
    assert (len(won), len(lost)) == (1, 9)


async def test_a_dead_runs_lease_is_taken_over_with_what_it_remembers() -> None:
    server = ApiServer()
    dead = await acquired(server.cluster(), "shop", "ann/1")
    await dead.end(good(1))
    await dead.begin(TRIAL)
    await dead.reached("applied", 2)
    taken = await acquired(server.cluster(LATER), "shop", "bob/1")
    assert taken.memory.trial == TRIAL.model_copy(update={"to": 2, "phase": "applied"})
    assert taken.memory.current == good(1)
    assert taken.known["spec"]["leaseTransitions"] == 1
    # Whoever comes back from the dead does nothing more.
    with pytest.raises(LostLeaseError, match="Another run took this deployment over"):
        await dead.reached("observed")


async def test_the_end_of_a_change_is_remembered() -> None:
    server = ApiServer()
    lease = await acquired(server.cluster(), "shop", "ann/1")
    for revision in range(1, KEPT + 5):
        await lease.begin(TRIAL)
        await lease.end(good(revision, str(revision)))
    assert lease.memory.trial is None
    assert [kept.revision for kept in lease.memory.good] == list(range(5, KEPT + 5))
    await lease.end(None)
    stored = await remembered(server.cluster(), "shop")
    assert stored is not None
    assert memory_of(stored) == Memory()


def test_the_version_before_is_the_last_one_that_was_different() -> None:
    assert Memory().before is None
    assert Memory(good=[good(1), good(3)]).before is None
    kept = [good(1, "a"), good(2, "b"), good(4, "b"), good(5, "c"), good(6, "c")]
    assert Memory(good=kept).before == good(4, "b")


async def test_what_goes_wrong_meanwhile_is_raised_and_the_lease_given_back() -> None:
    server = ApiServer()
    lease = await acquired(server.cluster(), "shop", "ann/1")

    async def work() -> None:
        raise PipelineError("no such image")

    with pytest.raises(PipelineError, match="no such image"):
        await holding(lease, work)
    stored = await remembered(server.cluster(), "shop")
    assert stored is not None
    assert held_until(stored, server.cluster().now()) is None


async def test_a_cluster_that_is_away_is_no_refusal() -> None:
    server = ApiServer(away=True)
    with pytest.raises(ClusterAwayError, match="etcd is away"):
        await server.cluster().get("/api")


async def test_of_two_records_of_one_number_one_is_kept() -> None:
    store = ClusterStore(ApiServer().cluster(), "shop")
    assert await store.append(1, "one")
    assert not await store.append(1, "other")
    assert await store.append(2, "two")
    assert await store.read() == ["one", "two"]
