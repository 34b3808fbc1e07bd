"""What is made once for all lanes of a run of the tests."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def once_a_run(name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Make something, or wait until another lane has made it."""
    folder = os.environ.get("PIPELINE_TEST_RUN")
    if not folder:
        return make()
    kept = Path(folder, f"{name}.json")
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(json.dumps(make()))
    found: dict[str, Any] = json.loads(kept.read_text())
    return found
