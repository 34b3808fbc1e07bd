"""Services read exactly the settings that they declare, and take each environment's output."""

import pytest

from pipeline.catalogue.settings import MEASURED
from pipeline.config.convert import variables_of
from pipeline.config.sections import section_name, variable_of
from tests.conftest import dagger_call
from tests.unit.configs import example

NEEDED = {"DATABASE_URL": "postgres://me@127.0.0.1:1/engine", "REDIS_URL": "redis://r:1"}
HEADING = "wrong settings in the environment: "


def refusals(service: str, variables: dict[str, str]) -> list[str]:
    """Start a service with a wrong setting at least, and give what it says of them."""
    given = [
        word
        for name, value in variables.items()
        for word in ("with-env-variable", f"--name={name}", f"--value={value}")
    ]
    ran = ["with-exec", f"--args=/{service}", "--expect=FAILURE", "stderr"]
    called = dagger_call("service", f"--name={service}", "container", *given, *ran)
    assert called.status == 0, called.message
    return called.output.splitlines()


@pytest.mark.parametrize("service", ["api-gateway", "consciousness-engine"])
@pytest.mark.parametrize("environment", example().environments.names)
def test_a_service_takes_what_an_environment_gives(service: str, environment: str) -> None:
    key = section_name(service)
    port = f"{key.upper()}_PORT"
    variables = NEEDED | variables_of(example().one(environment), key) | {port: "eighty"}
    assert refusals(service, variables) == [
        f"{HEADING}1",
        f'  {port} is "eighty": expected a port number from 1 to 65535',
    ]


@pytest.mark.parametrize("service", ["api-gateway", "consciousness-engine"])
def test_a_service_reads_every_setting_that_it_declares(service: str) -> None:
    key = section_name(service)
    section = example().sections[key]
    # A text may be any; all else can be wrong.
    wrong = {
        variable_of(key, name, setting): "?"
        for name, setting in section.settings.items()
        if section.is_own(name)
        and (setting.type in {*MEASURED, "boolean", "list"} or setting.choices)
    }
    said = refusals(service, NEEDED | wrong)
    assert said[0] == f"{HEADING}{len(wrong)}"
    assert {line.split()[0] for line in said[1:]} == set(wrong)
