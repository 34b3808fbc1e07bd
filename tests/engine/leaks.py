"""Looks for secrets in all that a run leaves behind: output, traces, engine, registry, exports."""

import base64
import gzip
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bootstrap.settings import Settings

SETTINGS = Settings.from_environment()
COMPRESSED = {b"\x1f\x8b": ["gzip", "-dc"], b"\x28\xb5": ["zstd", "-dcq"]}


@dataclass
class Trace:
    """What a client reports to a collector of OpenTelemetry."""

    address: str
    bodies: list[bytes] = field(default_factory=list)


@contextmanager
def collector() -> Iterator[Trace]:
    """Run a collector that keeps all it is sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            zipped = self.headers.get("Content-Encoding") == "gzip"
            trace.bodies.append(gzip.decompress(body) if zipped else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        trace = Trace(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield trace
        finally:
            server.shutdown()
            thread.join()


def spellings(secret: str) -> list[bytes]:
    """Write a secret as it is, and as it looks inside anything encoded as base64."""
    found = [secret.encode()]
    for ahead in range(3):
        encoded = base64.b64encode(b"x" * ahead + secret.encode())
        # The ends depend on what stands beside the secret.
        found.append(encoded[4 if ahead else 0 : len(encoded) // 4 * 4 - 4])
    return found


def leaks_in(texts: Iterable[bytes], secrets: Iterable[str]) -> list[str]:
    """Name the secrets that texts hold."""
    everything = b"\n".join(texts)
    return [secret for secret in secrets if any(spelt in everything for spelt in spellings(secret))]


def files_with(secrets: Iterable[str], folders: Iterable[Path], since: Path) -> list[Path]:
    """Find files that changed since a file was written and hold a secret, unpacked too."""
    patterns = since.with_name("patterns")
    patterns.write_bytes(b"\n".join(spelt for secret in secrets for spelt in spellings(secret)))
    search = ["grep", "--fixed-strings", f"--file={patterns}", "--text"]
    # By the change of the inode: layers bring along the times of their files.
    changed = ["find", *map(str, folders), "-type", "f", "-cnewer", str(since), "-print0"]
    listed = subprocess.run(changed, stdout=subprocess.PIPE, check=False).stdout
    plain = subprocess.run(
        ["xargs", "--null", "--no-run-if-empty", *search, "--files-with-matches"],
        input=listed,
        stdout=subprocess.PIPE,
        check=False,
    ).stdout
    found = [Path(line) for line in plain.decode().splitlines()]
    for path in map(Path, listed.decode().split("\0")[:-1]):
        unpack = COMPRESSED.get(_beginning(path))
        if unpack is None:
            continue
        with subprocess.Popen([*unpack, path], stdout=subprocess.PIPE) as unpacked:
            quiet = [*search, "--quiet"]
            if subprocess.run(quiet, stdin=unpacked.stdout, check=False).returncode == 0:
                found.append(path)
    return [path for path in found if path != patterns]


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return os.read(file.fileno(), 2)
    except OSError:  # gone meanwhile: the engine cleans up
        return b""


def engine_folders() -> list[Path]:
    """Give where engine and registries of this machine keep things."""
    return [SETTINGS.cache / name for name in ("state", "registry", "run", "logs")]
