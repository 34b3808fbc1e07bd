"""The audit trail: whatever is done to it shows, and whoever writes to it gets in."""

import json
import random
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import ValidationError

from pipeline.audit.record import AuditEntry, Record, chained
from pipeline.audit.report import render_audit
from pipeline.audit.store import ATTEMPTS, CrowdedTrailError, write
from pipeline.audit.trail import BrokenTrailError, Head, from_lines, head_of, to_lines, verified
from tests.unit.configs import ROOT

WHEN = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a1" * 32
LENGTH = 6


def entry(number: int = 1, **more: Any) -> AuditEntry:
    settings: dict[str, Any] = {
        "when": WHEN + timedelta(minutes=number),
        "who": "Søren <s@example.com>",
        "action": "deploy",
        "target": "staging/shop",
        "outcome": "succeeded",
        "origin": "https://ci.example.com/runs/7",
        "what": f"1.0.{number}",
        "digests": {"web": DIGEST, "api": DIGEST},
    }
    return AuditEntry(**(settings | more))


def trail(length: int) -> list[Record]:
    records: list[Record] = []
    for number in range(length):
        records.append(chained(records[-1] if records else None, entry(number)))
    return records


def broken(lines: list[str], head: Head | None = None) -> BrokenTrailError:
    with pytest.raises(BrokenTrailError) as caught:
        verified(lines, head)
    return caught.value


def changed(line: str, **fields: Any) -> str:
    """Change a line as somebody would who knows how the pipeline writes them."""
    return Record.model_validate(json.loads(line) | fields).line


def test_a_record_is_one_line_of_canonical_json() -> None:
    record = chained(None, entry(why="“fix”\nnow\u2028"))
    assert record.line == (
        f'{{"action":"deploy","detail":"","digests":{{"api":"{DIGEST}","web":"{DIGEST}"}},'
        '"origin":"https://ci.example.com/runs/7","outcome":"succeeded","previous":"",'
        '"sequence":1,"target":"staging/shop","what":"1.0.1","when":"2026-11-26T12:01:00Z",'
        '"who":"Søren <s@example.com>","why":"“fix”\\nnow\u2028"}'
    )
    assert record.digest == (
        "sha256:072284715d434e1c92c3fc1a8dc4e80c9a0323e23c64c82fdc8042e6737d7ed2"
    )
    assert from_lines([record.line]) == [record]


def test_moments_are_in_utc_and_seconds() -> None:
    summer = WHEN.astimezone(timezone(timedelta(hours=2))) + timedelta(microseconds=123)
    assert '"when":"2026-11-26T12:00:00Z"' in chained(None, entry(when=summer)).line
    with pytest.raises(ValidationError):
        entry(when=WHEN.replace(tzinfo=None))


