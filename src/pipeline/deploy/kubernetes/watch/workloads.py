"""One workload on its way to a new version: whose pods are new, and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.deploy.kubernetes.watch.kubernetes import LONG_AGO, Pod, State, Workload

REVISION = "deployment.kubernetes.io/revision"
RELEASE = "pipeline/revision"
HASH = "controller-revision-hash"


@dataclass(frozen=True)
class Expected:
    """What was asked for: each workload's image, the commit that Deployments are of, and when.

    What happened before, such as another rollout that failed, doesn't count.
    """

    images: Mapping[str, str]
    revision: str = ""
    since: datetime = LONG_AGO


@dataclass(frozen=True)
class WorkloadRollout:
    """A workload and its pods, by version.

    The maker creates the new pods: a Deployment's new ReplicaSet, once it is there, or a
    StatefulSet itself. The lag says why nothing can be said yet: what is seen is of before.
    """

    workload: Workload
    maker: Workload | None
    lag: str
    new: list[Pod] = field(default_factory=list)
    old: list[Pod] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The workload's name."""
        return self.workload.name

    @property
    def ready(self) -> list[Pod]:
        """The new pods that are ready."""
        return [pod for pod in self.new if pod.ready_since]

    @property
    def updated_ready(self) -> bool:
        """The new version is up; the old one may still be there."""
        return not self.lag and len(self.ready) >= self.workload.spec.replicas

    @property
    def done(self) -> bool:
        """Nothing else is there but the new version, and it is available.

        Old pods that were told to end don't count: they finish their requests.
        """
        status = self.workload.status
        wanted = self.workload.spec.replicas
        return (
            self.updated_ready
            and all(pod.is_over for pod in self.old)
            and status.replicas == status.updated_replicas == status.available_replicas == wanted
        )


def rollouts(state: State, expected: Expected) -> list[WorkloadRollout]:
    """Sort a release's pods by workload and version; workloads that aren't there come too."""
    found = [_of_deployment(state, deployment, expected) for deployment in state.deployments]
    found += [_of_stateful_set(state, stateful, expected) for stateful in state.stateful_sets]
    missing = expected.images.keys() - {rollout.name for rollout in found}
    found += [_missing(name) for name in missing]
    return sorted(found, key=lambda rollout: rollout.name)


def backing_since(state: State, expected: Expected) -> datetime | None:
    """Tell since when all that keeps data is ready; None while something isn't."""
    since = LONG_AGO
    for stateful in state.stateful_sets:
        rollout = _of_stateful_set(state, stateful, expected)
        if not rollout.updated_ready:
            return None
        since = max([since, *(pod.ready_since for pod in rollout.new if pod.ready_since)])
    return since


def _of_deployment(state: State, deployment: Workload, expected: Expected) -> WorkloadRollout:
    revision = deployment.metadata.annotations.get(REVISION)
    sets = [one for one in state.replica_sets if deployment.owns(one.metadata)]
    maker = next((one for one in sets if one.metadata.annotations.get(REVISION) == revision), None)
    lag = _lag(deployment, expected)
    if not lag and expected.revision:
        lag = _other_revision(deployment, expected.revision)
    pods = [pod for pod in state.pods if any(one.owns(pod.metadata) for one in sets)]
    new = [pod for pod in pods if maker and maker.owns(pod.metadata)]
    old = [pod for pod in pods if pod not in new]
    return WorkloadRollout(deployment, maker, lag, _sorted(new), _sorted(old))


def _of_stateful_set(state: State, stateful: Workload, expected: Expected) -> WorkloadRollout:
    lag = _lag(stateful, expected)
    pods = [pod for pod in state.pods if stateful.owns(pod.metadata)]
    revision = stateful.status.update_revision
    new = [pod for pod in pods if pod.metadata.labels.get(HASH) == revision]
    old = [pod for pod in pods if pod not in new]
    return WorkloadRollout(stateful, stateful, lag, _sorted(new), _sorted(old))


def _missing(name: str) -> WorkloadRollout:
    nothing = Workload.model_validate({"metadata": {"name": name}})
    return WorkloadRollout(nothing, None, "it isn't there yet")


def _lag(workload: Workload, expected: Expected) -> str:
    wanted = expected.images.get(workload.name)
    images = [container.image for container in workload.spec.template.spec.containers]
    if wanted is not None and wanted not in images:
        return f"it isn't told yet to run {wanted}"
    if workload.status.observed_generation < workload.metadata.generation:
        return "Kubernetes hasn't looked at its change yet"
    return ""


def _other_revision(deployment: Workload, revision: str) -> str:
    actual = deployment.metadata.annotations.get(RELEASE, "")
    return "" if actual == revision else f"it isn't of revision {revision} yet"


def _sorted(pods: list[Pod]) -> list[Pod]:
    return sorted(pods, key=lambda pod: pod.name)
