"""Secrets are in nothing that a run prints, reports, keeps or publishes."""

import secrets
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import PUSH, ROOT, Called, dagger_call
from tests.engine.conftest import Registry
from tests.engine.key_pairs import KeyPair
from tests.engine.leaks import collector, engine_folders, files_with, leaks_in
from tests.engine.test_failures import repository
from tests.scanners import DATABASES


@dataclass(frozen=True)
class Searched:
    """Runs, and the secrets that were found in what they left behind."""

    called: list[Called]
    in_texts: list[str]
    in_files: list[Path]


def searched(
    folder: Path,
    secret: Mapping[str, str],
    *commands: Sequence[str],
    source: Path,
    canaries: Sequence[str] = (),
) -> Searched:
    """Run commands side by side, with secrets in their environment, and look for them.

    `canaries` are parts of them to look for instead.
    """
    wanted = canaries or list(secret.values())
    started = folder / "started"
    started.touch()
    with collector() as trace, ThreadPoolExecutor() as threads:
        environment = {
            **secret,
            "OTEL_EXPORTER_OTLP_ENDPOINT": trace.address,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }

        def run(command: Sequence[str]) -> Called:
            return dagger_call(*command, source=source, environment=environment)

        called = list(threads.map(run, commands))
    assert trace.bodies
    texts = [text.encode() for each in called for text in (each.output, each.progress)]
    return Searched(
        called,
        leaks_in([*texts, *trace.bodies], wanted),
        files_with(wanted, engine_folders(), started),
    )


def test_the_search_finds_what_leaks(tmp_path: Path) -> None:
    canary = secrets.token_urlsafe(24)
    source = repository(tmp_path / "source", "leaks")
    with (source / "services/leaks/service.yml").open("a") as file:
        file.write(f"{canary}: 1\n")
    found = searched(tmp_path, {"CANARY": canary}, ["build-all"], source=source)
    assert found.called[0].status != 0
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
    push = [
        *("--registry-plain-http", "--registry-username=tester"),
        f"--registry={private_registry.address}/secrets",
        "--registry-password=env://REGISTRY_PASSWORD",
        *("--signing-key=env://COSIGN_KEY", "--signing-password=env://COSIGN_PASSWORD"),
        *(*DATABASES, "build-all", "--push"),
    ]
    canaries = [private_registry.password, keys.password, *key.splitlines()[1:3]]
    source = scanned(tmp_path / "source")
    found = searched(tmp_path, secret, push, source=source, canaries=canaries)
    assert found.called[0].status == 0, found.called[0].progress[-3000:]
    assert found.in_texts == []
    assert found.in_files == []


def test_a_push_that_can_not_sign_keeps_its_secrets(tmp_path: Path, registry: Registry) -> None:
    canaries = [secrets.token_urlsafe(24) for _ in range(2)]
    secret = {"KMS": f"AWS_SECRET_ACCESS_KEY={canaries[0]}", "TOKEN": canaries[1]}
    place = ["--registry-plain-http", f"--registry={registry.address}/unsigned"]
    other = ["--registry-plain-http", f"--registry={registry.address}/unsigned-either"]
    push = [*PUSH, "--sign"]
    found = searched(
        tmp_path,
        secret,
        [*place, "--signing-kms=awskms:///alias/none", "--signing-environment=env://KMS", *push],
        [*other, "--oidc-token=env://TOKEN", *push],
        source=repository(tmp_path / "source", "unsigned"),
        canaries=canaries,
    )
    for called in found.called:
        assert called.status != 0
        assert "no tag was moved to it" in called.message
    assert found.in_texts == []
    assert found.in_files == []


def scanned(folder: Path) -> Path:
    """A repository in whose image there is nothing to find."""
    repository(folder, "kept")
    with (folder / "services/kept/Dockerfile").open("a") as file:
        file.write("USER 65532:65532\n")
    (folder / "config").mkdir()
    shutil.copy(ROOT / "config/signing.yml", folder / "config")
    return folder
