"""Deployments as people type them: production up; staging up, upgraded and back; the trail.

Only the command line on a cluster shows that what people hand in (a kubeconfig, an age key, a
public key) gets to where it is used in the engine. Development is Compose's:
tests/stack/test_compose_deploy.py.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from bootstrap.settings import Settings
from tests.cluster import Cluster
from tests.conftest import ROOT, Called, dagger_call
from tests.engine.key_pairs import key_pair

SETTINGS = Settings.from_environment()
SECRETS_KEY = f"--secrets-key=file://{ROOT}/config/secrets/example-key.txt"
# What verification finds out anew each time is tested elsewhere.
NO_SCAN = "--set=deployment.scan=false"
TRUSTED = [f"--public-key=file://{SETTINGS.keys}/cosign.pub"]


class Place:
    """A namespace for one environment, and the commands on it."""

    def __init__(self, cluster: Cluster, environment: str) -> None:
        self.name = f"cli-{environment}-{secrets.token_hex(3)}"
        self.environment = [
            *("environment", f"--name={environment}", NO_SCAN),
            f"--set=deployment.namespace={self.name}",
        ]
        self.cluster = f"--kubeconfig=file://{cluster.kubeconfig}"

    def call(self, verb: str, *arguments: str, settings: Sequence[str] = (SECRETS_KEY,)) -> Called:
        """Do something with what is deployed."""
        return dagger_call(*self.environment, *settings, verb, self.cluster, *arguments)

    def deploy(self, *arguments: str, change: str = "", trusted: list[str] = TRUSTED) -> Called:
        """Deploy the commit that is checked out."""
        settings = [SECRETS_KEY, *([change] if change else [])]
        return self.call("deploy", *trusted, *arguments, settings=settings)


@pytest.fixture
def places(cluster: Cluster, published: dict[str, Any]) -> Iterator[dict[str, Place]]:
    """A namespace for each environment, until they are no longer needed."""
    assert published["images"]
    found = {name: Place(cluster, name) for name in ("staging", "production")}
    yield found
    every = [place.name for place in found.values()]
    cluster.kubectl("delete", "namespace", "--ignore-not-found", "--wait=false", *every)


def well(called: Called) -> Called:
    """Give a call that succeeded."""
    assert called.status == 0, called.progress[-3000:]
    return called


def test_production_is_deployed(places: dict[str, Place], cluster: Cluster) -> None:
    place = places["production"]
    said = json.loads(well(place.deploy("--format=json")).output)
    assert (said["healthy"], said["revision"]) == (True, 1)
    assert has_its_minimum(said, place, cluster)


def has_its_minimum(said: dict[str, Any], place: Place, cluster: Cluster) -> bool:
    """Whether a workload has at least what its autoscaler keeps."""
    wanted = {workload["name"]: workload["wanted"] for workload in said["workloads"]}
    [scaler, *_] = cluster.get("hpa", f"--namespace={place.name}")["items"]
    enough: bool = wanted[scaler["metadata"]["name"]] >= scaler["spec"]["minReplicas"]
    return enough


def test_an_upgrade_the_way_back_and_the_trail(places: dict[str, Place], cluster: Cluster) -> None:
    place = places["staging"]
    first = well(place.deploy("--reason=the first"))
    assert "alone and healthy after" in first.output
    change = "--set=api_gateway.log_level=debug"
    plan = place.call("plan", settings=[SECRETS_KEY, change])
    assert "API_GATEWAY_LOG_LEVEL: info → debug" in well(plan).output
    well(place.deploy("--reason=the second", change=change))
    status = json.loads(well(place.call("status", "--format=json")).output)
    assert (status["healthy"], status["revision"]) == (True, 2)
    assert has_its_minimum(status, place, cluster)
    well(place.call("rollback", "--reason=the third"))
    records = json.loads(well(place.call("audit", "--format=json")).output)
    told = records["records"] if isinstance(records, dict) else records
    assert [(each["action"], each["why"], each["outcome"]) for each in told[1::2]] == [
        ("deploy", "the first", "succeeded"),
        ("deploy", "the second", "succeeded"),
        ("rollback", "the third", "succeeded"),
    ]


def test_what_cannot_work_is_told_and_what_nobody_signed_is_never_applied(
    places: dict[str, Place], cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = places["staging"]
    without = place.call("deploy", *TRUSTED, settings=[])
    assert "give the age key that opens config/secrets/staging.yml" in without.message
    unknown = place.deploy("--version=9.9.9")
    assert "9.9.9" in unknown.message
    assert "build-all --push" in unknown.message
    other = key_pair(tmp_path_factory.mktemp("keys")).folder / "cosign.pub"
    called = place.deploy(trusted=[f"--public-key=file://{other}"])
    assert called.status != 0
    assert "not as the policy asks" in called.message
    assert cluster.try_kubectl("get", "namespace", place.name).returncode != 0
