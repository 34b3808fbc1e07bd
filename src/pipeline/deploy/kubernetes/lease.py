"""One deployer at a time: a Lease in the namespace, which also remembers what is under way.

Whoever dies lets it run out; the next one finds there what was begun and not ended.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import anyio

from pipeline.deploy.kubernetes.cluster import Cluster, ClusterAwayError, Object
from pipeline.errors import PipelineError, first_of
from pipeline.models import Model

LEASES = "coordination.k8s.io/v1/leases"
MEMORY = "pipeline/memory"
SECONDS = 15
RENEWED_EVERY = 4
LOOK_EVERY = 0.5
KEPT = 10
FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"

T = TypeVar("T")


class BusyError(PipelineError):
    """Somebody else deploys to the same place."""


class LostLeaseError(PipelineError):
    """Somebody else took over while this run was away."""


class GoodRevision(Model):
    """A revision that was healthy; `content` is a digest of all that was deployed."""

    revision: int
    version: str
    content: str


class PendingChange(Model):
    """A change under way: `to` is 0 until Helm has a revision for it, `back` 0 before the first."""

    action: str
    version: str
    content: str
    who: str
    since: str
    back: int
    to: int = 0
    phase: str = "begun"


class ReleaseRecord(Model):
    """What is known of a release: good revisions, the newest last, and the change under way."""

    good: list[GoodRevision] = []
    trial: PendingChange | None = None

    @property
    def current(self) -> GoodRevision | None:
        """The revision that was last healthy."""
        return self.good[-1] if self.good else None

    @property
    def before(self) -> GoodRevision | None:
        """The last good revision of something else than what is there now."""
        now = self.current
        others = [good for good in self.good if now and good.content != now.content]
        return others[-1] if others else None


@dataclass
class Lease:
    """The Lease of a release, held by this run."""

    cluster: Cluster
    name: str
    holder: str
    known: Object
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    @property
    def memory(self) -> ReleaseRecord:
        """What is remembered of the release."""
        return memory_of(self.known)

    async def begin(self, trial: PendingChange) -> None:
        """Remember a change before it is made."""
        await self._write(self.memory.model_copy(update={"trial": trial}))

    async def reached(self, phase: str, to: int | None = None) -> None:
        """Remember how far the change under way got."""
        trial = self.memory.trial
        if trial is not None:
            said = {"phase": phase} | ({} if to is None else {"to": to})
            memory = self.memory.model_copy(update={"trial": trial.model_copy(update=said)})
            await self._write(memory)

    async def end(self, good: GoodRevision | None) -> None:
        """Remember that the change is over, and what is good now: nothing before the first."""
        if good is None:
            await self._write(ReleaseRecord())
            return
        # What a failed change was taken back to is there already, by an older revision.
        others = [each for each in self.memory.good if each.content != good.content]
        await self._write(ReleaseRecord(good=[*others, good][-KEPT:]))

    async def keep(self) -> None:
        """Renew it until cancelled. Raises LostLeaseError."""
        renewed = anyio.current_time()
        while True:
            await anyio.sleep(RENEWED_EVERY)
            asked = anyio.current_time()
            try:
                await self._write(None)
                renewed = asked
            except ClusterAwayError:
                if anyio.current_time() - renewed > SECONDS:
                    raise

    async def release(self) -> None:
        """Let others deploy; when that can't be said, it runs out."""
        async with self._turn:
            self.known["spec"]["holderIdentity"] = ""
            with suppress(ClusterAwayError):
                await self.cluster.replace(self._path, self.known)

    async def _write(self, memory: ReleaseRecord | None) -> None:
        async with self._turn:
            while True:
                changed = _held(self.known, self.holder, self.cluster.now())
                if memory is not None:
                    changed = _remembering(changed, memory)
                written = await self.cluster.replace(self._path, changed)
                if written is not None:
                    self.known = written
                    return
                # Perhaps an earlier write of this run arrived, and only its answer was lost.
                found = await self.cluster.get(self._path)
                if found is None or (found.get("spec") or {}).get("holderIdentity") != self.holder:
                    raise LostLeaseError(
                        "Another run took this deployment over, since this one was away for more "
                        f"than {SECONDS} s. Nothing more was done; look at it with "
                        "`environment status`."
                    )
                self.known = found

    @property
    def _path(self) -> str:
        return self.cluster.path(LEASES, self.name)


