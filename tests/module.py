"""The module's own functions, called in this process over one connection to the engine.

It is the same code on the same engine as behind `dagger call`, without its container's start of
seconds: for everything but flags, help, exit codes and what a command line prints.
"""

import inspect
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import dagger
import pytest
from dagger import dag

from bootstrap.settings import REPOSITORY, Settings
from pipeline.build.engine.image import Image
from pipeline.engine import files, flags
from pipeline.errors import PipelineError
from pipeline.main import Pipeline
from tests.costs import spent_on
from tests.scanners import databases

T = TypeVar("T")
SETTINGS = Settings.from_environment()
REGISTRY = f"{SETTINGS.registry}/pipeline"
"""Where this machine publishes the worked example."""


def folder(path: Path) -> dagger.Directory:
    """Give a folder of this machine as it is when it is first looked into.

    The engine reads what it knows by the same words once in a session: these are new words, but for
    this repository, which stays. Without its cache it would read the folder for each file of it.
    As with `dagger call`, nothing is ignored of what `--source` names.
    """
    ignored = flags.NEVER_UPLOADED if path == REPOSITORY else [str(uuid.uuid4())]
    return dag.host().directory(str(path), exclude=ignored)


def pipeline(source: Path = REPOSITORY, **given: Any) -> Pipeline:
    """Give the module's main object for a repository, as `dagger call --source=…` makes it.

    The worked example is published where this machine's .env file says.
    """
    own = source == REPOSITORY
    place = {"registry": REGISTRY, "registry_plain_http": True, **databases()} if own else {}
    return made(Pipeline, source=folder(source), **{**place, **given})


def made(function: Callable[..., T], **given: Any) -> T:
    """Make an object as `dagger call` does: a secret that isn't given is none."""
    parameters = inspect.signature(function).parameters.values()
    secrets = [each.name for each in parameters if each.default is each.empty]
    return function(**{**dict.fromkeys(secrets), **given})


def secret(text: str) -> dagger.Secret:
    """Hand a text on as `env://NAME` does."""
    return dag.set_secret(uuid.uuid4().hex, text)


async def call(function: Callable[..., Awaitable[T]], **given: Any) -> T:
    """Call a function as `dagger call` does."""
    with spent_on("the module's functions in this process"):
        return await made(function, **given)


async def refusal(calling: Awaitable[object]) -> str:
    """Give the message with which a call fails: of one screen."""
    with pytest.raises(PipelineError) as caught:
        await calling
    message = str(caught.value)
    assert len(message.splitlines()) <= 48
    return message


async def pushed(source: Path, place: str, **account: Any) -> Image:
    """Publish the one image of a repository to a registry without TLS, and nothing about it."""
    main = pipeline(source, registry=place, registry_plain_http=True, **account)
    publication = await call(main.publish, scan=False, sign=False)
    [image] = publication.build.images
    return image


class CurrentModule:
    """What a module knows of itself, which it isn't here: its own folder."""

    def workdir(self, path: str) -> dagger.Directory:
        """Give a folder in it."""
        return folder(Path(path))


@contextmanager
def in_this_process(texts: Path) -> Iterator[None]:
    """Let the module's functions find themselves; a folder takes the texts that they hand on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dagger.Client, "current_module", lambda _: CurrentModule())
        patch.setattr(files, "HANDED", texts)
        yield
