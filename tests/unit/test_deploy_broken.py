"""What goes wrong: it is taken back whole, with its reason; what can't be is told, too."""

import re
from dataclasses import replace

import httpx
import pytest

from pipeline.deploy.kubernetes.deployer import NothingToDoError
from pipeline.deploy.kubernetes.lease import ReleaseRecord
from pipeline.deploy.kubernetes.rollout import RolledBackError, StuckError
from tests.unit import fates
from tests.unit.fates import Fate
from tests.unit.shop import IMAGE, Json, Shop, service
from tests.unit.test_deploy_whole import settings

OTHER = {"image": IMAGE.format("other")}
MIGRATING = {"migrate": ["migrate"]}
DENIED = 'FATAL: password authentication failed for user "engine"'
BROKEN: dict[str, tuple[Fate, Json, str]] = {
    "an image that doesn't exist": (
        fates.not_there(IMAGE.format("other")),
        OTHER,
        r"api: image can't be pulled: registry\.example/other@sha256:a+ not found$",
    ),
    "wrong configuration": (
        fates.crashes("starts", "LEVEL: soon, expected a number"),
        {"environment": {"LEVEL": "soon"}},
        r"api: crashes at start \(exit code 3\)\n    starts\n    LEVEL: soon, expected a number$",
    ),
    "a crash at start": (
        fates.crashes(*(f"line {number}" for number in range(20))),
        OTHER,
        r"api: crashes at start \(exit code 3\)\n    line 10\n(    line 1\d\n){8}    line 19$",
    ),
    "a migration that fails": (
        fates.fails_to_migrate(DENIED),
        OTHER | MIGRATING,
        r"api: init container 'migrate' fails \(exit code 1\)\n    " + DENIED + "$",
    ),
    "out of memory": (fates.GREEDY, OTHER, r"api: runs out of memory \(limit 64Mi\)$"),
    "never ready": (
        fates.NEVER_READY,
        OTHER,
        r"api: isn't there after 1\d s: 0 of 1 new pods ready .* readiness probe: HTTP 503$",
    ),
    "no room": (fates.NO_ROOM, OTHER, r"api: finds no node: .* 1 Insufficient cpu$"),
}
# What Kubernetes itself doesn't know for certain at once.
SLOW = {"never ready", "no room"}
TIMES = re.compile(r"Seen after ([0-9.]+) s, restored in ([0-9.]+) s")


def deployed() -> Shop:
    shop = Shop()
    shop.deploy("1.0.0")
    return shop


def versions(shop: Shop) -> dict[str, set[str]]:
    """Give what runs, by workload, whichever pods it are."""
    running = shop.running()
    return {
        name: {one.rpartition("-")[0] for one in pods} for name, pods in running.items() if pods
    }


def assert_as_before(shop: Shop, before: Shop) -> None:
    """Nothing is left of what failed."""
    assert versions(shop) == versions(before)
    assert settings(shop) == settings(before)
    assert shop.memory.trial is None
    assert shop.memory.current is not None
    assert shop.memory.current.version == "1.0.0"
    assert shop.is_free
    status = shop.status()
    assert (status.version, status.healthy) == ("1.0.0", True)
    assert shop.trail()[-2:] == [("deploy", "2.0.0", "started"), ("deploy", "2.0.0", "rolled-back")]


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_release_is_taken_back_with_its_reason(kind: str) -> None:
    fate, change, reason = BROKEN[kind]
    before = deployed()
    shop = before.copied()
    shop.cluster.fates = {"other": fate, "soon": fate}
    with pytest.raises(RolledBackError) as caught:
        shop.deploy("2.0.0", api=service("api", **change))
    message = str(caught.value)
    assert message.startswith("deploy of 2.0.0 failed, and was taken back: there is revision 1.\n")
    assert re.search(reason, message), message
    times = TIMES.search(message)
    assert times is not None
    assert float(times[1]) < (16 if kind in SLOW else 2)
    assert float(times[2]) < 2
    assert shop.running() == before.running()
    assert_as_before(shop, before)


