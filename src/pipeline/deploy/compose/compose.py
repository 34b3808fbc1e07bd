"""A Compose project: an environment's whole stack on one machine, as Docker runs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any

from pipeline.catalogue.catalogue import ServiceEntry
from pipeline.catalogue.models import ServiceFile
from pipeline.catalogue.stack import Backing, Stack
from pipeline.config.convert import dumped, sensitive_of, variables_of, without_clash
from pipeline.config.resolve import Configuration
from pipeline.config.sections import section_name, variable_of
from pipeline.deploy.generated import generated_values
from pipeline.units import cores, memory

Definition = dict[str, Any]

LOCAL = "127.0.0.1"
TEMPORARY = "/tmp"  # noqa: S108 - of a container, on a file system of its own
COMMON = {"restart": "unless-stopped", "security_opt": ["no-new-privileges:true"]}
HARDENED = {"read_only": True, "tmpfs": [TEMPORARY], "cap_drop": ["ALL"], **COMMON}
CHECKED = {"interval": "10s", "timeout": "3s", "retries": 3, "start_interval": "500ms"}
MONITORING = "monitoring"
PROMETHEUS_PORT = 9090


@dataclass(frozen=True)
class Deployed:
    """What an environment's project is made from; the stack has only what is deployed here.

    `images` has the reference of each service's image, by its name; those that run out of their
    sources have none.
    """

    configuration: Configuration
    stack: Stack
    entries: Sequence[ServiceEntry]
    images: Mapping[str, str]

    @property
    def services(self) -> list[ServiceFile]:
        """The services that the stack has."""
        return [
            entry.service for entry in self.entries if entry.service.name in self.stack.services
        ]

    def migrates(self, service: ServiceFile) -> bool:
        """Whether a service's image has something to do before it starts."""
        return bool(service.migrate) and service.name in self.images


def project_name(configuration: Configuration, stack: Stack) -> str:
    """Give the name by which Docker knows the containers that belong together."""
    return f"{stack.entry}-{configuration.environment}".replace("_", "-").lower()


def compose_project(deployed: Deployed, name: str, prometheus: str) -> Definition:
    """Write the project: no secret is in it, but the name of each that Compose has to be given.

    `prometheus` is the image that collects metrics, in the profile `monitoring`.
    """
    stack = deployed.stack
    services = {service.name: _service(deployed, service) for service in deployed.services}
    services |= {
        migration(service.name): _migration(service, services[service.name])
        for service in deployed.services
        if deployed.migrates(service)
    }
    services |= {key: _backing(deployed, key) for key in stack.backing}
    scraped = [service for service in deployed.services if service.kind != "web"]
    # A database has no way out.
    networks = {key: {"internal": True} if key in stack.backing else {} for key in _needed(stack)}
    return {
        "name": name,
        "services": {**services, "prometheus": _prometheus(deployed, prometheus, scraped)},
        "networks": networks,
        "volumes": {
            **{key: {} for key, backing in stack.backing.items() if backing.data},
            "prometheus": {},
        },
        "configs": {"prometheus": {"content": literal(_scraping(deployed, scraped))}},
    }


