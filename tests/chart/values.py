"""Values of the worked example in its environments, and of stacks that differ from it."""

from typing import Any

Values = dict[str, Any]

DIGEST = "sha256:" + "0123456789abcdef" * 4
PASSWORD = "c0ffee-c0ffee"


def resources(cpu: str, memory: str) -> Values:
    return {
        "limits": {"cpu": cpu, "memory": memory},
        "requests": {"cpu": "100m", "memory": memory},
    }


def service(name: str, port: int, limits: Values, low: int, high: int, **others: object) -> Values:
    return {
        "image": f"registry.example/pipeline/{name}@{DIGEST}",
        "port": port,
        "user": 65532,
        "group": 65532,
        "livePath": "/health/live",
        "readyPath": "/health/live",
        "environment": {},
        "secrets": {},
        "migrate": [],
        "needs": [],
        "resources": limits,
        "replicas": {"min": low, "max": high},
        "targetCPU": "700m",
        "temporary": "16Mi",
        **others,
    }


def environment(name: str, cpu: str, memory: str, low: int, high: int) -> Values:
    """The worked example, as an environment's performance section has it."""
    large, small = resources(cpu, memory), resources("250m", "64Mi")
    return {
        "environment": name,
        "version": "1.2.3",
        "revision": "0123456789abcdef0123456789abcdef01234567",
        "services": {
            "proxy": service("proxy", 8080, small, low, high, needs=["web-ui", "api-gateway"]),
            "web-ui": service("web-ui", 8083, small, low, high),
            "api-gateway": service(
                *("api-gateway", 8081, large, low, high),
                readyPath="/health/ready",
                environment={"API_GATEWAY_LOG_LEVEL": "info", "API_GATEWAY_TIMEOUT_MS": "5000"},
                needs=["consciousness-engine"],
            ),
            "consciousness-engine": service(
                *("consciousness-engine", 8082, large, low, high),
                readyPath="/health/ready",
                environment={"CONSCIOUSNESS_ENGINE_HOT_RELOAD": "true"},
                secrets={"DATABASE_URL": f"postgres://engine:{PASSWORD}@postgres:5432/engine"},
                migrate=["migrate"],
                needs=["postgres", "redis"],
            ),
        },
        "backing": {
            "postgres": {
                "image": "postgres:17-trixie",
                "port": 5432,
                "user": 999,
                "environment": {
                    "POSTGRES_USER": "engine",
                    "PGDATA": "/var/lib/postgresql/data/pgdata",
                },
                "secrets": {"POSTGRES_PASSWORD": PASSWORD},
                "data": "/var/lib/postgresql/data",
                "storage": "1Gi",
                "writable": ["/var/run/postgresql"],
                "temporary": "16Mi",
                "resources": resources("1", "256Mi"),
                "ready": ["pg_isready", "--host=127.0.0.1"],
            },
            "redis": {
                "image": "redis:8-trixie",
                "port": 6379,
                "user": 999,
                "environment": {},
                "secrets": {},
                "data": "/data",
                "temporary": "16Mi",
                "resources": resources("500m", "128Mi"),
                "ready": [],
            },
        },
        "external": {},
        "entry": {"service": "proxy", "kind": "none"},
        "deployment": {"strategy": "rolling", "surge": "100%", "bakeSeconds": 10},
        "monitoring": {"enabled": True, "scrapeIntervalSeconds": 15},
    }


def changed(values: Values, **sections: object) -> Values:
    return {**values, **sections}


def with_service(values: Values, name: str, **fields: object) -> Values:
    """The same values but for some fields of one service."""
    services = {**values["services"], name: {**values["services"][name], **fields}}
    return changed(values, services=services)


DEVELOPMENT = environment("development", "1.0", "512Mi", 1, 2)
STAGING = environment("staging", "1.5", "768Mi", 2, 5)
PRODUCTION = environment("production", "2.0", "1Gi", 3, 20)

INGRESS = changed(
    STAGING,
    entry={
        "service": "proxy",
        "kind": "ingress",
        "host": "stack.example",
        "className": "nginx",
        "tlsSecret": "stack-example",
    },
)
GATEWAY = changed(
    STAGING,
    entry={
        "service": "proxy",
        "kind": "gateway",
        "host": "stack.example",
        "gateway": {"name": "public", "namespace": "gateways"},
    },
)
EXTERNAL = changed(
    STAGING, backing={}, external={"postgres": {"port": 5432}, "redis": {"port": 6379}}
)
SINGLE = changed(
    STAGING,
    services={"one": service("one", 8000, resources("1", "64Mi"), 1, 1)},
    backing={},
    entry={"service": "one", "kind": "none"},
    imagePullSecrets=["registry-key"],
)
VERTICAL = changed(PRODUCTION, verticalAutoscaling=True)
DEPLOYER: Values = {"deployer": {"create": True}}

ALL = {
    "development": DEVELOPMENT,
    "staging": STAGING,
    "production": PRODUCTION,
    "ingress": INGRESS,
    "gateway": GATEWAY,
    "external": EXTERNAL,
    "single": SINGLE,
    "vertical": VERTICAL,
    "deployer": DEPLOYER,
}
