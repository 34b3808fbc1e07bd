"""Compose projects: what they hold of configuration and stack, and that no secret is in them."""

import json
from dataclasses import replace
from string import Template
from typing import Any

import pytest

from pipeline.catalogue.stack import load_stack
from pipeline.config.environment_file import InexpressibleError
from pipeline.deploy.compose.compose import (
    Deployed,
    compose_project,
    given_values,
    literal,
    written,
)
from pipeline.deploy.compose.containers import (
    ComposeContainer,
    last_words,
    parse_containers,
    workloads,
)
from tests.unit.configs import loaded, shop
from tests.unit.projects import deployed, project, reloaded

STACK = """\
entry: shop
ready: /health
services:
  shop:
    needs: [store]
    environment: {TOKEN: "me:${PASSWORD}$$", HOME_PAGE: "$${HOME}"}
backing:
  store: {image: "store:1", port: 1234, environment: {MODE: "$x"}, generated: [PASSWORD]}
"""


def small(stack: str = STACK, files: str = "extends: base\n") -> Deployed:
    """A shop with a store behind it."""
    configuration = loaded({"development": files}).one("development")
    configuration = replace(
        configuration,
        values={**configuration.values, "store": deployed().configuration.values["redis"]},
    )
    return Deployed(configuration, load_stack(stack, ["shop"]), shop(), {"shop": "shop:1"})


def made(of: Deployed) -> dict[str, Any]:
    return compose_project(of, "shop", "prometheus:1")["services"]


def test_each_service_has_what_its_environment_says() -> None:
    services = project()["services"]
    engine = services["consciousness-engine"]
    assert engine["image"] == f"ghcr.io/acme/consciousness-engine@sha256:{'0' * 64}"
    assert engine["environment"]["CONSCIOUSNESS_ENGINE_PROCESSING_TIMEOUT_MS"] == "1000"
    assert engine["deploy"]["resources"]["limits"] == {"cpus": "1.0", "memory": f"{512 << 20}b"}
    proxy = services["proxy"]
    assert proxy["deploy"]["resources"]["limits"] == {"cpus": "0.5", "memory": f"{64 << 20}b"}
    assert proxy["ports"] == ["127.0.0.1:8080:8080"]
    assert [name for name, service in services.items() if "ports" in service] == [
        "proxy",
        "prometheus",
    ]


def test_only_what_publishes_no_port_has_replicas() -> None:
    services = project("production")["services"]
    assert services["proxy"]["deploy"]["replicas"] == 1
    assert services["api-gateway"]["deploy"]["replicas"] == 3


def test_each_starts_once_what_it_needs_is_healthy() -> None:
    services = project()["services"]
    assert services["api-gateway"]["depends_on"] == {
        "consciousness-engine": {"condition": "service_healthy"}
    }
    assert services["postgres"]["healthcheck"]["test"] == ["CMD", "pg_isready", "-h", "127.0.0.1"]


def test_what_has_no_check_is_only_started() -> None:
    assert made(small())["shop"]["depends_on"] == {"store": {"condition": "service_started"}}


def test_the_database_is_brought_up_to_date_first() -> None:
    services = project()["services"]
    migration = services["consciousness-engine-migrate"]
    assert migration["command"] == ["migrate"]
    assert migration["image"] == services["consciousness-engine"]["image"]
    assert migration["restart"] == "no"
    assert services["consciousness-engine"]["depends_on"]["consciousness-engine-migrate"] == {
        "condition": "service_completed_successfully"
    }
    assert "consciousness-engine-migrate" not in migration["depends_on"]


