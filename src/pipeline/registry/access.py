"""How to reach a registry, and as whom: what tools in containers need to know of it."""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import dagger
from dagger import dag

from pipeline.batch import with_program
from pipeline.catalogue.models import Images, Registry
from pipeline.registry.reference import checked_credentials, host_of

REGCTL_CONFIGURATION = "/regctl.json"
DOCKER_CONFIGURATION = "/docker"


@dataclass(frozen=True)
class Access:
    """A registry's host; `plain_http` is for one without TLS; no user is nobody in particular."""

    host: str
    plain_http: bool = False
    username: str = ""
    password: dagger.Secret | None = None

    def __post_init__(self) -> None:
        checked_credentials(self.username, self.password is not None)

    @classmethod
    def to(
        cls,
        reference: str,
        username: str | None,
        password: dagger.Secret | None,
        plain_http: bool,
        default: Registry | None,
    ) -> Self:
        """Give access to the registry of a reference, as flags and config/registry.yml have it."""
        host = host_of(reference)
        known = default is not None and host_of(default.address) == host and default.plain_http
        return cls(host, plain_http or known, username or "", password)

    async def regctl(self, image: str) -> dagger.Container:
        """Give an image access for regctl; each container acts anew, never out of the cache."""
        host: dict[str, str] = {"tls": "disabled" if self.plain_http else "enabled"}
        if self.password is not None:
            host |= {"user": self.username, "pass": await self.password.plaintext()}
        configuration = _secret("regctl", {"hosts": {self.host: host}})
        return (
            dag.container()
            .from_(image)
            .with_env_variable("REGCTL_CONFIG", REGCTL_CONFIGURATION)
            .with_mounted_secret(REGCTL_CONFIGURATION, configuration, mode=0o444)
            .with_env_variable("RUN", str(uuid.uuid4()))
        )

    async def regctl_in_shell(self, images: Images) -> dagger.Container:
        """Give regctl with access where there is a shell, which runs many commands in one exec."""
        return await with_program(await self.regctl(images.debian), images.regctl)

    async def client(self, image: str) -> dagger.Container:
        """Give a tool that reads Docker's configuration, as most do; each container acts anew."""
        accounts = {}
        if self.password is not None:
            pair = f"{self.username}:{await self.password.plaintext()}"
            accounts[self.host] = {"auth": base64.b64encode(pair.encode()).decode()}
        configuration = _secret("docker", {"auths": accounts})
        return (
            dag.container()
            .from_(image)
            .with_env_variable("DOCKER_CONFIG", DOCKER_CONFIGURATION)
            .with_mounted_secret(f"{DOCKER_CONFIGURATION}/config.json", configuration, mode=0o444)
            .with_env_variable("RUN", str(uuid.uuid4()))
        )


def _secret(name: str, content: Mapping[str, Any]) -> dagger.Secret:
    return dag.set_secret(f"{name}-{uuid.uuid4()}", json.dumps(content))
