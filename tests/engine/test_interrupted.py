"""Cut off half way: nothing half published, and the next run goes on."""

import http.client
import json
import os
import signal
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import PUSH, ROOT, dagger_call
from tests.engine.conftest import Registry
from tests.engine.test_failures import repository

PASSED_ON = ("Authorization", "Content-Type", "Content-Length", "Content-Range", "Accept", "Host")


@contextmanager
def cut_off(registry: Registry, manifests: int) -> Iterator[str]:
    """An address at which a registry takes so many manifests, and then is gone."""
    left = manifests
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            nonlocal left
            with lock:
                if self.command == "PUT" and "/manifests/" in self.path:
                    left -= 1
                if left < 0:
                    self.close_connection = True
                    return
            connection = http.client.HTTPConnection(registry.address)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            content = response.read()
            self.send_response(response.status)
            for name, value in response.getheaders():
                if name not in {"Date", "Server", "Transfer-Encoding"}:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = answer  # noqa: N815 - as its base class calls them

        def log_message(self, *_: object) -> None:
            pass

    host = registry.address.partition(":")[0]
    with ThreadingHTTPServer((host, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"{host}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("manifests", [0, 1, 2])
def test_a_push_cut_off_leaves_no_tag(tmp_path: Path, registry: Registry, manifests: int) -> None:
    name = f"cut-off-{manifests}"
    source = repository(tmp_path, name)
    push = [*PUSH, "--registry-plain-http"]
    place = f"interrupted/{uuid.uuid4()}"
    with cut_off(registry, manifests) as address:
        called = dagger_call(*push, f"--registry={address}/{place}", source=source)
    assert called.status != 0
    assert f"{address}/{place}/{name}" in called.message
    tags = registry.get(f"{place}/{name}/tags/list")
    assert tags.status_code == http.client.NOT_FOUND or tags.json()["tags"] is None
    again = dagger_call(*push, f"--registry={registry.address}/{place}", source=source)
    assert again.status == 0, again.progress[-3000:]
    index = registry.manifest(f"{place}/{name}", "0.0.0-dev")
    for entry in index["manifests"]:
        registry.manifest(f"{place}/{name}", entry["digest"])


@pytest.mark.parametrize("reached", ["connect", "load module", "docker", "regctl"])
def test_a_killed_run_is_simply_repeated(tmp_path: Path, registry: Registry, reached: str) -> None:
    name = f"killed-{reached.replace(' ', '-')}"
    source = repository(tmp_path, name)
    command = [
        *("./pipeline", "--progress=plain", f"--source={source}", *PUSH),
        *(f"--registry={registry.address}/interrupted", "--registry-plain-http", "--format=json"),
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
    ) as run:
        assert run.stderr is not None
        assert any(reached.encode() in line for line in run.stderr)
        os.killpg(run.pid, signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr[-3000:]
    [image] = json.loads(again.stdout)["images"]
    assert registry.manifest(f"interrupted/{name}", image["digest"])
