"""The module's own functions, called in this process over one connection to the engine.

It is the same code on the same engine as behind `dagger call`, without its container's start of
seconds: for everything but flags, help, exit codes and what a command line prints.
"""

import inspect
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import dagger
import pytest
from dagger import dag

from bootstrap.settings import REPOSITORY
from pipeline import handed
from pipeline.build.image import Image
from pipeline.errors import PipelineError
from pipeline.main import Pipeline
from tests.costs import spent_on

T = TypeVar("T")

IGNORED = [".env", "**/node_modules", "**/target", "**/.venv", "**/__pycache__", "**/.*_cache"]
"""As Pipeline.source has it."""


def folder(path: Path) -> dagger.Directory:
    """Give a folder of this machine as it is when it is first looked into.

    The engine reads what it knows by the same words once in a session: these are new words, but for
    this repository, which stays. Without its cache it would read the folder for each file of it.
    As with `dagger call`, nothing is ignored of what `--source` names.
    """
    ignored = IGNORED if path == REPOSITORY else [str(uuid.uuid4())]
    return dag.host().directory(str(path), exclude=ignored)


def pipeline(source: Path = REPOSITORY) -> Pipeline:
    """Give the module's main object for a repository, as `dagger call --source=…` makes it."""
    return Pipeline(source=folder(source))


def secret(text: str) -> dagger.Secret:
    """Hand a text on as `env://NAME` does."""
    return dag.set_secret(uuid.uuid4().hex, text)


async def call(function: Callable[..., Awaitable[T]], **arguments: Any) -> T:
    """Call a function as `dagger call` does: a secret that isn't given is none."""
    parameters = inspect.signature(function).parameters.values()
    secrets = [each.name for each in parameters if each.default is each.empty]
    with spent_on("the module's functions in this process"):
        return await function(**{**dict.fromkeys(secrets), **arguments})


async def refusal(calling: Awaitable[object]) -> str:
    """Give the message with which a call fails: of one screen."""
    with pytest.raises(PipelineError) as caught:
        await calling
    message = str(caught.value)
    assert len(message.splitlines()) <= 48
    return message


async def pushed(source: Path, place: str, **arguments: Any) -> Image:
    """Publish the one image of a repository to a registry without TLS, and nothing about it."""
    given = {"registry": place, "registry_plain_http": True, "scan": False, "sign": False}
    publication = await call(pipeline(source).publish, **given, **arguments)
    [image] = publication.build.images
    return image


class CurrentModule:
    """What a module knows of itself, which it isn't here: its own files."""

    def source(self) -> dagger.Directory:
        """Give them, as far as the module reads them."""
        return dag.host().directory(str(REPOSITORY), include=["config", "deploy"])


@contextmanager
def in_this_process(texts: Path) -> Iterator[None]:
    """Let the module's functions find themselves; a folder takes the texts that they hand on."""

    def files(contents: Mapping[str, str]) -> dagger.Directory:
        place = texts / uuid.uuid4().hex
        for name, text in contents.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder(place)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dagger.Client, "current_module", lambda _: CurrentModule())
        patch.setattr(handed, "files", files)
        yield
