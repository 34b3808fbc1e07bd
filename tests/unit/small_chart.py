"""What a chart makes of values, in short: as the real one does, settings are hooks by content."""

import hashlib
import json
from functools import cache
from typing import Any

import yaml

Json = dict[str, Any]
INSTANCE = "app.kubernetes.io/instance"
NAME = "app.kubernetes.io/name"
PLURALS = {
    "ConfigMap": "/api/v1/namespaces/shop/configmaps",
    "Service": "/api/v1/namespaces/shop/services",
    "Deployment": "/apis/apps/v1/namespaces/shop/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/shop/statefulsets",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers",
}


def path_of(content: Json) -> str:
    """Say where the API server has an object."""
    return f"{PLURALS[content['kind']]}/{content['metadata']['name']}"


@cache
def rendered(values: str) -> tuple[str, str]:
    """Render values in JSON: the manifest and the hooks, as Helm prints them."""
    read = json.loads(values)
    hooks, objects = [], []
    for name, service in read["services"].items():
        hooks.append(_settings(name, service["environment"]))
        objects += [_service(name), _deployment(name, service, read)]
        if service["replicas"]["min"] != service["replicas"]["max"]:
            objects.append(_autoscaler(name, service["replicas"]))
    for name, backing in read["backing"].items():
        objects.append(_stateful_set(name, backing))
    # As Helm has it: in the order of kinds in which they are made.
    objects.sort(key=lambda content: list(PLURALS).index(content["kind"]))
    return _text(objects), _text(hooks)


@cache
def parsed(text: str) -> str:
    """Read a manifest: its objects by path, in JSON."""
    objects = [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]
    return json.dumps({path_of(each): each for each in objects})


def objects_of(text: str) -> dict[str, Json]:
    """Give the objects of a manifest by their paths."""
    found: dict[str, Json] = json.loads(parsed(text))
    return found


def _text(objects: list[Json]) -> str:
    return "".join(
        f"---\n# Source: stack/templates/{each['kind'].lower()}.yaml\n{yaml.dump(each)}"
        for each in objects
    )


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:10]


def _settings(name: str, environment: Json) -> Json:
    content = _hash(environment)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"{name}-settings-{content}",
            "labels": _labels(name) | {"pipeline/content": content},
        },
        "immutable": True,
        "data": environment,
    }


def _service(name: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": _labels(name)},
        "spec": {"selector": {NAME: name}},
    }


def _deployment(name: str, service: Json, values: Json) -> Json:
    replicas = service["replicas"]
    source = {"configMapRef": {"name": f"{name}-settings-{_hash(service['environment'])}"}}
    container = {"name": name, "image": service["image"], "envFrom": [source]}
    pods: Json = {"containers": [container]}
    if service.get("migrate"):
        pods["initContainers"] = [{**container, "name": "migrate"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "labels": _labels(name) | {"app.kubernetes.io/version": values["version"]},
        },
        "spec": {
            **({"replicas": replicas["min"]} if replicas["min"] == replicas["max"] else {}),
            "template": {"metadata": {"labels": _labels(name)}, "spec": pods},
        },
    }


def _stateful_set(name: str, backing: Json) -> Json:
    container = {"name": name, "image": backing["image"]}
    template = {"metadata": {"labels": _labels(name)}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "labels": _labels(name)},
        "spec": {"replicas": 1, "template": template},
    }


def _autoscaler(name: str, replicas: Json) -> Json:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "labels": _labels(name)},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": name},
            "minReplicas": replicas["min"],
            "maxReplicas": replicas["max"],
        },
    }


def _labels(name: str) -> Json:
    return {INSTANCE: "shop", NAME: name}
