"""A small stand-in for an API server: objects by path, each change with a new resourceVersion."""

import copy
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from pipeline.deploy.cluster import Cluster


@dataclass
class ApiServer:
    """Keeps what it is given; refuses what was changed since it was read."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    away: bool = False
    versions: Iterator[int] = field(default_factory=itertools.count)

    def cluster(self, ahead: timedelta = timedelta(0)) -> Cluster:
        """Reach it, by a clock that is ahead by this much."""
        transport = httpx.MockTransport(self._answer)
        client = httpx.AsyncClient(base_url="http://cluster", transport=transport)
        return Cluster(client, "shop", ahead)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            return httpx.Response(503, json={"message": "etcd is away"})
        path = request.url.path
        if request.method == "GET" and path in self.objects:
            return httpx.Response(200, json=self.objects[path])
        if request.method == "GET":
            below = [each for key, each in self.objects.items() if key.startswith(f"{path}/")]
            if below:
                return httpx.Response(200, json={"items": below})
            return httpx.Response(404, json={"message": "not found"})
        if request.method == "DELETE":
            found = self.objects.pop(path, None)
            return httpx.Response(200 if found else 404, json={})
        content = json.loads(request.content)
        if request.method == "POST":
            path = f"{path}/{content['metadata']['name']}"
        return self._kept(request.method, path, content)

    def _kept(self, method: str, path: str, content: dict[str, Any]) -> httpx.Response:
        before = self.objects.get(path)
        if method == "POST" and before is not None:
            return httpx.Response(409, json={"message": "already exists"})
        if method == "PUT" and (
            before is None
            or before["metadata"]["resourceVersion"] != content["metadata"]["resourceVersion"]
        ):
            return httpx.Response(409, json={"message": "the object has been modified"})
        kept = copy.deepcopy(content)
        kept["metadata"]["resourceVersion"] = str(next(self.versions))
        self.objects[path] = kept
        return httpx.Response(200, json=kept)
