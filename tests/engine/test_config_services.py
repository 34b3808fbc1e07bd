"""Services read exactly the settings that they declare, and take each environment's output."""

import dagger
import pytest

from pipeline.catalogue.settings import MEASURED
from pipeline.config.convert import variables_of
from pipeline.config.sections import section_name, variable_of
from tests.module import pipeline
from tests.unit.configs import example

SERVICES = ["api-gateway", "consciousness-engine"]
NEEDED = {"DATABASE_URL": "postgres://me@127.0.0.1:1/engine", "REDIS_URL": "redis://r:1"}
HEADING = "wrong settings in the environment: "


@pytest.fixture(scope="module")
async def containers(engine: None) -> dict[str, dagger.Container]:  # noqa: ARG001 - asked by it
    """The services' containers, by name."""
    worked_example = pipeline()
    return {name: await (await worked_example.service(name)).container() for name in SERVICES}


async def refusals(container: dagger.Container, variables: dict[str, str]) -> list[str]:
    """Start a service with a wrong setting at least, and give what it says of them."""
    for name, value in variables.items():
        container = container.with_env_variable(name, value)
    refused = dagger.ReturnType.FAILURE
    ran = container.with_exec([], use_entrypoint=True, expect=refused)
    return (await ran.stderr()).splitlines()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("environment", example().environments.names)
async def test_a_service_takes_what_an_environment_gives(
    containers: dict[str, dagger.Container], service: str, environment: str
) -> None:
    key = section_name(service)
    port = f"{key.upper()}_PORT"
    variables = NEEDED | variables_of(example().one(environment), key) | {port: "eighty"}
    assert await refusals(containers[service], variables) == [
        f"{HEADING}1",
        f'  {port} is "eighty": expected a port number from 1 to 65535',
    ]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_reads_every_setting_that_it_declares(
    containers: dict[str, dagger.Container], service: str
) -> None:
    key = section_name(service)
    section = example().sections[key]
    # A text may be any; all else can be wrong.
    wrong = {
        variable_of(key, name, setting): "?"
        for name, setting in section.settings.items()
        if section.is_own(name)
        and (setting.type in {*MEASURED, "boolean", "list"} or setting.choices)
    }
    said = await refusals(containers[service], NEEDED | wrong)
    assert said[0] == f"{HEADING}{len(wrong)}"
    assert {line.split()[0] for line in said[1:]} == set(wrong)
