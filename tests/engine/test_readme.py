"""The README's commands, run as they stand there."""

import re
import shlex
from typing import Any

import pytest

from tests.conftest import ROOT, dagger_call
from tests.engine.conftest import Registry

README = (ROOT / "README.md").read_text()


def commands() -> list[str]:
    """Give the arguments of each everyday `dagger call`."""
    section = README.partition("## Everyday commands")[2].partition("\n## ")[0]
    joined = re.sub(r"\\\n\s+", "", section)
    return re.findall(r"^    dagger call (.*)$", joined, re.MULTILINE)


def test_there_are_commands() -> None:
    assert len(commands()) == 9


@pytest.mark.parametrize("command", commands())
def test_an_everyday_command(command: str, private_registry: Registry) -> None:
    arguments = shlex.split(command, comments=True)
    if "--push" in arguments:
        replaced = {"ghcr.io/acme": f"{private_registry.address}/acme", "me": "tester"}
        arguments = [replaced.get(argument, argument) for argument in arguments]
        arguments.append("--registry-plain-http")
    called = dagger_call(*arguments, environment={"REGISTRY_PASSWORD": private_registry.password})
    assert called.status == 0, called.progress[-3000:]
    assert called.output.strip()


def test_it_shows_what_is_printed(published: dict[str, Any]) -> None:
    for image in published["images"]:
        for entry in image["platforms"]:
            assert re.search(
                rf"^    {image['service']} +{entry['platform']} ", README, re.MULTILINE
            )
