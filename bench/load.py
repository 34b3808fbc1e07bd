"""How many cached texts a second the worked example answers: its published images, run by Docker.

Run with the engine up: `eval "$(python3 -m bootstrap start)" && python3 -m bench.load`.
wrk holds 32 connections for 15 s on the same processors: to the engine itself, to the gateway in
front of it, and to the proxy in front of both. Each line is one run.
"""

import json
import os
import re
import sys

import anyio
import dagger
from dagger import dag

from tests.conftest import PUSH, dagger_call
from tests.docker import start_docker
from tests.stack.conftest import Stack, running_stack

TEXT = "The river was calm. The river carried the small boat, and the boat carried us home."
SCRIPT = f"""
wrk.method = "POST"
wrk.body = '{json.dumps({"text": TEXT})}'
wrk.headers["content-type"] = "application/json"
"""
ADDRESSES = {
    "consciousness-engine": "http://consciousness-engine:8082/analyses",
    "api-gateway": "http://api-gateway:8081/api/v1/analyses",
    "proxy": "http://proxy:8080/api/v1/analyses",
}


async def wrk_image() -> str:
    """Publish an image of wrk with what it is to send; gives its reference."""
    async with dagger.connection():
        return await (
            dag.container()
            .from_("debian:trixie-slim")
            .with_exec(["sh", "-ec", "apt-get update -qq && apt-get install -qqy wrk >/dev/null"])
            .with_new_file("/post.lua", SCRIPT)
            .publish(f"{os.environ['PIPELINE_TEST_REGISTRY']}/bench/wrk")
        )


def measured(stack: Stack, image: str, address: str) -> str:
    """Give wrk's own words after a run, once the text is in the cache."""

    def wrk(*options: str) -> str:
        command = ["wrk", "--threads=1", "--script=/post.lua", "--latency", *options, address]
        return stack.docker("run", "--rm", f"--network={stack.network}", image, *command)

    wrk("--connections=4", "--duration=2s")
    return wrk("--connections=32", "--duration=15s")


def main() -> None:
    """Print a line for each service."""
    built = dagger_call(*PUSH, "--format=json")
    if built.status != 0:
        sys.exit(built.progress[-3000:])
    images = {
        image["service"]: image["references"][0] for image in json.loads(built.output)["images"]
    }
    wrk = anyio.run(wrk_image)
    with running_stack(start_docker(), images) as stack:
        for service, address in ADDRESSES.items():
            said = measured(stack, wrk, address)
            rate, late = re.search(r"Requests/sec: +(\S+)", said), re.search(r"99% +(\S+)", said)
            if rate is None or late is None or "Non-2xx" in said:
                sys.exit(f"{service}: {said}")
            print(f"{service:22} {float(rate[1]):8.0f}/s  p99 {late[1]:>8}", flush=True)


if __name__ == "__main__":
    main()
