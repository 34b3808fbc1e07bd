"""A Sigstore of one's own: Fulcio and a timestamp authority, and GitHub as they know it."""

import base64
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import yaml

from bootstrap import sigstore
from bootstrap.settings import Settings
from tests.engine.key_pairs import COSIGN
from tests.started import make_programs

SETTINGS = Settings.from_environment()
PROGRAMS = sigstore.PROGRAMS.folder(SETTINGS)
REQUEST_TOKEN = "a-token-to-ask-for-tokens"
WORKFLOW = "acme/shop/.github/workflows/ci.yml@refs/heads/main"
CLAIMS = {
    "sub": "repo:acme/shop:ref:refs/heads/main",
    "job_workflow_ref": WORKFLOW,
    "job_workflow_sha": "a" * 40,
    "sha": "a" * 40,
    "event_name": "push",
    "repository": "acme/shop",
    "repository_id": "1",
    "repository_owner": "acme",
    "repository_owner_id": "2",
    "repository_visibility": "private",
    "workflow": "ci",
    "workflow_ref": WORKFLOW,
    "workflow_sha": "a" * 40,
    "ref": "refs/heads/main",
    "ref_type": "branch",
    "runner_environment": "github-hosted",
    "run_id": "1",
    "run_attempt": "1",
}
SECONDS_TO_START = 20


@dataclass(frozen=True)
class OwnSigstore:
    """Where its parts are, and the root that says so."""

    issuer: str
    fulcio: str
    timestamps: str
    trusted_root: Path


@contextmanager
def own_sigstore(folder: Path) -> Iterator[OwnSigstore]:
    """Run it, with keys of its own that are gone afterwards."""
    make_programs(sigstore.PROGRAMS.name)
    with ExitStack() as stack:
        issuer = stack.enter_context(_github(folder))
        known = {"issuer-url": issuer, "client-id": "sigstore", "type": "github-workflow"}
        # Fulcio takes JSON for an older form of its configuration.
        (folder / "fulcio.yml").write_text(yaml.safe_dump({"oidc-issuers": {issuer: known}}))
        host, ports = SETTINGS.address, [_free_port() for _ in range(4)]
        fulcio, timestamps = f"http://{host}:{ports[0]}", f"http://{host}:{ports[3]}"
        ca = ["serve", "--ca=ephemeralca", "--ct-log-url=", f"--config-path={folder}/fulcio.yml"]
        ca += [f"--host={host}", f"--port={ports[0]}", f"--grpc-host={host}"]
        ca += [f"--grpc-port={ports[1]}", f"--metrics-port={ports[2]}"]
        authorities = folder / "fulcio.pem"
        stack.enter_context(
            _running("fulcio", ca, folder, f"{fulcio}/api/v1/rootCert", authorities)
        )
        tsa = ["serve", "--scheme=http", "--timestamp-signer=memory"]
        tsa += [f"--host={host}", f"--port={ports[3]}"]
        stamp = f"{timestamps}/api/v1/timestamp"
        chain = folder / "timestamps.pem"
        stack.enter_context(_running("timestamp-server", tsa, folder, f"{stamp}/certchain", chain))
        root = folder / "trusted_root.json"
        create = [COSIGN, "trusted-root", "create", f"--out={root}"]
        create.append(f"--fulcio=url={fulcio},certificate-chain={authorities}")
        create.append(f"--tsa=url={stamp},certificate-chain={chain}")
        subprocess.run(create, check=True, capture_output=True)
        yield OwnSigstore(issuer, fulcio, stamp, root)


@contextmanager
def _running(
    name: str, arguments: list[str], folder: Path, answers: str, into: Path
) -> Iterator[None]:
    """Run a server until the end; keeps what it answers once it does."""
    log = (folder / f"{name}.log").open("w")
    with log, subprocess.Popen([PROGRAMS / name, *arguments], stdout=log, stderr=log) as server:
        try:
            into.write_text(_answer(answers, server))
            yield
        finally:
            server.terminate()


def _answer(url: str, server: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            return httpx.get(url).raise_for_status().text
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(f"{url} doesn't answer")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((SETTINGS.address, 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def _github(folder: Path) -> Iterator[str]:
    """Give identity tokens as GitHub does, to whoever has the token to ask for them."""
    key = folder / "github.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/token"):
                if self.headers["Authorization"] != f"bearer {REQUEST_TOKEN}":
                    self.send_error(401)
                    return
                self._say({"count": 1, "value": _signed({**CLAIMS, "iss": issuer}, key)})
            elif self.path == "/.well-known/openid-configuration":
                self._say(
                    {
                        "issuer": issuer,
                        "jwks_uri": f"{issuer}/keys",
                        "authorization_endpoint": f"{issuer}/none",
                        "response_types_supported": ["id_token"],
                        "subject_types_supported": ["public"],
                        "id_token_signing_alg_values_supported": ["RS256"],
                    }
                )
            else:
                self._say({"keys": [_public(key)]})

        def _say(self, content: Mapping[str, Any]) -> None:
            text = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((SETTINGS.address, 0), Handler) as server:
        issuer = f"http://{SETTINGS.address}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()


def _public(key: Path) -> dict[str, str]:
    shown = subprocess.run(
        ["openssl", "rsa", "-in", key, "-noout", "-modulus"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    modulus = bytes.fromhex(shown.strip().partition("=")[2])
    return {"kty": "RSA", "alg": "RS256", "kid": "1", "n": _encoded(modulus), "e": "AQAB"}


def _signed(claims: Mapping[str, Any], key: Path) -> str:
    now = int(time.time())
    times = {"aud": "sigstore", "iat": now, "nbf": now, "exp": now + 300}
    head = {"alg": "RS256", "kid": "1", "typ": "JWT"}
    said = ".".join(_encoded(json.dumps(part).encode()) for part in (head, {**claims, **times}))
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", key],
        input=said.encode(),
        check=True,
        capture_output=True,
    ).stdout
    return f"{said}.{_encoded(signature)}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