def every_fifth(number: int) -> tuple[int, float]:
    return (500 if number % 5 == 0 else 200), 0.01


TOO_MANY = r"(?s)% of \d+ requests through the entry failed, at most 5 % may.*500: words"
WRONG = "GET /health/live through the entry: expected 200, got 404: words"
TOO_SLOW = "95 of 100 requests through the entry took up to 304 ms"


@pytest.mark.parametrize(
    ("answers", "reason", "in_time"),
    [
        (every_fifth, TOO_MANY, True),
        # What the client did wrong is no error, and the old version does it right.
        (lambda _: (404, 0.01), WRONG, False),
        (lambda _: (200, 0.3), TOO_SLOW, False),
    ],
)
def test_what_comes_up_and_does_not_what_it_is_for(
    answers: object, reason: str, in_time: bool
) -> None:
    before = deployed()
    shop = before.copied()
    shop.limits = replace(shop.limits, max_error_percent=5, bake=10)
    shop.cluster.bakes = 10
    shop.cluster.fates = {"faulty": fates.answering(answers)}
    with pytest.raises(RolledBackError, match=reason):
        shop.deploy("2.0.0", web=service("web", environment={"LEVEL": "faulty"}))
    shop.cluster.bakes = 1
    assert_as_before(shop, before)
    assert (shop.running() == before.running()) == in_time


def test_what_is_back_must_answer_too() -> None:
    shop = deployed()
    shop.cluster.fates = {"debug": fates.crashes("lost")}

    def answers(request: httpx.Request) -> httpx.Response | None:
        trial = shop.memory.trial
        if "/proxy/" in request.url.path and trial and trial.phase == "going back":
            return httpx.Response(502, text="gone")
        return None

    shop.cluster.answers_instead = answers
    with pytest.raises(StuckError, match=r"Why it isn't back:\nGET /health/live .*got 502: gone"):
        shop.deploy("2.0.0", **CHANGED)
    assert shop.memory.trial is not None


def test_few_errors_may_be() -> None:
    shop = deployed()
    shop.limits = replace(shop.limits, max_error_percent=50)
    shop.cluster.bakes = 3
    shop.cluster.fates = {"faulty": fates.answering(every_fifth)}
    assert shop.deploy("2.0.0", web=service("web", environment={"LEVEL": "faulty"})).healthy


def test_the_first_deployment_of_all_is_taken_back_to_nothing() -> None:
    shop = Shop()
    shop.cluster.fates = {"other": fates.not_there(IMAGE.format("other"))}
    with pytest.raises(RolledBackError, match="there is nothing, as before the first one"):
        shop.deploy("1.0.0", api=service("api", **OTHER))
    assert (shop.running(), settings(shop), shop.helm.history) == ({}, set(), [])
    assert (shop.memory, shop.is_free) == (ReleaseRecord(), True)
    with pytest.raises(NothingToDoError, match="only one was ever healthy"):
        shop.rollback()
    assert shop.deploy("1.0.1").healthy
    assert shop.trail()[:2] == [
        ("deploy", "1.0.0", "started"),
        ("deploy", "1.0.0", "rolled-back"),
    ]


def test_a_way_back_that_fails_is_taken_back_too() -> None:
    shop = deployed()
    shop.deploy("2.0.0", api=service("api", environment={"LEVEL": "debug"}))
    before = shop.running()
    shop.cluster.fates = {"info": fates.crashes("no longer")}
    # What is there already goes on.
    with pytest.raises(RolledBackError, match=r"rollback of 1\.0\.0 failed[^$]*no longer"):
        shop.rollback()
    assert shop.running() == before
    assert shop.memory.current is not None
    assert shop.memory.current.version == "2.0.0"
    assert shop.trail()[-1] == ("rollback", "1.0.0", "rolled-back")


WEBHOOK = 'admission webhook "policy" denied the request'
CHANGED: dict[str, Json] = {
    "api": service("api", environment={"LEVEL": "debug"}),
    "new": service("new"),
    "postgres": {},
}


