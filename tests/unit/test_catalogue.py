"""The catalogue: services, images and registry of a repository."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from pipeline.catalogue.catalogue import (
    EmptyRepositoryError,
    UnknownServiceError,
    choose,
    load_images,
    load_registry,
    load_services,
)
from pipeline.catalogue.models import RustService, WebService
from pipeline.catalogue.stack import MissingStackError, load_stack
from pipeline.errors import InvalidFilesError

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schemas/service.schema.json").read_text())
RIGHT = "name: {name}\ntitle: A service\nkind: rust\nport: 8080\nsize_limit: 5 MB\n"


def files(*names: str) -> dict[str, str]:
    return {f"services/{name}/service.yml": RIGHT.format(name=name) for name in names}


def test_the_worked_example_has_four_services() -> None:
    texts = {
        str(path.relative_to(ROOT)): path.read_text()
        for path in ROOT.glob("services/*/service.yml")
    }
    limits = {entry.service.name: entry.service.size_limit for entry in load_services(texts)}
    assert limits == {
        "api-gateway": 5_000_000,
        "consciousness-engine": 6_000_000,
        "proxy": 14_000_000,
        "web-ui": 14_000_000,
    }


def test_defaults_and_folder() -> None:
    [entry] = load_services(files("a"))
    assert entry.directory == "services/a"
    assert isinstance(entry.service, RustService)
    assert entry.service.user == "65532:65532"
    assert entry.service.build.profile == "release"


def test_kinds_have_their_own_options() -> None:
    text = RIGHT.format(name="a").replace("rust", "web") + "build:\n  script: build\n"
    [entry] = load_services({"services/a/service.yml": text})
    assert isinstance(entry.service, WebService)
    assert entry.service.build.output == "dist"


def test_all_mistakes_of_all_files_at_once() -> None:
    texts = files("a", "b") | {
        "services/c/service.yml": "name: C\ntitle: x\nkind: rust\nport: 80\nsize_limit: many\n",
        "services/d/service.yml": "nmae: d\nkind: rusty\n",
        "services/e/service.yml": RIGHT.format(name="a"),
        "services/f/service.yml": RIGHT.format(name="f") + "user: root\nbuild:\n  script: x\n",
    }
    with pytest.raises(InvalidFilesError) as caught:
        load_services(texts)
    said = str(caught.value)
    for expected in [
        "services/c/service.yml:1:7: name: String should match pattern",
        "services/c/service.yml:4:7: port: Input should be greater than or equal to 1024, got 80",
        "services/c/service.yml:5:13: size_limit: expected a size such as '5 MB'",
        "services/d/service.yml:2:7: kind: expected one of 'rust', 'web', 'dockerfile', got",
        "services/e/service.yml:1:7: name: 'a' is the name of services/a/service.yml too",
        "services/f/service.yml:6:7: user: String should match pattern",
        "services/f/service.yml:8:3: build.script: unknown field",
    ]:
        assert expected in said


def test_a_path_may_not_leave_the_service() -> None:
    text = RIGHT.format(name="a").replace("rust", "web") + "build:\n  nginx: ../b/nginx.conf\n"
    with pytest.raises(InvalidFilesError, match="inside the service's folder"):
        load_services({"services/a/service.yml": text})


def test_an_empty_repository_says_what_to_write() -> None:
    with pytest.raises(EmptyRepositoryError, match=r"services/hello/service\.yml"):
        load_services({})


def test_choosing() -> None:
    entries = load_services(files("gateway", "engine"))
    assert [entry.service.name for entry in choose(entries, [])] == ["engine", "gateway"]
    assert [e.service.name for e in choose(entries, ["gateway", "gateway"])] == ["gateway"]
    with pytest.raises(UnknownServiceError, match="Did you mean 'gateway'"):
        choose(entries, ["gatway"])


def test_a_repository_replaces_single_images() -> None:
    default = (ROOT / "config/images.yml").read_text()
    images = load_images(default, "node: node:24-slim\n")
    assert images.node == "node:24-slim"
    assert images.debian == load_images(default, None).debian
    with pytest.raises(InvalidFilesError, match=r"images\.yml:1:1: nod: unknown field"):
        load_images(default, "nod: x\n")
    with pytest.raises(InvalidFilesError, match="expected a mapping"):
        load_images(default, "- x\n")


def test_the_registry_is_optional() -> None:
    assert load_registry(None) is None
    registry = load_registry("address: ghcr.io/acme\n")
    assert registry is not None
    assert (registry.address, registry.plain_http) == ("ghcr.io/acme", False)


@pytest.mark.parametrize("path", sorted(ROOT.glob("services/*/service.yml")), ids=str)
def test_the_schema_takes_the_worked_example(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text()), SCHEMA)


@pytest.mark.parametrize(
    "wrong", ["port: 80", "kind: rusty", "user: root", "surprise: 1", "health_path: nowhere"]
)
def test_the_schema_refuses_what_the_models_refuse(wrong: str) -> None:
    data = yaml.safe_load(RIGHT.format(name="a")) | yaml.safe_load(wrong)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)
    with pytest.raises(InvalidFilesError):
        load_services({"services/a/service.yml": yaml.safe_dump(data)})


STACK = """\
entry: page
ready: /health
services:
  page: {needs: [api]}
  api:
    needs: [database]
    environment: {DATABASE_URL: "postgres://me:${PASSWORD}@database/me"}
backing:
  database: {image: "postgres:17", port: 5432, generated: [PASSWORD]}
"""


def test_a_stack() -> None:
    stack = load_stack(STACK, ["page", "api", "other"])
    assert stack.services["page"].needs == ["api"]
    assert stack.generated == ["PASSWORD"]


def test_the_stack_of_the_worked_example() -> None:
    text = (ROOT / "config/stack.yml").read_text()
    names = [path.parent.name for path in ROOT.glob("services/*/service.yml")]
    assert set(load_stack(text, names).services) == set(names)
    schema_of_stack = json.loads((ROOT / "schemas/stack.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(text), schema_of_stack)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("entry: page", "entry: paeg", r":1:8: entry: 'paeg' is not among services"),
        (
            "[api]",
            "[apy]",
            r":4:18: services\.page\.needs\[0\]: 'apy' is neither a service here nor",
        ),
        ("[database]", "[page]", r":4:17: services\.page\.needs: leads back to the service itself"),
        ("${PASSWORD}", "${PASWORD}", r"variables only, which are PASSWORD; write \$\$"),
        ("${PASSWORD}", "$ ", r":7:33: services\.api\.environment\.DATABASE_URL: "),
        ("  database: {", "  api: {", r":9:3: backing\.api: is the name of a service too"),
        ("  page: {", "  sheet: {", r":4:3: services\.sheet: the repository has no such service"),
        ("port: 5432", "prot: 5432", r"prot: unknown field; did you mean 'port'"),
        ("port: 5432", "port: 5432, user: 0", r":9: backing\.database\.user: .* equal to 1"),
        ("port: 5432", "port: 5432, data: pg", r":9: backing\.database\.data: .* pattern"),
    ],
)
def test_a_wrong_stack(right: str, wrong: str, said: str) -> None:
    assert right in STACK
    with pytest.raises(InvalidFilesError, match=said):
        load_stack(STACK.replace(right, wrong), ["page", "api"])


def test_a_repository_without_a_stack_is_told_what_to_write() -> None:
    with pytest.raises(MissingStackError, match=r"no config/stack\.yml"):
        load_stack(None, ["page"])
