"""`config`: environments of a repository, and the whole life of a secret."""

import json
import secrets
import subprocess
from pathlib import Path

import pytest
import yaml

from pipeline.config.disclose import SecretsFormat
from pipeline.environment import Environment
from pipeline.report.render import Format
from tests.conftest import ROOT, Called, dagger_call
from tests.engine.leaks import collector, engine_folders, files_with, leaks_in
from tests.engine.people import PROGRAM, person
from tests.module import made, pipeline, refusal, secret
from tests.unit.configs import BASE, SHOP

pytestmark = pytest.mark.usefixtures("engine")

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


def environment(source: Path = ROOT, name: str | None = None, **given: object) -> Environment:
    return made(pipeline(source).environment, name=name, **given)


def decrypted(file: Path, key: str) -> dict[str, dict[str, str]]:
    """Read a file of secrets with sops' own program."""
    read = subprocess.run(
        [PROGRAM, "decrypt", file], env={"SOPS_AGE_KEY": key}, capture_output=True, check=True
    )
    return yaml.safe_load(read.stdout)


async def test_the_worked_example() -> None:
    assert (await environment().validate()).startswith("development, staging, production: ")
    staging = environment(name="staging", set_=["performance.max_replicas=9"])
    explained = await staging.explain()
    assert "9" in explained.split("performance.max_replicas")[1].splitlines()[0]
    differences = await environment(name="staging").diff("production", Format.JSON)
    rows = {row["setting"]: row["values"] for row in json.loads(differences)["settings"]}
    assert rows["performance.max_replicas"] == ["5", "20"]


async def test_mistakes_are_told_with_their_places(source: Path) -> None:
    wrong = environment(source, "production", set_=["shop.mode=quick"])
    message = await refusal(wrong.validate())
    assert "--set:1:11: shop.mode: expected one of fast, safe, got 'quick'" in message
    message = await refusal(environment(source).validate())
    assert "config/secrets/production.yml:1:1: shop.token: is missing: set it with" in message


async def test_files_in_another_encoding_are_told(source: Path) -> None:
    environments = source / "config/environments"
    (environments / "production.yml").write_bytes("shop: {greeting: café}\n".encode("latin-1"))
    (environments / "staging.yml").write_bytes("extends: base\n".encode("utf-16"))
    message = await refusal(environment(source).validate())
    says = "isn't text in UTF-8 from here on: save the file in that encoding"
    assert f"config/environments/production.yml:1:21: {says}" in message
    assert f"config/environments/staging.yml:1:1: {says}" in message


async def test_the_life_of_a_secret_leaves_no_trace(tmp_path: Path, source: Path) -> None:
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
        production = ["environment", "--name=production", "--secrets-key=env://KEY"]
        command = [*production, "secrets", *arguments]
        ran = dagger_call(*command, source=source, environment=given)
        said.extend([ran.output.encode(), ran.progress.encode()])
        return ran

    with collector() as trace:
        plain = f"shop: {{token: {ONE}, pin: '1234'}}"
        ran = run(
            *("encrypt", "--plain=env://PLAIN", f"--recipients={me.recipient}"),
            *("export", f"--path={file}"),
            KEY=me.key,
            PLAIN=plain,
        )
        assert ran.status == 0, ran.message
        before = yaml.safe_load(file.read_text())["shop"]
        ran = run(
            *("set", "--setting=shop.token", "--value=env://VALUE"),
            *("export", f"--path={file}"),
            KEY=me.key,
            VALUE=OTHER,
        )
        assert ran.status == 0, ran.message
        after = yaml.safe_load(file.read_text())["shop"]
        assert after["pin"] == before["pin"]
        assert after["token"] != before["token"]
        ran = run("decrypt", "plaintext", KEY=you.key)
        assert ran.status != 0
        assert "opens none of its keys" in ran.message
        assert trace.bodies
    mine = environment(source, "production", secrets_key=secret(me.key)).secrets()
    await (await mine.recipients(add=[you.recipient])).file.export(str(file))
    assert decrypted(file, me.key)["shop"]["token"] == OTHER
    yours = environment(source, "production", secrets_key=secret(you.key)).secrets()
    assert (await yours.recipients(remove=[me.recipient])).change == ["shop.pin", "shop.token"]
    shown = await yours.decrypt(SecretsFormat.ENV)
    assert await shown.plaintext() == f"TOKEN={OTHER}\nPIN=1234\n"
    assert leaks_in([*said, *trace.bodies], [ONE, OTHER, me.key, you.key]) == []
    assert files_with([ONE, OTHER, me.key, you.key], engine_folders(), started) == []


async def test_the_examples_secrets_open_with_the_examples_key() -> None:
    key = secret((ROOT / "config/secrets/example-key.txt").read_text())
    for name in ("development", "staging", "production"):
        secrets = environment(ROOT, name, secrets_key=key).secrets()
        opened = await secrets.decrypt(SecretsFormat.ENV)
        assert (await opened.plaintext()).startswith("DATABASE_URL=postgres://engine:")
