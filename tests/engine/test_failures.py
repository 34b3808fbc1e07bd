"""Bad input: a message of one screen that says what to do, a failure, and nothing published."""

import json
from pathlib import Path

import pytest

from tests.conftest import PUSH, dagger_call
from tests.engine.conftest import Registry
from tests.module import call, pipeline, refusal

pytestmark = pytest.mark.usefixtures("engine")

DOCKERFILE_SERVICE = """\
name: {name}
title: A file in an image
kind: dockerfile
port: 8080
size_limit: {limit}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository with one service that builds in a moment."""
    return repository(tmp_path, "small")


def repository(folder: Path, name: str, limit: str = "1 MB") -> Path:
    service = folder / "services" / name
    service.mkdir(parents=True)
    (service / "service.yml").write_text(DOCKERFILE_SERVICE.format(name=name, limit=limit))
    (service / "Dockerfile").write_text("FROM scratch\nCOPY file /file\n")
    (service / "file").write_bytes(b"x" * 5000)
    return folder


def refused(*arguments: str, source: Path | None = None, **environment: str) -> str:
    result = dagger_call(*arguments, source=source, environment=environment)
    assert result.status != 0
    assert result.output == ""
    assert "Traceback" not in result.progress
    assert len(result.message.splitlines()) <= 48
    return result.message


async def build_all(source: Path, **given: object) -> str:
    """Build a repository."""
    return await call(pipeline(source).build_all, **given)


async def push_to(place: str, source: Path, **given: object) -> str:
    """Publish a repository, without what other tests are about."""
    main = pipeline(source, registry=place, registry_plain_http=True)
    return await call(main.build_all, push=True, scan=False, sign=False, **given)


def test_wrong_fields_and_a_name_used_twice_on_the_command_line(small: Path) -> None:
    other = small / "services" / "other"
    other.mkdir()
    (other / "service.yml").write_text(DOCKERFILE_SERVICE.format(name="small", limit="1 MB"))
    third = small / "services" / "third"
    third.mkdir()
    (third / "service.yml").write_text("name: third\nprot: 8080\nkind: dockerfile\n")
    message = refused("build-all", "--push", source=small)
    assert "services/small/service.yml:1:7: name: 'small' is the name of" in message
    assert "services/third/service.yml:2:1: prot: unknown field; did you mean 'port'?" in message
    assert "services/third/service.yml:1:1: size_limit: is missing" in message


def test_wrong_password_on_the_command_line(small: Path, private_registry: Registry) -> None:
    message = refused(
        f"--registry={private_registry.address}/team",
        *("--registry-plain-http", "--registry-username=tester"),
        "--registry-password=env://WRONG_PASSWORD",
        *PUSH,
        source=small,
        WRONG_PASSWORD="a-wrong-password",
    )
    assert "access denied" in message
    assert "--registry-password" in message
    assert "a-wrong-password" not in message
    assert private_registry.get("team/small/tags/list").status_code == 404


def test_a_push_happens_each_time_it_is_asked_for_on_the_command_line(
    small: Path, private_registry: Registry
) -> None:
    # The engine keeps results of functions, but not of this one.
    images = []
    for _ in range(2):
        pushed = dagger_call(
            *(f"--registry={private_registry.address}/twice", "--registry-plain-http"),
            *("--registry-username=tester", "--registry-password=env://RIGHT_PASSWORD"),
            *(*PUSH, "--format=json"),
            source=small,
            environment={"RIGHT_PASSWORD": private_registry.password},
        )
        assert pushed.status == 0, pushed.progress[-3000:]
        assert private_registry.password not in pushed.progress + pushed.output
        [image] = json.loads(pushed.output)["images"]
        index = private_registry.manifest("twice/small", "0.0.0-dev")
        assert [entry["digest"] for entry in index["manifests"]] == [
            platform["digest"] for platform in image["platforms"]
        ]
        private_registry.delete(f"twice/small/manifests/{image['digest']}")
        assert private_registry.get("twice/small/manifests/0.0.0-dev").status_code == 404
        images.append(image)
    assert images[0] == images[1]


async def test_unknown_service(tmp_path: Path) -> None:
    source = repository(tmp_path, "api-gateway")
    message = await refusal(build_all(source, services=["api-gatway"]))
    assert "Unknown service 'api-gatway'. Did you mean 'api-gateway'?" in message


async def test_unsupported_platform(small: Path) -> None:
    message = await refusal(build_all(small, platforms=["linux/s390x"]))
    assert "Unsupported platform 'linux/s390x'" in message
    assert "linux/amd64, linux/arm64" in message


async def test_empty_repository(tmp_path: Path) -> None:
    assert "no file matches services/*/service.yml" in await refusal(build_all(tmp_path))


async def test_an_environment_with_a_mistake(small: Path) -> None:
    environments = small / "config/environments"
    environments.mkdir(parents=True)
    (environments / "production.yml").write_text("performance:\n  cpu_limits: '1'\n")
    message = await refusal(build_all(small))
    assert "config/environments/production.yml:2:3: performance.cpu_limits" in message
    assert "did you mean 'cpu_limit'?" in message


async def test_size_limit_exceeded(tmp_path: Path, registry: Registry) -> None:
    source = repository(tmp_path, "too-large", limit="4 kB")
    message = await refusal(push_to(f"{registry.address}/failures", source))
    assert "too-large for linux/amd64 is over its size limit" in message
    assert "/file" in message
    assert registry.get("failures/too-large/tags/list").status_code == 404


async def test_code_that_does_not_compile(tmp_path: Path) -> None:
    service = tmp_path / "services" / "broken"
    (service / "src").mkdir(parents=True)
    text = DOCKERFILE_SERVICE.format(name="broken", limit="1 MB").replace("dockerfile", "rust")
    (service / "service.yml").write_text(text)
    (service / "Cargo.toml").write_text('[package]\nname = "broken"\nedition = "2021"\n')
    (service / "Cargo.lock").write_text(
        'version = 3\n\n[[package]]\nname = "broken"\nversion = "0.0.0"\n'
    )
    (service / "src" / "main.rs").write_text("fn main() {\n    missing();\n}\n")
    message = await refusal(build_all(tmp_path, platforms=["linux/amd64"]))
    assert "broken for linux/amd64 doesn't build" in message
    assert "error[E0425]: cannot find function `missing` in this scope" in message
    assert "src/main.rs:2:5" in message


async def test_registry_that_is_down(small: Path) -> None:
    message = await refusal(push_to("10.99.0.1:9/nobody", small))
    assert "the registry can't be reached" in message
    assert "Nothing was published." in message


async def test_one_platform_gives_an_index_of_one(small: Path, registry: Registry) -> None:
    place = f"{registry.address}/single"
    await push_to(place, small, platforms=["linux/arm64"])
    index = registry.manifest("single/small", "0.0.0-dev")
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == ["arm64"]
