"""A small stand-in for an API server: objects by path, each change with a new resourceVersion."""

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from pipeline.deploy.kubernetes.cluster import Cluster

Json = dict[str, Any]
COLLECTION = re.compile(r"/(api/v1|apis/[^/]+/[^/]+)/namespaces/[^/]+/[^/]+")


@dataclass
class ApiServer:
    """Keeps what it is given; refuses what was changed since it was read."""

    objects: dict[str, Json] = field(default_factory=dict)
    away: bool = False
    version: int = 0

    def cluster(self, ahead: timedelta = timedelta(0)) -> Cluster:
        """Reach it, by a clock that is ahead by this much."""
        return Cluster(self.client(), "shop", ahead)

    def client(self) -> httpx.AsyncClient:
        """Make requests to it."""
        transport = httpx.MockTransport(self.answer)
        return httpx.AsyncClient(base_url="http://cluster", transport=transport)

    def keep(self, path: str, content: Json) -> Json:
        """Put an object in its place."""
        self.version += 1
        kept = copy.deepcopy(content)
        kept["metadata"]["resourceVersion"] = str(self.version)
        self.objects[path] = kept
        return kept

    def drop(self, path: str) -> bool:
        """Remove an object, if it is there."""
        return self.objects.pop(path, None) is not None

    def listed(self, path: str) -> list[Json]:
        """List a collection."""
        return [each for key, each in self.objects.items() if key.rpartition("/")[0] == path]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a request as an API server does."""
        if self.away:
            return httpx.Response(503, json={"message": "etcd is away"})
        path = request.url.path
        if request.method == "GET" and path in self.objects:
            return httpx.Response(200, json=self.objects[path])
        if request.method == "GET" and COLLECTION.fullmatch(path):
            selector = request.url.params.get("labelSelector", "")
            found = [each for each in self.listed(path) if selects(selector, each)]
            return httpx.Response(200, json={"items": found})
        if request.method == "GET":
            return httpx.Response(404, json={"message": "not found"})
        if request.method == "DELETE":
            return httpx.Response(200 if self.drop(path) else 404, json={})
        content = json.loads(request.content)
        if request.method == "POST":
            path = f"{path}/{content['metadata']['name']}"
        return self._kept(request.method, path, content)

    def _kept(self, method: str, path: str, content: Json) -> httpx.Response:
        before = self.objects.get(path)
        if method == "POST" and before is not None:
            return httpx.Response(409, json={"message": "already exists"})
        if method == "PUT" and (
            before is None
            or before["metadata"]["resourceVersion"] != content["metadata"]["resourceVersion"]
        ):
            return httpx.Response(409, json={"message": "the object has been modified"})
        return httpx.Response(200, json=self.keep(path, content))


def selects(selector: str, content: Mapping[str, Any]) -> bool:
    """Tell whether an object has the labels of a selector: `name=value`, or `name` alone."""
    labels = content["metadata"].get("labels") or {}
    wanted = [one.partition("=") for one in selector.split(",") if one]
    return all(
        labels.get(name) == value if sign else name in labels for name, sign, value in wanted
    )