@pytest.mark.parametrize("mistake", [{"who": ""}, {"action": ""}, {"secret": "x"}])
def test_entries_are_strict(mistake: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        entry(**mistake)


def test_what_is_no_text_is_recorded_all_the_same() -> None:
    record = chained(None, entry(detail="no \udcff", digests={"\udcff": DIGEST}))
    assert (record.detail, record.digests) == ("no ?", {"?": DIGEST})
    assert verified([record.line]) == [record]


def test_each_follows_from_the_one_before() -> None:
    first, second = trail(2)
    assert (first.sequence, first.previous) == (1, "")
    assert (second.sequence, second.previous) == (2, first.digest)
    assert verified(to_lines([first, second])) == [first, second]
    assert verified([]) == []


def test_anybody_can_check_the_chain_as_the_page_says(tmp_path: Path) -> None:
    records = trail(12)
    (tmp_path / "trail.jsonl").write_text("".join(f"{line}\n" for line in to_lines(records)))
    [command] = re.findall(r"^head .*", (ROOT / "docs/audit.md").read_text(), re.MULTILINE)
    shell = ["bash", "-o", "pipefail", "-c", command]
    said = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert f"sha256:{said.split()[0]}" == records[11].previous


def test_a_record_that_was_changed() -> None:
    lines = to_lines(trail(5))
    lines[2] = changed(lines[2], why="another")
    error = broken(lines)
    assert str(error).startswith(
        "The audit trail is broken: record 3 was changed: record 4 doesn't follow from it.\n"
        "Records 1 to 2 are whole. "
    )
    lines = to_lines(trail(5))
    lines[2] = changed(lines[2], previous=DIGEST)
    error = broken(lines)
    assert "record 3 was changed: it doesn't follow from what is before it" in str(error)
    assert "Records 1 to 1 are whole" in str(error)
    lines[0] = changed(lines[0], previous=DIGEST)
    assert "record 1 was changed: it doesn't follow" in str(broken(lines))
    assert "are whole" not in str(broken(lines))
    assert "record 1 was changed: it doesn't follow" in str(broken(lines[:1]))


def test_a_first_record_that_says_it_follows_from_another() -> None:
    first = Record.model_validate(trail(1)[0].model_dump() | {"previous": DIGEST})
    error = broken(to_lines([first, chained(first, entry(2))]))
    assert "record 1 was changed: it doesn't follow" in str(error)


def test_near_the_end_only_a_head_tells_which_was_changed() -> None:
    records = trail(3)
    lines = to_lines(records)
    lines[1] = changed(lines[1], why="another")
    error = broken(lines)
    assert "record 2 was changed, or record 3: they don't fit together.\nRecords 1 to 1" in str(
        error
    )
    assert "record 2 was changed: record 3" in str(broken(lines, head_of(records)))
    lines = [*to_lines(records[:2]), changed(records[2].line, previous=DIGEST)]
    assert "record 2 was changed, or record 3" in str(broken(lines))
    assert "record 3 was changed: it doesn't" in str(broken(lines, head_of(records)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda line: line + " ",
        lambda line: line.replace('":"', '": "', 1),
        lambda line: line.replace('"who"', '"who":"x","who"'),
        lambda line: json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")),
        lambda line: line.replace("12:01:00Z", "12:01:00+00:00"),
        lambda line: line.replace('"sequence":2', '"sequence":"2"'),
        lambda line: line[:-1],
        lambda _line: "",
        lambda _line: "[]",
    ],
)
def test_a_line_that_the_pipeline_never_wrote(spoil: Callable[[str], str]) -> None:
    lines = to_lines(trail(3))
    lines[1] = spoil(lines[1])
    assert "record 2 was changed: it isn't as the pipeline writes it" in str(broken(lines))
    assert "are whole" not in str(broken(lines))
    assert "Records 1 to 1 are whole" in str(broken([*to_lines(trail(2)), lines[1]]))
    with pytest.raises(BrokenTrailError, match="record 2 was changed"):
        from_lines(lines)


def test_a_record_that_is_missing_moved_or_put_in() -> None:
    lines = to_lines(trail(5))
    error = broken([*lines[:2], *lines[3:]])
    assert "record 3 is missing.\nRecords 1 to 1 are whole. Compare it with a copy" in str(error)
    assert "record 3 is missing" in str(broken([*lines[:2], lines[3], "{}"]))
    assert broken(lines[1:]).sequence == 1
    swapped = [lines[0], lines[2], lines[1], *lines[3:]]
    assert "record 2 was moved: record 3 stands in its place" in str(broken(swapped))
    swapped = [*lines[:3], lines[4], lines[3]]
    assert "record 4 was moved: record 5 stands in its place.\nRecords 1 to 2" in str(
        broken(swapped)
    )
    forged = chained(from_lines(lines)[1], entry(9)).line
    error = broken([*lines[:2], forged, *lines[2:]])
    assert "record 3 is there twice: one was put in.\nRecords 1 to 1 are whole" in str(error)
    assert "record 4 is there twice" in str(broken([lines[0], lines[3], *lines[1:]]))


def test_the_end_is_known_by_the_head_alone() -> None:
    records = trail(5)
    lines, head = to_lines(records), head_of(records)
    assert head == Head(5, records[4].digest)
    assert len(verified(lines[:4])) == 4
    error = broken(lines[:3], head)
    assert "record 4 is missing: the end was cut off.\nRecords 1 to 2 are whole" in str(error)
    last = changed(lines[4], why="another")
    assert len(verified([*lines[:4], last])) == 5
    error = broken([*lines[:4], last], head)
    assert "record 5 was changed, or one before it" in str(error)
    assert "are whole" not in str(error)
    more = [*lines, chained(records[4], entry(9)).line]
    assert len(verified(more, head)) == 6
    assert head_of([]) == Head(0, "")
    assert verified(lines, head_of([])) == records


def test_whatever_is_done_to_it_shows() -> None:
    chance = random.Random(7)
    records = trail(LENGTH)
    lines = to_lines(records)
    others = to_lines(
        [chained(records[n - 1] if n else None, entry(n, why="x")) for n in range(LENGTH)]
    )
    fields = ("who", "action", "target", "outcome", "origin", "what", "why", "detail")

    def change(at: int) -> list[str]:
        field = chance.choice(fields)
        return [*lines[:at], changed(lines[at], **{field: "other"}), *lines[at + 1 :]]

    def cut(at: int) -> list[str]:
        return lines[:at] + lines[at + 1 :]

    def swap(at: int) -> list[str]:
        other = chance.choice([n for n in range(LENGTH) if n != at])
        moved = [*lines]
        moved[at], moved[other] = moved[other], moved[at]
        return moved

    def insert(at: int) -> list[str]:
        return [*lines[:at], chance.choice(lines + others), *lines[at:]]

    def flip(at: int) -> list[str]:
        line = lines[at]
        place = chance.randrange(len(line))
        character = chr(ord(line[place]) ^ chance.randrange(1, 32))
        return [*lines[:at], line[:place] + character + line[place + 1 :], *lines[at + 1 :]]

    for _ in range(10_000):
        how = chance.choice([change, cut, swap, insert, flip])
        # The last record is confirmed by nothing that is in the trail.
        at = chance.randrange(LENGTH - 1)
        assert broken(how(at)).sequence <= LENGTH


class Memory:
    """A store as objects named by sequence are; others come in between at each checkpoint."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.lost = 0

    async def read(self) -> list[str]:
        lines = [*self.lines]
        await anyio.lowlevel.checkpoint()
        return lines

    async def append(self, sequence: int, line: str) -> bool:
        await anyio.lowlevel.checkpoint()
        if sequence <= len(self.lines):
            self.lost += 1
            return False
        self.lines.append(line)
        return True


async def test_many_who_write_at_once_all_get_in() -> None:
    store = Memory()
    written: list[Record] = []

    async def writer(number: int) -> None:
        written.append(await write(store, entry(number)))

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(writer, number)
    records = verified(store.lines, None)
    assert sorted(written, key=lambda record: record.sequence) == records
    assert sorted(record.what for record in records) == sorted(f"1.0.{n}" for n in range(20))
    assert store.lost > 0


async def test_whoever_always_loses_is_told() -> None:
    class Crowded(Memory):
        async def append(self, sequence: int, line: str) -> bool:
            self.lost += 1
            return not (sequence and line)

    store = Crowded()
    said = "Nothing was recorded of 'deploy' on staging/shop: somebody else was faster 50 times"
    with pytest.raises(CrowdedTrailError, match=said):
        await write(store, entry())
    assert store.lost == ATTEMPTS


async def test_what_is_broken_before_keeps_nobody_from_recording() -> None:
    store = Memory()
    store.lines = to_lines(trail(3))
    store.lines[0] = "{}"
    record = await write(store, entry(9))
    assert record.sequence == 4
    store.lines[-1] = "{}"
    with pytest.raises(BrokenTrailError, match="record 4 was changed"):
        await write(store, entry(9))


def test_a_trail_as_a_table() -> None:
    records = [
        chained(None, entry(why="release")),
        chained(trail(1)[0], entry(2, what="", outcome="failed", detail="\x1b[31mno\nimage")),
    ]
    lines = render_audit(records, "table").splitlines()
    assert lines[0].split() == [
        *("#", "WHEN", "WHO", "ACTION", "TARGET", "WHAT", "OUTCOME", "WHY", "FROM"),
    ]
    assert lines[1].startswith("1  2026-11-26T12:01:00Z  Søren <s@example.com>  deploy  staging/")
    assert lines[1].endswith("  release  https://ci.example.com/runs/7")
    assert "  1.0.1  " in lines[1]
    assert "  staging/shop  -  " in lines[2]
    assert lines[2].split()[-2:] == ["-", "https://ci.example.com/runs/7"]
    assert "failed: �[31mno�image" in lines[2]
    assert lines[-1] == f"2 records; the last is {records[1].digest}."
    assert render_audit([], "table").splitlines()[-1] == "Nothing is recorded."


def test_a_trail_as_markdown_and_json() -> None:
    records = trail(2)
    lines = render_audit(records, "markdown").splitlines()
    assert lines[0].startswith("| # | when | who | action |")
    assert lines[2].startswith("| `1` | `2026-11-26T12:00:00Z` | `Søren <s@example.com>` |")
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|")
    said = json.loads(render_audit(records, "json"))
    assert said[1]["digests"] == {"web": DIGEST, "api": DIGEST}
    assert [one["digest"] for one in said] == [record.digest for record in records]
