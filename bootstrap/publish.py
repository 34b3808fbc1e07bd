"""Makes images with the engine and pushes them to its mirror: `python -m bootstrap.publish NAME…`.

A program of its own, for it needs the packages of requirements.lock.
"""

from __future__ import annotations

import sys
import time

import anyio
import dagger
from dagger import dag

from bootstrap.images import BASE, IMAGES, INSTALL, Recipe, entrypoint, mirrored
from bootstrap.settings import Settings


def describe(recipe: Recipe, settings: Settings) -> dagger.Container:
    """Describe the image of a recipe to the engine."""
    container = (
        dag.container()
        .from_(BASE)
        .with_exec(
            [
                *("env", f"PACKAGES={recipe.packages}", f"BEFORE={recipe.before}"),
                *(f"AFTER={recipe.after}", "sh", "-ec", INSTALL),
            ]
        )
        .with_default_args(list(recipe.command))
    )
    for name, value in recipe.environment.items():
        container = container.with_env_variable(name, value)
    if recipe.entrypoint:
        container = container.with_new_file(
            "/entrypoint", entrypoint(recipe), permissions=0o755
        ).with_entrypoint(["/entrypoint"], keep_default_args=True)
    if recipe.binary:
        made = str(recipe.made(settings))
        binary = dag.host().directory(made, include=[recipe.program]).file(recipe.program)
        container = container.with_file(f"/{recipe.binary}", binary)
        container = container.with_entrypoint([f"/{recipe.binary}"], keep_default_args=True)
    return container.with_user(recipe.user) if recipe.user else container


async def publish(settings: Settings, name: str) -> None:
    """Make one image and push it under its upstream name."""
    start = time.monotonic()
    try:
        # Packing the layers would take longer than reading them does, on one machine.
        await describe(IMAGES[name], settings).publish(
            f"{settings.registry}/{mirrored(name)}",
            forced_compression=dagger.ImageLayerCompression.Uncompressed,
        )
    except dagger.ExecError as error:
        sys.exit(f"{name}: the packages could not be installed.\n{error.stdout}\n{error.stderr}")
    print(f"          {name} in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


async def main() -> None:
    """Publish the images named on the command line, all at once."""
    settings = Settings.from_environment()
    log = settings.log("images")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        connection = dagger.connection(dagger.Config(log_output=output))
        async with connection, anyio.create_task_group() as group:
            for name in sys.argv[1:]:
                group.start_soon(publish, settings, name)


if __name__ == "__main__":
    anyio.run(main)