def test_what_helm_fails_in_is_taken_back() -> None:
    before = deployed()
    shop = before.copied()
    shop.helm.refuses = {"upgrade": ('"name": "new"', WEBHOOK)}
    with pytest.raises(RolledBackError, match=f"Helm said: UPGRADE FAILED: {WEBHOOK}") as caught:
        shop.deploy("2.0.0", **CHANGED)
    assert "WARNING" not in str(caught.value)
    assert_as_before(shop, before)
    # The database was to go: the first way back stumbles over it, as Helm does.
    assert [one.status for one in shop.helm.history] == [
        *("superseded", "superseded"),
        *("failed", "deployed"),
    ]


def test_a_way_back_that_helm_fails_in_is_tried_again() -> None:
    before = deployed()
    shop = before.copied()
    shop.cluster.fates = {"debug": fates.crashes("lost")}
    shop.helm.refuses = {"rollback": ("Deployment", WEBHOOK)}
    with pytest.raises(StuckError) as caught:
        shop.deploy("2.0.0", **CHANGED)
    message = str(caught.value)
    assert message.startswith("deploy of 2.0.0 failed, and so did the way back.\n")
    assert "    lost\n\nWhy it isn't back:\nHelm said: admission webhook" in message
    assert shop.is_free
    assert shop.trail()[-1] == ("deploy", "2.0.0", "failed")
    status = shop.status()
    assert not status.healthy
    assert re.search(
        r"deploy of 2\.0\.0 by ann, .* interrupted when it was going back", status.said[-2]
    )
    with pytest.raises(StuckError, match=r"(?s)deploy of 2\.0\.0 .* and isn't back.*Helm said:"):
        shop.rollback()
    assert shop.trail()[-2:] == [
        ("rollback", "2.0.0", "started"),
        ("rollback", "2.0.0", "failed"),
    ]
    shop.helm.refuses = {}
    back = shop.rollback()
    assert (back.version, back.healthy) == ("1.0.0", True)
    assert back.said[-1] == "2.0.0 was taken back."
    assert versions(shop) == versions(before)
    assert shop.trail()[-1] == ("rollback", "2.0.0", "succeeded")


def test_what_cannot_be_removed_is_stuck() -> None:
    shop = Shop()
    shop.cluster.fates = {"debug": fates.crashes("lost")}
    shop.helm.refuses = {"uninstall": ("", "")}
    with pytest.raises(StuckError, match="Helm said: failed to delete release: shop"):
        shop.deploy("1.0.0", **CHANGED)
    shop.helm.refuses = {}
    assert shop.rollback().revision == 0
    assert (shop.running(), settings(shop), shop.helm.history) == ({}, set(), [])


def test_what_helm_cannot_see_is_not_taken_for_nothing() -> None:
    shop = Shop()
    shop.cluster.fates = {"debug": fates.crashes("lost")}
    unreachable = 'Kubernetes cluster unreachable: Get "https://a/version": i/o timeout'
    shop.helm.refuses = {"history": ("", unreachable)}
    with pytest.raises(StuckError, match="Why it isn't back:\nHelm said: Kubernetes cluster unre"):
        shop.deploy("1.0.0", **CHANGED)
    shop.helm.refuses = {}
    assert shop.rollback().revision == 0
    assert (shop.running(), settings(shop)) == ({}, set())


def test_what_was_being_taken_back_is_no_new_version() -> None:
    """Helm failed, and was killed on the way back: what it made last is the old version."""
    shop = deployed()
    shop.helm.refuses = {"upgrade": ('"name": "new"', WEBHOOK)}
    seen: list[Shop] = []

    def look() -> None:
        if shop.helm.history[-1].status == "pending-rollback":
            seen.append(shop.copied())

    shop.cluster.changed = look
    with pytest.raises(RolledBackError):
        shop.deploy("2.0.0", **CHANGED)
    killed = seen[-1]
    killed.cluster.clock.seconds += 15
    resumed = killed.resume()
    assert (resumed.version, resumed.healthy) == ("2.0.0", True)
    assert versions(killed).keys() == {"api", "web", "new"}
