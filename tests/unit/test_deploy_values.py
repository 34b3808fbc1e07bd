"""Values of the chart, kubeconfigs, and the secrets that databases share with services."""

from typing import Any

import pytest
import yaml

from pipeline.catalogue.catalogue import load_services
from pipeline.catalogue.stack import load_stack
from pipeline.config.resolve import Overlays
from pipeline.deploy.contents import Contents
from pipeline.deploy.kubernetes.kubeconfig import (
    KubeconfigError,
    checked_kubeconfig,
    in_memory,
    path_of,
)
from pipeline.deploy.kubernetes.values import HIDDEN, chart_values
from tests.unit.configs import ROOT, example, read

SECRETS = {
    "consciousness-engine": {"DATABASE_URL": "postgres://engine:hunter2@postgres:5432/engine"}
}


def values(environment: str, secrets: Any = SECRETS, *flags: str) -> dict[str, Any]:
    """Values of the worked example."""
    entries = load_services(read("services/*/service.yml"))
    names = [entry.service.name for entry in entries]
    stack = load_stack((ROOT / "config/stack.yml").read_text(), names)
    images = {name: f"registry.example/{name}@sha256:{'a' * 64}" for name in names}
    contents = Contents(version="1.2.3", revision="abc", images=images)
    configuration = example(environment, Overlays("", list(flags))).one(environment)
    return chart_values(configuration, stack, entries, contents, secrets)


def test_the_missions_values_reach_the_chart() -> None:
    for environment, cpu, memory, least, most, timeout, threshold in (
        ("development", "1.0", "512Mi", 1, 2, "1000", "0.8"),
        ("staging", "1.5", "768Mi", 2, 5, "150", "0.9"),
        ("production", "2.0", "1Gi", 3, 20, "100", "0.95"),
    ):
        engine = values(environment)["services"]["consciousness-engine"]
        assert engine["resources"]["limits"] == {"cpu": cpu, "memory": memory}
        assert engine["replicas"] == {"min": least, "max": most}
        variables = engine["environment"]
        assert variables["CONSCIOUSNESS_ENGINE_PROCESSING_TIMEOUT_MS"] == timeout
        assert variables["CONSCIOUSNESS_ENGINE_QUALITY_THRESHOLD"] == threshold


def test_a_replica_asks_for_all_memory_and_part_of_the_processors() -> None:
    resources = values("production")["services"]["consciousness-engine"]["resources"]
    assert resources["requests"] == {"cpu": "100m", "memory": "1Gi"}
    more = values("production", SECRETS, "performance.cpu_request_percent=50")["services"]
    assert more["proxy"]["resources"]["requests"] == {"cpu": "250m", "memory": "64Mi"}
    # Replicas are added by their part of the limit, whatever they ask for.
    assert more["proxy"]["targetCPU"] == "350m"


def test_the_database_gets_the_password_that_its_service_has() -> None:
    found = values("staging")
    assert found["backing"]["postgres"]["secrets"] == {"POSTGRES_PASSWORD": "hunter2"}
    engine = found["services"]["consciousness-engine"]
    assert engine["secrets"] == SECRETS["consciousness-engine"]
    assert "hunter2" not in str(engine["environment"])
    hidden = values("staging", None)
    assert hidden["services"]["consciousness-engine"]["secrets"] == {"DATABASE_URL": HIDDEN}
    assert hidden["backing"]["postgres"]["secrets"] == {"POSTGRES_PASSWORD": HIDDEN}


def test_what_runs_elsewhere_is_only_reached() -> None:
    found = values("staging", SECRETS, "postgres.managed=false")
    assert "postgres" not in found["backing"]
    assert found["external"] == {"postgres": {"port": 5432}}


def test_the_entrys_route() -> None:
    route = (
        "deployment.route=gateway",
        "deployment.gateway=edge/main",
        "deployment.host=a.example",
    )
    assert values("staging", SECRETS, *route)["entry"] == {
        "service": "proxy",
        "kind": "gateway",
        "host": "a.example",
        "className": "",
        "gateway": {"name": "main", "namespace": "edge"},
        "tlsSecret": "",
    }


KUBECONFIG: dict[str, Any] = {
    "current-context": "a",
    "clusters": [{"name": "a", "cluster": {"server": "https://hunter2.example"}}],
    "users": [{"name": "a", "user": {"token": "hunter2"}}],
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"clusters": []}, "names no cluster"),
        ({"current-context": ""}, "has no current-context"),
        (
            {"users": [{"name": "a", "user": {"client-key": "/home/me/hunter2"}}]},
            r"names a file, in users\[0\]\.user\.client-key",
        ),
        (
            {"clusters": [{"cluster": {"certificate-authority": "ca"}}]},
            r"clusters\[0\]\.cluster\.certificate-authority",
        ),
    ],
)
def test_a_kubeconfig_that_cannot_work_is_told_without_its_content(
    change: dict[str, Any], expected: str
) -> None:
    with pytest.raises(KubeconfigError, match=expected) as caught:
        checked_kubeconfig(yaml.safe_dump(KUBECONFIG | change))
    assert "kubectl config view" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["hunter2: [", "hunter2", ""])
def test_what_is_no_kubeconfig_is_told_without_its_content(text: str) -> None:
    with pytest.raises(KubeconfigError) as caught:
        checked_kubeconfig(text)
    assert "hunter2" not in str(caught.value)


def test_a_kubeconfig_is_on_no_disk() -> None:
    text = checked_kubeconfig(yaml.safe_dump(KUBECONFIG))
    with in_memory(text) as descriptor:
        with open(path_of(descriptor)) as file:  # noqa: PTH123 - as a program opens it
            assert file.read() == text
        with open(path_of(descriptor)) as file:  # noqa: PTH123 - and a second one
            assert file.read() == text
