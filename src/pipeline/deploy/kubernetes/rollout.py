"""One change of a release: applied, watched, asked, observed; kept, or taken back whole."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import anyio
import yaml

from pipeline.catalogue.stack import Check
from pipeline.concurrency import gather
from pipeline.deploy.kubernetes.cluster import Cluster, ClusterAwayError, ClusterError
from pipeline.deploy.kubernetes.health import EntryPoint, Observation, healthy, observe
from pipeline.deploy.kubernetes.helm import NAMED_BY_CONTENT, Helm
from pipeline.deploy.kubernetes.lease import GoodRevision, Lease, LostLeaseError, PendingChange
from pipeline.deploy.kubernetes.telling import ProgressLog
from pipeline.deploy.kubernetes.values import Values
from pipeline.deploy.kubernetes.watch.kubernetes import State, read_state
from pipeline.deploy.kubernetes.watch.problem import Problem
from pipeline.deploy.kubernetes.watch.progress import RolloutState, judge, overdue
from pipeline.deploy.kubernetes.watch.workloads import Expected
from pipeline.errors import PipelineError, first_of

LOOK_EVERY = 0.5
LOG_LINES = 10
MOST_LOGS = 3
AT_A_TIME = 6
AUTOSCALERS = "autoscaling/v2/horizontalpodautoscalers"
ADVICE = "`environment rollback` tries again, `environment status` shows what is there."
INSTANCE = "app.kubernetes.io/instance"
LONGEST = 300
"""Seconds that a rollout may take, however steadily it gets better."""


class RolloutError(PipelineError):
    """What was deployed doesn't come up."""


class RolledBackError(PipelineError):
    """A change failed; the release is as it was before."""


class StuckError(PipelineError):
    """A change failed, and so did the way back."""


@dataclass(frozen=True)
class Limits:
    """How long things may take (s), and how many requests may fail or be slow meanwhile.

    For `bake` nothing changes, while new pods are observed beside the old ones.
    """

    bake: int
    health_timeout: int
    rollback_timeout: int
    max_error_percent: float
    max_latency_ms: int


@dataclass(frozen=True)
class Outcome:
    """What a change came to: seconds until the new version was up, and in all."""

    revision: int
    up: float
    total: float
    health: Sequence[str]
    observed: str


