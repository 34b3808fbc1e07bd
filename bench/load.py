"""How many cached texts a second the worked example answers, on its published images.

Run with the engine up: `eval "$(python3 -m bootstrap start)" && python3 -m bench.load`.
wrk holds 32 connections for 15 s, on the same processors; it asks the engine itself, then the
gateway in front of it, then the proxy in front of both. Each line is one run.
"""

import io
import json
import re
import subprocess
import sys

import anyio
import dagger
from dagger import dag

from tests.engine.conftest import Registry
from tests.engine.stack import PORTS, stack

TEXT = "The river was calm. The river carried the small boat, and the boat carried us home."
SCRIPT = f"""
wrk.method = "POST"
wrk.body = '{json.dumps({"text": TEXT})}'
wrk.headers["content-type"] = "application/json"
"""
PATHS = {
    "consciousness-engine": "/analyses",
    "api-gateway": "/api/v1/analyses",
    "proxy": "/api/v1/analyses",
}


async def measured(service: str, running: dagger.Service) -> str:
    """Give wrk's own words after a run against a service."""
    url = f"http://{service}:{PORTS[service]}{PATHS[service]}"
    warm = f"wrk -t1 -c4 -d2s -s /post.lua {url} >/dev/null"
    run = f"wrk -t1 -c32 -d15s --latency -s /post.lua {url}"
    return await (
        dag.container()
        .from_("debian:trixie-slim")
        .with_exec(["sh", "-ec", "apt-get update -qq && apt-get install -qqy wrk >/dev/null"])
        .with_new_file("/post.lua", SCRIPT)
        .with_service_binding(service, running)
        .with_exec(["sh", "-ec", f"{warm} && {run}"])
        .stdout()
    )


async def main() -> None:
    """Build, publish, then print a line for each service."""
    command = ["dagger", "call", "--progress=plain", "build-all", "--push", "--format=json"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode != 0:
        sys.exit(built.stderr[-3000:])
    published = json.loads(built.stdout)
    address = published["images"][0]["references"][0].split("/")[0]
    async with dagger.connection(dagger.Config(log_output=io.StringIO())):
        for service in PATHS:
            running = stack(Registry(address), published, service, "linux/amd64")
            said = await measured(service, running)
            rate, late = re.search(r"Requests/sec: +(\S+)", said), re.search(r"99% +(\S+)", said)
            wrong = re.search(r"Non-2xx.*", said)
            if rate is None or late is None or wrong:
                sys.exit(f"{service}: {said}")
            print(f"{service:22} {float(rate[1]):8.0f}/s  p99 {late[1]:>8}", flush=True)


if __name__ == "__main__":
    anyio.run(main)
