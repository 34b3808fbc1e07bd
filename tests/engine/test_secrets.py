"""Secrets are in nothing that a run prints, reports, keeps or publishes."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import Called, dagger_call
from tests.engine.conftest import Registry
from tests.engine.leaks import collector, engine_folders, files_with, leaks_in
from tests.engine.test_failures import repository


@dataclass(frozen=True)
class Searched:
    """A run, and the secrets that were found in what it left behind."""

    called: Called
    in_texts: list[str]
    in_files: list[Path]


def searched(folder: Path, secret: Mapping[str, str], *arguments: str, source: Path) -> Searched:
    """Run a command, with secrets in its environment, and look for them everywhere."""
    started = folder / "started"
    started.touch()
    with collector() as trace:
        environment = {
            **secret,
            "OTEL_EXPORTER_OTLP_ENDPOINT": trace.address,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }
        called = dagger_call(*arguments, source=source, environment=environment)
    assert trace.bodies
    texts = [called.output.encode(), called.progress.encode(), *trace.bodies]
    return Searched(
        called,
        leaks_in(texts, secret.values()),
        files_with(secret.values(), engine_folders(), started),
    )


def test_the_search_finds_what_leaks(tmp_path: Path) -> None:
    canary = secrets.token_urlsafe(24)
    source = repository(tmp_path / "source", "leaks")
    with (source / "services/leaks/service.yml").open("a") as file:
        file.write(f"{canary}: 1\n")
    found = searched(tmp_path, {"CANARY": canary}, "build-all", source=source)
    assert found.called.status != 0
    assert found.in_texts == [canary]
    assert found.in_files


def test_a_push_keeps_its_secrets(tmp_path: Path, private_registry: Registry) -> None:
    secret = {"REGISTRY_PASSWORD": private_registry.password}
    found = searched(
        tmp_path,
        secret,
        *("build-all", "--push", "--registry-plain-http", "--registry-username=tester"),
        f"--registry={private_registry.address}/secrets",
        "--registry-password=env://REGISTRY_PASSWORD",
        source=repository(tmp_path / "source", "kept"),
    )
    assert found.called.status == 0, found.called.progress[-3000:]
    assert found.in_texts == []
    assert found.in_files == []
