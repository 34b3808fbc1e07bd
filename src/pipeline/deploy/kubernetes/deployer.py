"""Deploys one environment to its cluster, and looks after what is there."""

import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from pipeline.audit.record import AuditEntry, Record
from pipeline.audit.store import write
from pipeline.audit.trail import verified
from pipeline.catalogue.stack import Check
from pipeline.deploy.contents import Contents
from pipeline.deploy.kubernetes import health
from pipeline.deploy.kubernetes.admission import check_admission, ensure_namespace
from pipeline.deploy.kubernetes.audit_store import ClusterStore
from pipeline.deploy.kubernetes.cluster import Cluster, ClusterAwayError, ClusterError, connect
from pipeline.deploy.kubernetes.health import UnhealthyError, healthy
from pipeline.deploy.kubernetes.helm import Helm
from pipeline.deploy.kubernetes.kubeconfig import in_memory
from pipeline.deploy.kubernetes.lease import (
    BusyError,
    PendingChange,
    ReleaseRecord,
    acquire,
    held_until,
    hold,
    memory_of,
    read_lease,
)
from pipeline.deploy.kubernetes.plan import planned
from pipeline.deploy.kubernetes.rollout import (
    Limits,
    Outcome,
    RolledBackError,
    Rollout,
    described,
    expected_of,
    state_of,
)
from pipeline.deploy.kubernetes.telling import ProgressLog
from pipeline.deploy.kubernetes.values import Values
from pipeline.deploy.kubernetes.watch.progress import judge
from pipeline.errors import PipelineError
from pipeline.report.deployment import DeploymentSummary, WorkloadSummary
from pipeline.report.plan import PlanSummary


class NothingToDoError(PipelineError):
    """There is nothing to resume, or to go back to."""


@dataclass(frozen=True)
class Tools:
    """Programs, and the chart that all objects come from."""

    helm: Path
    kubectl: Path
    chart: Path


@dataclass(frozen=True)
class Target:
    """Where an environment is deployed, and how its entry is asked."""

    environment: str
    namespace: str
    entry: str
    port: int
    url: str
    checks: list[Check]
    limits: Limits


@dataclass(frozen=True)
class ChangeReason:
    """Why something is done, and from where, for the audit trail."""

    reason: str
    origin: str


@dataclass(frozen=True)
class Session:
    """A release within reach, and who reaches it."""

    cluster: Cluster
    helm: Helm
    entry: health.EntryPoint
    who: str

    @property
    def store(self) -> ClusterStore:
        """Where its audit trail is kept."""
        return ClusterStore(self.cluster, self.helm.release)