def given_values(
    configuration: Configuration, stack: Stack, secrets: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Give the variables that Compose has to find in its environment for a project.

    `secrets` has those of each service: service → variable → text. Raises GeneratedValueError,
    and InexpressibleError when two services have different secrets under one name.
    """
    direct = [
        (variable, secrets[service][variable], f"{key}.{name}")
        for key, service in configuration.services()
        if service in stack.services
        for name, variable in sensitive_of(configuration, key)
        if not _is_form(stack, service, variable) and variable in secrets.get(service, {})
    ]
    return {**generated_values(stack, secrets), **without_clash(direct)}


def written(project: Definition, head: str) -> str:
    """Write a project as a file; each line of the head is a comment."""
    return "".join(f"# {line}\n" for line in head.splitlines()) + dumped(project)


def _service(deployed: Deployed, service: ServiceFile) -> Definition:
    configuration, stack = deployed.configuration, deployed.stack
    key = section_name(service.name)
    needs = [name for name in stack.services[service.name].needs if _is_here(stack, name)]
    is_entry = service.name == stack.entry
    replicas = 1 if is_entry else configuration.limit(key, "min_replicas").value
    depends_on = {name: {"condition": _condition(stack, name)} for name in needs}
    if deployed.migrates(service):
        depends_on[migration(service.name)] = {"condition": "service_completed_successfully"}
    definition: Definition = {
        "image": deployed.images.get(service.name),
        "environment": _environment(configuration, stack, service.name),
        "depends_on": depends_on,
        "networks": _networks(stack, service.name),
        "deploy": {
            "replicas": replicas,
            "resources": _resources(
                configuration.limit(key, "cpu_limit").value,
                configuration.limit(key, "memory_limit").value,
            ),
        },
        **HARDENED,
    }
    if is_entry:
        definition["ports"] = [f"{LOCAL}:{entry_port(configuration)}:{service.port}"]
    return definition


def migration(name: str) -> str:
    """Name the container that brings a service's database up to date, and ends."""
    return f"{name}-migrate"


def _migration(service: ServiceFile, definition: Definition) -> Definition:
    """Run a service's image once, before the service, with what it needs."""
    own = migration(service.name)
    needs = {name: how for name, how in definition["depends_on"].items() if name != own}
    return {
        **{key: value for key, value in definition.items() if key not in {"ports", "deploy"}},
        "command": list(map(literal, service.migrate)),
        "depends_on": needs,
        "healthcheck": {"disable": True},
        "restart": "no",
    }


def entry_port(configuration: Configuration) -> int:
    """Give the port of this machine where people come in."""
    return int(str(configuration.values["deployment"]["port"].value))


def _environment(configuration: Configuration, stack: Stack, name: str) -> dict[str, str | None]:
    """Give a service's variables: of stack.yml, then of the environment's files, then secrets."""
    key = section_name(name)
    settings = configuration.values[key]
    declared = {variable_of(key, each, settings[each].setting) for each in settings}
    forms = stack.services[name].environment
    found: dict[str, str | None] = {
        variable: _interpolated(form)
        for variable, form in forms.items()
        if variable not in declared
    }
    found |= {
        variable: literal(text) for variable, text in variables_of(configuration, key).items()
    }
    for each, variable in sensitive_of(configuration, key):
        if _is_form(stack, name, variable):
            found[variable] = _interpolated(forms[variable])
        else:
            # Compose leaves a variable without a value out, unless its own environment has it.
            found[variable] = None if settings[each].setting.optional else _wanted(variable)
    return found


def _is_form(stack: Stack, service: str, variable: str) -> bool:
    """Whether a secret is made of generated variables of what is deployed here."""
    form = stack.services[service].environment.get(variable, "")
    names = set(Template(form).get_identifiers())
    return bool(names) and names <= set(stack.generated)


def _backing(deployed: Deployed, name: str) -> Definition:
    backing = deployed.stack.backing[name]
    limits = deployed.configuration.values[section_name(name)]
    definition: Definition = {
        "image": backing.image,
        "environment": {
            **{variable: literal(text) for variable, text in backing.environment.items()},
            **{variable: _wanted(variable) for variable in backing.generated},
        },
        "networks": [name],
        "deploy": {
            "resources": _resources(limits["cpu_limit"].value, limits["memory_limit"].value)
        },
        **COMMON,
    }
    if backing.ready:
        definition["healthcheck"] = _health_check(deployed.configuration, backing)
    if backing.user:
        definition |= {"user": f"{backing.user}:{backing.user}", "cap_drop": ["ALL"]}
    if backing.data:
        definition["volumes"] = [volume(name, backing.data)]
    return definition


def _health_check(configuration: Configuration, backing: Backing) -> Definition:
    patience = configuration.values["deployment"]["health_timeout_seconds"].value
    command = ["CMD", *map(literal, backing.ready)]
    return {"test": command, **CHECKED, "start_period": f"{patience}s"}


def _prometheus(deployed: Deployed, image: str, scraped: Sequence[ServiceFile]) -> Definition:
    networks = [name for service in scraped for name in _networks(deployed.stack, service.name)]
    return {
        "profiles": [MONITORING],
        "image": image,
        "networks": sorted(set(networks) - set(deployed.stack.backing)),
        "configs": [{"source": "prometheus", "target": "/etc/prometheus/prometheus.yml"}],
        "volumes": [volume("prometheus", "/prometheus")],
        "ports": [f"{LOCAL}:{PROMETHEUS_PORT}:{PROMETHEUS_PORT}"],
        **HARDENED,
    }


def _scraping(deployed: Deployed, scraped: Sequence[ServiceFile]) -> str:
    """Write Prometheus's configuration; nginx, which `web` services are, has no metrics."""
    every = deployed.configuration.values["monitoring"]["scrape_interval_seconds"].value
    jobs = [
        {
            "job_name": service.name,
            "dns_sd_configs": [{"names": [service.name], "type": "A", "port": service.port}],
        }
        for service in scraped
    ]
    return dumped({"global": {"scrape_interval": f"{every}s"}, "scrape_configs": jobs})


def _needed(stack: Stack) -> list[str]:
    """Name what others call: each is on a network with them, and with nobody else."""
    needed = {name for member in stack.services.values() for name in member.needs}
    return sorted(name for name in needed if _is_here(stack, name))


def _networks(stack: Stack, name: str) -> list[str]:
    needed = _needed(stack)
    callees = {each for each in stack.services[name].needs if each in needed}
    own = {name} & set(needed)
    # Without a network of its own Compose puts a service into the project's.
    return sorted(own | callees) or ["default"]


def _is_here(stack: Stack, name: str) -> bool:
    return name in stack.services or name in stack.backing


def _condition(stack: Stack, name: str) -> str:
    unchecked = name in stack.backing and not stack.backing[name].ready
    return "service_started" if unchecked else "service_healthy"


def _resources(cpu: object, limit: object) -> Definition:
    limits = {}
    if cpu is not None:
        limits["cpus"] = str(cores(str(cpu)))
    if limit is not None:
        limits["memory"] = f"{memory(str(limit))}b"
    return {"limits": limits}


def _wanted(variable: str) -> str:
    return f"${{{variable}:?is a secret: give it to Compose in its environment}}"


def _interpolated(form: str) -> str:
    """Let Compose put generated variables into a text, as `Template` does."""
    template = Template(form.replace("$$", "$$$$"))
    return template.substitute({name: _wanted(name) for name in template.get_identifiers()})


def volume(name: str, path: str) -> Definition:
    """Mount a volume; written out, for in short a name of one letter would be a drive."""
    return {"type": "volume", "source": name, "target": path}


def literal(text: str) -> str:
    """Write a text that Compose shall take as it is."""
    return text.replace("$", "$$")
