"""A stand-in for a cluster: workloads make pods, which come up or not, by a clock of its own.

Kubernetes' own controllers, in short: a Deployment makes new pods beside the old ones, which end
once the new ones are available; an autoscaler brings it to its minimum; a Service leads to what
is ready.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import anyio
import httpx

from pipeline.deploy.kubernetes.cluster import Cluster
from tests.unit import fates, pods
from tests.unit.api_server import ApiServer
from tests.unit.fates import FINE, Fate
from tests.unit.small_chart import NAME, PLURALS
from tests.unit.virtual_time import Clock

Json = dict[str, Any]
DEPLOYMENTS, STATEFUL_SETS = PLURALS["Deployment"], PLURALS["StatefulSet"]
ANSWERS_AFTER = 0.004
LOG = re.compile(r".*/pods/([^/]+)/log")
ENTRY = re.compile(r".*/services/([^/:]+):8080/proxy(/.*)")


@dataclass(frozen=True)
class Born:
    """A pod: which one, since when, and what becomes of it."""

    name: str
    at: float
    fate: Fate

    def is_ready(self, now: float, for_seconds: float = 0) -> bool:
        """Tell whether it is ready, and has been so for a while."""
        after = self.fate.ready_after
        return after is not None and now >= self.at + after + for_seconds - 1e-6


@dataclass
class Pods:
    """The pods of one template: a ReplicaSet, or what a StatefulSet has of one revision."""

    number: int
    template: Json
    alive: list[Born] = field(default_factory=list)


class QuickClient(httpx.AsyncClient):
    """Only what is asked here: cookies, redirects and the like would take half of the time."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        params: Mapping[str, str] | None = None,
        **_: object,
    ) -> httpx.Response:
        """Make a request."""
        request = httpx.Request(method, f"http://cluster{url}", json=json, params=params)
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response


class ClockedCluster(Cluster):
    """A cluster by a clock of its own."""

    clock: Clock

    def now(self) -> datetime:
        """Give its time."""
        return pods.NOW + timedelta(seconds=self.clock.seconds)


