"""Where scans take their databases from: mirrors one after the other, or files."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from bootstrap.settings import Settings
from tests.engine.test_failures import repository
from tests.module import made, pipeline, refusal
from tests.scanners import ARCHIVES, databases

SETTINGS = Settings.from_environment()
pytestmark = pytest.mark.usefixtures("engine", "scanners")


class Busy(BaseHTTPRequestHandler):
    """A registry, or a web server, that has had too many requests."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "slow down"}]}'
        self.send_response(429)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def busy() -> Iterator[ThreadingHTTPServer]:
    Busy.asked = []
    server = ThreadingHTTPServer((SETTINGS.address, 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def with_places(folder: Path, **places: list[str]) -> Path:
    source = repository(folder, "small")
    (source / "config").mkdir()
    (source / "config/scan.yml").write_text(yaml.safe_dump(places))
    registry = {"address": SETTINGS.registry, "plain_http": True}
    (source / "config/registry.yml").write_text(yaml.safe_dump(registry))
    return source


async def test_the_next_mirror_is_asked_when_one_is_busy(
    tmp_path: Path, busy: ThreadingHTTPServer
) -> None:
    address = f"{SETTINGS.address}:{busy.server_port}"
    source = with_places(
        tmp_path,
        trivy_databases=[f"{address}/trivy-db:2", SETTINGS.trivy_database],
        grype_databases=[f"http://{address}/databases", SETTINGS.grype_database],
    )
    report = (await made(pipeline(source).images).scan()).known()
    assert {each.scanner: each.origin for each in report.databases} == {
        "trivy": SETTINGS.trivy_database,
        "grype": SETTINGS.grype_database,
    }
    assert any(path.startswith("/v2/") for path in Busy.asked)
    assert "/databases/v6/latest.json" in Busy.asked


async def test_each_mirror_that_failed_is_named(tmp_path: Path) -> None:
    nothing = [f"{SETTINGS.registry}/nobody/{name}:2" for name in ("one", "two")]
    source = with_places(
        tmp_path, trivy_databases=nothing, grype_databases=[SETTINGS.grype_database]
    )
    message = await refusal(made(pipeline(source).images).scan())
    assert message.startswith("Trivy's database can't be had:")
    for name in nothing:
        assert f"  {name}: * GET http" in message
    assert "MANIFEST_UNKNOWN" in message
    assert "--databases" in message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("db.tar.gz", "is no database of Trivy: expected one, with trivy.db"),
        ("vulnerability-db.tar.gz", "is no database of Grype: expected an archive as its listing"),
        ("other.tar.gz", "--databases has no database: expected db.tar.gz, as in"),
    ],
)
async def test_a_file_that_is_no_database_is_said(tmp_path: Path, name: str, said: str) -> None:
    source = repository(tmp_path / "source", "small")
    folder = tmp_path / "databases"
    folder.mkdir()
    for archive in ARCHIVES.values():
        shutil.copy(archive, folder)
    if name not in {archive.name for archive in ARCHIVES.values()}:
        shutil.rmtree(folder)
        folder.mkdir()
    (folder / name).write_text("no archive")
    images = made(pipeline(source, **databases(folder)).images)
    assert said in await refusal(images.scan())
