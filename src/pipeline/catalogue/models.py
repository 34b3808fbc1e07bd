"""The files that describe what to build: service.yml and images.yml."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter

from pipeline.catalogue.settings import Setting, SettingName
from pipeline.models import Model
from pipeline.units import parse_size


def _inside(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError("expected a path inside the service's folder")
    return path


DNS_LABEL = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
Name = Annotated[
    str,
    Field(
        pattern=DNS_LABEL,
        description="A DNS label: it names the image, the host and the Kubernetes objects.",
    ),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size, json_schema_input_type=int | str),
    Field(gt=0, description="Bytes, or a number with a unit: '5 MB', '4.5 MiB'."),
]
PathInside = Annotated[str, Field(min_length=1), AfterValidator(_inside)]
User = Annotated[
    str,
    Field(
        pattern=r"^[1-9][0-9]*:[1-9][0-9]*$",
        description="Numeric user and group, neither root: '65532:65532'.",
    ),
]


class Strict(Model):
    """A file's part: no unknown field, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RustOptions(Strict):
    """How a `rust` service is built; its workspace is where the nearest Cargo.lock is."""

    binary: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_-]+$", description="Binary target; the service's name."
    )
    profile: str = Field(default="release", pattern=r"^[A-Za-z0-9_-]+$")


class WebOptions(Strict):
    """How a `web` service is built: static files, if it has any, and nginx to serve them."""

    script: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9:_-]+$",
        description="Script of package.json that builds the files; none: only nginx.",
    )
    output: PathInside = Field(default="dist", description="Where the script puts the files.")
    nginx: PathInside = Field(default="nginx.conf", description="nginx's configuration.")


class DockerfileOptions(Strict):
    """How a `dockerfile` service is built: the repository's own Dockerfile, for each platform."""

    context: PathInside = Field(default=".", description="Build context, in the service's folder.")
    dockerfile: PathInside = Field(default="Dockerfile", description="Path in the context.")
    target: str | None = Field(default=None, description="Stage to build; the last.")
    arguments: dict[str, str] = Field(default_factory=dict, description="Build arguments.")


class _Service(Strict):
    name: Name
    title: str = Field(min_length=1, max_length=120, description="One line for people and labels.")
    port: int = Field(ge=1024, le=65535, description="Unprivileged port that it listens on.")
    health_path: str = Field(
        default="/health/live",
        pattern=r"^/[!-~]*$",
        description="HTTP path that answers 2xx when the process is alive.",
    )
    ready_path: str | None = Field(
        default=None,
        pattern=r"^/[!-~]*$",
        description="HTTP path that answers 2xx when it can do its work; health_path.",
    )
    migrate: list[str] = Field(
        default_factory=list,
        description="Arguments with which the image brings its database up to date and ends; "
        "done before each replica starts.",
    )
    size_limit: Size = Field(description="Ceiling of the unpacked image, per platform.")
    user: User = "65532:65532"
    labels: dict[str, str] = Field(default_factory=dict, description="More OCI labels.")
    settings: dict[SettingName, Setting] = Field(
        default_factory=dict, description="What it reads from its environment when it starts."
    )


class RustService(_Service):
    """A Rust binary in an otherwise empty image."""

    kind: Literal["rust"]
    build: RustOptions = RustOptions()


class WebService(_Service):
    """Static files and nginx, or nginx alone in front of others."""

    kind: Literal["web"]
    build: WebOptions = WebOptions()


class DockerfileService(_Service):
    """An image from the repository's own Dockerfile."""

    kind: Literal["dockerfile"]
    build: DockerfileOptions = DockerfileOptions()


ServiceFile = Annotated[RustService | WebService | DockerfileService, Field(discriminator="kind")]
SERVICE_FILE: TypeAdapter[ServiceFile] = TypeAdapter(
    ServiceFile, config=ConfigDict(defer_build=True)
)


class Images(Strict):
    """Every base and tool image, named once."""

    conftest: str = Field(description="conftest: evaluates policy rules.")
    cosign: str = Field(description="cosign: signs and verifies images.")
    debian: str = Field(description="Debian: nginx's files come from its packages.")
    docker: str = Field(description="Docker's command line with Compose: deploys by it.")
    git: str = Field(description="Has git: reads version and tags.")
    helm: str = Field(description="Helm 3: brings releases into Kubernetes.")
    kubectl: str = Field(description="kubectl: logs in to Kubernetes.")
    grype: str = Field(description="Grype: scans images.")
    node: str = Field(description="Has Node.js and npm: builds web services.")
    prometheus: str = Field(description="Prometheus: collects metrics.")
    regctl: str = Field(description="regctl: publishes images.")
    scout: str = Field(description="Docker Scout: scans images for those who have an account.")
    sops: str = Field(description="sops: encrypts secrets.")
    syft: str = Field(description="Syft: describes images.")
    trivy: str = Field(description="Trivy: scans images.")
    rust: str = Field(description="Has cargo on Debian 13 or later: builds Rust services.")


IMAGES: TypeAdapter[Images] = TypeAdapter(Images)


class Registry(Strict):
    """Where images are published unless the command line names another place."""

    address: str = Field(description="host[:port][/path], e.g. ghcr.io/acme.")
    plain_http: bool = Field(default=False, description="For a registry without TLS.")


REGISTRY: TypeAdapter[Registry] = TypeAdapter(Registry)
