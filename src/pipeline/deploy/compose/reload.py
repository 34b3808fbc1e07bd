"""Hot reload: services out of their sources, in containers that Compose keeps in step with them.

`docker compose up --build --watch` copies what changes in the repository into the containers. A
page's development server shows it by itself; a Rust service is compiled and started anew.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from shlex import join, quote

from pipeline.build.cargo import RustSources
from pipeline.build.steps import NPM_INSTALL, NPM_MANIFESTS, binary_of
from pipeline.catalogue.models import Images, RustService, ServiceFile, WebService
from pipeline.catalogue.repository import Repository
from pipeline.deploy.compose.compose import (
    COMMON,
    LOCAL,
    TEMPORARY,
    Definition,
    Deployed,
    literal,
    volume,
)

SOURCE = PurePosixPath("/src")
# What a service is to others stays as it is; how it runs is another matter.
KEPT = ("environment", "depends_on", "networks", "ports")
# What is made in the folders of sources, and isn't one.
MADE = ["node_modules/", "target/"]
# At first everything has to be downloaded and compiled.
PATIENT = {"interval": "10s", "timeout": "3s", "start_period": "20m", "start_interval": "1s"}
# Images of toolchains may have no curl, but they have bash.
ASK = """\
exec 3<>/dev/tcp/127.0.0.1/{port}
printf 'GET %s HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' {path} >&3
read -r _ status _ <&3
[[ $status == 2* ]]
"""
# Anew only when the lock file is another than that of what the volume has.
WEB = """\
installed=node_modules/.installed
cmp -s package-lock.json "$installed" || {{ {install}; cp package-lock.json "$installed"; }}
exec npm run dev -- --host --port {port} --strictPort
"""
RUST = """\
cargo build --locked --bin {binary}
{migrate}
exec target/debug/{binary}
"""


def is_reloaded(service: ServiceFile) -> bool:
    """Whether a service can run out of its sources: a page that is built, or a Rust binary."""
    is_page = isinstance(service, WebService) and service.build.script is not None
    return is_page or isinstance(service, RustService)


def reloaded_services(repository: Repository) -> list[str]:
    """Name the services of a repository that can run out of their sources."""
    return [entry.service.name for entry in repository.services if is_reloaded(entry.service)]


def with_reload(
    project: Definition, deployed: Deployed, images: Images, sources: Mapping[str, RustSources]
) -> Definition:
    """Let services of a project run out of their sources; `sources` has those of Rust ones.

    The file's folder has to be the repository's.
    """
    services, volumes = dict(project["services"]), dict(project["volumes"])
    directories = {entry.service.name: entry.directory for entry in deployed.entries}
    for service in filter(is_reloaded, deployed.services):
        if isinstance(service, RustService):
            own = _rust(service, images.rust, sources[service.name])
        else:
            own = _web(service, images.node, directories[service.name])
        kept = {key: value for key, value in services[service.name].items() if key in KEPT}
        ports = list(dict.fromkeys(kept.get("ports", []) + own.pop("ports", [])))
        environment = kept["environment"] | own.pop("environment")
        services[service.name] = {**kept, **own, "environment": environment, "ports": ports}
        volumes |= {mounted["source"]: {} for mounted in own["volumes"]}
    return {**project, "services": services, "volumes": volumes}


def _web(service: ServiceFile, image: str, directory: str) -> Definition:
    volumes = {f"{service.name}-modules": str(SOURCE / "node_modules"), "npm": "/npm"}
    manifests = [
        _watched("sync+restart", f"{directory}/{name}", name)
        for name in NPM_MANIFESTS
        if name.endswith(".json")
    ]
    return {
        **_from_sources(service, image, directory, volumes),
        "environment": {"npm_config_cache": "/npm", "HOME": TEMPORARY},
        "command": _bash(WEB.format(install=" ".join(NPM_INSTALL), port=service.port)),
        # A browser's line to the development server, on which it is told of changes.
        "ports": [f"{LOCAL}:{service.port}:{service.port}"],
        "develop": {"watch": [_watched("sync", directory, ""), *manifests]},
    }


def _rust(service: RustService, image: str, sources: RustSources) -> Definition:
    # One for all services of a workspace: what they stand on is compiled once. Cargo takes turns.
    target = re.sub("[^A-Za-z0-9_.-]", "-", f"target-{sources.folder}")
    volumes = {target: str(SOURCE / "target"), "cargo": "/cargo"}
    watched = [*sources.crates, "Cargo.toml", "Cargo.lock"]
    return {
        **_from_sources(service, image, sources.folder, volumes),
        "environment": {"CARGO_HOME": "/cargo"},
        "command": _bash(RUST.format(binary=binary_of(service), migrate=_migrate(service))),
        "develop": {
            "watch": [
                _watched("sync+restart", str(PurePosixPath(sources.folder, path)), path)
                for path in watched
            ]
        },
    }


def _migrate(service: RustService) -> str:
    words = [f"target/debug/{binary_of(service)}", *service.migrate]
    return join(words) if service.migrate else ""


def _from_sources(
    service: ServiceFile, image: str, folder: str, volumes: Mapping[str, str]
) -> Definition:
    check = ASK.format(port=service.port, path=quote(service.health_path))
    lines = [f"FROM {image}", f"WORKDIR {SOURCE}", f"COPY {folder} ./"]
    return {
        "build": {"context": ".", "dockerfile_inline": "\n".join(lines)},
        "init": True,
        # Root, though without its rights: Docker copies for no user whom its own machine lacks.
        "cap_drop": ["ALL"],
        "healthcheck": {"test": ["CMD", *_bash(check)], **PATIENT},
        "volumes": [volume(name, path) for name, path in volumes.items()],
        **COMMON,
    }


def _watched(action: str, path: str, target: str) -> Definition:
    return {"action": action, "path": f"./{path}", "target": str(SOURCE / target), "ignore": MADE}


def _bash(script: str) -> Sequence[str]:
    return ["bash", "-euc", literal(script)]
