"""The published worked example, as services of the engine."""

from typing import Any

import dagger
from dagger import dag

from tests.engine.conftest import Registry
from tests.engine.databases import with_databases

PORTS = {"api-gateway": 8081, "consciousness-engine": 8082, "proxy": 8080, "web-ui": 8083}


def image_of(published: dict[str, Any], service: str) -> dict[str, Any]:
    """What the main job said of a service's image."""
    return next(image for image in published["images"] if image["service"] == service)


def repository(service: str) -> str:
    """Where a service's image is in the registry."""
    return f"pipeline/{service}"


def pulled(
    registry: Registry, published: dict[str, Any], service: str, platform: str
) -> dagger.Container:
    """A service's image, pulled back by digest."""
    digest = image_of(published, service)["digest"]
    return dag.container(platform=dagger.Platform(platform)).from_(
        f"{registry.address}/{repository(service)}@{digest}"
    )


def stack(
    registry: Registry, published: dict[str, Any], service: str, platform: str
) -> dagger.Service:
    """A service of the published images as it runs in the stack, with what stands behind it."""
    container = pulled(registry, published, service, platform).with_mounted_temp("/tmp")
    if service == "consciousness-engine":
        container = with_databases(container)
    if service == "api-gateway":
        container = container.with_env_variable(
            "API_GATEWAY_ENGINE_URL", "http://consciousness-engine:8082"
        ).with_service_binding(
            "consciousness-engine", stack(registry, published, "consciousness-engine", platform)
        )
    if service == "proxy":
        for behind in ("web-ui", "api-gateway"):
            container = container.with_service_binding(
                behind, stack(registry, published, behind, platform)
            )
    return container.with_exposed_port(PORTS[service]).as_service(use_entrypoint=True)
