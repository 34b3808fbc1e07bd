"""The services' own checks and tests, in the toolchains that build them."""

import dagger
import pytest
from dagger import dag

from tests.conftest import ROOT
from tests.engine.databases import with_databases
from tests.engine.page import node, with_page

pytestmark = pytest.mark.usefixtures("engine")


def rust() -> dagger.Container:
    sources = dag.host().directory(
        str(ROOT / "services"), exclude=["**/target", "**/node_modules", "web-ui", "proxy"]
    )
    return (
        dag.container()
        .from_("rust:1.85-slim-trixie")
        .with_env_variable("CARGO_HOME", "/cargo")
        .with_mounted_cache("/cargo", dag.cache_volume("pipeline-cargo"))
        .with_mounted_cache("/target", dag.cache_volume("pipeline-tests-target"))
        .with_env_variable("CARGO_TARGET_DIR", "/target")
        .with_env_variable("CARGO_INCREMENTAL", "0")
        .with_directory("/src", sources)
        .with_workdir("/src")
    )


@pytest.mark.parametrize(
    "command",
    [
        ["cargo", "fmt", "--all", "--check"],
        ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-Dwarnings"],
    ],
    ids=["fmt", "clippy"],
)
async def test_rust(command: list[str]) -> None:
    await rust().with_exec(command).sync()


async def test_rust_with_real_database_and_cache() -> None:
    features = "--features=api-gateway/integration,consciousness-engine/integration"
    command = ["cargo", "test", "--locked", "--workspace", "--quiet", features]
    expect = dagger.ReturnType.ANY
    ran = with_databases(rust()).with_exec(command, expect=expect)
    said = await ran.stdout() + await ran.stderr()
    assert await ran.exit_code() == 0, said[-4000:]


async def test_the_health_check_is_formatted() -> None:
    source = dag.host().directory(str(ROOT / "src/pipeline/build")).file("healthcheck.rs")
    check = ["rustfmt", "--edition=2024", "--check", "/healthcheck.rs"]
    await rust().with_file("/healthcheck.rs", source).with_exec(check).sync()


@pytest.mark.parametrize("script", ["lint", "test"])
async def test_page(script: str) -> None:
    page = with_page(node().with_env_variable("CI", "true"))
    await page.with_exec(["npm", "run", script]).sync()