@dataclass
class ClusterStandIn(ApiServer):
    """An API server whose workloads come to life.

    `fates` are those of pods whose image or settings say a text. Controllers look at a change
    after `lags` seconds, let old pods go when new ones are ready for `bakes`, and make an
    autoscaler's minimum after `scales`. `changed` is called after each change: what is there then
    is what a kill leaves. What `answers_instead` gives is the answer. `requests` are all that were
    made.
    """

    clock: Clock = field(default_factory=Clock)
    fates: dict[str, Fate] = field(default_factory=dict)
    lags: float = 0.1
    bakes: float = 1.0
    scales: float = 0.5
    made: dict[str, list[Pods]] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)
    serial: int = 0
    asked: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    hangs: bool = False
    changed: Callable[[], None] = lambda: None
    answers_instead: Callable[[httpx.Request], httpx.Response | None] = lambda _: None

    def copied(self) -> "ClusterStandIn":
        """Give another one that is as this one is now."""
        return ClusterStandIn(
            copy.deepcopy(self.objects),
            version=self.version,
            clock=Clock(self.clock.seconds),
            fates=dict(self.fates),
            lags=self.lags,
            bakes=self.bakes,
            scales=self.scales,
            made=copy.deepcopy(self.made),
            told=dict(self.told),
            serial=self.serial,
        )

    def reached(self) -> Cluster:
        """Reach it by its own clock."""
        client = QuickClient(transport=httpx.MockTransport(self.answer))
        cluster = ClockedCluster(client, "shop")
        object.__setattr__(cluster, "clock", self.clock)
        return cluster

    def keep(self, path: str, content: Json) -> Json:
        """Put an object in its place, as a new generation when it asks for something else."""
        before = self.objects.get(path)
        metadata = {**content["metadata"]}
        if "spec" in content and "/apps/" in path:
            same = before is not None and before["spec"] == content["spec"]
            old = before["metadata"]["generation"] if before else 0
            metadata |= {"uid": path, "generation": old if same else old + 1}
            if not same:
                self.told[path] = self.clock.seconds
            if before is not None:
                content = {**content, "status": before["status"]}
            else:
                content = {**content, "status": {}}
        kept = super().keep(path, {**content, "metadata": metadata})
        self.changed()
        return kept

    def drop(self, path: str) -> bool:
        """Remove an object, and what it made."""
        self.made.pop(path, None)
        found = super().drop(path)
        self.changed()
        return found

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as an API server does, or what stands behind it."""
        path = request.url.path
        self.requests.append((request.method, path))
        await anyio.sleep(ANSWERS_AFTER)
        if self.hangs:
            await anyio.sleep(15)
            raise httpx.ReadTimeout("no answer")
        if self.away:
            return await super().answer(request)
        self.settle()
        if (instead := self.answers_instead(request)) is not None:
            return instead
        if path.endswith("/selfsubjectreviews"):
            return httpx.Response(201, json={"status": {"userInfo": {"username": "ann"}}})
        if found := LOG.fullmatch(path):
            return self._log(found[1], int(request.url.params["tailLines"]))
        if found := ENTRY.fullmatch(path):
            return await self._proxied(found[1], request.method)
        return await super().answer(request)

    def listed(self, path: str) -> list[Json]:
        """List a collection; what the cluster makes itself, too."""
        kind = path.rpartition("/")[2]
        if kind in {"pods", "events", "replicasets"}:
            found: list[Json] = list(getattr(self, f"_{kind}")())
            return found
        return super().listed(path)

    def running(self) -> dict[str, list[Born]]:
        """Give the pods that are there, by workload."""
        self.settle()
        return {
            path.rpartition("/")[2]: [born for one in made for born in one.alive]
            for path, made in self.made.items()
        }

    def settle(self) -> None:
        """Do what controllers have done by now."""
        for path in [*self.objects]:
            if path.startswith((DEPLOYMENTS, STATEFUL_SETS)):
                self._controlled(path)

    def _controlled(self, path: str) -> None:
        now, workload = self.clock.seconds, self.objects[path]
        if now < self.told[path] + self.lags:
            return
        scaled = self._scaled(path, workload)
        wanted, template = workload["spec"].get("replicas", 1), workload["spec"]["template"]
        made = self.made.setdefault(path, [])
        current = next((one for one in made if one.template == template), None)
        if current is None:
            current = Pods(len(made) + 1, copy.deepcopy(template))
            made.append(current)
        old = [one for one in made if one is not current]
        if path.startswith(STATEFUL_SETS):
            # Its pods have names, so the old one goes first.
            for one in old:
                one.alive.clear()
        made_at = now if scaled else self.told[path] + self.lags
        while len(current.alive) < wanted:
            self.serial += 1
            name = f"{path.rpartition('/')[2]}-{current.number}-{self.serial}"
            current.alive.append(Born(name, made_at, self._fate(template)))
        del current.alive[wanted:]
        if all(born.is_ready(now, self.bakes) for born in current.alive):
            for one in old:
                one.alive.clear()
        every = [born for one in made for born in one.alive]
        workload["status"] = {
            "observedGeneration": workload["metadata"]["generation"],
            "replicas": len(every),
            "updatedReplicas": len(current.alive),
            "readyReplicas": sum(born.is_ready(now) for born in every),
            "availableReplicas": sum(born.is_ready(now, self.bakes) for born in every),
            "updateRevision": f"{current.number}",
        }
        number = {"deployment.kubernetes.io/revision": f"{current.number}"}
        workload["metadata"]["annotations"] = number

    def _scaled(self, path: str, workload: Json) -> bool:
        """Bring a workload to its autoscaler's minimum; tells whether it has been there before."""
        scaler = self.objects.get(f"{PLURALS['HorizontalPodAutoscaler']}/{path.rpartition('/')[2]}")
        if not scaler or self.clock.seconds < self.told[path] + self.scales:
            return False
        before = workload["spec"].get("replicas", 1)
        workload["spec"]["replicas"] = max(before, scaler["spec"]["minReplicas"])
        return bool(workload["spec"]["replicas"] != before)

    def _fate(self, template: Json) -> Fate:
        """Say what becomes of a pod by what it starts from."""
        said = json.dumps(template)
        for container in template["spec"]["containers"]:
            for source in container.get("envFrom", []):
                name = source["configMapRef"]["name"]
                settings = self.objects.get(f"{PLURALS['ConfigMap']}/{name}")
                if settings is None:
                    return fates.no_settings(name)
                said += json.dumps(settings["data"])
        return next((fate for text, fate in self.fates.items() if text in said), FINE)

    def _each(self) -> Iterator[tuple[str, Pods, Born]]:
        for path, made in self.made.items():
            for one in made:
                for born in one.alive:
                    yield path, one, born

    def _pods(self) -> Iterator[Json]:
        for path, one, born in self._each():
            # A Deployment's pods are its ReplicaSet's.
            owner = path if path.startswith(STATEFUL_SETS) else f"{path}-{one.number}"
            image = one.template["spec"]["containers"][0]["image"]
            looks = born.fate.looks(born.at, self.clock.seconds)
            found = born.fate.make(
                born.name,
                owner=owner,
                image=image,
                version=f"{one.number}",
                created=born.at,
                **looks,
            )
            found["metadata"]["labels"] |= one.template["metadata"]["labels"]
            yield found

    def _events(self) -> Iterator[Json]:
        for _, _, born in self._each():
            for each in born.fate.happens(born.at, self.clock.seconds, f"pod-{born.name}"):
                yield {"metadata": {"name": born.name}, **each}

    def _replicasets(self) -> Iterator[Json]:
        for path, made in self.made.items():
            for one in made:
                found = pods.replica_set(path, one.number)
                found["metadata"] |= {
                    "uid": f"{path}-{one.number}",
                    "labels": one.template["metadata"]["labels"],
                    "ownerReferences": [{"kind": "Deployment", "uid": path}],
                }
                yield found

    def _log(self, name: str, lines: int) -> httpx.Response:
        said = [born.fate.log for _, _, born in self._each() if born.name == name]
        if not said:
            return httpx.Response(404, json={"message": f'pods "{name}" not found'})
        return httpx.Response(200, text="\n".join(said[0][-lines:]))

    async def _proxied(self, name: str, method: str) -> httpx.Response:
        service = self.objects.get(f"{PLURALS['Service']}/{name}")
        if service is None:
            return httpx.Response(404, json={"message": f'services "{name}" not found'})
        wanted = service["spec"]["selector"][NAME]
        ready = [born for born in self.running()[wanted] if born.is_ready(self.clock.seconds)]
        if not ready:
            return httpx.Response(503, json={"message": f'no endpoints available for "{name}"'})
        self.asked += 1
        status, seconds = ready[self.asked % len(ready)].fate.answers(self.asked)
        await anyio.sleep(seconds)
        return httpx.Response(201 if (status, method) == (200, "POST") else status, text="words")
