"""A service's build as a Dockerfile: the same stages and the same image, without Dagger."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import PurePosixPath

from pipeline.build.cargo import STUB, RustSources
from pipeline.build.layout import HEALTH_CHECK_RETRIES, HEALTH_CHECK_SECONDS
from pipeline.build.platforms import SUPPORTED
from pipeline.build.steps import (
    CARGO_CACHE,
    HEALTH_CHECK_SCRIPT,
    HEALTH_CHECK_SOURCE,
    NGINX_COMMAND,
    NGINX_SCRIPT,
    NPM_CACHE,
    NPM_INSTALL,
    PACKAGES_SCRIPT,
    Cache,
    binary_of,
    binary_script,
    cargo_build,
    health_check,
    prepare_rust,
    rust_environment,
    site_script,
    stop_signal,
)
from pipeline.catalogue.models import Images, RustService, ServiceFile, WebService
from pipeline.errors import PipelineError

NATIVE = "FROM --platform=$BUILDPLATFORM"
"""Begins a stage on the builder's own platform: nothing foreign is run."""

COMMIT = {
    "VERSION": "0.0.0-dev",
    "REVISION": "",
    "SOURCE": "",
    "CREATED": "1970-01-01T00:00:00Z",
}
"""What only a commit knows: build arguments, with defaults, that become labels."""


class UnwritableError(PipelineError):
    """Something of a service can't be said in a Dockerfile."""


def rust_dockerfile(
    service: RustService, directory: str, images: Images, sources: RustSources
) -> str:
    """Write the Dockerfile of a `rust` service in a directory of the repository."""
    return _text(
        [
            *_head(service, directory),
            *_foundation(images),
            *_binary(service, sources),
            "FROM scratch",
            "COPY --from=foundation /files/ /",
            "COPY --from=binary /files/ /",
            *_config(service, [f"/{binary_of(service)}"]),
        ]
    )


def web_dockerfile(
    service: WebService, directory: str, images: Images, manifests: Sequence[str]
) -> str:
    """Write the Dockerfile of a `web` service; manifests are the files in its folder for npm."""
    site = ["COPY --from=site /files/ /"] if service.build.script is not None else []
    return _text(
        [
            *_head(service, directory),
            *_foundation(images),
            *_nginx(images),
            *(_site(service, directory, images, manifests) if site else []),
            "FROM scratch",
            "COPY --from=foundation /files/ /",
            "COPY --from=nginx /nginx/ /",
            f"COPY --chmod=444 {_path(directory, service.build.nginx)} /etc/nginx/nginx.conf",
            *site,
            *_config(service, NGINX_COMMAND),
        ]
    )


def _head(service: ServiceFile, directory: str) -> list[str]:
    path = _path(directory, "Dockerfile")
    return [
        f"# Generated from {directory}/service.yml and the sources: do not edit. Regenerate with",
        f"#   dagger call service --name {service.name} dockerfile export --path {path}",
        "# Builds with any BuildKit, in the repository's root, for linux/amd64 and linux/arm64:",
        f"#   docker build -f {path} .",
        "# What only the commit knows becomes a label by --build-arg: " + ", ".join(COMMIT) + ".",
        "",
    ]


def _foundation(images: Images) -> list[str]:
    """Write the stages up to what every image has: its health check and an empty /tmp."""
    lines = []
    for platform in SUPPORTED.values():
        lines += [
            f"{NATIVE} {_word(images.rust)} AS {platform.architecture}-toolchain",
            *_run(prepare_rust(platform)),
            *_settings("ENV", _quoted_values(rust_environment(platform))),
            "",
        ]
    return [
        *lines,
        "FROM ${TARGETARCH}-toolchain AS toolchain",
        "WORKDIR /src",
        "",
        "FROM toolchain AS foundation",
        *_written("healthcheck.rs", HEALTH_CHECK_SOURCE),
        *_run(HEALTH_CHECK_SCRIPT),
    ]


def _binary(service: RustService, sources: RustSources) -> list[str]:
    stubs = [f"install -D /stub.rs {_path(path)}" for path in sources.stubs]
    return [
        "# All that the lock file names, compiled with stubs for sources: it stays built until",
        "# a manifest changes.",
        "FROM toolchain AS dependencies",
        *_copied(sources.folder, sources.manifests),
        *_written("/stub.rs", STUB),
        *_run("\n".join([*stubs, shlex.join(cargo_build(service))]), CARGO_CACHE),
        "FROM dependencies AS binary",
        *(
            f"COPY {_path(sources.folder, crate)}/ {_path('/crates', crate)}/"
            for crate in sources.crates
        ),
        *_run(binary_script(service), CARGO_CACHE),
    ]


