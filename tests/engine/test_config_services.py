"""Services read exactly the settings that they declare, and take each environment's output."""

from typing import Any

import dagger
import pytest

from pipeline.catalogue.settings import MEASURED
from pipeline.config.convert import variables_of
from pipeline.config.sections import section_name, variable_of
from tests.engine.conftest import Registry
from tests.engine.stack import pulled
from tests.unit.configs import example

SECRET = {"DATABASE_URL": "postgres://me@127.0.0.1:1/engine"}
HEADING = "wrong settings in the environment: "


async def refusals(container: dagger.Container, variables: dict[str, str]) -> str:
    """Start a service with a wrong setting at least, and give what it says of them."""
    for name, value in variables.items():
        container = container.with_env_variable(name, value)
    ended = container.with_exec([], use_entrypoint=True, expect=dagger.ReturnType.FAILURE)
    return await ended.stderr()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("service", ["api-gateway", "consciousness-engine"])
@pytest.mark.parametrize("environment", example().environments.names)
async def test_a_service_takes_what_an_environment_gives(
    registry: Registry, published: dict[str, Any], service: str, environment: str
) -> None:
    key = section_name(service)
    variables = variables_of(example().one(environment), key)
    port = f"{key.upper()}_PORT"
    container = pulled(registry, published, service, "linux/amd64")
    said = await refusals(container, SECRET | variables | {port: "eighty"})
    assert said.splitlines()[:2] == [
        f"{HEADING}1",
        f'  {port} is "eighty": expected a port number from 1 to 65535',
    ]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("service", ["api-gateway", "consciousness-engine"])
async def test_a_service_reads_every_setting_that_it_declares(
    registry: Registry, published: dict[str, Any], service: str
) -> None:
    key = section_name(service)
    section = example().sections[key]
    # A text may be any; all else can be wrong.
    variables = {
        variable_of(key, name, setting): "?"
        for name, setting in section.settings.items()
        if section.is_own(name)
        and (setting.type in {*MEASURED, "boolean", "list"} or setting.choices)
    }
    container = pulled(registry, published, service, "linux/amd64")
    said = await refusals(container, SECRET | {"REDIS_URL": "redis://r:1"} | variables)
    assert said.startswith(f"{HEADING}{len(variables)}\n")
    assert [name for name in variables if f"  {name} is " not in said] == []
