"""Conversions: each format's own reader gives back what was written, whatever the values are.

A hundred services in each of hypothesis's hundred examples: 10,000 sets of values for each format.
"""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import StringIO
from random import Random
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import documents
from pipeline.catalogue.catalogue import load_services
from pipeline.catalogue.settings import Value, from_text, to_text
from pipeline.config.convert import converted
from pipeline.config.disclose import disclosed
from pipeline.config.environment_file import quoted
from pipeline.config.load import load
from pipeline.config.resolve import Configuration, Overlays, resolved
from pipeline.config.sections import sections_of, variable_of
from tests.unit.configs import BASE, SHOP
from tests.unit.hostile import hostile

Values = dict[str, Value]
ManyValues = dict[str, Values]

SHOPS = {f"shop_{number}": f"shop-{number}" for number in range(100)}
SECRETS = """\
  token: {type: string, optional: true, sensitive: true, description: Opens the door}
  pin: {type: integer, optional: true, sensitive: true, description: Opens the till}
  hosts: {type: list, optional: true, sensitive: true, description: Where both are}
"""
SETTINGS = SHOP.partition("settings:\n")[2].partition("  token:")[0] + SECRETS
HEAD = "name: {}\ntitle: A shop\nkind: dockerfile\nport: 8080\nsize_limit: 5 MB\nsettings:\n"
SECTIONS = sections_of(
    load_services({f"{name}/service.yml": HEAD.format(name) + SETTINGS for name in SHOPS.values()})
)
PLAIN = BASE.replace("partial: true\nshop:\n  threshold: 0.5\n", "") + "".join(
    f"{key}: {{threshold: 0.5, greeting: hello, origins: [a]}}\n" for key in SHOPS
)
LOADED = load(SECTIONS, {"config/environments/one.yml": PLAIN}, {})
ONE = LOADED.one("one")


class ComposeLoader(yaml.CSafeLoader):
    """Reads YAML with Compose's own tag for what is removed."""


ComposeLoader.add_constructor("!reset", lambda *_: None)


def random_list(random: Random) -> Value:
    items = [hostile(random).replace(",", "").strip() for _ in range(random.randint(0, 3))]
    return [item for item in items if item]


def random_values(random: Random) -> Values:
    return {
        "greeting": hostile(random),
        "origins": random_list(random),
        "threshold": random.choice([0, 1, random.random(), random.random() * 1e-9]),
        "timeout_ms": random.randint(1, 5000),
        "verbose": random.choice([True, False]),
    }


def random_secrets(random: Random) -> Values:
    return {
        "token": hostile(random),
        "pin": random.randint(-(2**63) + 1, 2**63 - 1),
        "hosts": random_list(random),
    }


def many(random: Random, make: Callable[[Random], Values]) -> ManyValues:
    return {key: make(random) for key in SHOPS}


def expressible(values: ManyValues) -> ManyValues:
    """Leave out the texts that files of variables refuse; that they do is another test."""
    return {
        key: {name: value for name, value in each.items() if quoted(to_text(value)) is not None}
        for key, each in values.items()
    }


def with_values(values: ManyValues) -> Configuration:
    """The environment with these values."""
    changed = {
        key: {
            name: replace(configured, value=values.get(key, {}).get(name, configured.value))
            for name, configured in known.items()
        }
        for key, known in ONE.values.items()
    }
    return replace(ONE, values=changed)


def from_texts(texts: Mapping[str, Mapping[str, str]], values: ManyValues) -> ManyValues:
    """Read variables of each service by name, those of which there are values."""
    return {
        key: {
            name: from_text(setting, texts[SHOPS[key]][variable_of(key, name, setting)])
            for name, setting in SECTIONS[key].settings.items()
            if name in of_service
        }
        for key, of_service in values.items()
    }


def of_manifests(text: str, content: str) -> dict[str, dict[str, str]]:
    """Give the variables in ConfigMaps or Secrets, by service."""
    return {
        each["metadata"]["labels"]["app.kubernetes.io/name"]: each[content]
        for each in yaml.load_all(text, yaml.CSafeLoader)
    }


def of_services(services: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {name: service["environment"] for name, service in services.items()}


def of_compose(text: str) -> dict[str, dict[str, str]]:
    """Read an overlay as Compose does, which takes two dollar signs for one."""
    return {
        name: {
            variable: value.replace("$$", "$")
            for variable, value in service["environment"].items()
            if value is not None
        }
        for name, service in yaml.load(text, ComposeLoader)["services"].items()
    }


def of_lines(text: str) -> dict[str, dict[str, str]]:
    """Give all variables to each service: their names tell whose they are."""
    found = dotenv_values(stream=StringIO(text), interpolate=False)
    variables = {name: value or "" for name, value in found.items()}
    return dict.fromkeys(SHOPS.values(), variables)


@pytest.mark.parametrize(("name", "read"), [("json", json.loads), ("toml", tomllib.loads)])
@settings(deadline=None)
@given(random=st.randoms(use_true_random=True))
def test_data_is_read_as_it_was_written(
    name: str, read: Callable[[str], object], random: Random
) -> None:
    configuration = with_values(many(random, random_values))
    assert read(converted(configuration, name)) == configuration.plain()


@settings(deadline=None)
@given(st.randoms(use_true_random=True))
def test_yaml_is_an_environments_file_again(random: Random) -> None:
    configuration = with_values(many(random, random_values))
    text = converted(configuration, "yaml")
    again = load(SECTIONS, {"config/environments/one.yml": text}, {})
    assert again.one("one").plain() == configuration.plain()


@settings(deadline=None)
@given(st.randoms(use_true_random=True))
def test_variables_are_an_overlay_again(random: Random) -> None:
    configuration = with_values(expressible(many(random, random_values)))
    overlay = Overlays(converted(configuration, "env"))
    again = resolved(LOADED.environments, "one", SECTIONS, overlay)
    assert again.plain() == configuration.plain()


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("compose", of_compose),
        ("configmap", lambda text: of_manifests(text, "data")),
        (
            "helm-values",
            lambda text: of_services(yaml.load(text, yaml.CSafeLoader)["services"]),
        ),
    ],
)
@settings(deadline=None)
@given(random=st.randoms(use_true_random=True))
def test_services_get_what_was_written(
    name: str, read: Callable[[str], dict[str, dict[str, str]]], random: Random
) -> None:
    values = many(random, random_values)
    assert from_texts(read(converted(with_values(values), name)), values) == values


@pytest.mark.parametrize(
    ("name", "read"),
    [("env", of_lines), ("kubernetes", lambda text: of_manifests(text, "stringData"))],
)
@settings(deadline=None)
@given(random=st.randoms(use_true_random=True))
def test_services_get_their_secrets_as_they_were(
    name: str, read: Callable[[str], dict[str, dict[str, str]]], random: Random
) -> None:
    secrets = many(random, random_secrets)
    if name == "env":
        secrets = expressible(secrets)
    assert from_texts(read(disclosed(ONE, secrets, name)), secrets) == secrets


@settings(deadline=None)
@given(st.randoms(use_true_random=True))
def test_secrets_in_yaml_are_read_as_they_were_written(random: Random) -> None:
    secrets = many(random, random_secrets)
    assert documents.parse("one.yml", disclosed(ONE, secrets, "yaml")).data == secrets