async def acquire(cluster: Cluster, release: str, holder: str, say: Callable[[str], None]) -> Lease:
    """Take the Lease of a release; a dead run's once it has run out, after 15 s at most.

    Raises BusyError as soon as whoever holds it shows a sign of life.
    """
    name = lease_name(release)
    path = cluster.path(LEASES, name)
    seen = ""
    while True:
        found = await cluster.get(path)
        taken = None
        if found is None:
            new = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "pipeline"}},
            }
            taken = await cluster.create(cluster.path(LEASES), _held(new, holder, cluster.now()))
        elif held_until(found, cluster.now()) is None:
            taken = await cluster.replace(path, _held(found, holder, cluster.now()))
        if taken is not None:
            return Lease(cluster, name, holder, taken)
        if found is not None:
            renewed = (found.get("spec") or {}).get("renewTime", "")
            if seen and renewed != seen:
                raise BusyError(f"{_busy(cluster.namespace, found)}. Try again when it is over.")
            if not seen:
                say(f"{_busy(cluster.namespace, found)}: seeing whether that run is alive")
            seen = renewed
        await anyio.sleep(LOOK_EVERY)


async def read_lease(cluster: Cluster, release: str) -> Object | None:
    """Read a release's Lease without taking it; none before the first deployment."""
    return await cluster.get(cluster.path(LEASES, lease_name(release)))


async def hold(lease: Lease, work: Callable[[], Awaitable[T]]) -> T:
    """Do something while the Lease is renewed, then release it. Raises what the work raises."""
    results: list[T] = []
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(lease.keep)
            results.append(await work())
            group.cancel_scope.cancel()
    except* PipelineError as errors:
        error = first_of(errors)
        if not isinstance(error, LostLeaseError | ClusterAwayError):
            await lease.release()
        raise error from errors
    await lease.release()
    return results[0]


def lease_name(release: str) -> str:
    """Name a release's Lease."""
    return f"{release}-deployment"


def memory_of(lease: Object) -> ReleaseRecord:
    """Read what a Lease remembers."""
    text = (lease["metadata"].get("annotations") or {}).get(MEMORY)
    return ReleaseRecord.model_validate_json(text) if text else ReleaseRecord()


def held_until(lease: Object, now: datetime) -> datetime | None:
    """Say until when somebody holds a Lease; none when nobody does any more."""
    spec = lease.get("spec") or {}
    if not spec.get("holderIdentity") or not spec.get("renewTime"):
        return None
    renewed = datetime.fromisoformat(spec["renewTime"])
    end = renewed + timedelta(seconds=spec.get("leaseDurationSeconds", SECONDS))
    return end if end > now else None


def _held(lease: Object, holder: str, now: datetime) -> Object:
    old: dict[str, Any] = lease.get("spec") or {}
    spec = {**old, "leaseDurationSeconds": SECONDS, "renewTime": now.strftime(FORMAT)}
    if old.get("holderIdentity") != holder:
        spec |= {
            "holderIdentity": holder,
            "acquireTime": now.strftime(FORMAT),
            "leaseTransitions": old.get("leaseTransitions", -1) + 1,
        }
    return {**lease, "spec": spec}


def _remembering(lease: Object, memory: ReleaseRecord) -> Object:
    metadata = lease["metadata"]
    annotations = {**(metadata.get("annotations") or {}), MEMORY: memory.model_dump_json()}
    return {**lease, "metadata": {**metadata, "annotations": annotations}}


def _busy(namespace: str, lease: Object) -> str:
    trial = memory_of(lease).trial
    doing = f"{trial.action} of {trial.version}, since {trial.since}" if trial else "just begun"
    return f"{lease['spec']['holderIdentity']} deploys to {namespace} ({doing})"
