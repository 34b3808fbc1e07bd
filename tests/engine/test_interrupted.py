"""Cut off half way: nothing half published, and the next run goes on."""

import http.client
import json
import os
import signal
import subprocess
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import PUSH, ROOT
from tests.engine.conftest import Registry
from tests.engine.test_failures import push_to, repository
from tests.module import refusal

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


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("manifests", [0, 1, 2])
async def test_a_push_cut_off_leaves_no_tag(
    tmp_path: Path, registry: Registry, manifests: int
) -> None:
    name = f"cut-off-{manifests}"
    source = repository(tmp_path, name)
    place = f"interrupted/{uuid.uuid4()}"
    with cut_off(registry, manifests) as address:
        message = await refusal(push_to(f"{address}/{place}", source))
    assert f"{address}/{place}/{name}" in message
    tags = registry.get(f"{place}/{name}/tags/list")
    assert tags.status_code == http.client.NOT_FOUND or tags.json()["tags"] is None
    await push_to(f"{registry.address}/{place}", source)
    index = registry.manifest(f"{place}/{name}", "0.0.0-dev")
    for entry in index["manifests"]:
        registry.manifest(f"{place}/{name}", entry["digest"])


def killed(command: list[str], reached: str) -> None:
    """Run a command until it tells that it is somewhere, and kill all of it."""
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
    ) as run:
        assert run.stderr is not None
        assert any(reached.encode() in line for line in run.stderr)
        os.killpg(run.pid, signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL


def test_a_killed_run_is_simply_repeated(tmp_path: Path, registry: Registry) -> None:
    source = repository(tmp_path, "killed")
    name = f"interrupted/{uuid.uuid4()}"
    place = [f"--registry={registry.address}/{name}", "--registry-plain-http"]
    command = ["dagger", "call", "--progress=plain", f"--source={source}", *place]
    command += [*PUSH, "--format=json"]
    with ThreadPoolExecutor() as threads:
        list(threads.map(partial(killed, command), ["load module", "regctl"]))
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr[-3000:]
    [image] = json.loads(again.stdout)["images"]
    assert registry.manifest(f"{name}/killed", image["digest"])