@dataclass(frozen=True)
class Rollout:
    """All that a change of one release needs."""

    cluster: Cluster
    helm: Helm
    lease: Lease
    entry: EntryPoint
    checks: Sequence[Check]
    limits: Limits
    telling: ProgressLog

    async def deploy(self, chart: Path, values: Values, trial: PendingChange) -> Outcome:
        """Bring a release up; else take it back. Raises RolledBackError, StuckError."""

        async def upgrade() -> int:
            return await self.helm.upgrade(chart, values, f"{trial.action} of {trial.version}")

        return await self._tried(trial, upgrade)

    async def return_to(self, revision: int, trial: PendingChange) -> Outcome:
        """Bring an earlier revision back, whole. Raises RolledBackError, StuckError."""

        async def rollback() -> int:
            return await self._again(revision, trial.back)

        return await self._tried(trial, rollback)

    async def recover(self) -> str:
        """Put back what an interrupted run left; says what was found. Raises StuckError."""
        trial = self.lease.memory.trial
        if trial is None:
            return ""
        found = described(trial)
        self.telling.say(f"{found}: back to what was there before")
        try:
            await self._restored(trial)
        except LostLeaseError:
            raise
        except PipelineError as stuck:
            raise StuckError(f"{found}, and isn't back.\n\n{stuck}\n\n{ADVICE}") from stuck
        return f"{found}. It was put back first."

    async def _tried(self, trial: PendingChange, change: Callable[[], Awaitable[int]]) -> Outcome:
        began = anyio.current_time()
        await self.lease.begin(trial)
        try:
            self.telling.say(f"{trial.action} of {trial.version}: applying")
            since = self.cluster.now()
            revision = await change()
            await self.lease.reached("applied", revision)
            manifest = await self.helm.manifest(revision)
            expected = replace(expected_of(manifest), since=since)
            patience = self.limits.health_timeout
            await self._watched(lambda judgement: judgement.updated_ready, expected, patience)
            up = anyio.current_time() - began
            self.telling.say("the new version is up: asking the entry")
            await self.lease.reached("observed")
            health = await healthy(self.entry, self.checks)
            for line in health:
                self.telling.say(line)
            observed = await self._observed(expected)
            health = await healthy(self.entry, self.checks)
            self.telling.say(f"the new version alone: {observed}")
        except LostLeaseError:
            raise
        except PipelineError as error:
            await self._taken_back(trial, error, anyio.current_time() - began)
            raise
        await self.lease.end(
            GoodRevision(revision=revision, version=trial.version, content=trial.content)
        )
        await self._tidied(manifest)
        return Outcome(revision, up, anyio.current_time() - began, health, observed)

    async def _observed(self, expected: Expected) -> str:
        """Ask and watch side by side until the old version is gone; says how it went."""
        limits = self.limits
        observation = Observation(limits.max_error_percent, limits.max_latency_ms)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(observe, self.entry, self.checks, observation)
                patience, longest = limits.bake + limits.health_timeout, limits.bake + LONGEST
                await self._watched(lambda judgement: judgement.done, expected, patience, longest)
                group.cancel_scope.cancel()
        except* PipelineError as errors:
            raise first_of(errors) from errors
        return observation.conclude()

    async def _taken_back(
        self, trial: PendingChange, error: PipelineError, detection: float
    ) -> None:
        self.telling.say(f"failed after {detection:.1f} s: {str(error).splitlines()[0]}")
        began = anyio.current_time()
        try:
            await self._restored(trial)
        except LostLeaseError:
            raise
        except PipelineError as stuck:
            raise StuckError(
                f"{trial.action} of {trial.version} failed, and so did the way back.\n\n"
                f"Why it failed:\n{error}\n\nWhy it isn't back:\n{stuck}\n\n{ADVICE}"
            ) from error
        restoration = anyio.current_time() - began
        before = f"revision {trial.back}" if trial.back else "nothing, as before the first one"
        raise RolledBackError(
            f"{trial.action} of {trial.version} failed, and was taken back: there is {before}.\n"
            f"Seen after {detection:.1f} s, restored in {restoration:.1f} s.\n\n{error}"
        ) from error

    async def _restored(self, trial: PendingChange) -> None:
        """Bring back what was good before a change, whole, and forget the change."""
        history = await self.helm.history()
        good = self.lease.memory.current
        # From now on the last revision may be one that went back: what was tried is this one.
        tried = trial.to or (history[-1].revision if history else 0)
        await self.lease.reached("going back", tried)
        if trial.back == 0 or good is None:
            self.telling.say("going back: to nothing, as before the first deployment")
            if history:
                await self.helm.uninstall()
            await self._tidied("")
            await self.lease.end(None)
            return
        since = self.cluster.now()
        if history[-1].revision != good.revision:
            self.telling.say(f"going back: to revision {good.revision}, {good.version}")
            again = await self._again(good.revision, good.revision)
            good = good.model_copy(update={"revision": again})
        manifest = await self.helm.manifest(good.revision)
        expected = replace(expected_of(manifest), since=since)
        longest = self.limits.bake + self.limits.rollback_timeout
        await self._watched(lambda judgement: judgement.done, expected, longest, longest)
        await healthy(self.entry, self.checks)
        await self.lease.end(good)
        await self._tidied(manifest)
        self.telling.say(f"{good.version} is back, whole and healthy")

    async def _again(self, revision: int, since: int) -> int:
        """Make an earlier revision the last one, whole; gives its new number.

        Helm compares with the last revision alone. What others have made or left `since` then,
        when they were interrupted, is removed here.
        """
        await self.helm.rollback(revision)
        history = await self.helm.history()
        wanted = paths_of(await self.helm.manifest(revision), self.cluster)
        for other in history[:-1]:
            if other.revision >= since and other.revision != revision:
                found = paths_of(await self.helm.manifest(other.revision), self.cluster)
                for path in sorted(found - wanted):
                    await self.cluster.delete(path)
        return history[-1].revision

    async def _watched(
        self,
        enough: Callable[[RolloutState], bool],
        expected: Expected,
        patience: float,
        longest: float = LONGEST,
    ) -> None:
        """Wait until it is enough, as long as it gets better again and again.

        Nothing better for longer than `patience`, or in all more than `longest`, is a
        RolloutError with the reason.
        """
        began = better = anyio.current_time()
        reached: tuple[tuple[str, ...], ...] = ()
        while True:
            now = anyio.current_time()
            try:
                state = await state_of(self.cluster, self.helm.release)
                scaling = await few_replicas(self.cluster, self.helm.release, state)
            except ClusterAwayError:
                # For how long is decided by who renews the Lease.
                self.telling.waiting(["the cluster doesn't answer: asking again"])
                await anyio.sleep(LOOK_EVERY)
                continue
            judgement = judge(state, expected, self.cluster.now())
            if judgement.certain:
                raise RolloutError(await self._explained(judgement.certain))
            if enough(judgement) and not scaling:
                return
            self.telling.waiting([*map(str, judgement.waiting), *scaling])
            step = tuple(
                (waiting.workload, waiting.progress, waiting.doing.partition(",")[0])
                for waiting in judgement.waiting
            )
            if step != reached:
                reached, better = step, now
            late = now - began > longest
            if late or now - better > patience:
                waited = timedelta(seconds=now - (began if late else better))
                raise RolloutError(await self._explained(overdue(judgement, waited)))
            await anyio.sleep(LOOK_EVERY)

    async def _explained(self, problems: Sequence[Problem]) -> str:
        """Give the reasons, each with the last lines of the log where there is one."""
        told = []
        for problem in problems[:MOST_LOGS]:
            lines: list[str] = []
            if problem.logs:
                lines = await self.cluster.last_lines(
                    problem.pod, problem.container, LOG_LINES, previous=problem.previous
                )
            told.append("\n".join([str(problem), *(f"    {line}" for line in lines)]))
        more = len(problems) - MOST_LOGS
        return "\n".join([*told, *([f"and {more} more like it"] if more > 0 else [])])

    async def _tidied(self, wanted: str) -> None:
        """Remove settings that no object of a manifest reads: Helm leaves them for old pods.

        When the cluster doesn't let it, the next change does: what is up doesn't fail for that.
        """
        selector = f"{NAMED_BY_CONTENT},{INSTANCE}={self.helm.release}"
        try:
            for kind in ("v1/configmaps", "v1/secrets"):
                for found in await self.cluster.listed(kind, selector):
                    name = found["metadata"]["name"]
                    if f"name: {name}\n" not in wanted:
                        await self.cluster.delete(self.cluster.path(kind, name))
        except ClusterError as error:
            self.telling.say(f"old settings are still there: {error}")


