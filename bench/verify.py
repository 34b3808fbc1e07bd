"""How long it takes to verify the worked example: the digests of a version, then its images.

Run with the engine up, behind `dagger call build-all --push`, with the version that it published:
`PYTHONPATH=src:. python -m bench.verify 0.0.0-dev.12-0123456`. It calls the module's functions in
this process, as the tests do; `scan` behind the version scans, too.
"""

import asyncio
import re
import sys
import tempfile
import time
from pathlib import Path

import dagger

from bootstrap.settings import Settings
from tests.module import in_this_process, pipeline, secret

KEYS = Settings.from_environment().keys
EXECS = re.compile(r"^(\d+) +: .*[Ww]ith_?[Ee]xec.* (?:DONE|ERROR)", re.MULTILINE)


async def measured(version: str, scan: bool, log: Path) -> None:
    """Print a line for each step, and how many programs the engine ran for it."""
    module, key = pipeline(), secret((KEYS / "cosign.pub").read_text())
    seen = start = 0.0

    def told(what: str) -> None:
        nonlocal seen, start
        execs = len(EXECS.findall(log.read_text()))
        print(f"{what:40} {time.monotonic() - start:6.1f} s, {execs - seen:3.0f} execs")
        seen, start = execs, time.monotonic()

    start = time.monotonic()
    contents, access = await module._contents(version, None, (None, None, False))
    images = list(contents.images.values())
    told(f"digests of {len(images)} images")
    verdict = await module._verified(images, key, None, None, access, scan)
    told(f"verification of {len(images)} images")
    [one, *_] = images
    await module._verified([one], key, None, None, access, scan)
    told("verification of one image, again")
    print(verdict.table())


async def main() -> None:
    """Connect once, as a call of the module does."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "log").open("w") as output, in_this_process(folder / "handed"):
            async with dagger.connection(dagger.Config(log_output=output)):
                await measured(sys.argv[1], "scan" in sys.argv[2:], folder / "log")


if __name__ == "__main__":
    asyncio.run(main())
