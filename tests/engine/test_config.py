"""`dagger call config`: environments of a repository, and the whole life of a secret."""

import json
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, Called, dagger_call
from tests.engine.leaks import collector, engine_folders, files_with, leaks_in
from tests.engine.people import PROGRAM, person
from tests.unit.configs import BASE, SHOP

ENVIRONMENT = "--environment=production"
# New each time: what stands in a file here would be found where the engine keeps sources.
ONE, OTHER = secrets.token_hex(12), secrets.token_hex(12)
TWO_TOKENS = SHOP + "  pin: {type: string, sensitive: true, variable: PIN, description: Number}\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A repository with one service and one environment, without secrets yet."""
    for path, text in {
        "services/shop/service.yml": TWO_TOKENS,
        "config/environments/base.yml": BASE,
        "config/environments/production.yml": "extends: base\nshop: {mode: fast}\n",
        "config/secrets/.keep": "",
    }.items():
        (tmp_path / "source" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / path).write_text(text)
    return tmp_path / "source"


def config(*arguments: str, source: Path | None = None, **variables: str) -> Called:
    return dagger_call("config", *arguments, source=source, environment=variables)


def test_the_worked_example_on_the_command_line() -> None:
    called = config("validate")
    assert called.status == 0, called.message
    assert called.output.startswith("development, staging, production: ")
    called = config("--environment=staging", "--set=performance.max_replicas=9", "explain")
    assert "performance.max_replicas" in called.output
    assert "9" in called.output.split("performance.max_replicas")[1].splitlines()[0]
    called = config("--environment=staging", "diff", "--with=production", "--format=json")
    rows = {row["setting"]: row["values"] for row in json.loads(called.output)["settings"]}
    assert rows["performance.max_replicas"] == ["5", "20"]


def test_mistakes_are_told_with_their_places(source: Path) -> None:
    called = config("--set=shop.mode=quick", ENVIRONMENT, "validate", source=source)
    assert called.status != 0
    assert "--set:1:11: shop.mode: expected one of fast, safe, got 'quick'" in called.message
    called = config("validate", source=source)
    assert (
        "config/secrets/production.yml:1:1: shop.token: is missing: set it with" in called.message
    )
    assert "Traceback" not in called.message


def test_the_life_of_a_secret_leaves_no_trace(tmp_path: Path, source: Path) -> None:
    me, you = person("me"), person("you")
    file = source / "config/secrets/production.yml"
    started = tmp_path / "started"
    started.touch()
    said: list[bytes] = []

    def run(*arguments: str, **variables: str) -> Called:
        given = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": trace.address,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            **variables,
        }
        called = config(ENVIRONMENT, "--key=env://KEY", *arguments, source=source, **given)
        said.extend([called.output.encode(), called.progress.encode()])
        return called

    with collector() as trace:
        plain = f"shop: {{token: {ONE}, pin: '1234'}}"
        called = run(
            *("encrypt", "--plain=env://PLAIN", f"--recipients={me.recipient}"),
            *("export", f"--path={file}"),
            KEY=me.key,
            PLAIN=plain,
        )
        assert called.status == 0, called.message
        before = yaml.safe_load(file.read_text())["shop"]
        called = run(
            *("set-secret", "--name=shop.token", "--value=env://VALUE"),
            *("export", f"--path={file}"),
            KEY=me.key,
            VALUE=OTHER,
        )
        assert called.status == 0, called.message
        after = yaml.safe_load(file.read_text())["shop"]
        assert after["pin"] == before["pin"]
        assert after["token"] != before["token"]
        called = run("secrets", "plaintext", KEY=you.key)
        assert called.status != 0
        assert "opens none of its keys" in called.message
        called = run("recipients", f"--add={you.recipient}", "file", "export", f"--path={file}",
                     KEY=me.key)  # fmt: skip
        assert called.status == 0, called.message
        called = run("recipients", f"--remove={me.recipient}", "change", KEY=you.key)
        assert called.output.split() == ["shop.pin", "shop.token"]
        assert trace.bodies
    assert leaks_in([*said, *trace.bodies], [ONE, OTHER, me.key, you.key]) == []
    assert files_with([ONE, OTHER, me.key, you.key], engine_folders(), started) == []
    shown = config(ENVIRONMENT, "--key=env://KEY", "secrets", "--to=env", "plaintext",
                   source=source, KEY=you.key)  # fmt: skip
    assert shown.output == f"TOKEN={OTHER}\nPIN=1234\n"
    read = subprocess.run(
        [PROGRAM, "decrypt", file], env={"SOPS_AGE_KEY": me.key}, capture_output=True, check=True
    )
    assert yaml.safe_load(read.stdout)["shop"]["token"] == OTHER


def test_the_examples_secrets_open_with_the_examples_key(tmp_path: Path) -> None:
    shutil.copy(ROOT / "config/secrets/example-key.txt", tmp_path / "key")
    for environment in ("development", "staging", "production"):
        called = config(
            f"--environment={environment}",
            f"--key=file://{tmp_path / 'key'}",
            *("secrets", "--to=env", "plaintext"),
        )
        assert called.output.startswith("DATABASE_URL=postgres://engine:"), called.message