async def state_of(cluster: Cluster, release: str) -> State:
    """Read all that tells how far a release is."""
    selector = f"{INSTANCE}={release}"
    kinds = [
        ("apps/v1/deployments", selector),
        ("apps/v1/statefulsets", selector),
        ("apps/v1/replicasets", selector),
        ("v1/pods", selector),
        ("v1/events", ""),
    ]
    jobs = [partial(cluster.listed, kind, labels) for kind, labels in kinds]
    return read_state(*await gather(jobs, AT_A_TIME))


async def few_replicas(cluster: Cluster, release: str, state: State) -> list[str]:
    """List the Deployments that their autoscaler has yet to bring to its minimum."""
    replicas = {each.name: each.spec.replicas for each in state.deployments}
    scalers = await cluster.listed(AUTOSCALERS, f"{INSTANCE}={release}")
    return [
        f"{name}: {replicas[name]} of at least {least} replicas, its autoscaler adds the others"
        for scaler in scalers
        if (name := scaler["spec"]["scaleTargetRef"]["name"]) in replicas
        and replicas[name] < (least := scaler["spec"]["minReplicas"])
    ]


def expected_of(manifest: str) -> Expected:
    """Say what a release's manifest asks for: its workloads' images."""
    images = {}
    for content in yaml.load_all(manifest, yaml.CSafeLoader):
        if content and content["kind"] in {"Deployment", "StatefulSet"}:
            [container, *_] = content["spec"]["template"]["spec"]["containers"]
            images[content["metadata"]["name"]] = container["image"]
    return Expected(images)


def paths_of(manifest: str, cluster: Cluster) -> set[str]:
    """Say where the API server has a manifest's objects, but for settings that pods start from."""
    paths = set()
    for content in yaml.load_all(manifest, yaml.CSafeLoader):
        if content and NAMED_BY_CONTENT not in content["metadata"].get("labels", {}):
            kind = re.sub("y$", "ie", content["kind"].lower())
            plural = f"{kind}es" if kind.endswith("s") else f"{kind}s"
            name = content["metadata"]["name"]
            paths.add(cluster.path(f"{content['apiVersion']}/{plural}", name))
    return paths


def described(trial: PendingChange) -> str:
    """Say what an interrupted run did."""
    return (
        f"{trial.action} of {trial.version} by {trial.who}, begun at {trial.since}, was "
        f"interrupted when it was {trial.phase}"
    )
