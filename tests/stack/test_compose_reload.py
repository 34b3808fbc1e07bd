"""Hot reload: what changes in the sources shows through the proxy, in the running stack."""

import secrets
from collections.abc import Iterator

import pytest

from tests.docker import Docker
from tests.stack.composed import Watched, watched

UI = "services/web-ui/index.html"
GATEWAY = "services/api-gateway/src/openapi.rs"


@pytest.fixture(scope="module")
def sources(
    docker: Docker, published: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """The worked example, out of a copy of its sources."""
    assert published
    with watched(docker, tmp_path_factory.mktemp("sources")) as sources:
        yield sources


def test_a_change_of_the_page(sources: Watched) -> None:
    title = f"Text analysis {secrets.token_hex(4)}"
    sources.change(UI, "<title>Text analysis</title>", f"<title>{title}</title>")
    assert sources.seconds_until("/", title, patience=30) < 30


def test_a_change_of_a_rust_service(sources: Watched) -> None:
    title = f"API {secrets.token_hex(4)}"
    sources.change(GATEWAY, 'title = "', f'title = "{title} ')
    assert sources.seconds_until("/api/v1/openapi.json", title, patience=300) < 300
