"""Strict JSON schemas of Kubernetes' kinds, from what Kubernetes and its extensions publish."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bootstrap import go
from bootstrap.steps import key_of, make_once, run
from tests.chart.programs import SETTINGS

KUBERNETES = "k8s.io/kubernetes@v1.34.1"
SWAGGER = "api/openapi-spec/swagger.json"
# Modules of kinds that not every cluster knows, and where in them these are defined.
EXTENSIONS = {
    "sigs.k8s.io/gateway-api@v1.4.0": (
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"
    ),
    "k8s.io/autoscaler/vertical-pod-autoscaler@v1.5.1": "deploy/vpa-v1-crd-gen.yaml",
}
SCHEMAS = SETTINGS.cache / "kubernetes-schemas"
LOCATION = f"{SCHEMAS}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json"
REFERENCE = "#/definitions/"


def make_schemas() -> str:
    """Make the schemas unless they are there, and say where kubeconform finds each."""
    make_once(SCHEMAS, key_of(Path(__file__)), _make)
    return LOCATION


def extensions() -> list[Path]:
    """Give the definitions of the further kinds, for a cluster that is to know them."""
    make_schemas()
    return sorted(SCHEMAS.glob("*.yaml"))


def _make(folder: Path) -> None:
    modules = folder / "modules"
    modules.mkdir()
    swagger = json.loads((_module(modules, KUBERNETES) / SWAGGER).read_text())
    definitions = {name: _strict(schema) for name, schema in swagger["definitions"].items()}
    for name, schema in definitions.items():
        match schema:
            case {"properties": {"metadata": _}, "x-kubernetes-group-version-kind": [one]}:
                used = {each: definitions[each] for each in _used(name, definitions)}
                _write(folder, one, {"$ref": REFERENCE + name, "definitions": used})
    for module, path in EXTENSIONS.items():
        file = _module(modules, module) / path
        (folder / file.name).write_bytes(file.read_bytes())
        for crd in yaml.safe_load_all(file.read_text()):
            for version in crd["spec"]["versions"]:
                names = {
                    "group": crd["spec"]["group"],
                    "kind": crd["spec"]["names"]["kind"],
                    "version": version["name"],
                }
                _write(folder, names, _strict(version["schema"]["openAPIV3Schema"]))
    shutil.rmtree(modules)


def _module(folder: Path, module: str) -> Path:
    """Download a Go module, and give its own folder."""
    run(
        [go.toolchain(SETTINGS) / "bin/go", "mod", "download", module],
        SETTINGS.log("kubernetes-schemas"),
        "See that this machine reaches a Go module proxy, then run this again.",
        folder=folder,
        environment={**os.environ, "GOMODCACHE": str(folder), "GOFLAGS": "-modcacherw"},
    )
    return folder / module


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    """Allow no properties but those that are known."""
    if schema.get("format") == "int-or-string":
        return {"type": ["integer", "string"]}
    strict = {key: value for key, value in schema.items() if key != "description"}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            strict[key] = _strict(schema[key])
    if "properties" in schema:
        strict["properties"] = {name: _strict(each) for name, each in schema["properties"].items()}
        strict.setdefault("additionalProperties", False)
    return strict


def _used(name: str, definitions: dict[str, Any]) -> set[str]:
    """Names of a definition and of all that it refers to."""
    used: set[str] = set()
    queue = [name]
    while queue:
        each = queue.pop()
        if each not in used:
            used.add(each)
            queue += _references(definitions[each])
    return used


def _references(node: Any) -> Iterator[str]:
    match node:
        case {"$ref": str(reference)}:
            yield reference.removeprefix(REFERENCE)
        case dict():
            for value in node.values():
                yield from _references(value)
        case list():
            for value in node:
                yield from _references(value)


def _write(folder: Path, names: dict[str, str], schema: dict[str, Any]) -> None:
    group = names["group"] or names["version"]  # kubeconform takes all before a slash for it
    file = folder / group / f"{names['kind'].lower()}_{names['version']}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(schema))
