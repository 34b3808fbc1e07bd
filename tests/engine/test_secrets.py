"""Secrets are in nothing that a run prints, reports, keeps or publishes."""

import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import PUSH, ROOT, Called, dagger_call
from tests.engine.conftest import Registry
from tests.engine.key_pairs import KeyPair
from tests.engine.leaks import collector, engine_folders, files_with, leaks_in
from tests.engine.test_failures import repository


@dataclass(frozen=True)
class Searched:
    """A run, and the secrets that were found in what it left behind."""

    called: Called
    in_texts: list[str]
    in_files: list[Path]


def searched(
    folder: Path,
    secret: Mapping[str, str],
    *arguments: str,
    source: Path,
    canaries: Sequence[str] = (),
) -> Searched:
    """Run a command, with secrets in its environment, and look for them, or for parts of them."""
    wanted = canaries or list(secret.values())
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
        leaks_in(texts, wanted),
        files_with(wanted, engine_folders(), started),
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


def test_a_signed_push_keeps_its_secrets(
    tmp_path: Path, private_registry: Registry, keys: KeyPair
) -> None:
    key = (keys.folder / "cosign.key").read_text()
    secret = {
        "REGISTRY_PASSWORD": private_registry.password,
        "COSIGN_PASSWORD": keys.password,
        "COSIGN_KEY": key,
    }
    found = searched(
        tmp_path,
        secret,
        *("build-all", "--push", "--registry-plain-http", "--registry-username=tester"),
        f"--registry={private_registry.address}/secrets",
        "--registry-password=env://REGISTRY_PASSWORD",
        *("--signing-key=env://COSIGN_KEY", "--signing-password=env://COSIGN_PASSWORD"),
        source=scanned(tmp_path / "source"),
        canaries=[private_registry.password, keys.password, *key.splitlines()[1:3]],
    )
    assert found.called.status == 0, found.called.progress[-3000:]
    assert found.in_texts == []
    assert found.in_files == []


@pytest.mark.parametrize(
    ("flag", "variable", "value"),
    [
        ("--signing-environment", "KMS", "AWS_SECRET_ACCESS_KEY={canary}"),
        ("--oidc-token", "TOKEN", "{canary}"),
    ],
)
def test_a_push_that_can_not_sign_keeps_its_secrets(
    tmp_path: Path, registry: Registry, flag: str, variable: str, value: str
) -> None:
    canary = secrets.token_urlsafe(24)
    way = ["--signing-kms=awskms:///alias/none"] if variable == "KMS" else []
    found = searched(
        tmp_path,
        {variable: value.format(canary=canary)},
        *(*PUSH, "--sign", "--registry-plain-http", f"--registry={registry.address}/secrets"),
        *(f"{flag}=env://{variable}", *way),
        source=repository(tmp_path / "source", "unsigned"),
        canaries=[canary],
    )
    assert found.called.status != 0
    assert "no tag was moved to it" in found.called.message
    assert found.in_texts == []
    assert found.in_files == []


def scanned(folder: Path) -> Path:
    """A repository that scans with the databases of this machine."""
    repository(folder, "kept")
    with (folder / "services/kept/Dockerfile").open("a") as file:
        file.write("USER 65532:65532\n")
    (folder / "config").mkdir()
    for name in ("scan.yml", "registry.yml", "signing.yml"):
        shutil.copy(ROOT / "config" / name, folder / "config")
    return folder
