"""The Rust toolchain, on the engine's own platform, for any target; and the health check."""

from pathlib import Path

import dagger
from dagger import dag

from pipeline.build.layer import layer
from pipeline.build.platforms import Platform
from pipeline.catalogue.models import Images

HEALTH_CHECK = "/healthcheck"
PREPARE = """
linker=$1; target=$2; shift 2
if ! command -v "$linker" >/dev/null; then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    rm -rf /var/lib/apt/lists/*
fi
test -d "$(rustc --print target-libdir --target "$target")" || rustup target add "$target"
"""


def rust_toolchain(image: str, platform: Platform) -> dagger.Container:
    """Give a container in which cargo and rustc compile static binaries for a platform."""
    target = platform.rust_target
    return (
        dag.container()
        .from_(image)
        # A toolchain image may carry the target already; the linker of the engine's own
        # platform is there under the same name as a foreign one's.
        .with_exec(
            ["sh", "-euc", PREPARE, "prepare", linker(platform), target, *_cross_packages(platform)]
        )
        .with_env_variable("CARGO_HOME", "/cargo")
        .with_env_variable("CARGO_BUILD_TARGET", target)
        .with_env_variable(f"CARGO_TARGET_{_shouted(target)}_LINKER", linker(platform))
        .with_env_variable(
            f"CARGO_TARGET_{_shouted(target)}_RUSTFLAGS", "-C target-feature=+crt-static"
        )
        # One volume for all: cargo itself locks it between concurrent builds.
        .with_mounted_cache("/cargo", dag.cache_volume("pipeline-cargo"))
    )


def _cross_packages(platform: Platform) -> list[str]:
    triplet = platform.gnu_triplet.replace("_", "-")
    return [f"gcc-{triplet}", f"libc6-dev-{platform.debian}-cross"]


def linker(platform: Platform) -> str:
    """Name the C compiler that links for a platform."""
    return f"{platform.gnu_triplet}-gcc"


def _shouted(target: str) -> str:
    return target.upper().replace("-", "_")


def foundation(images: Images, platform: Platform) -> dagger.Directory:
    """Give the lowest layer of every image: its health check and an empty /tmp."""
    source = Path(__file__).with_name("healthcheck.rs").read_text()
    files = (
        rust_toolchain(images.rust, platform)
        .with_workdir("/src")
        .with_new_file("healthcheck.rs", source)
        .with_exec(["mkdir", "--parents", "--mode=1777", "/files/tmp"])
        .with_exec(
            [
                *("rustc", "--edition=2024", f"--target={platform.rust_target}"),
                *("-Copt-level=z", "-Clto=fat", "-Ccodegen-units=1", "-Cpanic=abort"),
                *("-Cstrip=symbols", "-Ctarget-feature=+crt-static", "-Crelocation-model=static"),
                *("-Clink-args=-nostartfiles -nostdlib -static", "-Clinker=" + linker(platform)),
                *("-o", f"/files{HEALTH_CHECK}", "healthcheck.rs"),
            ]
        )
        .directory("/files")
    )
    return layer(images.debian, files)
