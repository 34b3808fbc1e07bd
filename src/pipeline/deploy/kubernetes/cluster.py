"""Kubernetes by its own HTTP interface: kubectl's proxy logs in, so any kubeconfig does."""

import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import anyio
import httpx
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from pipeline.deploy.kubernetes.kubeconfig import path_of
from pipeline.errors import PipelineError

SECONDS_TO_START = 10
SECONDS_TO_ANSWER = 15
HEADERS = {"Accept": "application/json"}

Object = dict[str, Any]


class ClusterError(PipelineError):
    """The cluster refused something, or can't be reached."""


class ClusterAwayError(ClusterError):
    """The cluster doesn't answer now; it may do so later."""


@dataclass(frozen=True)
class Cluster:
    """One namespace of a cluster: objects go in and come out as JSON has them.

    `ahead` is how far its clock is ahead of this machine's: only its own counts.
    """

    client: httpx.AsyncClient
    namespace: str
    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        """Give the cluster's time."""
        return datetime.now(UTC) + self.ahead

    def path(self, kind: str, name: str = "") -> str:
        """Name objects of the namespace: `apps/v1/deployments`, `v1/pods`."""
        group = "api" if kind.startswith("v1/") else "apis"
        version, _, plural = kind.rpartition("/")
        path = f"/{group}/{version}/namespaces/{self.namespace}/{plural}"
        return f"{path}/{name}" if name else path

    async def get(self, path: str) -> Object | None:
        """Read an object; none when it isn't there."""
        response = await self._ask("GET", path)
        return None if response.status_code == HTTPStatus.NOT_FOUND else _object(response)

    async def listed(self, kind: str, selector: str = "") -> list[Object]:
        """List objects of the namespace, those with certain labels or all."""
        query = {"labelSelector": selector} if selector else {}
        found = _object(await self._ask("GET", self.path(kind), query=query))
        items: list[Object] = found.get("items") or []
        return items

    async def create(self, path: str, content: Object) -> Object | None:
        """Create an object; none when there is one of that name already."""
        response = await self._ask("POST", path, content)
        return None if response.status_code == HTTPStatus.CONFLICT else _object(response)

    async def replace(self, path: str, content: Object) -> Object | None:
        """Replace an object as it was read; none when somebody else changed it since."""
        response = await self._ask("PUT", path, content)
        return None if response.status_code == HTTPStatus.CONFLICT else _object(response)

    async def delete(self, path: str) -> None:
        """Delete an object; fine when it isn't there."""
        response = await self._ask("DELETE", path)
        if response.status_code != HTTPStatus.NOT_FOUND:
            _object(response)

    async def last_lines(
        self, pod: str, container: str, lines: int, *, previous: bool = False
    ) -> list[str]:
        """Give the end of a container's log; nothing when there is none."""
        query = {
            "container": container,
            "tailLines": str(lines),
            "previous": str(previous).lower(),
        }
        response = await self._ask("GET", self.path("v1/pods", f"{pod}/log"), query=query)
        return response.text.splitlines() if response.is_success else []

    async def user(self) -> str:
        """Name who the cluster takes this for."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = await self._ask("POST", f"/apis/{review['apiVersion']}/selfsubjectreviews", review)
        if not answer.is_success:
            return "somebody"
        return str(answer.json()["status"]["userInfo"].get("username") or "somebody")

    async def _ask(
        self,
        method: str,
        path: str,
        content: Object | None = None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        try:
            response = await self.client.request(method, path, json=content, params=query)
        except httpx.TransportError as error:
            said = str(error) or type(error).__name__
            raise ClusterAwayError(f"The cluster doesn't answer: {said}.") from error
        # kubectl gives 500 for a connection that breaks, the API server for what stands behind it.
        if response.is_server_error or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise ClusterAwayError(f"The cluster doesn't answer: {_message(response)}")
        return response


def _object(response: httpx.Response) -> Object:
    if not response.is_success:
        raise ClusterError(
            f"The cluster refused {response.request.method} {response.request.url.path}: "
            f"{_message(response)}"
        )
    found: Object = response.json()
    return found


def _message(response: httpx.Response) -> str:
    try:
        return str(response.json()["message"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return response.text.strip()[:400] or f"HTTP {response.status_code}"


@asynccontextmanager
async def connect(kubectl: Path, kubeconfig: int, namespace: str) -> AsyncIterator[Cluster]:
    """Reach the cluster of a kubeconfig (by descriptor). Raises ClusterError.

    kubectl knows all ways to log in; it serves a socket of its own folder, which nobody else sees.
    """
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "socket"
        command = [str(kubectl), f"--kubeconfig={path_of(kubeconfig)}", "proxy"]
        environment = {"HOME": folder, "PATH": os.environ.get("PATH", "")}
        async with await anyio.open_process(
            [*command, f"--unix-socket={socket}"],
            stdin=None,
            env=environment,
            pass_fds=[kubeconfig],
        ) as process:
            try:
                await _served(process, socket)
                transport = httpx.AsyncHTTPTransport(uds=str(socket))
                async with httpx.AsyncClient(
                    base_url="http://localhost",  # the only host that it serves
                    transport=transport,
                    headers=HEADERS,
                    timeout=SECONDS_TO_ANSWER,
                ) as client:
                    yield Cluster(client, namespace, await _ahead(client))
            finally:
                process.terminate()


async def _served(process: Process, socket: Path) -> None:
    said = ""
    with anyio.move_on_after(SECONDS_TO_START):
        while not await anyio.Path(socket).exists():
            if process.returncode is not None:
                break
            await anyio.sleep(0.02)
        else:
            return
    if process.returncode is not None and process.stderr is not None:
        said = "".join([text async for text in TextReceiveStream(process.stderr)]).strip()
    raise ClusterError(
        "kubectl can't use the kubeconfig (--kubeconfig). "
        f"It said: {said[-400:] or 'nothing within 10 s'}"
    )


async def _ahead(client: httpx.AsyncClient) -> timedelta:
    """Compare the clocks, and see that the cluster lets this user in."""
    try:
        response = await client.get("/version")
    except httpx.TransportError as error:
        said = str(error) or type(error).__name__
        raise ClusterError(f"The cluster can't be reached: {said}.") from error
    if not response.is_success:
        raise ClusterError(
            "The cluster of the kubeconfig (--kubeconfig) doesn't let this user in, or isn't "
            f"there: {_message(response)}"
        )
    told = parsedate_to_datetime(response.headers["Date"])
    return told - datetime.now(UTC)
