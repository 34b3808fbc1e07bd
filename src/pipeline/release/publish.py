"""Publishes images with regctl: all manifests stand before a tag names them."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import dagger
from dagger import dag

from pipeline.build.image import Image
from pipeline.release.reference import PublishError, checked_credentials, checked_registry

CONFIGURATION = "/regctl.json"


@dataclass(frozen=True)
class Destination:
    """Where to publish and as whom; `plain_http` is for a registry without TLS."""

    address: str
    plain_http: bool = False
    username: str = ""
    password: dagger.Secret | None = None

    def __post_init__(self) -> None:
        checked_registry(self.address)
        checked_credentials(self.username, self.password is not None)

    async def configuration(self) -> dagger.Secret:
        """Give regctl's configuration as a secret: it holds the password."""
        host = {"tls": "disabled" if self.plain_http else "enabled"}
        if self.password is not None:
            host |= {"user": self.username, "pass": await self.password.plaintext()}
        text = json.dumps({"hosts": {self.address.split("/")[0]: host}})
        return dag.set_secret(f"regctl-{uuid.uuid4()}", text)


async def publish(
    images: Sequence[Image], tags: Sequence[str], destination: Destination, tool_image: str
) -> list[Image]:
    """Publish images under each tag, and give them with their references.

    Raises PublishError at the first that the registry doesn't take: it names what went before.
    """
    tool = (
        dag.container()
        .from_(tool_image)
        .with_env_variable("REGCTL_CONFIG", CONFIGURATION)
        .with_mounted_secret(CONFIGURATION, await destination.configuration(), mode=0o444)
        # A push must happen each time that it is asked for, never come out of a cache.
        .with_env_variable("RUN", str(uuid.uuid4()))
    )
    published: list[Image] = []
    references: list[str] = []
    for image in images:
        repository = f"{destination.address}/{image.service}"
        layout = tool.with_mounted_directory("/layout", image.layout)
        source = f"ocidir:///layout@{image.digest}"
        for tag in tags:
            target = f"{repository}:{tag}"
            copy = layout.with_exec(["image", "copy", source, target], use_entrypoint=True)
            try:
                await copy.sync()
            except dagger.ExecError as error:
                raise PublishError(target, error.stderr or error.stdout, references) from error
            references.append(f"{target}@{image.digest}")
        published.append(image.published_as(references[-len(tags) :]))
    return published
