"""One deployer at a time, and what the next one finds."""

from datetime import timedelta

import anyio
import pytest

from pipeline.deploy.kubernetes import lease
from pipeline.deploy.kubernetes.audit_store import ClusterStore
from pipeline.deploy.kubernetes.cluster import ClusterAwayError
from pipeline.deploy.kubernetes.lease import (
    KEPT,
    SECONDS,
    BusyError,
    GoodRevision,
    Lease,
    LostLeaseError,
    PendingChange,
    ReleaseRecord,
    acquire,
    held_until,
    hold,
    memory_of,
    read_lease,
)
from pipeline.errors import PipelineError
from tests.unit.api_server import ApiServer

TRIAL = PendingChange(
    action="deploy", version="2.0.0", content="b", who="ann", since="2026-11-26T10:00:00Z", back=1
)
LATER = timedelta(seconds=SECONDS + 1)


def good(revision: int, content: str = "a") -> GoodRevision:
    return GoodRevision(revision=revision, version="1.0.0", content=content)


async def take(server: ApiServer, holder: str, ahead: timedelta = timedelta(0)) -> Lease:
    return await acquire(server.cluster(ahead), "shop", holder, lambda _: None)


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEWED_EVERY", 0.05)
    monkeypatch.setattr(lease, "LOOK_EVERY", 0.02)


@pytest.mark.usefixtures("_quick")
async def test_a_second_deployer_is_told_who_deploys() -> None:
    server = ApiServer()
    first = await take(server, "ann/1")
    await first.begin(TRIAL)
    over = anyio.Event()

    async def try_it() -> None:
        with pytest.raises(BusyError, match=r"ann/1 deploys to shop \(deploy of 2\.0\.0, since"):
            await take(server, "bob/1")
        over.set()

    async with anyio.create_task_group() as group:
        group.start_soon(try_it)
        await hold(first, over.wait)
    assert (await take(server, "bob/1")).holder == "bob/1"


@pytest.mark.usefixtures("_quick")
async def test_two_at_the_same_moment_do_not_both_get_it() -> None:
    server = ApiServer()
    won: list[str] = []
    lost: list[str] = []
    over = anyio.Event()

    async def deploy(holder: str) -> None:
        try:
            taken = await take(server, holder)
        except BusyError:
            lost.append(holder)
            if len(lost) == 9:
                over.set()
            return
        won.append(holder)
        await hold(taken, over.wait)

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(deploy, f"run/{number}")
    assert (len(won), len(lost)) == (1, 9)


async def test_a_dead_runs_lease_is_taken_over_with_what_it_remembers() -> None:
    server = ApiServer()
    dead = await take(server, "ann/1")
    await dead.end(good(1))
    await dead.begin(TRIAL)
    await dead.reached("applied", 2)
    taken = await take(server, "bob/1", LATER)
    assert taken.memory.trial == TRIAL.model_copy(update={"to": 2, "phase": "applied"})
    assert taken.memory.current == good(1)
    assert taken.known["spec"]["leaseTransitions"] == 1
    # Whoever comes back from the dead does nothing more.
    with pytest.raises(LostLeaseError, match="Another run took this deployment over"):
        await dead.reached("observed")


async def test_the_end_of_a_change_is_remembered() -> None:
    server = ApiServer()
    held = await take(server, "ann/1")
    for revision in range(1, KEPT + 5):
        await held.begin(TRIAL)
        await held.end(good(revision, str(revision)))
    assert held.memory.trial is None
    assert [kept.revision for kept in held.memory.good] == list(range(5, KEPT + 5))
    # As a change that failed leaves it: the same again, by a later revision.
    await held.end(good(99, str(KEPT + 4)))
    assert [kept.revision for kept in held.memory.good] == [*range(5, KEPT + 4), 99]
    await held.end(None)
    stored = await read_lease(server.cluster(), "shop")
    assert stored is not None
    assert memory_of(stored) == ReleaseRecord()


def test_the_version_before_is_the_last_one_that_was_different() -> None:
    assert ReleaseRecord().before is None
    assert ReleaseRecord(good=[good(1), good(3)]).before is None
    kept = [good(1, "a"), good(2, "b"), good(4, "b"), good(5, "c"), good(6, "c")]
    assert ReleaseRecord(good=kept).before == good(4, "b")


async def test_what_goes_wrong_meanwhile_is_raised_and_the_lease_given_back() -> None:
    server = ApiServer()
    held = await take(server, "ann/1")

    async def work() -> None:
        raise PipelineError("no such image")

    with pytest.raises(PipelineError, match="no such image"):
        await hold(held, work)
    stored = await read_lease(server.cluster(), "shop")
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


async def test_a_write_whose_answer_was_lost_loses_no_lease() -> None:
    server = ApiServer()
    held = await take(server, "ann/1")
    before = held.known
    await held.begin(TRIAL)
    held.known = before
    await held.begin(TRIAL)
    await held.reached("applied", 2)
    stored = await read_lease(server.cluster(), "shop")
    assert stored is not None
    assert memory_of(stored).trial == TRIAL.model_copy(update={"phase": "applied", "to": 2})
