"""How long it takes to verify the worked example: the digests of a version, then its images.

Run with the engine up, behind `dagger call build-all --push`, with the version that it published:
`PYTHONPATH=src:. python -m bench.verify 0.0.0-dev.12-0123456`. It calls the module's functions in
this process, as the tests do; `scan` behind the version scans, too. What an engine once fetched and
described it knows: the second time is that of the next environment.
"""

import asyncio
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

import dagger

from bootstrap.settings import Settings
from pipeline.release.engine.verify import Signatory, verify_images
from pipeline.security.engine.criteria import Criteria
from tests.module import in_this_process, pipeline, secret

KEYS = Settings.from_environment().keys
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
EXECS = re.compile(r"^(\d+) *: [┆ ]*withExec ", re.MULTILINE)
CACHED = re.compile(r"^(\d+) *: [┆ ]*Container.withExec CACHED", re.MULTILINE)


async def measured(version: str, scan: bool) -> None:
    """Print the seconds of each step."""
    signatory = Signatory(secret((KEYS / "cosign.pub").read_text()))
    environment = await pipeline().environment(name="staging", secrets_key=None)._configured()
    start = time.monotonic()
    contents, access = await environment.contents(version)
    images = list(contents.images.values())
    print(f"digests of {len(images)} images: {time.monotonic() - start:.1f} s", flush=True)
    start = time.monotonic()
    criteria = await Criteria.of(environment.repository, access, scans=scan)
    verdict = await verify_images(images, [], environment.source, access, signatory, criteria)
    seconds = time.monotonic() - start
    print(f"verification of {len(images)} images: {seconds:.1f} s, passed: {verdict.passed}")


async def connected(output: TextIO) -> None:
    """Connect as a call of the module does; the engine tells there what it does."""
    async with dagger.connection(dagger.Config(log_output=output)):
        await measured(sys.argv[1], "scan" in sys.argv[2:])


def main() -> None:
    """Verify twice, and tell how many programs the engine ran."""
    for _ in range(2):
        with tempfile.TemporaryDirectory() as name:
            log = Path(name, "log")
            with log.open("w") as output, in_this_process(Path(name, "handed")):
                asyncio.run(connected(output))
            said = COLOURS.sub("", log.read_text())
            print(f"execs: {len(set(EXECS.findall(said)) - set(CACHED.findall(said)))}")


if __name__ == "__main__":
    main()
