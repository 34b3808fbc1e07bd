"""Environments: every mistake of every file, and what must hold between them."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pipeline import documents
from pipeline.config.environments import UnknownEnvironmentError
from pipeline.config.load import load
from pipeline.config.resolve import Overlays
from pipeline.config.schema import schema
from pipeline.config.secrets import load_secrets
from pipeline.errors import InvalidFilesError, Mistake
from tests.unit.configs import (
    BASE,
    ROOT,
    SECRETS,
    SHOP,
    example,
    example_sections,
    loaded,
    read,
    shop,
    shop_sections,
)

MISSION = {
    "consciousness_engine.processing_timeout_ms": (1000, 150, 100),
    "consciousness_engine.quality_threshold": (0.80, 0.90, 0.95),
    "consciousness_engine.enable_profiling": (True, False, False),
    "consciousness_engine.enable_benchmarking": (False, True, False),
    "consciousness_engine.hot_reload": (True, False, False),
    "performance.cpu_limit": ("1.0", "1.5", "2.0"),
    "performance.memory_limit": ("512Mi", "768Mi", "1Gi"),
    "performance.min_replicas": (1, 2, 3),
    "performance.max_replicas": (2, 5, 20),
}


def mistakes(files: dict[str, str], **options: object) -> list[str]:
    with pytest.raises(InvalidFilesError) as caught:
        loaded(files, **options)
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize("field", MISSION)
def test_the_worked_example_has_the_missions_values(field: str) -> None:
    key, name = field.split(".")
    found = example().configurations
    order = ("development", "staging", "production")
    assert tuple(found[each].values[key][name].value for each in order) == MISSION[field]


def test_every_mistake_of_every_file_is_named() -> None:
    assert mistakes(
        {
            "one": "extends: bass\nshopp: {}\nshop:\n  timeout: 5\n  threshold: 2\n  verbose: 1\n",
            "two": "shop:\n  timeout_ms: 1.5\n  mode: quick\n  origins: [a, 'b,c']\n"
            "performance:\n  cpu_limit: 1.0\n  memory_limit: 512MB\n  min_replicas: 0\n"
            "extend: base\n",
        }
    ) == [
        "config/environments/one.yml:2:1: shopp: unknown section; did you mean 'shop'?",
        "config/environments/one.yml:4:3: shop.timeout: unknown setting; did you mean "
        "'timeout_ms'?",
        "config/environments/one.yml:5:14: shop.threshold: expected a number from 0 to 1, got 2",
        "config/environments/one.yml:6:12: shop.verbose: expected true or false, got 1",
        "config/environments/two.yml:2:15: shop.timeout_ms: expected a whole number from 1 to 5000 "
        "(ms), got 1.5",
        "config/environments/two.yml:3:9: shop.mode: expected one of fast, safe, got 'quick'",
        "config/environments/two.yml:4:12: shop.origins: expected a list of texts, none of them "
        "empty or with a comma or a space at an end, got ['a', 'b,c']",
        "config/environments/two.yml:6:14: performance.cpu_limit: expected processors such as "
        '"0.5" or 500m, in quotes, got 1.0',
        "config/environments/two.yml:7:17: performance.memory_limit: expected memory such as 512Mi "
        "or 1Gi, got '512MB'",
        "config/environments/two.yml:8:17: performance.min_replicas: expected a whole number from "
        "1 to 1000, got 0",
        "config/environments/two.yml:9:1: extend: unknown section; did you mean 'extends'?",
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"one": "extends: [base, bas]"}, "one.yml:1:17: extends[1]: there is no bas.yml; did you"),
        (
            {"one": "extends: two\n", "two": "extends: [base, one]\n"},
            "one.yml:1:1: extends[0]: 'two' extends this file in turn",
        ),
        ({"one": "extends: one"}, "one.yml:1:1: extends[0]: 'one' extends this file in turn"),
        (
            {"one": "extends: base\nstricter_than: base"},
            "one.yml:2:16: stricter_than: there is no environment 'base'; expected one of one",
        ),
        (
            {"one": "extends: base\nstricter_than: two", "two": "stricter_than: one"},
            "one.yml:2:16: stricter_than: 'two' is stricter than this one in turn",
        ),
        ({"one": "extends: base\nshop: 5"}, "one.yml:2:7: shop: expected a mapping of settings"),
        ({"one": "- a"}, "one.yml:1:1: expected a mapping of sections"),
        (
            {"one": "extends: base\npartial: 1"},
            "one.yml:2:10: partial: Input should be a valid bool",
        ),
        (
            {"one": "extends: base\nshop:\n  token: hunter2"},
            "one.yml:3:10: shop.token: is sensitive: it must not stand here in plain text",
        ),
        (
            {"one": "extends: base\nshop: {threshold: null}"},
            "one.yml:2:19: shop.threshold: is missing: expected a number from 0 to 1",
        ),
        (
            {"one": "extends: base\nperformance:\n  min_replicas: 5"},
            "one.yml:2:1: performance.max_replicas: expected at least min_replicas, which is 5 "
            "(config/environments/one.yml:3), got 2 (config/environments/base.yml:4)",
        ),
        (
            {"one": "extends: base\nshop:\n  max_replicas: 1\n  min_replicas: 2"},
            "one.yml:3:17: shop.max_replicas: expected at least min_replicas, which is 2",
        ),
    ],
)
def test_what_one_file_does_wrong(files: dict[str, str], expected: str) -> None:
    found = mistakes(files)
    assert any(line.startswith(f"config/environments/{expected}") for line in found), found
    assert "hunter2" not in "".join(found)


def test_an_environment_may_not_be_laxer_than_the_one_it_is_stricter_than() -> None:
    files = {
        "staging": "extends: base\nshop:\n  threshold: 0.9\n",
        "production": "extends: base\nstricter_than: staging\nshop:\n  threshold: 0.8\n",
    }
    assert mistakes(files) == [
        "config/environments/production.yml:4:14: shop.threshold: expected at least 0.9 as in "
        "staging (config/environments/staging.yml:3), got 0.8 "
        "(config/environments/production.yml:4)"
    ]
    files["production"] = files["production"].replace("0.8", "0.9")
    assert loaded(files).environments.names == ["staging", "production"]


def test_what_one_environment_has_is_missed_in_another() -> None:
    files = {"base": "partial: true", "one": f"{BASE}".replace("partial: true\n", ""), "two": ""}
    files["two"] = files["one"].replace("  threshold: 0.5\n", "  verbose: true\n")
    assert mistakes(files) == [
        "config/environments/two.yml:1:1: shop.threshold: is missing: expected a number from 0 to "
        "1; one has it at config/environments/one.yml:2"
    ]


@pytest.mark.parametrize(
    ("secrets", "expected"),
    [
        ({}, "one.yml:1:1: shop.token: is missing: set it with `environment --name one secrets s"),
        ({"one": "shop: {token: a}"}, "one.yml:1:1: isn't encrypted: encrypt it with"),
        (
            {"one": SECRETS.replace("ENC[AES256_GCM,data:eA==,iv", "hunter2", 1)},
            "one.yml:2:10: shop.token: stands in plain text",
        ),
        (
            {"one": SECRETS.replace("  token:", "  verbose: hunter2\n  token:")},
            "one.yml:2:3: shop.verbose: isn't sensitive: move it to config/environments",
        ),
        (
            {"one": SECRETS.replace("  token:", "  tokn:")},
            "one.yml:2:3: shop.tokn: unknown setting; did you mean 'token'?",
        ),
        (
            {"one": re.sub("ENC.*", "[hunter2]", SECRETS, count=1)},
            "one.yml:2:10: shop.token: stands in plain text",
        ),
        ({"one": SECRETS.replace("shop:", "ship:")}, "one.yml:1:1: ship: unknown section; did you"),
        ({"one": SECRETS, "tow": SECRETS}, "tow.yml:1:1: there is no environment 'tow'"),
        (
            {"one": SECRETS.replace("  age:", "<<<<<<< HEAD\n  age:")},
            "one.yml:4:1: git left a conflict: take one side whole",
        ),
    ],
)
def test_secrets_are_checked_without_their_key(secrets: dict[str, str], expected: str) -> None:
    found = mistakes({"one": "extends: base"}, secrets=secrets)
    assert any(line.startswith(f"config/secrets/{expected}") for line in found), found
    assert "hunter2" not in "".join(found)


def test_a_list_is_encrypted_when_each_item_is() -> None:
    cipher = SECRETS.splitlines()[1].partition(": ")[2]
    text = SECRETS.replace(f"token: {cipher}", f"token: ['{cipher}', '{cipher}']")
    assert ("shop", "token") in loaded({"one": "extends: base"}, secrets={"one": text}).secrets[
        "one"
    ].names


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("a: {type: integer, default: x, description: A}", "default: expected a whole number"),
        ("a: {type: string, minimum: 1, description: A}", "minimum and maximum are for numbers"),
        ("a: {type: integer, minimum: 2, maximum: 1, description: A}", "minimum is more than"),
        ("a: {type: list, choices: [b], description: A}", "choices are for type string"),
        ("a: {type: string, stricter: lower, description: A}", "stricter is for numbers"),
        ("a: {type: string, sensitive: true, default: b, description: A}", "a sensitive setting"),
        ("a: {type: string, owner: me, description: A}", "owner is for sensitive settings"),
        ("cpu_limit: {type: cpu, description: A}", "is a setting that every service has"),
        (
            "a: {type: string, variable: TOKEN, description: A}",
            "TOKEN carries a already: name another variable",
        ),
    ],
)
def test_settings_that_do_not_fit_together(setting: str, expected: str) -> None:
    with pytest.raises(InvalidFilesError, match=expected):
        shop_sections(SHOP.replace("settings:\n", f"settings:\n  {setting}\n"))


def test_a_service_may_not_have_the_name_of_a_fixed_section() -> None:
    with pytest.raises(InvalidFilesError, match="'monitoring' is the section of every deployment"):
        shop_sections(SHOP.replace("name: shop", "name: monitoring"))


def test_an_unknown_environment_is_told_with_the_known_ones() -> None:
    with pytest.raises(UnknownEnvironmentError, match="'prod'; expected one of production"):
        loaded({"production": "extends: base"}, name="prod")
    with pytest.raises(UnknownEnvironmentError, match="no file matches"):
        load(shop_sections(), {}, {})
    with pytest.raises(UnknownEnvironmentError, match="choose it with"):
        example().one(None)


def test_overlays_that_are_wrong() -> None:
    overlays = Overlays(
        "SHOP_TIMEOUT_MS=soon\nSHOP_VERBOS=true\nTOKEN=hunter2\n'\nHOME=/root\n",
        ["shop.threshold=2", "shop.tmeout_ms=1", "shp.mode=fast", "hunter2", "shop.token=hunter2"],
    )
    found = mistakes({"one": "extends: base"}, name="one", overlays=overlays)
    assert found == [
        "--set:1:16: shop.threshold: expected a number from 0 to 1, got '2'",
        "--set:2:1: shop.tmeout_ms: unknown setting; did you mean 'timeout_ms'?",
        "--set:3:1: shp.mode: unknown section; did you mean 'shop'?",
        "--set:4:1: expected SECTION.SETTING=VALUE",
        "--set:5:12: shop.token: is sensitive: give it with `environment --name … secrets set`",
        "--variables:1:1: shop.timeout_ms: expected a whole number from 1 to 5000 (ms), got 'soon'",
        "--variables:2:1: SHOP_VERBOS: unknown; did you mean 'SHOP_VERBOSE'?",
        "--variables:3:1: shop.token: is sensitive: give it with `environment --name … "
        "secrets set`",
        "--variables:4:1: expected NAME=VALUE",
    ]


def test_the_published_schema_is_of_the_worked_example() -> None:
    published = (ROOT / "config/environment.schema.json").read_text()
    assert published == schema(example_sections())
    validator = Draft202012Validator(json.loads(published))
    for path, text in read("config/environments/*.yml").items():
        assert list(validator.iter_errors(documents.parse(path, text).data)) == []


def test_places_of_variables_count_empty_lines() -> None:
    overlays = Overlays("\n\n# A\n\n  SHOP_MODE=quick\n")
    [found] = mistakes({"one": "extends: base"}, name="one", overlays=overlays)
    assert found.startswith("--variables:5:3: shop.mode: expected one of fast, safe, got 'quick'")
    overlays = Overlays("A=1\nSHOP_GREETING=caf\ufffd\n")
    [found] = mistakes({"one": "extends: base"}, name="one", overlays=overlays)
    assert found.startswith("--variables:2:18: isn't text in UTF-8")


VALUES = st.sampled_from(
    ["1", "0", "true", "0.5", "'x'", "[a]", "['']", "{a: 1}", "null", "500m", "1Gi", "'1.0'", "-1"]
)


def found_in(text: str) -> list[Mistake]:
    """All that is wrong with a file; the mistakes are the only thing that may be raised."""
    try:
        loaded({"one": text})
    except InvalidFilesError as error:
        return error.mistakes
    except UnknownEnvironmentError:
        return []
    return []


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(["timeout_ms", "threshold", "origins", "verbose", "mode", "max"]), VALUES)
def test_the_schema_and_the_check_are_of_one_mind(name: str, value: str) -> None:
    text = f"extends: base\nshop:\n  {name}: {value}\n"
    data = documents.parse("a.yml", text).data
    says = Draft202012Validator(json.loads(schema(shop_sections()))).is_valid(data)
    wrong = [mistake for mistake in found_in(text) if "is missing" not in mistake.message]
    assert says == (not wrong)


LINES = ["extends: base", "extends: [one]", "shop:", "  timeout_ms: ", "  token: x", "  mode: fast"]
LINES += ["partial: true", "stricter_than: one", "performance:", "  cpu_limit: '1'", "  - a", "\t"]
LINES += ["on: off", "1: 2", "? [a]", "  ? {a: b}", "a: &x [*x]", "shop: null", "~: ~", "  1: 1"]
LINES += ["  timeout_ms: " + "9" * 400, "  greeting: !!binary x", "  origins: [[]]", "  '': ''"]


@settings(max_examples=2000, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=8).map("\n".join))
def test_any_file_is_an_environment_or_mistakes_with_lines(text: str) -> None:
    assert all(mistake.place.line >= 1 for mistake in found_in(text))


def test_a_service_without_settings_has_limits_only() -> None:
    entries = shop(SHOP.partition("settings:")[0])
    assert set(entries[0].service.settings) == set()
    text = {
        "one": BASE.replace("partial: true\n", "").replace("  threshold: 0.5", "  cpu_limit: '2'")
    }
    found = loaded(
        text | {"base": "partial: true"}, secrets={}, service=SHOP.partition("settings:")[0]
    )
    assert found.configurations["one"].limit("shop", "cpu_limit").value == "2"
    assert found.configurations["one"].limit("shop", "memory_limit").value == "512Mi"


@pytest.mark.parametrize("value", ["0123456", "2024-99-99", "*hunter", "&hunter a"])
def test_a_secret_in_plain_text_is_never_shown(value: str) -> None:
    text = f"shop:\n  token: {value}\n"
    with pytest.raises(InvalidFilesError) as error:
        load_secrets({"config/secrets/one.yml": text}, example_sections(), ["one"])
    assert value not in str(error.value)
    assert "encrypt" in str(error.value)


@pytest.mark.parametrize("name", ["con fig", "Prod", "a" * 70, "ü", ".hidden", "-x", "a|b", "a\nb"])
def test_a_name_that_kubernetes_would_not_take(name: str) -> None:
    with pytest.raises(InvalidFilesError, match="the file's name is no environment's"):
        load(example_sections(), {f"config/environments/{name}.yml": "{}\n"}, {})
