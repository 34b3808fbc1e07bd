"""A run that is killed at any moment: whatever is done next ends whole, old or new.

A kill leaves what there is, so each run is watched once: after every single change that the API
server or Helm's records see, all there is gets copied. Between two changes a run only reads, so
these are all moments there are: before a request, after it but before its answer, within Helm. From
each that isn't like another one, every way on is gone once the dead run's Lease has run out.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from itertools import pairwise

import pytest

from pipeline.deploy.kubernetes.deployer import NothingToDoError, _digest
from pipeline.deploy.kubernetes.lease import SECONDS, ReleaseRecord
from pipeline.deploy.kubernetes.rollout import RolledBackError
from pipeline.errors import PipelineError
from tests.unit.fates import crashes
from tests.unit.shop import Json, Shop, service, values
from tests.unit.small_chart import INSTANCE, PLURALS, objects_of, rendered

# Some of it changes, something is new, something goes.
FEW: dict[str, Json] = {"api": {}, "postgres": {}}
OLD = FEW | {"old": service("old", replicas={"min": 2, "max": 2})}
NEW = FEW | {"web": service("web", environment={"LEVEL": "debug"}), "new": service("new")}
BROKEN = NEW | {"web": service("web", environment={"LEVEL": "broken"})}
VERSIONS: dict[str, dict[str, Json]] = {"1.0.0": OLD, "2.0.0": NEW, "3.0.0": BROKEN}
Do = Callable[[Shop], object]


def text_of(version: str) -> str:
    return "".join(rendered(json.dumps(values(version, **VERSIONS[version]))))


def deploys(version: str) -> Do:
    return lambda shop: shop.deploy(version, **VERSIONS[version])


def after(*work: Do) -> Shop:
    shop = Shop()
    shop.cluster.fates["broken"] = crashes("lost")
    shop.cluster.lags, shop.cluster.bakes = 0, 0.15
    for do in work:
        do(shop)
    return shop


def moments(shop: Shop, do: Do) -> list[Shop]:
    """Give all there is after each change while something is done."""
    shop = shop.copied()
    found = [shop.copied()]
    shop.cluster.changed = lambda: found.append(shop.copied())
    with suppress(PipelineError):
        do(shop)
    return found


def middle(shop: Shop, do: Do, verb: str) -> Shop:
    """Give all there is halfway through what Helm does."""
    pending = [
        each
        for each in moments(shop, do)
        if each.helm.history and each.helm.history[-1].status == f"pending-{verb}"
    ]
    return pending[len(pending) // 2]


@cache
def old() -> Shop:
    return after(deploys("1.0.0"))


@cache
def both() -> Shop:
    return after(deploys("1.0.0"), deploys("2.0.0"))


@cache
def within() -> Shop:
    return middle(old(), deploys("2.0.0"), "upgrade")


# What is there before, and what is done and killed.
KILLED: dict[str, tuple[Callable[[], Shop], Do]] = {
    "a first deployment": (after, deploys("1.0.0")),
    "an upgrade": (old, deploys("2.0.0")),
    "a way back": (both, Shop.rollback),
    "a first deployment that fails": (after, deploys("3.0.0")),
    "an upgrade that fails": (old, deploys("3.0.0")),
    "a resumption": (within, Shop.resume),
    "a way back from within": (within, Shop.rollback),
    "a deployment after one that was killed": (within, deploys("2.0.0")),
    "a resumption of a first deployment": (
        lambda: middle(after(), deploys("1.0.0"), "install"),
        Shop.resume,
    ),
    "a way back from within a way back": (
        lambda: middle(both(), Shop.rollback, "rollback"),
        Shop.rollback,
    ),
}


@pytest.mark.parametrize("name", KILLED)
def test_it_ends_whole_from_every_moment(name: str) -> None:
    before, do = KILLED[name]
    every = moments(before(), do)
    assert len(every) > 15
    for moment in {likeness(each): each for each in every}.values():
        memory = ReleaseRecord() if nothing(moment) else moment.memory
        went_back = goes_on(moment, Shop.rollback)
        if memory.trial:
            assert went_back == (memory.current.content if memory.current else "")
        elif memory.before:
            assert went_back == memory.before.content
        if (resumed := goes_on(moment, Shop.resume)) is not None:
            assert memory.trial
            assert resumed == memory.trial.content
        assert goes_on(moment, deploys("2.0.0")) == _digest(text_of("2.0.0"))


def nothing(shop: Shop) -> bool:
    return not any(path.endswith("/leases/shop-deployment") for path in shop.cluster.objects)


def likeness(shop: Shop) -> str:
    """Give all that matters of a moment: not when it is, nor who holds the Lease until when."""
    now = shop.cluster.clock.seconds
    pods = [
        (name, [(born.name, born.is_ready(now)) for born in alive])
        for name, alive in shop.cluster.running().items()
    ]
    last = [] if nothing(shop) else [shop.memory.model_dump(), shop.trail()[-1:]]
    history = [(one.revision, one.status) for one in shop.helm.history]
    return json.dumps([dict(live(shop)), pods, last, history], sort_keys=True)


def goes_on(moment: Shop, do: Do) -> str | None:
    """Go one way on, look that all is whole; gives the content that is there.

    Nothing when there was nothing to do, for which nothing may be half either.
    """
    shop = moment.copied()
    shop.cluster.clock.seconds += SECONDS  # for which the dead one's Lease holds
    try:
        do(shop)
    except NothingToDoError:
        if not nothing(shop):
            assert_whole(shop, done=False)
        return None
    except RolledBackError as error:
        # What never comes up is resumed in vain.
        if "lost" not in str(error):
            raise
        assert_whole(shop, done=True)
        return None
    return assert_whole(shop, done=True)


def assert_whole(shop: Shop, *, done: bool) -> str:
    """Look at everything; what was done leaves nothing behind, and is told."""
    memory, history = shop.memory, shop.helm.history
    trail = shop.trail()
    assert shop.is_free
    shop.cluster.clock.seconds += 20
    if done:
        assert memory.trial is None
        assert trail[-1][2] != "started"
    for before, record in pairwise(trail):
        assert record[2] == "started" or before == (*record[:2], "started")
    current = memory.current
    if current is None:
        if done:
            assert (dict(live(shop)), history) == ({}, [])
        return ""
    [version] = [each for each in VERSIONS if _digest(text_of(each)) == current.content]
    assert version == current.version
    expected = {path: said(each) for path, each in objects_of(text_of(version)).items()}
    found = dict(live(shop))
    kept = found if done else {path: each for path, each in found.items() if path in expected}
    assert kept == expected
    assert {path for path in found if "configmaps" not in path} <= expected.keys()
    assert (history[-1].revision, history[-1].status) == (current.revision, "deployed")
    running = shop.cluster.running()
    wanted = {path.rpartition("/")[2] for path in expected if "/apps/" in path}
    assert {name for name, alive in running.items() if alive} == wanted
    assert all(
        born.is_ready(shop.cluster.clock.seconds) for alive in running.values() for born in alive
    )
    return current.content


def live(shop: Shop) -> Iterator[tuple[str, Json]]:
    """Give all objects of the release: path → what they ask for."""
    for path, each in shop.cluster.objects.items():
        if path.startswith(tuple(PLURALS.values())) and INSTANCE in each["metadata"]["labels"]:
            yield path, said(each)


def said(content: Json) -> Json:
    """Leave out of an object what others write into it."""
    spec = {key: value for key, value in content.get("spec", {}).items() if key != "replicas"}
    return {"spec": spec, "data": content.get("data")}