def test_services_run_with_nothing_but_what_they_need() -> None:
    for name, service in project()["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if name not in {"postgres", "redis"}:
            assert service["read_only"] is True, name
            assert service["tmpfs"] == ["/tmp"], name


def test_only_neighbours_share_a_network() -> None:
    whole = project()
    reached = {
        name: sorted(
            other
            for other, its in whole["services"].items()
            if other != name and set(its["networks"]) & set(service["networks"])
        )
        for name, service in whole["services"].items()
        if name in {"proxy", "postgres", "redis"}
    }
    engine = ["consciousness-engine", "consciousness-engine-migrate"]
    assert reached["postgres"] == reached["redis"] == engine
    assert "consciousness-engine" not in reached["proxy"]
    assert whole["networks"]["postgres"] == {"internal": True}
    assert whole["networks"]["web-ui"] == {}


def test_data_outlive_containers() -> None:
    whole = project()
    assert whole["services"]["postgres"]["user"] == "999:999"
    assert whole["services"]["postgres"]["volumes"] == [
        {"type": "volume", "source": "postgres", "target": "/var/lib/postgresql/data"}
    ]
    assert {"postgres", "redis"} <= set(whole["volumes"])


def test_secrets_are_names_that_compose_fills_in() -> None:
    services = project()["services"]
    url = services["consciousness-engine"]["environment"]["DATABASE_URL"]
    assert url.startswith("postgres://engine:${POSTGRES_PASSWORD:?")
    assert url.endswith("}@postgres:5432/engine")
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith(
        "${POSTGRES_PASSWORD:?"
    )


def test_dollars_stay_dollars() -> None:
    services = made(small(files="extends: base\nshop: {greeting: 'a $5 ${HOME}'}\n"))
    assert services["shop"]["environment"]["SHOP_GREETING"] == "a $$5 $${HOME}"
    assert services["shop"]["environment"]["HOME_PAGE"] == "$${HOME}"
    assert services["store"]["environment"]["MODE"] == "$$x"
    token = services["shop"]["environment"]["TOKEN"]
    assert token.startswith("me:${PASSWORD:?")
    assert token.endswith("}$$")
    assert Template(literal("$a ${b} $$")).substitute() == "$a ${b} $$"


def test_a_secret_without_a_form_is_filled_in_whole() -> None:
    of = small(STACK.replace('TOKEN: "me:${PASSWORD}$$", ', "OTHER: '${PASSWORD}', "))
    assert made(of)["shop"]["environment"]["TOKEN"].startswith("${TOKEN:?")
    secrets = {"shop": {"TOKEN": "hunter2", "OTHER": "pw"}}
    assert given_values(of.configuration, of.stack, secrets) == {
        "TOKEN": "hunter2",
        "PASSWORD": "pw",
    }


def test_a_secret_with_a_form_is_made_of_what_is_generated() -> None:
    of = small()
    secrets = {"shop": {"TOKEN": "me:pw$"}}
    assert given_values(of.configuration, of.stack, secrets) == {"PASSWORD": "pw"}


def test_no_value_of_a_secret_is_written() -> None:
    assert "hunter2" not in written(project(), "head")
    assert written(project(), "one\ntwo").startswith("# one\n# two\nname: shop\n")


def test_metrics_are_collected_of_what_has_them() -> None:
    whole = project()
    assert whole["services"]["prometheus"]["profiles"] == ["monitoring"]
    config = whole["configs"]["prometheus"]["content"]
    assert "api-gateway" in config
    assert "consciousness-engine" in config
    assert "proxy" not in config
    assert whole["services"]["prometheus"]["networks"] == ["api-gateway", "consciousness-engine"]


def test_services_run_out_of_their_sources() -> None:
    services = reloaded()["services"]
    watched = {
        name: [(each["action"], each["path"]) for each in service["develop"]["watch"]]
        for name, service in services.items()
        if "develop" in service
    }
    assert watched["web-ui"] == [
        ("sync", "./services/web-ui"),
        ("sync+restart", "./services/web-ui/package.json"),
        ("sync+restart", "./services/web-ui/package-lock.json"),
    ]
    assert watched["consciousness-engine"] == [
        ("sync+restart", "./services/consciousness-engine"),
        ("sync+restart", "./services/service-kit"),
        ("sync+restart", "./services/Cargo.toml"),
        ("sync+restart", "./services/Cargo.lock"),
    ]
    assert set(watched) == {"api-gateway", "consciousness-engine", "web-ui"}
    assert services["proxy"] == project()["services"]["proxy"]
    assert services["web-ui"]["ports"] == ["127.0.0.1:8083:8083"]
    assert "consciousness-engine-migrate" not in services
    assert "debug/consciousness-engine migrate" in services["consciousness-engine"]["command"][2]


def test_what_services_of_a_workspace_stand_on_is_compiled_once() -> None:
    services, volumes = reloaded()["services"], reloaded()["volumes"]
    targets = {
        mounted["source"]
        for name in ("api-gateway", "consciousness-engine")
        for mounted in services[name]["volumes"]
        if mounted["target"] == "/src/target"
    }
    assert targets == {"target-services"}
    assert "target-services" in volumes


def test_what_runs_out_of_sources_is_to_others_what_it_was() -> None:
    before, after = project()["services"], reloaded()["services"]
    for name in ("api-gateway", "consciousness-engine", "web-ui"):
        assert "image" not in after[name]
        assert after[name]["networks"] == before[name]["networks"]
        assert before[name]["environment"].items() <= after[name]["environment"].items()
    assert after["proxy"]["depends_on"] == before["proxy"]["depends_on"]


def said(**changes: object) -> str:
    """What `docker compose ps` says of a container."""
    whole = {
        "ID": "1",
        "Service": "a",
        "Image": "a:1",
        "State": "running",
        "Health": "",
        "Status": "Up 4 seconds",
        "ExitCode": 0,
    }
    return json.dumps(whole | changes)


@pytest.mark.parametrize(
    ("changes", "well", "words"),
    [
        ({}, True, "running"),
        ({"Health": "healthy"}, True, "healthy"),
        ({"Status": "Up Less than a second (health: starting)"}, False, "starting"),
        ({"Health": "unhealthy"}, False, "unhealthy"),
        ({"State": "restarting", "Health": "unhealthy"}, False, "restarting"),
        ({"State": "exited", "ExitCode": 0}, True, "ended with 0"),
        ({"State": "exited", "ExitCode": 2}, False, "ended with 2"),
        ({"State": "created"}, False, "created"),
    ],
)
def test_how_a_container_is(changes: dict[str, object], well: bool, words: str) -> None:
    [container] = parse_containers(said(**changes))
    assert container.is_well is well
    assert str(container) == words


def test_replicas_are_counted_and_what_has_ended_is_left_out() -> None:
    lines = [
        said(Service="b", Health="healthy"),
        said(Service="b", Health="starting", ID="2"),
        said(Service="a", State="exited"),
    ]
    [summary] = workloads(parse_containers("\n".join(lines)))
    assert (summary.name, summary.ready, summary.wanted) == ("b", 1, 2)
    assert summary.waiting == "starting"


def test_a_failure_comes_with_the_last_words() -> None:
    container = ComposeContainer("1", "shop", "shop:1", "exited", "", 2)
    told = last_words([(container, "\n".join(f"line {number}" for number in range(50)))])
    assert told.startswith("shop isn't healthy: ended with 2. Its last words:\n")
    assert told.endswith("line 49")
    assert "line 3\n" not in told
    assert "(it said nothing)" in last_words([(container, "")])


def test_two_secrets_of_one_name() -> None:
    of = small(STACK.replace("TOKEN", "OTHER"))
    twice = replace(
        of.configuration,
        sections={
            **of.configuration.sections,
            "twin": replace(of.configuration.sections["shop"], service="twin"),
        },
        values={**of.configuration.values, "twin": of.configuration.values["shop"]},
    )
    stack = load_stack(
        STACK.replace("TOKEN", "OTHER").replace("backing:", "  twin: {}\nbacking:"),
        ["shop", "twin"],
    )
    secrets = {"shop": {"TOKEN": "a", "OTHER": "me:pw$"}, "twin": {"TOKEN": "b"}}
    with pytest.raises(InexpressibleError, match=r"TOKEN carries shop\.token and twin\.token"):
        given_values(twice, stack, secrets)
