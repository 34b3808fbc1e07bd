"""Where a trail is kept, and how several who write at once all get in."""

from typing import Protocol

from pipeline.audit.record import AuditEntry, Record, chained
from pipeline.audit.trail import from_lines
from pipeline.errors import PipelineError

ATTEMPTS = 50


class Store(Protocol):
    """A place that only grows, such as objects named by sequence that are never replaced."""

    async def read(self) -> list[str]:
        """Give all lines, in the order of their sequence."""

    async def append(self, sequence: int, line: str) -> bool:
        """Keep a line, all of it or nothing; False when that sequence is taken."""


class CrowdedTrailError(PipelineError):
    """Others wrote to the trail all the time."""


async def write(store: Store, entry: AuditEntry) -> Record:
    """Put an entry at the end of the trail. Raises CrowdedTrailError, BrokenTrailError.

    Only the last record is read: a trail that was broken before must not keep anybody from
    recording what happens now.
    """
    for _ in range(ATTEMPTS):
        lines = await store.read()
        last = from_lines(lines[-1:], first=len(lines))
        record = chained(last[0] if last else None, entry)
        if await store.append(record.sequence, record.line):
            return record
    raise CrowdedTrailError(
        f"Nothing was recorded of '{entry.action}' on {entry.target}: somebody else was faster "
        f"{ATTEMPTS} times. Look for what writes to the audit trail all the time, and try again."
    )
