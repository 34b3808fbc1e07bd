"""How to reach a registry, and as whom: what tools in containers need to know of it."""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagger
from dagger import dag

from pipeline.catalogue.models import Images
from pipeline.engine.batch import with_program
from pipeline.registry.reference import checked_credentials

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

    async def regctl(self, image: str, run: str = "") -> dagger.Container:
        """Give an image access for regctl; each container acts anew, never out of the cache.

        What one of the same `run` did the engine knows, though: for what is named by digest.
        """
        run = run or str(uuid.uuid4())
        host: dict[str, str] = {"tls": "disabled" if self.plain_http else "enabled"}
        if self.password is not None:
            host |= {"user": self.username, "pass": await self.password.plaintext()}
        configuration = _secret(f"regctl-{run}", {"hosts": {self.host: host}})
        return (
            dag.container()
            .from_(image)
            .with_env_variable("REGCTL_CONFIG", REGCTL_CONFIGURATION)
            .with_mounted_secret(REGCTL_CONFIGURATION, configuration, mode=0o444)
            .with_env_variable("RUN", run)
        )

    async def regctl_in_shell(self, images: Images, run: str = "") -> dagger.Container:
        """Give regctl with access where there is a shell, which runs many commands in one exec."""
        return await with_program(await self.regctl(images.debian, run), images.regctl)

    async def client(self, image: str) -> dagger.Container:
        """Give a tool that reads Docker's configuration, as most do; each container acts anew."""
        accounts = {}
        if self.password is not None:
            pair = f"{self.username}:{await self.password.plaintext()}"
            accounts[self.host] = {"auth": base64.b64encode(pair.encode()).decode()}
        configuration = _secret(f"docker-{uuid.uuid4()}", {"auths": accounts})
        return (
            dag.container()
            .from_(image)
            .with_env_variable("DOCKER_CONFIG", DOCKER_CONFIGURATION)
            .with_mounted_secret(f"{DOCKER_CONFIGURATION}/config.json", configuration, mode=0o444)
            .with_env_variable("RUN", str(uuid.uuid4()))
        )


def _secret(name: str, content: Mapping[str, Any]) -> dagger.Secret:
    return dag.set_secret(name, json.dumps(content))
