"""What the time of the tests is spent on: so that what makes them long is seen at the end."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SPENT: dict[str, tuple[int, float]] = {}


@contextmanager
def spent_on(kind: str) -> Iterator[None]:
    """Count what happens inside, and how long it takes, as one of a kind."""
    start = time.monotonic()
    try:
        yield
    finally:
        calls, seconds = SPENT.get(kind, (0, 0.0))
        SPENT[kind] = (calls + 1, seconds + time.monotonic() - start)


def write_costs(report: str | None) -> None:
    """Leave the sums beside the report of a run that has one."""
    if report:
        Path(report).with_suffix(".costs.json").write_text(json.dumps(SPENT))
