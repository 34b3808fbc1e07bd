"""Conversions: each format's own reader gives back what was written."""

import subprocess
from dataclasses import replace
from io import StringIO
from pathlib import Path
from random import Random

import pytest
import yaml
from dotenv import dotenv_values

from pipeline import documents
from pipeline.catalogue.catalogue import UnknownServiceError
from pipeline.catalogue.settings import Setting, Value
from pipeline.config.convert import converted, without_clash
from pipeline.config.disclose import UnknownSecretError, disclosed, read_plain, sensitive_setting
from pipeline.config.environment_file import InexpressibleError, environment_file, quoted
from pipeline.config.resolve import Configuration
from pipeline.errors import InvalidFilesError
from tests.unit.configs import example, loaded, shop_sections
from tests.unit.hostile import hostile

PLAIN = "extends: base\nshop: {greeting: hello, origins: [a]}\n"


def with_values(values: dict[str, Value]) -> Configuration:
    """The small repository's environment with these values."""
    base = BASE.values["shop"]
    changed = {name: replace(base[name], value=value) for name, value in values.items()}
    return replace(BASE, values={**BASE.values, "shop": {**base, **changed}})


BASE = loaded({"one": PLAIN}).one("one")


def test_a_shell_reads_variables_exactly(tmp_path: Path) -> None:
    random = Random(1)
    texts = sorted({hostile(random) for _ in range(40_000)} | {"", "a" * 1000})
    written = {f"V{index}": text for index, text in enumerate(texts) if quoted(text) is not None}
    assert len(written) > 10_000
    (tmp_path / "env").write_text(environment_file(written))
    command = ["env", "-i", "sh", "-c", "set -a; . ./env; exec env -0"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout.decode()
    found = dict(line.split("=", 1) for line in said.split("\0") if line)
    assert {name: found.get(name) for name in written} == written
    assert dotenv_values(stream=StringIO(environment_file(written)), interpolate=False) == written


@pytest.mark.parametrize(
    "text", ["it's $5", "it's `a`", "a\r", "\x07", "ends in \\", "'\"", "a\\\\b"]
)
def test_what_variables_cannot_hold_is_said(text: str) -> None:
    with pytest.raises(InexpressibleError, match="SHOP_GREETING can't be written"):
        converted(with_values({"greeting": text}), "env")


def test_two_settings_of_one_variable_are_not_put_into_one_file() -> None:
    same = [("A", "1", "x.a"), ("A", "1", "y.a")]
    assert without_clash(same) == {"A": "1"}
    with pytest.raises(InexpressibleError, match=r"A carries x\.a and z\.a, which differ"):
        without_clash([*same, ("A", "2", "z.a")])


def test_compose_gets_text_limits_and_what_is_removed() -> None:
    text = converted(with_values({"greeting": "a $b", "origins": None}), "compose")

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!reset", lambda *_: "reset")
    service = yaml.load(text, Loader)["services"]["shop"]
    assert service["environment"] == {
        "SHOP_TIMEOUT_MS": "1000",
        "SHOP_THRESHOLD": "0.5",
        "SHOP_GREETING": "a $$b",
        "SHOP_ORIGINS": "reset",
        "SHOP_VERBOSE": "false",
        "SHOP_MODE": "safe",
        "TOKEN": "${TOKEN:?is a secret of shop}",
    }
    assert service["deploy"] == {
        "replicas": 1,
        "resources": {"limits": {"cpus": "1.0", "memory": "536870912b"}},
    }


def test_kubernetes_objects_have_their_shape() -> None:
    found = list(yaml.safe_load_all(converted(example().one("staging"), "configmap")))
    assert [each["metadata"]["name"] for each in found] == [
        "api-gateway-settings",
        "consciousness-engine-settings",
    ]
    for each in found:
        assert (each["apiVersion"], each["kind"]) == ("v1", "ConfigMap")
        assert all(isinstance(value, str) for value in each["data"].values())
    secret = yaml.safe_load(disclosed(BASE, {"shop": {"token": "hunter2"}}, "kubernetes"))
    assert (secret["kind"], secret["type"]) == ("Secret", "Opaque")
    assert secret["metadata"]["name"] == "shop-secrets"
    assert secret["stringData"] == {"TOKEN": "hunter2"}


def test_a_configmap_that_is_too_large_is_said() -> None:
    with pytest.raises(InexpressibleError, match="a ConfigMap holds at most 1048576"):
        converted(with_values({"greeting": "a" * 2**20}), "configmap")


def test_helm_values_have_each_services_limits() -> None:
    values = yaml.safe_load(converted(example().one("production"), "helm-values"))
    engine = values["services"]["consciousness-engine"]
    assert engine["environment"]["CONSCIOUSNESS_ENGINE_PROCESSING_TIMEOUT_MS"] == "100"
    assert engine["resources"] == {"limits": {"cpu": "2.0", "memory": "1Gi"}}
    assert engine["replicas"] == {"min": 3, "max": 20}
    assert engine["secretVariables"] == ["DATABASE_URL"]
    assert values["services"]["proxy"]["resources"] == {"limits": {"cpu": "500m", "memory": "64Mi"}}
    assert values["deployment"]["healthTimeoutSeconds"] == 30


def test_one_services_variables_alone() -> None:
    text = converted(example().one("staging"), "env", ["api-gateway"])
    assert text.splitlines() == [
        "API_GATEWAY_ENGINE_URL=http://consciousness-engine:8082",
        "API_GATEWAY_ENGINE_TIMEOUT_MS=5000",
        "API_GATEWAY_RATE_LIMIT_PER_SECOND=100",
        "API_GATEWAY_LOG_LEVEL=info",
    ]


def test_what_is_unknown_is_told() -> None:
    with pytest.raises(UnknownServiceError, match="The repository has: shop"):
        converted(BASE, "env", ["ship"])
    with pytest.raises(UnknownSecretError, match=r"did you mean 'shop\.token'"):
        sensitive_setting("shop.tokn", shop_sections())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop: {token: 5}", "one.yml:1:15: shop.token: expected text"),
        ("shop:\n  token: 0123\n", "one.yml:2:10: shop.token: can't be read as plain YAML"),
        ("shop: {mode: fast}", "one.yml:1:8: shop.mode: is no sensitive setting"),
        ("shop: {token: ''}", "one.yml:1:15: shop.token: expected text, and something of it"),
        ("shop: {token: caf\ufffd}", "one.yml:1:18: isn't text in UTF-8 from here on"),
        ("- hunter2", "one.yml:1:1: expected sections"),
        ("sops: {}", "one.yml:1:1: sops: is encrypted already"),
        ("'hunter2", "one.yml:1:9: can't be read as plain YAML"),
    ],
)
def test_a_wrong_plain_file_is_told_without_its_values(text: str, expected: str) -> None:
    with pytest.raises(InvalidFilesError) as caught:
        read_plain("one.yml", text, shop_sections())
    assert str(caught.value.mistakes[0]).startswith(expected)
    assert not any(value in str(caught.value) for value in ("hunter2", "0123", " 5"))


def test_a_plain_file_gives_its_secrets() -> None:
    assert read_plain("one.yml", "shop: {token: hunter2}", shop_sections()) == {
        "shop": {"token": "hunter2"}
    }
    assert disclosed(BASE, {"shop": {"token": "it's"}}, "env") == 'TOKEN="it\'s"\n'
    assert documents.parse("a", disclosed(BASE, {"shop": {"token": "no"}}, "yaml")).data == {
        "shop": {"token": "no"}
    }


@pytest.mark.parametrize("value", [True, 2**63, float("inf"), float("nan"), "5", None, 1 << 70])
def test_numbers_that_no_format_could_carry_are_refused(value: object) -> None:
    assert not Setting(type="number", description="A").accepts(value)
