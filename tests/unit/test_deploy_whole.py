"""Whole deployments, without a cluster: up, upgraded, back, looked at; what is told and kept."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import yaml

from pipeline.deploy.kubernetes import rollout
from pipeline.deploy.kubernetes.admission import RefusedError
from pipeline.deploy.kubernetes.deployer import Deployer, NothingToDoError, Session
from pipeline.deploy.kubernetes.health import EntryPoint
from pipeline.deploy.kubernetes.lease import BusyError, ReleaseRecord
from tests.unit.configs import ROOT
from tests.unit.shop import IMAGE, Shop, service, values

DEBUG = {"LEVEL": "debug"}
MANY = {"min": 2, "max": 5}


@pytest.fixture
def shop() -> Shop:
    """A shop that was deployed once."""
    shop = Shop()
    shop.deploy("1.0.0")
    return shop


def settings(shop: Shop) -> set[str]:
    """Names of what is named by its content."""
    return {path.rpartition("/")[2] for path in shop.cluster.objects if "-settings-" in path}


def test_a_first_deployment() -> None:
    shop = Shop()
    assert shop.do(shop.deployer().plan(values("1.0.0"))).changes
    assert shop.status().revision == 0
    first = shop.deploy("1.0.0")
    assert (first.version, first.revision, first.healthy) == ("1.0.0", 1, True)
    assert {(each.name, each.ready, each.wanted) for each in first.workloads} == {
        *(("api", 1, 1), ("web", 1, 1)),
        ("postgres", 1, 1),
    }
    assert re.fullmatch(
        r"deploy of 1\.0\.0: up after .* s, alone and healthy .* s\.", first.said[0]
    )
    assert re.fullmatch(r"While it was observed: \d+ requests, 0 failed, .*", first.said[1])
    assert first.said[3].startswith("  POST /texts: 201 in ")
    assert shop.cluster.objects["/api/v1/namespaces/shop"]["metadata"]["labels"] == {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    with pytest.raises(NothingToDoError, match="only one was ever healthy"):
        shop.rollback()
    with pytest.raises(NothingToDoError, match="nothing to resume"):
        shop.resume()
    assert shop.trail() == [("deploy", "1.0.0", "started"), ("deploy", "1.0.0", "succeeded")]
    assert shop.is_free


def test_an_upgrade_and_the_way_back(shop: Shop) -> None:
    before, first = shop.running(), settings(shop)
    second = shop.deploy("2.0.0", api=service("api", environment=DEBUG))
    assert (second.version, second.revision, second.healthy) == ("2.0.0", 2, True)
    after = shop.running()
    assert {name for name in after if after[name] != before[name]} == {"api"}
    # What nothing reads any more is gone.
    assert len(settings(shop)) == 2
    assert settings(shop) != first
    back = shop.rollback()
    assert (back.version, back.revision, back.healthy) == ("1.0.0", 3, True)
    assert settings(shop) == first
    assert [good.version for good in shop.memory.good] == ["2.0.0", "1.0.0"]
    assert shop.trail()[2:] == [
        *(("deploy", "2.0.0", "started"), ("deploy", "2.0.0", "succeeded")),
        *(("rollback", "1.0.0", "started"), ("rollback", "1.0.0", "succeeded")),
    ]
    assert shop.rollback().version == "2.0.0"


def test_what_is_recorded(shop: Shop) -> None:
    [started, succeeded] = shop.do(shop.deployer().audit())
    assert (started.who, started.why, started.origin) == ("ann", "a test", "here")
    assert (started.target, started.detail) == ("staging/shop", "")
    assert started.digests == {"web": IMAGE.rpartition("@")[2]}
    assert succeeded.when >= started.when + timedelta(seconds=1)


def test_what_does_not_change_is_not_started_anew(shop: Shop) -> None:
    before = shop.running()
    again = shop.deploy("1.0.1")
    assert (again.version, again.revision, again.healthy) == ("1.0.1", 2, True)
    assert shop.running() == before


def test_nothing_is_missed_while_versions_change(shop: Shop) -> None:
    """Somebody is ready to answer at any moment."""
    least = []

    def look() -> None:
        now = shop.cluster.clock.seconds
        alive = shop.cluster.running()["web"]
        least.append(sum(born.is_ready(now) for born in alive))

    shop.cluster.changed = look
    shop.deploy("2.0.0", web=service("web", environment=DEBUG))
    assert min(least) == 1


def test_more_replicas_are_waited_for(shop: Shop) -> None:
    shop.cluster.scales = 3  # when all else has long been done
    upgraded = shop.deploy("2.0.0", api=service("api", replicas=MANY))
    [api] = [each for each in upgraded.workloads if each.name == "api"]
    assert (api.ready, api.wanted) == (2, 2)


def test_a_plan_changes_nothing(shop: Shop) -> None:
    before = shop.copied()
    plan = shop.do(shop.deployer().plan(values("1.0.0", api=service("api", environment=DEBUG))))
    assert {(change.action, change.kind) for change in plan.changes} == {
        *(("change", "ConfigMap"), ("change", "Deployment"))
    }
    assert not shop.do(shop.deployer().plan(values("1.0.0"))).changes
    assert (shop.cluster.objects, shop.helm.history) == (
        before.cluster.objects,
        before.helm.history,
    )


@pytest.mark.parametrize(
    "said",
    [
        'Error from server (Invalid): Deployment "web" is invalid: must be less than or equal',
        'Warning: would violate PodSecurity "restricted:latest": runAsNonRoot != true',
    ],
)
def test_what_the_cluster_refuses_changes_nothing(shop: Shop, said: str) -> None:
    before = shop.copied()
    shop.refusal = f"deployment.apps/api serverside-applied\n{said}\n"
    if said.startswith("Error"):
        shop.refusal = said
    with pytest.raises(RefusedError) as caught:
        shop.deploy("2.0.0", api=service("api", environment=DEBUG))
    assert str(caught.value) == f"The cluster wouldn't take this; nothing was changed.\n{said}"
    assert shop.dry_runs[-1].count("kind: Deployment") == 2
    assert "upgrade" not in shop.helm.commands[shop.helm.commands.index("upgrade") + 1 :]
    assert (shop.cluster.objects, shop.helm.history) == (
        before.cluster.objects,
        before.helm.history,
    )


def test_what_another_run_decided_since_is_not_undone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.deploy("2.0.0", api=service("api", environment=DEBUG))
    before, trail = shop.running(), shop.trail()
    read = Deployer._memory

    async def out_of_date(deployer: Deployer, session: Session) -> ReleaseRecord:
        memory = await read(deployer, session)
        return memory.model_copy(update={"good": memory.good[::-1]})

    monkeypatch.setattr(Deployer, "_memory", out_of_date)
    with pytest.raises(BusyError, match=r"Another run changed .* just now, so nothing was done"):
        shop.rollback()
    assert (shop.running(), shop.trail(), shop.is_free) == (before, trail, True)


def test_status_says_what_is_wrong(shop: Shop) -> None:
    assert shop.status().healthy
    shop.cluster.drop("/api/v1/namespaces/shop/services/web")
    status = shop.status()
    assert not status.healthy
    assert "GET /health/live through the entry: expected 200, got 404" in status.said[0]
    del shop.cluster.made["/apis/apps/v1/namespaces/shop/deployments/api"][0].alive[:]
    assert not shop.status().healthy


def test_an_entry_of_ones_own_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a URL is given, that is asked, and nobody else."""
    shop = Shop(url="https://shop.example")
    asked = []

    async def ask(entry: EntryPoint, check: object) -> object:
        asked.append(str(entry.client.base_url))
        return await EntryPoint.ask(EntryPoint.through(shop.cluster.reached(), "web", 8080), check)

    ask_itself = EntryPoint.ask
    monkeypatch.setattr(
        EntryPoint,
        "ask",
        lambda entry, check: ask(entry, check) if not entry.prefix else ask_itself(entry, check),
    )
    assert shop.deploy("1.0.0").healthy
    assert set(asked) == {"https://shop.example"}


