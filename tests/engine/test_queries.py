"""How often the engine is asked: what is read once and handed on stays little."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gql.client import AsyncClientSession

from tests.engine.test_failures import repository
from tests.module import call, pipeline

pytestmark = pytest.mark.usefixtures("engine")


@dataclass
class Asked:
    """How many questions there were."""

    questions: int = 0


@contextmanager
def counted() -> Iterator[Asked]:
    """Count the questions to the engine meanwhile."""
    asked, execute = Asked(), AsyncClientSession.execute

    async def counts(session: AsyncClientSession, *arguments: Any, **options: Any) -> Any:
        asked.questions += 1
        return await execute(session, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AsyncClientSession, "execute", counts)
        yield asked


async def test_services_ask_once() -> None:
    with counted() as asked:
        assert "api-gateway" in await pipeline().services()
    assert asked.questions <= 2


async def test_an_environment_asks_once() -> None:
    with counted() as asked:
        environment = pipeline().environment(name="staging", secrets_key=None)
        assert "all right" in await environment.validate()
    assert asked.questions <= 2


async def test_a_build_asks_little(tmp_path: Path) -> None:
    source = repository(tmp_path, "small")
    with counted() as asked:
        assert "small" in await call(pipeline(source).build_all)
    assert asked.questions <= 21
