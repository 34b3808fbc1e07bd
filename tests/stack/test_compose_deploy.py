"""`deploy --environment development`: the published worked example, by Docker Compose."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pipeline.deploy.contents import MissingTargetError
from pipeline.release.failures import NotPublishedError
from tests.conftest import dagger_call
from tests.docker import Docker
from tests.engine.test_queries import counted
from tests.module import call, made, pipeline, refusal, secret
from tests.stack.composed import DEVELOPMENT, Composed, composed

pytestmark = pytest.mark.usefixtures("engine")
TEXT = "The river carries melted snow to the valley. It floods the fields there."


@pytest.fixture(scope="module")
def project(docker: Docker, published: dict[str, object]) -> Iterator[Composed]:
    """The worked example, deployed."""
    assert published
    with composed(docker) as project:
        called = project.call_deploy()
        assert called.status == 0, called.progress[-4000:]
        assert f"Compose project {project.name}" in called.output
        assert project.url in called.output
        yield project


def is_useful(project: Composed) -> bool:
    with httpx.Client(base_url=project.url) as client:
        created = client.post("/api/v1/analyses", json={"text": TEXT})
        listed = client.get("/api/v1/analyses").json()["items"]
        page = client.get("/").text
    return created.is_success and bool(listed) and "<script" in page


def test_it_does_what_it_is_for(project: Composed) -> None:
    assert is_useful(project)


async def test_one_setting_starts_one_service_anew_and_the_same_again_none(
    project: Composed,
) -> None:
    before = project.containers()
    with counted() as asked:
        await project.deploy("web_ui.memory_limit=80Mi")
    assert asked.questions < 40
    after = project.containers()
    changed = {service for service in before if before[service] != after[service]}
    # Compose starts what depends on it anew, too: nginx knows an address that is no more.
    assert changed == {"web-ui", "proxy"}
    again = json.loads(await project.deploy("web_ui.memory_limit=80Mi"))
    assert again["healthy"] is True
    assert project.containers() == after


def test_a_version_that_fails_is_told_of_and_taken_back(project: Composed) -> None:
    called = project.call_deploy("api_gateway.keys_file=/nowhere")
    assert called.status != 0
    assert "api-gateway isn't healthy" in called.message
    assert "/nowhere" in called.message, "its last words"
    assert "What was deployed before is back, and healthy." in called.message
    assert is_useful(project)


async def test_a_version_that_nobody_published(project: Composed) -> None:
    before = project.containers()
    with pytest.raises(NotPublishedError, match="dagger call build-all --push") as error:
        await project.deploy(version="9.9.9")
    for service in ("api-gateway", "consciousness-engine", "proxy", "web-ui"):
        assert f"/{service}:9.9.9" in str(error.value)
    assert project.containers() == before


def test_no_secret_stands_outside_of_the_containers(project: Composed) -> None:
    engine = project.docker.inspect(project.containers()["consciousness-engine"])
    variables = dict(line.split("=", 1) for line in engine["Config"]["Env"])
    password = variables["DATABASE_URL"].partition("@")[0].rpartition(":")[2]
    assert len(password) > 8
    volume = project.docker("volume", "inspect", f"{project.name}_deployed")
    assert "consciousness-engine" in volume
    assert password not in volume
    again = project.call_deploy()
    assert password not in again.output + again.progress
    file = dagger_call(*DEVELOPMENT, "compose", "contents")
    assert "DATABASE_URL" in file.output
    assert password not in file.output + file.progress


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ("development", "development is deployed by compose: give the daemon's --docker-socket"),
        ("staging", "staging is deployed by kubernetes"),
    ],
)
async def test_what_is_missing_is_told_before_any_work(environment: str, said: str) -> None:
    with pytest.raises(MissingTargetError, match=said):
        await call(made(pipeline().environment, name=environment).deploy)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"reason": "a test"}, "--reason doesn't apply here: it is about the audit trail"),
        ({"public_key": secret}, "--public-key or --identity doesn't apply here: it is about"),
        (
            {"kubeconfig": secret},
            "--kubeconfig doesn't apply here: it is about Kubernetes, and development is",
        ),
    ],
)
async def test_a_flag_that_does_not_apply_is_refused(
    project: Composed, flags: dict[str, Any], said: str
) -> None:
    given = {name: value("a text") if callable(value) else value for name, value in flags.items()}
    socket = {} if "kubeconfig" in flags else {"docker_socket": project.unix_socket}
    environment = made(pipeline().environment, name="development")
    assert said in await refusal(call(environment.deploy, **socket, **given))