VERBS: dict[str, Callable[[bool], str]] = {
    "GET": lambda whole: "list" if whole else "get",
    "POST": lambda _: "create",
    "PUT": lambda _: "update",
    "DELETE": lambda _: "delete",
}


def test_the_rights_of_the_charts_deployer_are_enough(shop: Shop) -> None:
    """All that is asked of the API server is in the Role; Helm's part tests/chart looks at."""
    shop.deploy("2.0.0", api=service("api", environment=DEBUG), old=service("old"))
    shop.rollback()
    text = (ROOT / "deploy/chart/templates/deployer.yaml").read_text()
    write = text.partition("$write := ")[2].partition(" -}}")[0]
    rules = (
        text.partition("rules:\n")[2].partition("---")[0].replace("{{ $write }}", json.loads(write))
    )
    allowed = {
        (group, resource, verb)
        for rule in yaml.safe_load(rules)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    needed = {right for method, path in shop.cluster.requests if (right := right_of(method, path))}
    assert needed - allowed == set()


def right_of(method: str, path: str) -> tuple[str, str, str] | None:
    """Say what a request asks for, as Kubernetes' own authorization has it."""
    parts = path.removeprefix("/apis/").split("/")
    group, below = ("", path.split("/")[3:]) if path.startswith("/api/") else (parts[0], parts[2:])
    if below[0] == "selfsubjectreviews" or (method, below) == ("POST", ["namespaces"]):
        return None  # anybody may; nobody needs to, when it was made by someone with more rights
    if len(below) == 2:
        return group, "namespaces", VERBS[method](False)
    _, _, resource, *rest = below
    if len(rest) > 1:
        resource += f"/{rest[1]}"
    return group, resource, VERBS[method](not rest)


def test_what_is_observed_for_long_is_not_late(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing gets better meanwhile, and nothing has to; a way back takes as long."""
    monkeypatch.setattr(rollout, "LONGEST", 4)
    shop.cluster.bakes = 6
    shop.limits = replace(shop.limits, bake=6, health_timeout=3, rollback_timeout=3)
    assert shop.deploy("2.0.0", api=service("api", environment=DEBUG)).healthy
    assert shop.rollback().version == "1.0.0"


@pytest.mark.parametrize(
    ("version", "kind", "path"),
    [
        ("v1", "ServiceAccount", "/api/v1/namespaces/shop/serviceaccounts/a"),
        ("apps/v1", "StatefulSet", "/apis/apps/v1/namespaces/shop/statefulsets/a"),
        (
            *("networking.k8s.io/v1", "NetworkPolicy"),
            "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/a",
        ),
        (
            *("networking.k8s.io/v1", "Ingress"),
            "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/a",
        ),
    ],
)
def test_each_kind_of_object_has_its_place(version: str, kind: str, path: str) -> None:
    content = yaml.dump({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}})
    assert rollout.paths_of(f"---\n---\n{content}", Shop().cluster.reached()) == {path}
