"""The sections that environments have: one for each service, and those of every deployment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.catalogue.catalogue import ServiceEntry
from pipeline.catalogue.settings import Setting
from pipeline.catalogue.stack import STACK_FILE
from pipeline.errors import START, InvalidFilesError, Mistake

PERFORMANCE = "performance"
# Limits that hold for all services; a service's section may have its own.
LIMITS = {
    "cpu_limit": Setting(type="cpu", description="Processors that a replica may use."),
    "memory_limit": Setting(type="memory", description="Memory that a replica may use."),
    "min_replicas": Setting(
        type="integer", minimum=1, maximum=1000, description="Replicas at the least."
    ),
    "max_replicas": Setting(
        type="integer", minimum=1, maximum=1000, description="Replicas at the most."
    ),
}
FIXED = {
    PERFORMANCE: {
        **LIMITS,
        "target_cpu_percent": Setting(
            type="integer",
            minimum=1,
            maximum=100,
            default=70,
            unit="%",
            description="Part of its limit that a replica uses when others are added.",
        ),
        "cpu_request_percent": Setting(
            type="integer",
            minimum=1,
            maximum=100,
            default=25,
            unit="%",
            description="Part of its limit that a replica asks for, and is sure to get.",
        ),
        "vertical_autoscaling": Setting(
            type="boolean",
            default=False,
            description="Whether a VerticalPodAutoscaler, if the cluster has it, sets memory.",
        ),
    },
    "deployment": {
        "target": Setting(
            type="string",
            choices=["compose", "kubernetes"],
            description="What runs the containers.",
        ),
        "verify": Setting(
            type="boolean",
            default=True,
            description="Whether only images are deployed whose signatures, attestations and policy"
            " are verified.",
        ),
        "scan": Setting(
            type="boolean",
            default=True,
            description="Whether verified images are scanned again, by what is known today.",
        ),
        "project": Setting(
            type="string",
            optional=True,
            description="Name of the Compose project: entry and environment by default.",
        ),
        "strategy": Setting(
            type="string",
            choices=["rolling"],
            default="rolling",
            description="How a new version takes over.",
        ),
        "port": Setting(
            type="integer",
            minimum=1,
            maximum=65535,
            default=8080,
            description="Where the entry can be reached.",
        ),
        "namespace": Setting(
            type="string",
            optional=True,
            description="Kubernetes namespace, and name of the Helm release: the environment's.",
        ),
        "route": Setting(
            type="string",
            choices=["none", "ingress", "gateway"],
            default="none",
            description="How people reach the entry: Ingress, a Gateway's HTTPRoute, or neither.",
        ),
        "host": Setting(
            type="string", optional=True, description="Host name of the route, e.g. shop.example."
        ),
        "ingress_class": Setting(
            type="string", optional=True, description="Class of the Ingress: the cluster's default."
        ),
        "gateway": Setting(
            type="string", optional=True, description="The route's Gateway, as namespace/name."
        ),
        "tls_secret": Setting(
            type="string", optional=True, description="Secret with the certificate of the Ingress."
        ),
        "url": Setting(
            type="string",
            optional=True,
            description="Where health is asked for: the entry as people reach it; by default the "
            "entry's Service, through the API server.",
        ),
        "surge_percent": Setting(
            type="integer",
            minimum=1,
            maximum=100,
            default=100,
            unit="%",
            description="New replicas at a time, beside the old ones.",
        ),
        "bake_seconds": Setting(
            type="integer",
            minimum=0,
            maximum=3600,
            default=10,
            unit="s",
            description="How long new replicas must be healthy before old ones go.",
        ),
        "max_error_percent": Setting(
            type="number",
            minimum=0,
            maximum=100,
            default=1,
            unit="%",
            stricter="lower",
            description="Requests that may fail while a new version is observed.",
        ),
        "max_latency_ms": Setting(
            type="integer",
            minimum=1,
            maximum=60000,
            default=1000,
            unit="ms",
            stricter="lower",
            description="The longest that 95 of 100 requests may take meanwhile.",
        ),
        "health_timeout_seconds": Setting(
            type="integer",
            minimum=1,
            maximum=30,
            default=30,
            unit="s",
            description="The longest that a deployed service may go without getting healthier.",
        ),
        "rollback_timeout_seconds": Setting(
            type="integer",
            minimum=1,
            maximum=60,
            default=60,
            unit="s",
            description="The longest that going back may take.",
        ),
    },
    "monitoring": {
        "enabled": Setting(
            type="boolean", default=True, description="Whether metrics are collected."
        ),
        "scrape_interval_seconds": Setting(
            type="integer",
            minimum=1,
            maximum=3600,
            default=30,
            unit="s",
            description="How often metrics are collected.",
        ),
    },
}
# Of what stands behind the services: a database, a cache.
BACKING = {
    "managed": Setting(
        type="boolean",
        default=True,
        description="Whether a deployment brings it along; else it runs elsewhere.",
    ),
    "cpu_limit": LIMITS["cpu_limit"].model_copy(update={"default": "1.0"}),
    "memory_limit": LIMITS["memory_limit"].model_copy(update={"default": "512Mi"}),
    "storage": Setting(type="memory", optional=True, description="Disk for what it keeps."),
}


@dataclass(frozen=True)
class Section:
    """Part of an environment: what it is of, and the settings that it has."""

    origin: str
    settings: Mapping[str, Setting]
    service: str = ""

    def is_own(self, name: str) -> bool:
        """Whether the service reads this setting itself."""
        return bool(self.service) and name not in LIMITS


Sections = Mapping[str, Section]


def section_name(name: str) -> str:
    """Write a service's name as its section's."""
    return name.replace("-", "_")


def variable_of(section: str, name: str, setting: Setting) -> str:
    """Name the environment variable that carries a setting."""
    return setting.variable or f"{section}_{name}".upper()


def sections_of(entries: Sequence[ServiceEntry], backing: Iterable[str] = ()) -> Sections:
    """List all sections. Raises InvalidFilesError when two have one name or variable."""
    own = {name: setting.model_copy(update={"optional": True}) for name, setting in LIMITS.items()}
    mistakes = [mistake for entry in entries for mistake in _mistakes(entry)]
    found = {name: Section("every deployment", settings) for name, settings in FIXED.items()}
    for name in map(section_name, backing):
        if name in found:
            mistakes.append(Mistake(STACK_FILE, START, f"backing.{name}", _taken(name, found)))
        found[name] = Section(STACK_FILE, BACKING)
    for entry in entries:
        service, name = entry.service, section_name(entry.service.name)
        if name in found:
            mistakes.append(entry.document.mistake(("name",), _taken(name, found)))
        found[name] = Section(entry.document.path, {**service.settings, **own}, service.name)
    if mistakes:
        raise InvalidFilesError(mistakes)
    return found


def _taken(name: str, found: Sections) -> str:
    return f"'{name}' is the section of {found[name].origin} too: choose another name"


def _mistakes(entry: ServiceEntry) -> Iterator[Mistake]:
    """Find settings of a service that can't stand beside others."""
    carries: dict[str, str] = {}
    for name, setting in entry.service.settings.items():
        field = ("settings", name)
        if name in LIMITS:
            others = ", ".join(LIMITS)
            message = f"is a setting that every service has: choose a name other than {others}"
            yield entry.document.misnamed(field, message)
        variable = variable_of(section_name(entry.service.name), name, setting)
        if variable in carries:
            message = f"{variable} carries {carries[variable]} already: name another variable"
            yield entry.document.mistake((*field, "variable"), message)
        carries.setdefault(variable, name)
