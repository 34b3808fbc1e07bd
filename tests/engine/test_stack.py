"""`environment stack`: all services and their databases on this machine, ready when it says so."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.engine.test_failures import repository
from tests.module import made, pipeline, refusal

TEXT = """\
The river rises in the hills above the town. In spring it carries the melted snow down to the \
valley. The farmers there know the river well. They open their gates when it is high, and the \
water runs over the fields. Later it sinks into the soil. This keeps the fields green until the \
end of summer.\
"""
"""Good enough for every environment: the engine's own tests say so."""


@contextmanager
def up(*arguments: str) -> Iterator[str]:
    """The stack on a free port of this machine: its address, as soon as the command tells it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["dagger", "call", "--progress=plain", "environment", *arguments]
    command += ["stack", "up", f"--ports={port}:8080"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as run:
        try:
            assert run.stderr is not None
            said: list[str] = []
            while not said or "tunnel started" not in said[-1]:
                said.append(run.stderr.readline())
                assert said[-1], "".join(said[-40:])
            yield f"http://127.0.0.1:{port}"
        finally:
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=60)


def test_it_is_ready_with_the_settings_of_an_environment_as_soon_as_it_says_so() -> None:
    with up("--name=production") as address:
        health = httpx.get(f"{address}/api/health").raise_for_status()
        assert health.json()["status"] == "ready"
        refused = httpx.post(f"{address}/api/v1/analyses", json={"text": "word " * 20})
        assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY, refused.text
        assert refused.json()["threshold"] == 0.95
        posted = httpx.post(f"{address}/api/v1/analyses", json={"text": TEXT})
        assert posted.status_code == httpx.codes.CREATED, posted.text
        assert "<script" in httpx.get(address).raise_for_status().text
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


FUSSY = """\
FROM debian:trixie-slim
ENTRYPOINT ["sh", "-c", "echo \\"DATABASE_URL is $DATABASE_URL: why?\\" >&2; exit 2"]
"""
STACK = """\
entry: small
ready: /
services:
  small:
    environment: {DATABASE_URL: nonsense}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A stack of one service, which refuses its settings."""
    source = repository(tmp_path, "small")
    (source / "services/small/Dockerfile").write_text(FUSSY)
    (source / "config").mkdir()
    (source / "config/stack.yml").write_text(STACK)
    return source


@pytest.mark.usefixtures("engine")
async def test_a_service_that_refuses_its_settings_is_quoted(small: Path) -> None:
    message = await refusal(made(pipeline(small).environment).stack())
    assert message.startswith("The stack isn't ready: 'sh -c echo ")
    assert "' ended with 2." in message
    assert "DATABASE_URL is nonsense: why?" in message


@pytest.mark.usefixtures("engine")
async def test_what_is_wrong_is_told_before_anything_is_built(small: Path) -> None:
    # Building it would be told of as a failure.
    (small / "services/small/Dockerfile").write_text("RUN without an image\n")
    (small / "config/environments").mkdir()
    (small / "config/environments/production.yml").write_text("{}\n")
    message = await refusal(made(pipeline(small).environment, name="prodction").stack())
    assert "Unknown environment 'prodction'; did you mean 'production'?" in message
    (small / "config/stack.yml").write_text(STACK + "    needs: [radis]\n")
    message = await refusal(made(pipeline(small).environment).stack())
    assert "config/stack.yml:6:13: services.small.needs[0]: 'radis'" in message
