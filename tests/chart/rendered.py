"""What the chart makes of values."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from bootstrap.settings import REPOSITORY
from tests.chart.programs import output_of
from tests.chart.values import Values

CHART = REPOSITORY / "deploy/chart"
RELEASE = "demo"
WORKLOADS = ["Deployment", "StatefulSet"]


class Rendered:
    """Objects, and ways to look at them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.objects: list[dict[str, Any]] = [each for each in yaml.safe_load_all(text) if each]

    def named(self, kind: str) -> dict[str, dict[str, Any]]:
        """All objects of a kind by their names."""
        return {each["metadata"]["name"]: each for each in self.objects if each["kind"] == kind}

    def pods(self) -> dict[str, dict[str, Any]]:
        """Pod templates by the names of their workloads."""
        return {
            name: each["spec"]["template"]
            for kind in WORKLOADS
            for name, each in self.named(kind).items()
        }

    def containers(self) -> Iterator[dict[str, Any]]:
        """Every container of every pod."""
        for pod in self.pods().values():
            yield from pod["spec"].get("initContainers", [])
            yield from pod["spec"]["containers"]

    def edges(self, direction: str, peer: str) -> set[tuple[str, str, int]]:
        """Whose pods may reach whose, at which port, as the policies of one direction say."""
        return {
            (_name(policy["spec"]), _name(other), port["port"])
            for policy in self.named("NetworkPolicy").values()
            for rule in policy["spec"].get(direction, [])
            for other in rule.get(peer, [])
            for port in rule["ports"]
        }


def render(stack: Values) -> Rendered:
    return _rendered(json.dumps(stack))


@cache
def _rendered(stack: str) -> Rendered:
    return Rendered(output_of("helm", "template", RELEASE, CHART, "--values=-", stdin=stack))


def _name(selecting: dict[str, Any]) -> str:
    labels = selecting["podSelector"]["matchLabels"]
    assert labels["app.kubernetes.io/instance"] == RELEASE
    name: str = labels["app.kubernetes.io/name"]
    return name