def _nginx(images: Images) -> list[str]:
    lines = [
        f"{NATIVE} {_word(images.debian)} AS nginx-script",
        *_written("/nginx.sh", NGINX_SCRIPT),
    ]
    for platform in SUPPORTED.values():
        lines += [
            f"FROM nginx-script AS {platform.architecture}-nginx",
            f"RUN sh /nginx.sh {platform.debian} {platform.gnu_triplet}",
            "",
        ]
    return [*lines, "FROM ${TARGETARCH}-nginx AS nginx", ""]


def _site(
    service: WebService, directory: str, images: Images, manifests: Sequence[str]
) -> list[str]:
    return [
        f"{NATIVE} {_word(images.node)} AS site",
        *_settings("ENV", _quoted_values({"npm_config_cache": NPM_CACHE.path})),
        "WORKDIR /src",
        *_copied(directory, manifests),
        *_run(shlex.join(NPM_INSTALL), NPM_CACHE),
        *_written("/packages.mjs", PACKAGES_SCRIPT),
        f"COPY {_path(directory)}/ ./",
        *_run(site_script(service), NPM_CACHE),
    ]


def _config(service: ServiceFile, entrypoint: Sequence[str]) -> list[str]:
    labels = {
        "org.opencontainers.image.title": _quoted(service.title),
        **{f"org.opencontainers.image.{name.lower()}": f'"${name}"' for name in COMMIT},
        **_quoted_values(service.labels),
    }
    times = HEALTH_CHECK_SECONDS
    return [
        *(f"ARG {name}={value}" for name, value in COMMIT.items()),
        *_settings("LABEL", labels),
        f"USER {service.user}",
        f"EXPOSE {service.port}",
        f"STOPSIGNAL {stop_signal(service)}",
        f"HEALTHCHECK --interval={times['Interval']}s --timeout={times['Timeout']}s"
        f" --start-period={times['StartPeriod']}s --start-interval={times['StartInterval']}s"
        f" --retries={HEALTH_CHECK_RETRIES}"
        f" CMD {json.dumps(health_check(service))}",
        f"ENTRYPOINT {json.dumps(entrypoint)}",
    ]


def _run(script: str, cache: Cache | None = None) -> list[str]:
    mount = f" --mount=type=cache,id={cache.volume},target={cache.path}" if cache else ""
    return [f"RUN{mount} <<'EOF'", "set -eu", *_heredoc(script)]


def _written(path: str, text: str) -> list[str]:
    return [f"COPY <<'EOF' {path}", *_heredoc(text)]


def _heredoc(text: str) -> list[str]:
    # hadolint doesn't parse a heredoc without an empty line behind it.
    return [*text.splitlines(), "EOF", ""]


def _copied(folder: str, paths: Iterable[str]) -> list[str]:
    """Copy files of a folder, each to the same place below the working directory."""
    files = sorted(map(PurePosixPath, paths), key=lambda path: (path.parent, path))
    return [
        f"COPY {' '.join(_path(folder, path) for path in group)} {_path(parent)}/"
        for parent, group in groupby(files, lambda path: path.parent)
    ]


def _settings(instruction: str, values: Mapping[str, str]) -> list[str]:
    """Write values, which are quoted already, as one instruction of a line each."""
    pairs = [f"{_word(name)}={value}" for name, value in values.items()]
    return [f"{instruction} " + " \\\n    ".join(pairs)]


def _quoted_values(values: Mapping[str, str]) -> dict[str, str]:
    return {name: _quoted(value) for name, value in values.items()}


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise UnwritableError(f"A Dockerfile can't hold the line break or the like in {text!r}.")
    return '"' + re.sub(r'(["\\$])', r"\\\1", text) + '"'


def _path(*parts: str | PurePosixPath) -> str:
    return _word(str(PurePosixPath(*parts)))


def _word(text: str) -> str:
    """Let through what means itself everywhere in a Dockerfile. Raises UnwritableError."""
    if not re.fullmatch(r"[A-Za-z0-9._/@:+-]+", text):
        raise UnwritableError(
            f"{text!r} can't stand in a Dockerfile: "
            "names there have letters, digits and any of . _ / @ : + -"
        )
    return text


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
