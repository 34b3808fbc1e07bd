"""The records of a trail as lines, and whether they hang together.

Each record holds the digest of the one before it, so none but the last can be changed, and none
can be taken out, put in or moved, without a trace. What the chain alone can't show is its end: that
the last records were cut off, changed or added. Nor does it show that somebody who could write
everywhere wrote all of it anew. For that, keep the head elsewhere and compare.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from pipeline.audit.record import NOTHING, Record
from pipeline.errors import PipelineError


@dataclass(frozen=True)
class Head:
    """Where a trail ended when somebody looked: the last record's sequence and digest."""

    sequence: int
    digest: str


class BrokenTrailError(PipelineError):
    """An audit trail isn't what was written: the first record that shows it, and what it shows.

    `confirmed` is how many records before it are what those behind them say.
    """

    def __init__(self, sequence: int, happened: str, confirmed: int) -> None:
        self.sequence = sequence
        whole = f"Records 1 to {confirmed} are whole. " if confirmed > 0 else ""
        super().__init__(
            f"The audit trail is broken: record {sequence} {happened}.\n"
            f"{whole}Compare it with a copy, and find out who can write to where it is kept."
        )


def to_lines(records: Sequence[Record]) -> list[str]:
    """Write records as JSON Lines, without their line ends."""
    return [record.line for record in records]


def from_lines(lines: Sequence[str], first: int = 1) -> list[Record]:
    """Read records, the first of this sequence, each as it was written.

    Raises BrokenTrailError. It doesn't look whether they hang together.
    """
    return [_checked(_read(line), sequence) for sequence, line in enumerate(lines, start=first)]


def verified(lines: Sequence[str], head: Head | None = None) -> list[Record]:
    """Read records that hang together, and where a head was kept, are those that led to it.

    Raises BrokenTrailError, which names the first record that was changed, is missing, or was put
    in or moved.
    """
    records: list[Record] = []
    for sequence, line in enumerate(lines, start=1):
        record = _checked(_read(line), sequence)
        if record.sequence != sequence:
            raise _misplaced(record, sequence, lines)
        if record.previous != head_of(records).digest:
            raise _changed(record, lines[sequence:], head)
        records.append(record)
    if head:
        _check_head(records, head)
    return records


def head_of(records: Sequence[Record]) -> Head:
    """Give what to keep elsewhere of a trail that is verified."""
    return Head(records[-1].sequence, records[-1].digest) if records else Head(0, NOTHING)


def _read(line: str) -> Record | None:
    try:
        record = Record.model_validate_json(line)
    except ValidationError:
        return None
    return record if record.line == line else None


def _checked(read: Record | None, sequence: int) -> Record:
    if read is None:
        happened = "was changed: it isn't as the pipeline writes it"
        raise BrokenTrailError(sequence, happened, sequence - 2)
    return read


def _misplaced(record: Record, sequence: int, lines: Sequence[str]) -> BrokenTrailError:
    said = [other.sequence for other in map(_read, lines) if other]
    if said.count(record.sequence) > 1:
        happened = "is there twice: one was put in"
        return BrokenTrailError(record.sequence, happened, min(sequence, record.sequence) - 2)
    if sequence in said:
        happened = f"was moved: record {record.sequence} stands in its place"
        return BrokenTrailError(sequence, happened, sequence - 2)
    return BrokenTrailError(sequence, "is missing", sequence - 2)


def _changed(record: Record, behind: Sequence[str], head: Head | None) -> BrokenTrailError:
    """Tell which of two records was changed that don't fit: what is behind confirms the other."""
    before, sequence = record.sequence - 1, record.sequence
    follower = _read(behind[0]) if behind else None
    confirmed = follower.previous if follower else head.digest if head else None
    if confirmed == record.digest and before:
        happened = f"was changed: record {sequence} doesn't follow from it"
        return BrokenTrailError(before, happened, before - 1)
    if confirmed is None and before:
        happened = f"was changed, or record {sequence}: they don't fit together"
        return BrokenTrailError(before, happened, before - 1)
    happened = "was changed: it doesn't follow from what is before it"
    return BrokenTrailError(sequence, happened, sequence - 2)


def _check_head(records: Sequence[Record], head: Head) -> None:
    if len(records) < head.sequence:
        happened = "is missing: the end was cut off"
        raise BrokenTrailError(len(records) + 1, happened, len(records) - 1)
    if head_of(records[: head.sequence]).digest != head.digest:
        happened = "was changed, or one before it: it isn't the head that was kept"
        raise BrokenTrailError(head.sequence, happened, 0)
