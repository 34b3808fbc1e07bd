"""What a report shows, and the one way to show it: as a table, Markdown or JSON."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel

# What Markdown takes for nothing else; a number with a dot begins a list, as does a sign alone,
# but not in a table.
WORDS = re.compile(r"(?!\d+[.)]( |$))[^\W_](?:[^\W_]|[ ,.:;!?'\"()/%+=-])*")
CELL = re.compile(rf"{WORDS.pattern}|[-+~#]")


class Format(StrEnum):
    """What a report can be written as."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


@dataclass(frozen=True)
class Column:
    """One column; in Markdown its cells are code, if they are `plain` only where they must."""

    heading: str
    plain: bool = False
    right: bool = False


@dataclass(frozen=True)
class Table:
    """Rows with a cell for each column."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Lines:
    """Sentences, and below them the names or remarks that the last one announces."""

    sentences: Sequence[str]
    names: Sequence[str] = ()


Part = Table | Lines


@dataclass(frozen=True)
class Report:
    """What there is to read, part by part; `model` is all of it, for programs.

    `markdown` has the parts for Markdown, if it shows them otherwise than a terminal does.
    Texts may be from anywhere: whoever writes them out sees to it that they steer nothing.
    """

    model: BaseModel | Sequence[BaseModel]
    parts: Sequence[Part]
    markdown: Sequence[Part] | None = None


def render(report: Report, format_: Format) -> str:
    """Write a report in a format."""
    match format_:
        case Format.TABLE:
            return as_table(report.parts)
        case Format.MARKDOWN:
            parts = report.parts if report.markdown is None else report.markdown
            return _joined([_markdown(part) for part in parts])
        case Format.JSON:
            return _json(report.model)


def as_table(parts: Sequence[Part]) -> str:
    """Write for a terminal."""
    return _joined([_text(part) for part in parts])


def _joined(parts: Sequence[Sequence[str]]) -> str:
    """Put an empty line between parts that have any."""
    return "\n".join("\n".join([*lines, ""]) for lines in parts if lines)


def _text(part: Part) -> list[str]:
    if isinstance(part, Lines):
        lines = [*part.sentences, *(f"  {name}" for name in part.names)]
        return [_printable(line) for line in lines]
    rows = [[column.heading.upper() for column in part.columns], *part.rows]
    cells = [[_printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _markdown(part: Part) -> list[str]:
    if isinstance(part, Lines):
        sentences = [f"- {_plain(sentence, WORDS)}" for sentence in part.sentences]
        return [*sentences, *(f"  - {_code(name)}" for name in part.names)]
    rows = [
        [_plain(column.heading, CELL) for column in part.columns],
        ["---:" if column.right else "---" for column in part.columns],
        *([*map(_cell, part.columns, row)] for row in part.rows),
    ]
    # A cell ends at a bar, also within code.
    return ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]


def _cell(column: Column, text: str) -> str:
    return _plain(text, CELL) if column.plain else _code(text)


def _json(model: BaseModel | Sequence[BaseModel]) -> str:
    if isinstance(model, BaseModel):
        text = model.model_dump_json(indent=2)
    else:
        text = "[" + ",\n".join(each.model_dump_json(indent=2) for each in model) + "]"
    # JSON escapes less than what steers a terminal, and is shown on terminals, too.
    return "".join(f"{_escaped(line)}\n" for line in text.split("\n"))


def _escaped(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in line)


def _printable(text: str) -> str:
    """Leave out what steers a terminal: names come out of the images that are scanned."""
    return "".join(each if each.isprintable() else "�" for each in text)


def _code(text: str) -> str:
    """Set text as code, where Markdown and HTML mean nothing and nobody is mentioned."""
    return "`" + _printable(text).replace("`", "'") + "`" if text else ""


def _plain(text: str, words: re.Pattern[str]) -> str:
    """Leave words as they are; what could mean more to Markdown is code."""
    return text if words.fullmatch(text) else _code(text)
