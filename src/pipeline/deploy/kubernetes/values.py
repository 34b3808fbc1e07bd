"""Values of the chart: what an environment sets, and the images of a release by digest."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.catalogue.catalogue import ServiceEntry
from pipeline.catalogue.models import ServiceFile
from pipeline.catalogue.settings import Value
from pipeline.catalogue.stack import STACK_FILE, Backing, Stack
from pipeline.config.convert import sensitive_of, variables_of
from pipeline.config.resolve import Configuration
from pipeline.config.sections import PERFORMANCE, section_name
from pipeline.deploy.contents import DEPLOYMENT, Contents
from pipeline.deploy.generated import generated_values, managed
from pipeline.errors import PipelineError
from pipeline.units import cores

HIDDEN = "(encrypted)"
TEMPORARY = "16Mi"

Secrets = Mapping[str, Mapping[str, str]]
Values = dict[str, Any]


class NoUserError(PipelineError):
    """Nobody says whom something behind the services runs as."""


def chart_values(
    configuration: Configuration,
    stack: Stack,
    entries: Sequence[ServiceEntry],
    contents: Contents,
    secrets: Secrets | None,
) -> Values:
    """Give the chart's values; `secrets` are service → variable → text.

    Without them there is text that stands for them. Raises GeneratedValueError, NoUserError.
    """
    services = {entry.service.name: entry.service for entry in entries}
    variables = {
        name: _hidden(configuration, name) if secrets is None else dict(secrets.get(name, {}))
        for name in stack.services
    }
    brought = managed(stack, configuration)
    generated = (
        dict.fromkeys(brought.generated, HIDDEN)
        if secrets is None
        else generated_values(brought, secrets)
    )
    return {
        "environment": configuration.environment,
        "version": contents.version,
        "revision": contents.revision,
        "services": {
            name: {
                **_service(configuration, services[name]),
                "image": contents.images[name],
                "secrets": variables[name],
                "needs": list(member.needs),
            }
            for name, member in stack.services.items()
        },
        "backing": {
            name: _backing(configuration, name, backing, generated)
            for name, backing in brought.backing.items()
        },
        "external": {
            name: {"port": backing.port}
            for name, backing in stack.backing.items()
            if name not in brought.backing
        },
        "entry": _entry(configuration, stack),
        "deployment": {
            "strategy": _value(configuration, DEPLOYMENT, "strategy"),
            "bakeSeconds": _value(configuration, DEPLOYMENT, "bake_seconds"),
            "surge": f"{_value(configuration, DEPLOYMENT, 'surge_percent')}%",
            "healthTimeoutSeconds": _value(configuration, DEPLOYMENT, "health_timeout_seconds"),
        },
        "monitoring": {
            "enabled": _value(configuration, "monitoring", "enabled"),
            "scrapeIntervalSeconds": _value(configuration, "monitoring", "scrape_interval_seconds"),
        },
        "verticalAutoscaling": _value(configuration, PERFORMANCE, "vertical_autoscaling"),
    }


def _service(configuration: Configuration, service: ServiceFile) -> Values:
    key = section_name(service.name)
    user, _, group = service.user.partition(":")
    replicas = [configuration.limit(key, f"{end}_replicas").value for end in ("min", "max")]
    return {
        "port": service.port,
        "user": int(user),
        "group": int(group),
        "livePath": service.health_path,
        "readyPath": service.ready_path or service.health_path,
        "environment": variables_of(configuration, key),
        "migrate": list(service.migrate),
        "resources": _resources(
            configuration,
            configuration.limit(key, "cpu_limit").value,
            configuration.limit(key, "memory_limit").value,
        ),
        "replicas": dict(zip(("min", "max"), replicas, strict=True)),
        "targetCPU": _part(
            configuration, configuration.limit(key, "cpu_limit").value, "target_cpu_percent"
        ),
        "temporary": TEMPORARY,
    }


def _backing(
    configuration: Configuration, name: str, backing: Backing, generated: Mapping[str, str]
) -> Values:
    if backing.user is None:
        raise NoUserError(
            f"{STACK_FILE}: backing.{name}.user is missing: Kubernetes runs nothing as root. Write "
            "the number of the user that the image runs as, e.g. 999."
        )
    key = section_name(name)
    found: Values = {
        "image": backing.image,
        "port": backing.port,
        "user": backing.user,
        "environment": dict(backing.environment),
        "secrets": {variable: generated[variable] for variable in backing.generated},
        "ready": list(backing.ready),
        "writable": list(backing.writable),
        "temporary": TEMPORARY,
        "resources": _resources(
            configuration,
            _value(configuration, key, "cpu_limit"),
            _value(configuration, key, "memory_limit"),
        ),
    }
    optional = {"data": backing.data, "storage": _value(configuration, key, "storage")}
    return found | {name: value for name, value in optional.items() if value}


def _entry(configuration: Configuration, stack: Stack) -> Values:
    namespace, _, gateway = str(_value(configuration, DEPLOYMENT, "gateway") or "").rpartition("/")
    return {
        "service": stack.entry,
        "kind": _value(configuration, DEPLOYMENT, "route"),
        "host": _value(configuration, DEPLOYMENT, "host") or "",
        "className": _value(configuration, DEPLOYMENT, "ingress_class") or "",
        "gateway": {"name": gateway, "namespace": namespace},
        "tlsSecret": _value(configuration, DEPLOYMENT, "tls_secret") or "",
    }


def _resources(configuration: Configuration, cpu: object, memory: object) -> Values:
    """Ask for all of the memory, which can't be shared, and a part of the processors, which can."""
    wanted = _part(configuration, cpu, "cpu_request_percent")
    return {
        "limits": {"cpu": cpu, "memory": memory},
        "requests": {"cpu": wanted, "memory": memory},
    }


def _part(configuration: Configuration, cpu: object, setting: str) -> str:
    """Give a part of a limit of processors, in thousandths."""
    percent = int(str(_value(configuration, PERFORMANCE, setting)))
    return f"{max(int((cores(str(cpu)) or 0) * 10 * percent), 1)}m"


def _hidden(configuration: Configuration, name: str) -> dict[str, str]:
    return {variable: HIDDEN for _, variable in sensitive_of(configuration, section_name(name))}


def _value(configuration: Configuration, key: str, name: str) -> Value | None:
    return configuration.values[key][name].value
