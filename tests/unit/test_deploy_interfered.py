"""What comes between: another run, a cluster that doesn't answer, a Lease that is lost."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import anyio
import httpx
import pytest

from pipeline.deploy.kubernetes import helm
from pipeline.deploy.kubernetes.cluster import ClusterAwayError, ClusterError, _ahead
from pipeline.deploy.kubernetes.lease import (
    SECONDS,
    BusyError,
    LostLeaseError,
    PendingChange,
    ReleaseRecord,
)
from pipeline.deploy.kubernetes.rollout import RolledBackError, StuckError
from pipeline.errors import PipelineError
from tests.unit import fates
from tests.unit.shop import WHY, Shop, service
from tests.unit.test_deploy_broken import deployed, versions
from tests.unit.test_deploy_whole import settings

DEBUG = {"api": service("api", environment={"LEVEL": "debug"})}


def slow(shop: Shop, seconds: float) -> None:
    """Let pods be observed for so long, and requests fail meanwhile."""
    shop.cluster.bakes = seconds
    shop.limits = replace(
        shop.limits, bake=int(seconds), max_error_percent=100, max_latency_ms=9999
    )


async def caught(work: Awaitable[object]) -> PipelineError | None:
    """Give what some work raises."""
    try:
        await work
    except PipelineError as error:
        return error
    return None


async def beside(
    shop: Shop, seconds: float, then: Callable[[], Awaitable[None]]
) -> PipelineError | None:
    """Deploy, and let something happen after some seconds; gives what the deployment raises."""

    async def happens() -> None:
        await anyio.sleep(seconds)
        await then()

    async with anyio.create_task_group() as group:
        group.start_soon(happens)
        return await caught(shop.deploying("2.0.0", **DEBUG))


def test_two_at_a_time_do_not_mix() -> None:
    shop = deployed()
    slow(shop, 30)  # longer than a Lease holds
    told: list[str] = []

    async def another() -> None:
        for work in (shop.deploying("3.0.0"), shop.deployer().rollback(WHY)):
            error = await caught(work)
            assert isinstance(error, BusyError)
            told.append(str(error))

    assert shop.do(beside(shop, SECONDS + 2, another)) is None
    assert len(told) == 2
    assert "ann/" in told[0]
    assert "deploys to shop (deploy of 2.0.0, since 2026-11-26T12:00:" in told[0]
    assert shop.status().version == "2.0.0"
    assert [outcome for *_, outcome in shop.trail()] == ["started", "succeeded"] * 2


def test_what_is_interrupted_is_shown_only_once_nobody_works_on_it() -> None:
    shop = deployed()
    told: list[str] = []

    async def look() -> None:
        told.extend((await shop.deployer().status()).said)

    shop.do(beside(shop, 0.5, look))
    assert told == []
    killed = deployed()

    async def never() -> None:
        killed.cluster.hangs = True

    error = killed.do(beside(killed, 0.5, never))
    assert isinstance(error, ClusterAwayError)
    killed.cluster.hangs = False
    killed.cluster.clock.seconds += SECONDS
    [said, advice] = killed.status().said
    assert said.startswith("deploy of 2.0.0 by ann, begun at 2026-11-26T12:00:0")
    assert said.endswith("Z, was interrupted when it was applied.")
    assert advice == "`environment resume` finishes it, `environment rollback` goes back."


def test_a_dead_runs_lease_is_waited_for() -> None:
    shop = deployed()
    moments: list[Shop] = []
    shop.cluster.changed = lambda: moments.append(shop.copied())
    shop.deploy("2.0.0", **DEBUG)
    [killed] = [
        each for each in moments if each.memory.trial and each.memory.trial.phase == "observed"
    ][:1]
    began = killed.cluster.clock.seconds
    assert killed.rollback().version == "1.0.0"
    assert SECONDS - 4 < killed.cluster.clock.seconds - began < SECONDS + 4


@pytest.mark.parametrize("seconds", [0.7, 10])
def test_a_lease_that_another_took_ends_it_at_once(seconds: float) -> None:
    """It is seen when something is remembered, or when the Lease is renewed."""
    shop = deployed()
    slow(shop, 30)
    made = len(shop.helm.history)

    async def takes_over() -> None:
        shop.lease["spec"]["holderIdentity"] = "bob/1"
        shop.lease["metadata"]["resourceVersion"] = "999"

    error = shop.do(beside(shop, seconds, takes_over))
    assert isinstance(error, LostLeaseError)
    # It neither goes back nor tells how it ended: the other one does.
    assert (len(shop.helm.history), shop.trail()[-1]) == (made + 1, ("deploy", "2.0.0", "started"))
    assert shop.lease["spec"]["holderIdentity"] == "bob/1"


def test_a_lease_that_is_lost_within_helm_ends_helm() -> None:
    shop = deployed()
    before = shop.copied()

    async def takes_over() -> None:
        shop.lease["spec"]["holderIdentity"] = "bob/1"
        shop.lease["metadata"]["resourceVersion"] = "999"

    # It is seen when the Lease is renewed, while Helm takes long.
    shop.helm.takes = 1
    error = shop.do(beside(shop, 3.5, takes_over))
    assert isinstance(error, LostLeaseError)
    assert shop.helm.history[-1].status == "pending-upgrade"
    shop.helm.takes = 0.01
    shop.cluster.clock.seconds += SECONDS
    assert shop.rollback().healthy
    assert (versions(shop), settings(shop)) == (versions(before), settings(before))


@pytest.mark.parametrize("seconds", [3, 10])
def test_a_cluster_that_is_away_for_a_while_is_waited_for(seconds: float) -> None:
    shop = deployed()
    slow(shop, 20)

    async def away() -> None:
        shop.cluster.away = True
        await anyio.sleep(seconds)
        shop.cluster.away = False

    assert shop.do(beside(shop, 5, away)) is None
    assert shop.trail()[-1] == ("deploy", "2.0.0", "succeeded")


@pytest.mark.parametrize("kind", ["pods", "horizontalpodautoscalers"])
def test_one_answer_that_is_missing_is_asked_for_again(kind: str) -> None:
    shop = deployed()
    refused: list[httpx.Request] = []

    def refuses(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith(kind) and not refused:
            refused.append(request)
            return httpx.Response(500, text="unexpected EOF")
        return None

    shop.cluster.answers_instead = refuses
    assert shop.deploy("2.0.0", **DEBUG).healthy
    assert len(refused) == 1


@pytest.mark.parametrize("how", ["away", "hangs"])
def test_a_cluster_that_stays_away_is_no_failure_of_the_version(how: str) -> None:
    before = deployed()
    shop = before.copied()
    slow(shop, 20)
    began = shop.cluster.clock.seconds

    async def leaves() -> None:
        setattr(shop.cluster, how, True)

    error = shop.do(beside(shop, 1, leaves))
    assert isinstance(error, ClusterAwayError)
    # As soon as another run may have taken over, nothing is done any more.
    assert SECONDS < shop.cluster.clock.seconds - began < SECONDS + 6
    setattr(shop.cluster, how, False)
    assert shop.helm.history[-1].status == "deployed"
    resumed = shop.resume()
    assert (resumed.version, resumed.healthy) == ("2.0.0", True)
    assert shop.trail()[-3:] == [
        ("deploy", "2.0.0", "started"),
        *(("deploy", "2.0.0", "started"), ("deploy", "2.0.0", "succeeded")),
    ]


def test_what_went_wrong_is_told_even_when_nothing_can_be_written() -> None:
    shop = deployed()
    shop.cluster.fates = {"debug": fates.crashes("lost")}

    def leaves() -> None:
        if "upgrade" in shop.helm.commands[3:] and shop.memory.trial:
            shop.cluster.away = shop.memory.trial.phase == "going back"

    shop.helm.commands.clear()
    shop.helm.commands += ["", "", ""]
    shop.cluster.changed = leaves
    with pytest.raises(
        StuckError, match=r"(?s)lost.*Why it isn't back:\nHelm said: Kubernetes clus"
    ):
        shop.deploy("2.0.0", **DEBUG)
    shop.cluster.away = False
    shop.cluster.changed = lambda: None
    assert shop.rollback().healthy


def test_settings_that_cannot_be_removed_fail_nothing() -> None:
    shop = deployed()
    refused: list[httpx.Request] = []

    def refuses(request: httpx.Request) -> httpx.Response | None:
        if request.method == "DELETE" and "configmaps" in request.url.path:
            refused.append(request)
            return httpx.Response(403, json={"message": "not today"})
        return None

    shop.cluster.answers_instead = refuses
    assert shop.deploy("2.0.0", **DEBUG).healthy
    assert len(refused) == 1
    assert shop.trail()[-1] == ("deploy", "2.0.0", "succeeded")
    shop.cluster.answers_instead = lambda _: None
    shop.deploy("2.0.1", **DEBUG)
    assert len(settings(shop)) == 2


def test_a_namespace_that_somebody_else_made_is_left_alone() -> None:
    shop = Shop()
    made = {"metadata": {"name": "shop", "labels": {"team": "a"}}}
    shop.cluster.objects["/api/v1/namespaces/shop"] = made
    shop.deploy("1.0.0")
    assert shop.cluster.objects["/api/v1/namespaces/shop"] == made


def test_what_was_never_good_is_not_gone_back_to() -> None:
    """A change that was killed before Helm began leaves nothing to resume, and is cleared."""
    shop = deployed()
    trial = PendingChange(
        action="deploy", version="2.0.0", content="b", who="ann", since="now", back=1
    )
    memory = ReleaseRecord(good=shop.memory.good, trial=trial)
    shop.lease["metadata"]["annotations"]["pipeline/memory"] = memory.model_dump_json()
    made = len(shop.helm.history)
    with pytest.raises(
        PipelineError, match="nothing of it is there: `environment rollback` clears"
    ):
        shop.resume()
    assert shop.rollback().version == "1.0.0"
    assert (shop.memory.trial, len(shop.helm.history)) == (None, made)


def test_many_failures_leave_the_good_one_in_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helm, "KEPT", 12)  # more than Helm's own ten
    shop = deployed()
    shop.cluster.fates = {"debug": fates.crashes("lost")}
    for number in range(6):
        with pytest.raises(RolledBackError):
            shop.deploy(f"2.0.{number}", **DEBUG)
    assert len(shop.helm.history) == 12
    status = shop.status()
    assert (status.version, status.revision, status.healthy) == ("1.0.0", 13, True)


def answering(answer: httpx.Response) -> httpx.AsyncClient:
    transport = httpx.MockTransport(lambda _: answer)
    return httpx.AsyncClient(base_url="http://a", transport=transport)


async def test_whoever_is_not_let_in_is_told() -> None:
    with pytest.raises(
        ClusterError, match="doesn't let this user in, or isn't there: Unauthorized"
    ):
        await _ahead(answering(httpx.Response(401, json={"message": "Unauthorized"})))


async def test_only_the_clusters_clock_counts() -> None:
    ahead = await _ahead(
        answering(httpx.Response(200, headers={"Date": "Thu, 26 Nov 2099 12:00:00 GMT"}))
    )
    assert ahead.days > 365 * 20
