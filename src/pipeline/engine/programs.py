"""Programs out of their images, to run beside this process: what they are given stays in it."""

import tempfile
from pathlib import Path

from dagger import dag


async def program(image: str, path: str) -> Path:
    """Take one program out of an image; its file is there as long as this process is."""
    target = Path(tempfile.mkdtemp()) / Path(path).name
    await dag.container().from_(image).file(path).export(str(target))
    return target
