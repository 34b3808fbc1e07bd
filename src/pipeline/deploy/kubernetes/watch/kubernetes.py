"""Kubernetes' objects as far as a rollout is judged by them: the API server's JSON, typed."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from pipeline.documents import dotted
from pipeline.errors import PipelineError
from pipeline.models import Model

Json = Mapping[str, Any]
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class UnexpectedObjectError(PipelineError):
    """The API server gave an object that isn't what its kind is documented to be."""


class Part(Model):
    """A part of an object; what isn't named here isn't read, what is null isn't there."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {name: inner for name, inner in value.items() if inner is not None}


class Owner(Part):
    """What an object belongs to."""

    uid: str


class Metadata(Part):
    """Who an object is."""

    name: str
    uid: str = ""
    generation: int = 0
    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}
    creation_timestamp: AwareDatetime = LONG_AGO
    deletion_timestamp: AwareDatetime | None = None
    owner_references: tuple[Owner, ...] = ()


class Condition(Part):
    """One of the conditions that a status lists."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: AwareDatetime = LONG_AGO


class Waiting(Part):
    """A container that doesn't run yet, or not again yet."""

    reason: str = ""
    message: str = ""


class Running(Part):
    """A container that runs."""

    started_at: AwareDatetime = LONG_AGO


class Terminated(Part):
    """A container that has ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    started_at: AwareDatetime = LONG_AGO
    finished_at: AwareDatetime = LONG_AGO


class ContainerState(Part):
    """At most one of the three."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Part):
    """How one container of a pod fares."""

    name: str
    image: str = ""
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()

    @property
    def end(self) -> Terminated | None:
        """How it ended last, if it ever did."""
        return self.state.terminated or self.last_state.terminated

    @property
    def ends(self) -> int:
        """How often it ended."""
        if self.end is None:
            return 0
        return self.restart_count if self.state.running else self.restart_count + 1


class Resources(Part):
    """What a container may use."""

    limits: dict[str, str] = {}


class ContainerSpec(Part):
    """One container of a pod, as it was asked for."""

    name: str
    image: str = ""
    restart_policy: str = ""
    resources: Resources = Resources()


class Claim(Part):
    """A volume that is claimed by name."""

    claim_name: str


class Volume(Part):
    """A volume of a pod."""

    persistent_volume_claim: Claim | None = None


class PodSpec(Part):
    """What was asked for."""

    containers: tuple[ContainerSpec, ...] = ()
    init_containers: tuple[ContainerSpec, ...] = ()
    volumes: tuple[Volume, ...] = ()


class PodStatus(Part):
    """What became of it."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(Part):
    """A pod."""

    metadata: Metadata
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata.name

    @property
    def is_ending(self) -> bool:
        """It was told to end, and finishes what it has."""
        return self.metadata.deletion_timestamp is not None

    @property
    def is_over(self) -> bool:
        """It ends or has ended: its workload doesn't count on it any more."""
        return self.is_ending or self.status.phase in {"Failed", "Succeeded"}

    @property
    def ready_since(self) -> datetime | None:
        """Since when it is ready; None when it isn't, or ends."""
        condition = condition_of(self.status.conditions, "Ready")
        if condition is None or condition.status != "True" or self.is_over:
            return None
        return condition.last_transition_time

    def container(self, name: str) -> ContainerSpec:
        """Give what was asked for by the name of a status."""
        everything = (*self.spec.init_containers, *self.spec.containers)
        return next((one for one in everything if one.name == name), ContainerSpec(name=name))


class Template(Part):
    """What a workload makes its pods from."""

    spec: PodSpec = PodSpec()


class WorkloadSpec(Part):
    """What a workload was asked for."""

    replicas: int = 1
    paused: bool = False
    template: Template = Template()


class WorkloadStatus(Part):
    """How far a workload's controller got."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    update_revision: str = ""
    conditions: tuple[Condition, ...] = ()


class Workload(Part):
    """A Deployment, StatefulSet or ReplicaSet."""

    metadata: Metadata
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata.name

    def owns(self, metadata: Metadata) -> bool:
        """Tell whether an object belongs to it."""
        return any(owner.uid == self.metadata.uid for owner in metadata.owner_references)


class ObjectReference(Part):
    """What an event is about; the path names a container."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""


class Series(Part):
    """An event that comes again and again, as newer components count it."""

    count: int = 1
    last_observed_time: AwareDatetime = LONG_AGO


class Event(Part):
    """Something that happened to an object."""

    involved_object: ObjectReference
    reason: str = ""
    message: str = ""
    count: int = 1
    first_timestamp: AwareDatetime = LONG_AGO
    last_timestamp: AwareDatetime = LONG_AGO
    event_time: AwareDatetime = LONG_AGO
    series: Series = Series()

    @property
    def times(self) -> int:
        """How often it happened."""
        return max(self.count, self.series.count)

    @property
    def first(self) -> datetime:
        """When it happened first."""
        return self.event_time if self.first_timestamp == LONG_AGO else self.first_timestamp

    @property
    def last(self) -> datetime:
        """When it happened last."""
        return max(self.last_timestamp, self.event_time, self.series.last_observed_time)


class State(Part):
    """What Kubernetes says of one release in one namespace at one moment."""

    deployments: tuple[Workload, ...] = ()
    stateful_sets: tuple[Workload, ...] = ()
    replica_sets: tuple[Workload, ...] = ()
    pods: tuple[Pod, ...] = ()
    events: tuple[Event, ...] = ()

    def events_of(self, uid: str) -> list[Event]:
        """Give what happened to an object, the last last."""
        events = [event for event in self.events if event.involved_object.uid == uid]
        return sorted(events, key=lambda event: event.last)


def read_state(
    deployments: Iterable[Json],
    stateful_sets: Iterable[Json],
    replica_sets: Iterable[Json],
    pods: Iterable[Json],
    events: Iterable[Json],
) -> State:
    """Read the items of the API server's lists. Raises UnexpectedObjectError."""
    lists = {
        "deployments": tuple(deployments),
        "statefulSets": tuple(stateful_sets),
        "replicaSets": tuple(replica_sets),
        "pods": tuple(pods),
        "events": tuple(events),
    }
    try:
        return State.model_validate(lists)
    except ValidationError as error:
        mistake = error.errors(include_url=False, include_context=False, include_input=False)[0]
    raise UnexpectedObjectError(
        f"The API server gave an object that isn't what its kind should be: "
        f"{dotted(mistake['loc'])}: {mistake['msg']}.\n"
        "Nothing is concluded from it. Is this a Kubernetes API server, and what stands between?"
    )


def condition_of(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """Pick a condition by its type."""
    return next((one for one in conditions if one.type == type_), None)
