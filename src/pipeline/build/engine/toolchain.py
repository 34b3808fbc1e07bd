"""The Rust toolchain, on the engine's own platform, for any target; and the health check."""

import dagger
from dagger import dag

from pipeline.build.engine.layer import layer
from pipeline.build.engine.run import shell
from pipeline.build.platforms import Platform
from pipeline.build.steps import (
    HEALTH_CHECK_SCRIPT,
    HEALTH_CHECK_SOURCE,
    prepare_rust,
    rust_environment,
)
from pipeline.catalogue.models import Images


def rust_toolchain(image: str, platform: Platform) -> dagger.Container:
    """Give a container in which cargo and rustc compile static binaries for a platform."""
    container = dag.container().from_(image).with_exec(shell(prepare_rust(platform)))
    for name, value in rust_environment(platform).items():
        container = container.with_env_variable(name, value)
    return container


def foundation(images: Images, platform: Platform) -> dagger.Directory:
    """Give the lowest layer of every image: its health check and an empty /tmp."""
    files = (
        rust_toolchain(images.rust, platform)
        .with_workdir("/src")
        .with_new_file("healthcheck.rs", HEALTH_CHECK_SOURCE)
        .with_exec(shell(HEALTH_CHECK_SCRIPT))
        .directory("/files")
    )
    return layer(images.debian, files)