@dataclass(frozen=True)
class Deployer:
    """One environment's release, reached with a kubeconfig."""

    tools: Tools
    target: Target
    kubeconfig: str

    async def deploy(
        self, values: Values, contents: Contents, reason: ChangeReason
    ) -> DeploymentSummary:
        """Bring a version up by its digests, or leave all as it was. Raises what went wrong."""
        async with self._session() as session:
            rendered = await session.helm.template(self.tools.chart, values)
            await ensure_namespace(session.cluster)
            await check_admission(self.tools.kubectl, session.helm, rendered)
            trial = self._trial("deploy", contents.version, _digest(rendered), session)

            async def change(rollout: Rollout, memory: ReleaseRecord) -> Outcome:
                back = memory.current.revision if memory.current else 0
                begun = trial.model_copy(update={"back": back})
                return await rollout.deploy(self.tools.chart, values, begun)

            return await self._changed(session, trial, change, reason, contents.images)

    async def rollback(self, reason: ChangeReason) -> DeploymentSummary:
        """Go back: from an interrupted change to what was there, else to the version before.

        Raises NothingToDoError.
        """
        async with self._session() as session:
            memory = await self._memory(session)
            if memory.trial is not None:
                trial = memory.trial.model_copy(update={"action": "rollback"})

                async def put_back(_: Rollout, __: ReleaseRecord) -> None:
                    # What was interrupted is put back before any change.
                    return None

                return await self._changed(session, trial, put_back, reason, {}, seen=memory)
            before = memory.before
            if memory.current is None or before is None:
                raise NothingToDoError(
                    f"There is no version to go back to in {self.target.namespace}: only one was "
                    "ever healthy there."
                )
            trial = self._trial("rollback", before.version, before.content, session).model_copy(
                update={"back": memory.current.revision}
            )

            async def change(rollout: Rollout, _: ReleaseRecord) -> Outcome:
                return await rollout.return_to(before.revision, trial)

            return await self._changed(session, trial, change, reason, {}, seen=memory)

    async def resume(self, reason: ChangeReason) -> DeploymentSummary:
        """Finish an interrupted change. Raises NothingToDoError when there is none."""
        async with self._session() as session:
            memory = await self._memory(session)
            trial = memory.trial
            history = await session.helm.history()
            if trial is None:
                raise NothingToDoError("No change was interrupted: there is nothing to resume.")
            there = [one.revision for one in history]
            revision = trial.to or max(there, default=0)
            if revision <= trial.back or revision not in there:
                raise NothingToDoError(
                    f"{described(trial)}, and nothing of it is there: `environment rollback` "
                    "clears it, `deploy` begins again."
                )

            async def change(rollout: Rollout, _: ReleaseRecord) -> Outcome:
                return await rollout.return_to(revision, trial)

            return await self._changed(
                session, trial, change, reason, {}, seen=memory, recover=False
            )

    async def status(self) -> DeploymentSummary:
        """Say what is deployed, whether it is healthy, and what was interrupted."""
        async with self._session() as session:
            return await self._summary(session, [])

    async def plan(self, values: Values) -> PlanSummary:
        """Compare what is deployed with what these values would make of it."""
        async with self._session() as session:
            rendered = await session.helm.template(self.tools.chart, values)
            history = await session.helm.history()
            before = await session.helm.manifest(history[-1].revision) if history else ""
            return planned(before, rendered, self.target.namespace)

    async def audit(self) -> list[Record]:
        """Give the audit trail. Raises TrailError when a record was changed or is missing."""
        async with self._session() as session:
            return verified(await session.store.read())

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        namespace = self.target.namespace
        with in_memory(self.kubeconfig) as kubeconfig:
            helm = Helm(self.tools.helm, namespace, namespace, kubeconfig)
            async with connect(self.tools.kubectl, kubeconfig, namespace) as cluster:
                who = await cluster.user()
                if not self.target.url:
                    entry = health.EntryPoint.through(cluster, self.target.entry, self.target.port)
                    yield Session(cluster, helm, entry, who)
                    return
                async with httpx.AsyncClient(base_url=self.target.url) as client:
                    yield Session(cluster, helm, health.EntryPoint(client), who)

    async def _changed(
        self,
        session: Session,
        trial: PendingChange,
        change: Callable[[Rollout, ReleaseRecord], Awaitable[Outcome | None]],
        reason: ChangeReason,
        images: Mapping[str, str],
        *,
        seen: ReleaseRecord | None = None,
        recover: bool = True,
    ) -> DeploymentSummary:
        """Do a change while nobody else does one, and write down what came of it.

        What was decided by what was `seen` is done only while that is still so: else BusyError.
        """
        holder = f"{session.who}/{uuid.uuid4().hex[:8]}"
        telling = ProgressLog()
        lease = await acquire(session.cluster, session.helm.release, holder, telling.say)
        rollout = Rollout(
            session.cluster,
            session.helm,
            lease,
            session.entry,
            self.target.checks,
            self.target.limits,
            telling,
        )

        async def work() -> list[str]:
            if seen is not None and seen != lease.memory:
                raise BusyError(
                    f"Another run changed {self.target.namespace} just now, so nothing was done. "
                    "Look at it with `environment status`, and decide again."
                )
            await self._write(session, trial, reason, images, "started")
            try:
                said = [await rollout.recover()] if recover and lease.memory.trial else []
                outcome = await change(rollout, lease.memory)
            except PipelineError as error:
                ended = "rolled-back" if isinstance(error, RolledBackError) else "failed"
                # What went wrong is told in any case.
                with suppress(ClusterAwayError):
                    await self._write(session, trial, reason, images, ended, str(error))
                raise
            await self._write(session, trial, reason, images, "succeeded")
            return [*said, *_told(trial, outcome)]

        return await self._summary(session, await hold(lease, work))

    async def _write(
        self,
        session: Session,
        trial: PendingChange,
        reason: ChangeReason,
        images: Mapping[str, str],
        outcome: str,
        detail: str = "",
    ) -> None:
        entry = AuditEntry(
            when=session.cluster.now(),
            who=session.who,
            action=trial.action,
            target=f"{self.target.environment}/{self.target.namespace}",
            what=trial.version,
            digests={name: image.rpartition("@")[2] for name, image in images.items()},
            why=reason.reason,
            origin=reason.origin,
            outcome=outcome,
            detail=detail.splitlines()[0] if detail else "",
        )
        await write(session.store, entry)

    def _trial(self, action: str, version: str, content: str, session: Session) -> PendingChange:
        since = session.cluster.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        return PendingChange(
            action=action, version=version, content=content, who=session.who, since=since, back=0
        )

    async def _memory(self, session: Session) -> ReleaseRecord:
        lease = await read_lease(session.cluster, session.helm.release)
        return memory_of(lease) if lease else ReleaseRecord()

    async def _summary(self, session: Session, said: list[str]) -> DeploymentSummary:
        lease = await read_lease(session.cluster, session.helm.release)
        memory = memory_of(lease) if lease else ReleaseRecord()
        history = await session.helm.history()
        manifest = await session.helm.manifest(history[-1].revision) if history else ""
        state = await state_of(session.cluster, session.helm.release)
        judgement = judge(state, expected_of(manifest), session.cluster.now())
        waiting = {each.workload: str(each) for each in judgement.waiting}
        waiting |= {problem.workload: problem.message for problem in judgement.problems}
        workloads = [
            WorkloadSummary(
                name=workload.name,
                ready=workload.status.ready_replicas,
                wanted=workload.spec.replicas,
                image=workload.spec.template.spec.containers[0].image,
                waiting=waiting.get(workload.name, ""),
            )
            for workload in [*state.deployments, *state.stateful_sets]
        ]
        is_healthy = judgement.done and bool(history)
        if is_healthy:
            try:
                await healthy(session.entry, self.target.checks)
            except (UnhealthyError, ClusterError) as error:
                is_healthy = False
                said = [*said, str(error)]
        if memory.trial and lease and held_until(lease, session.cluster.now()) is None:
            said = [
                *said,
                f"{described(memory.trial)}.",
                "`environment resume` finishes it, `environment rollback` goes back.",
            ]
        return DeploymentSummary(
            environment=self.target.environment,
            namespace=self.target.namespace,
            version=memory.current.version if memory.current else "",
            revision=history[-1].revision if history else 0,
            healthy=is_healthy,
            workloads=workloads,
            said=said,
        )


def _told(trial: PendingChange, outcome: Outcome | None) -> list[str]:
    if outcome is None:
        return [f"{trial.version} was taken back."]
    return [
        f"{trial.action} of {trial.version}: up after {outcome.up:.1f} s, alone and healthy after "
        f"{outcome.total:.1f} s.",
        f"While it was observed: {outcome.observed}.",
        *(f"  {line}" for line in outcome.health),
    ]


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
