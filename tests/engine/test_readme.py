"""The README's commands, run as they stand there."""

import re
import shlex
from typing import Any

import pytest

from bootstrap.settings import Settings
from tests.conftest import ROOT, dagger_call
from tests.engine import test_docs as docs
from tests.engine.conftest import Registry
from tests.engine.documented import Reader
from tests.engine.key_pairs import KeyPair

SETTINGS = Settings.from_environment()
README = (ROOT / "README.md").read_text()


def commands() -> list[str]:
    """Give the arguments of each everyday `dagger call`."""
    section = README.partition("## Everyday commands")[2].partition("\n## ")[0]
    joined = re.sub(r"\\\n\s+", "", section)
    return re.findall(r"^    dagger call (.*)$", joined, re.MULTILINE)


def commands_here_alone() -> list[str]:
    """Give the everyday commands that no page in docs/ has, too; its own test runs those."""
    elsewhere = {tuple(shlex.split(each, comments=True)[2:]) for each in docs.commands()}
    return [each for each in commands() if tuple(shlex.split(each, comments=True)) not in elsewhere]


def test_there_are_commands() -> None:
    assert (len(commands()), len(commands_here_alone())) == (16, 10)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("command", commands_here_alone())
async def test_an_everyday_command(
    command: str,
    private_registry: Registry,
    published: dict[str, Any],
    keys: KeyPair,
) -> None:
    references = {image["service"]: image["references"][0] for image in published["images"]}
    replaced = {
        "ghcr.io/acme": f"{private_registry.address}/acme",
        "me": "tester",
        "file://cosign.key": f"file://{keys.folder}/cosign.key",
        "ghcr.io/acme/proxy:1.2.3": references["proxy"],
        "file://cosign.pub": f"file://{SETTINGS.keys}/cosign.pub",
    }
    words = [replaced.get(word, word) for word in shlex.split(command, comments=True)]
    if "--push" in words:
        # By the command line itself: with secrets of the environment and of a file.
        environment = {"REGISTRY_PASSWORD": private_registry.password, **keys.environment}
        called = dagger_call("--registry-plain-http", *words, environment=environment)
        assert called.status == 0, called.progress[-3000:]
        said = called.output
    else:
        said = await Reader(ROOT).types(words)
    assert said.strip()


def test_it_shows_what_is_printed(published: dict[str, Any]) -> None:
    for image in published["images"]:
        for entry in image["platforms"]:
            assert re.search(
                rf"^    {image['service']} +{entry['platform']} ", README, re.MULTILINE
            )
