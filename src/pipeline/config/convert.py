"""One environment's values in the formats of those who read them; sensitive ones only by name."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import tomli_w
import yaml

from pipeline import documents
from pipeline.catalogue.catalogue import UnknownServiceError
from pipeline.catalogue.settings import Value, to_text
from pipeline.config.environment_file import InexpressibleError, environment_file
from pipeline.config.resolve import Configuration, Configured
from pipeline.config.sections import LIMITS, PERFORMANCE, variable_of
from pipeline.units import cores, memory

LARGEST_CONFIGMAP = 2**20
LINE_ENDS = re.compile("[\r\x85\u2028\u2029\ufeff]")


class Removed:
    """What Compose leaves out, whatever the files before say."""


class ConfigFormat(StrEnum):
    """What reads an environment's values."""

    YAML = "yaml"
    JSON = "json"
    ENV = "env"
    TOML = "toml"
    COMPOSE = "compose"
    HELM_VALUES = "helm-values"
    CONFIGMAP = "configmap"


class _Dumper(yaml.CSafeDumper):
    """Writes YAML with Compose's own tag for what is removed."""

    def ignore_aliases(self, _: object) -> bool:
        """Write everything out."""
        return True


def _text_node(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Write a text; in double quotes where YAML would take a character for a line's end."""
    return dumper.represent_scalar(
        f"{documents.TAG}str", text, style='"' if LINE_ENDS.search(text) else None
    )


_Dumper.add_representer(str, _text_node)
_Dumper.add_representer(Removed, lambda dumper, _: dumper.represent_scalar("!reset", "null"))


def converted(configuration: Configuration, to: ConfigFormat, only: Sequence[str] = ()) -> str:
    """Write the values in a format, of these services only where the format is about services.

    Raises UnknownServiceError, InexpressibleError.
    """
    services = [service for _, service in configuration.services()]
    unknown = [service for service in only if service not in services]
    if unknown:
        raise UnknownServiceError(
            f"Unknown service {', '.join(map(repr, unknown))}. "
            f"The repository has: {', '.join(services)}."
        )
    return FORMATS[to](configuration, only)


def variables_of(configuration: Configuration, key: str) -> dict[str, str]:
    """Give what a service reads from its environment, but for what is sensitive."""
    section = configuration.sections[key]
    return {
        variable_of(key, name, configured.setting): to_text(configured.value)
        for name, configured in configuration.values[key].items()
        if configured.value is not None and section.is_own(name)
    }


def dumped(data: object) -> str:
    """Write data as YAML."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


def sensitive_of(configuration: Configuration, key: str) -> list[tuple[str, str]]:
    """List name and variable of a service's sensitive settings."""
    return [
        (name, variable_of(key, name, configured.setting))
        for name, configured in configuration.values[key].items()
        if configured.setting.sensitive
    ]


def without_clash(variables: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """Gather (variable, text, setting) in one file. Raises InexpressibleError for a clash."""
    found: dict[str, str] = {}
    of: dict[str, str] = {}
    for variable, text, setting in variables:
        if found.setdefault(variable, text) != text:
            raise InexpressibleError(
                f"{variable} carries {of[variable]} and {setting}, which differ: one file can't "
                "hold both.\nChoose one service with --services, or name another variable."
            )
        of.setdefault(variable, setting)
    return found


def _chosen(configuration: Configuration, only: Sequence[str]) -> dict[str, dict[str, Value]]:
    chosen = {key for key, _ in configuration.services(only)}
    values = configuration.plain()
    return {key: found for key, found in values.items() if not only or key in chosen}


def _yaml(configuration: Configuration, only: Sequence[str]) -> str:
    return _note(configuration, only) + dumped(_chosen(configuration, only))


def _json(configuration: Configuration, only: Sequence[str]) -> str:
    return json.dumps(_chosen(configuration, only), indent=2, ensure_ascii=False) + "\n"


def _toml(configuration: Configuration, only: Sequence[str]) -> str:
    return _note(configuration, only) + tomli_w.dumps(_chosen(configuration, only))


def _env(configuration: Configuration, only: Sequence[str]) -> str:
    if only:
        listed = [
            (variable, text, key)
            for key, _ in configuration.services(only)
            for variable, text in variables_of(configuration, key).items()
        ]
    else:
        listed = [
            (variable_of(key, name, configured.setting), to_text(configured.value), f"{key}.{name}")
            for key, name, configured in configuration
            if configured.value is not None
        ]
    return _note(configuration, only) + environment_file(without_clash(listed))


def _compose(configuration: Configuration, only: Sequence[str]) -> str:
    services = {}
    for key, service in configuration.services(only):
        environment: dict[str, object] = {
            variable: text.replace("$", "$$")
            for variable, text in variables_of(configuration, key).items()
        }
        for name, configured in configuration.values[key].items():
            variable = variable_of(key, name, configured.setting)
            if configured.setting.sensitive:
                environment[variable] = f"${{{variable}:?is a secret of {service}}}"
            elif configured.value is None and configuration.sections[key].is_own(name):
                environment[variable] = Removed()
        limits = {
            "cpus": str(cores(_text(configuration.limit(key, "cpu_limit")))),
            "memory": f"{memory(_text(configuration.limit(key, 'memory_limit')))}b",
        }
        replicas = configuration.limit(key, "min_replicas").value
        services[service] = {
            "environment": environment,
            "deploy": {"replicas": replicas, "resources": {"limits": limits}},
        }
    head = "# An overlay: `docker compose -f compose.yml -f THIS_FILE up`.\n"
    return head + dumped({"services": services})


def _helm_values(configuration: Configuration, only: Sequence[str]) -> str:
    services = {}
    for key, service in configuration.services(only):
        limits = {name: configuration.limit(key, name).value for name in LIMITS}
        services[service] = {
            "environment": variables_of(configuration, key),
            "secretVariables": [variable for _, variable in sensitive_of(configuration, key)],
            "resources": {"limits": {"cpu": limits["cpu_limit"], "memory": limits["memory_limit"]}},
            "replicas": {"min": limits["min_replicas"], "max": limits["max_replicas"]},
            "targetCPUPercent": configuration.values[PERFORMANCE]["target_cpu_percent"].value,
        }
    named = {key for key, _ in configuration.services()} | {PERFORMANCE}
    rest = {key: _camel(values) for key, values in configuration.plain().items()}
    others = {key: values for key, values in rest.items() if key not in named}
    return dumped({"environment": configuration.environment, "services": services, **others})


def _configmap(configuration: Configuration, only: Sequence[str]) -> str:
    documents = []
    for key, service in configuration.services(only):
        data = variables_of(configuration, key)
        size = sum(len(name) + len(text.encode()) for name, text in data.items())
        if size > LARGEST_CONFIGMAP:
            raise InexpressibleError(
                f"The settings of {service} have {size} bytes: a ConfigMap holds at most "
                f"{LARGEST_CONFIGMAP}."
            )
        if data:
            documents.append(manifest(configuration, "ConfigMap", service, {"data": data}))
    return dumped_all(documents)


def manifest(
    configuration: Configuration, kind: str, service: str, content: Mapping[str, Any]
) -> dict[str, Any]:
    """Give a service's ConfigMap or Secret as Kubernetes wants it."""
    suffix = "settings" if kind == "ConfigMap" else "secrets"
    labels = {
        "app.kubernetes.io/name": service,
        "app.kubernetes.io/managed-by": "pipeline",
        "pipeline/environment": configuration.environment,
    }
    metadata = {"name": f"{service}-{suffix}", "labels": labels}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}


def dumped_all(documents: Iterable[object]) -> str:
    """Write several documents as one YAML file."""
    return "---\n".join(map(dumped, documents))


def _note(configuration: Configuration, only: Sequence[str]) -> str:
    """Say what isn't in a file, where the format has comments."""
    chosen = {key for key, _ in configuration.services(only)}
    missing = [
        f"{key}.{name}"
        for key, name, configured in configuration
        if configured.setting.sensitive and key in chosen
    ]
    return f"# Not here, for it is sensitive: {', '.join(missing)}\n" if missing else ""


def _text(configured: Configured) -> str:
    return str(configured.value)


def _camel(values: Mapping[str, Value]) -> dict[str, Value]:
    return {
        name.split("_")[0] + "".join(map(str.title, name.split("_")[1:])): value
        for name, value in values.items()
    }


FORMATS: dict[ConfigFormat, Callable[[Configuration, Sequence[str]], str]] = {
    ConfigFormat.YAML: _yaml,
    ConfigFormat.JSON: _json,
    ConfigFormat.ENV: _env,
    ConfigFormat.TOML: _toml,
    ConfigFormat.COMPOSE: _compose,
    ConfigFormat.HELM_VALUES: _helm_values,
    ConfigFormat.CONFIGMAP: _configmap,
}
