"""`dagger call stack`: all services and their databases on this machine, ready when it says so."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT, dagger_call

TEXT = "The river was calm. The river carried the small boat, and the boat carried us home."


@contextmanager
def up(*arguments: str) -> Iterator[str]:
    """The stack on a free port of this machine: its address, as soon as the command tells it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["dagger", "call", "--progress=plain", "stack", *arguments]
    command += ["up", f"--ports={port}:8080"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as run:
        try:
            assert run.stderr is not None
            assert any("tunnel started" in line for line in run.stderr)
            yield f"http://127.0.0.1:{port}"
        finally:
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=60)


def test_it_is_ready_as_soon_as_it_says_so() -> None:
    with up() as address:
        health = httpx.get(f"{address}/api/health").raise_for_status()
        assert health.json()["status"] == "ready"
        posted = httpx.post(f"{address}/api/v1/analyses", json={"text": TEXT})
        assert posted.status_code == httpx.codes.CREATED, posted.text
        assert "<script" in httpx.get(address).raise_for_status().text
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_services_have_the_settings_of_an_environment() -> None:
    with up("--environment=production") as address:
        refused = httpx.post(f"{address}/api/v1/analyses", json={"text": "word " * 20})
        assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY, refused.text
        assert refused.json()["threshold"] == 0.95


def test_an_unknown_environment_is_told_before_anything_is_built() -> None:
    called = dagger_call("stack", "--environment=prodction")
    assert called.status != 0
    assert "Unknown environment 'prodction'; did you mean 'production'?" in called.message


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for folder in ("services", "config"):
        ignored = shutil.ignore_patterns("target", "node_modules", "dist")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    return tmp_path


def test_a_service_that_refuses_its_settings_is_quoted(copied: Path) -> None:
    stack = copied / "config/stack.yml"
    lines = stack.read_text().splitlines()
    wrong = [line.split(": ")[0] + ": nonsense" if "DATABASE" in line else line for line in lines]
    stack.write_text("\n".join(wrong))
    called = dagger_call("stack", source=copied)
    assert called.status != 0
    assert "The stack isn't ready: '/consciousness-engine' ended with 2." in called.message
    assert "DATABASE_URL is wrong: expected postgres://" in called.message


def test_a_wrong_stack_is_told_before_anything_is_built(copied: Path) -> None:
    stack = copied / "config/stack.yml"
    stack.write_text(stack.read_text().replace("redis]", "radis]"))
    called = dagger_call("stack", source=copied)
    assert called.status != 0
    assert (
        "config/stack.yml:19:23: services.consciousness-engine.needs[1]: 'radis'" in called.message
    )
    assert "CARGO_HOME" not in called.progress
