"""The steps of a build, as plain data: what runs in the engine and in a Dockerfile alike."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.build.platforms import SUPPORTED, Platform
from pipeline.catalogue.models import RustService, ServiceFile, WebService

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Cache:
    """A tool's downloads, kept from build to build."""

    volume: str
    path: str


# One volume for all: cargo itself locks it between concurrent builds.
CARGO_CACHE = Cache("pipeline-cargo", "/cargo")
NPM_CACHE = Cache("pipeline-npm", "/npm-cache")

# Of the platforms that are built for, and of the engine's own, which is one of them.
CARGO_FETCH = [
    *("cargo", "fetch", "--locked"),
    *(f"--target={platform.rust_target}" for platform in SUPPORTED.values()),
]

HEALTH_CHECK = "/healthcheck"
HEALTH_CHECK_SOURCE = Path(__file__).with_name("healthcheck.rs").read_text()
# Compiled beside its source, `healthcheck.rs`; /files is what goes into the image.
HEALTH_CHECK_SCRIPT = f"""\
install -d -m 1777 /files/tmp
rustc --edition=2024 --target="$CARGO_BUILD_TARGET" \\
    -Copt-level=z -Clto=fat -Ccodegen-units=1 -Cpanic=abort -Cstrip=symbols \\
    -Ctarget-feature=+crt-static -Crelocation-model=static \\
    "-Clink-args=-nostartfiles -nostdlib -static" "-Clinker=$LINKER" \\
    -o /files{HEALTH_CHECK} healthcheck.rs
"""

NGINX_SCRIPT = Path(__file__).with_name("nginx.sh").read_text()
NGINX_COMMAND = ["/usr/sbin/nginx", "-e", "stderr", "-g", "daemon off;"]

SITE = "/srv/www"
PACKAGES_SCRIPT = Path(__file__).with_name("packages.mjs").read_text()
NPM_INSTALL = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
NPM_MANIFESTS = ("package.json", "package-lock.json", ".npmrc")


def health_check(service: ServiceFile) -> list[str]:
    """Give the command that tells whether the service is alive."""
    return [HEALTH_CHECK, str(service.port), service.health_path]


def stop_signal(service: ServiceFile) -> str:
    """Name the signal on which the service finishes what is in flight."""
    return "SIGQUIT" if service.kind == "web" else "SIGTERM"


def prepare_rust(platform: Platform) -> str:
    """Give the script that adds to a Rust image what it lacks to compile for a platform."""
    triplet = platform.gnu_triplet.replace("_", "-")
    # A toolchain image may carry the target already; the linker of the engine's own
    # platform is there under the same name as a foreign one's.
    return f"""\
. /etc/os-release
apt-get update -qq
if ! command -v cargo-auditable >/dev/null; then
    apt-get install -y -qq --no-install-recommends "cargo-auditable/$VERSION_CODENAME" >/dev/null
fi
if ! command -v {platform.linker} >/dev/null; then
    apt-get install -y -qq --no-install-recommends \\
        "gcc-{triplet}/$VERSION_CODENAME" \\
        "libc6-dev-{platform.debian}-cross/$VERSION_CODENAME" >/dev/null
fi
rm -rf /var/lib/apt/lists/*
test -d "$(rustc --print target-libdir --target {platform.rust_target})" ||
    rustup target add {platform.rust_target}
"""


def rust_environment(platform: Platform) -> dict[str, str]:
    """Give the variables with which cargo, and rustc by itself, compile static binaries."""
    target = f"CARGO_TARGET_{platform.rust_target.upper().replace('-', '_')}"
    return {
        "CARGO_HOME": CARGO_CACHE.path,
        "CARGO_BUILD_TARGET": platform.rust_target,
        f"{target}_LINKER": platform.linker,
        f"{target}_RUSTFLAGS": "-C target-feature=+crt-static",
        "LINKER": platform.linker,
    }


def binary_of(service: RustService) -> str:
    """Name the service's binary: a target of its crate, and a file in its image."""
    return service.build.binary or service.name


def cargo_build(service: RustService) -> list[str]:
    """Give the command that compiles the whole workspace, and with it all dependencies.

    Each binary names the crates that it is made of: scanners read that out of it.
    """
    profile = f"--profile={service.build.profile}"
    return ["cargo", "auditable", "build", "--locked", "--workspace", profile]


def binary_script(service: RustService) -> str:
    """Give the script that compiles the service's own crates, out of /crates, by the stubs."""
    binary = binary_of(service)
    folder = "debug" if service.build.profile == "dev" else service.build.profile
    # Cargo compares times: copies are newer than what was compiled from the stubs.
    return f"""\
cp -r /crates/. .
{shlex.join(cargo_build(service))} --bin={binary}
install -D -m 555 "target/$CARGO_BUILD_TARGET/{folder}/{binary}" /files/{binary}
"""


def npm_manifests(names: Iterable[str]) -> list[str]:
    """Pick from a folder's names what decides the dependencies."""
    return sorted(set(NPM_MANIFESTS) & set(names))


def site_script(service: WebService) -> str:
    """Give the script that builds the static files into /files, and names their packages there."""
    output = shlex.quote(service.build.output)
    # Files of an earlier build on the developer's machine don't count.
    return f"""\
rm -rf {output}
npm run {service.build.script}
mkdir -p /files/srv
cp -r {output} /files{SITE}
node /packages.mjs /files/usr/lib/{service.name}
"""
