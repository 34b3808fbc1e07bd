"""A real PostgreSQL and a real Redis behind a container, as the worked example has them."""

import dagger
from dagger import dag


def with_databases(container: dagger.Container) -> dagger.Container:
    """Bind both, and say where they are as the services read it."""
    password = dag.set_secret("database-password", "only-for-tests")
    url = dag.set_secret("database-url", "postgres://engine:only-for-tests@postgres:5432/engine")
    database = (
        dag.container()
        .from_("postgres:17-trixie")
        .with_env_variable("POSTGRES_USER", "engine")
        .with_secret_variable("POSTGRES_PASSWORD", password)
        .with_exposed_port(5432)
    )
    cache = dag.container().from_("redis:8-trixie").with_exposed_port(6379)
    return (
        container.with_service_binding("postgres", database.as_service(use_entrypoint=True))
        .with_service_binding("redis", cache.as_service(use_entrypoint=True))
        .with_secret_variable("DATABASE_URL", url)
        .with_env_variable("REDIS_URL", "redis://redis:6379")
    )
