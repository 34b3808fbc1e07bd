"""One renderer: names from anywhere stay in their cell, their line, their text."""

import json
from random import Random

import pytest
from pydantic import BaseModel

from pipeline.report.render import (
    Column,
    Format,
    Lines,
    Report,
    Table,
    render,
)
from tests.unit.hostile import hostile

NASTY = [
    "a|b",
    "a\\|b",
    "|",
    "a\n| b | c |",
    "`code`",
    "```\n# x",
    "\x1b[2J\x1b[31mred",
    "\x9b31m",
    "a\u202eb",
    "a\r\nb\tc\x00",
    "<img src=x onerror=alert(1)>",
    "[x](https://a.example)",
    "@acme/team #1 *bold* _it_ ~~no~~ &lt;",
    "1. list",
    "- list",
    "# heading",
    "-",
    "",
    *(hostile(Random(seed)) for seed in range(60)),
]
COLUMNS = (Column("name"), Column("words", plain=True), Column("one|two", plain=True, right=True))


class Model(BaseModel):
    """Anything."""

    texts: list[str]


def reported(*parts: Table | Lines, texts: list[str] | None = None) -> Report:
    return Report(Model(texts=texts or []), parts)


def cells_of(line: str) -> list[str]:
    """Split a row as GitHub does: at each bar without a backslash before it."""
    cells, cell = [], ""
    for index, each in enumerate(line):
        if each == "|" and line[index - 1 : index] != "\\":
            cells.append(cell)
            cell = ""
        elif each == "|":
            cell = f"{cell[:-1]}|"
        else:
            cell += each
    assert (cells[0], cell) == ("", "")
    return [each.strip(" ") for each in cells[1:]]


def shown(text: str) -> str:
    return "".join(each if each.isprintable() else "�" for each in text)


def is_code(text: str) -> bool:
    return text == "" or (text[0] == text[-1] == "`" and "`" not in text[1:-1] and len(text) > 2)


def means_nothing(text: str) -> bool:
    return not set(text) & set("`|<>[]*_#@&~\\\n") and not text.startswith(("-", "+", "=", "1."))


def test_parts_in_order_with_a_line_between() -> None:
    table = Table([Column("name"), Column("size", plain=True, right=True)], [("a", "1 MB")])
    report = reported(table, Lines([]), Lines(["Done.", "Published:"], ["b"]))
    assert render(report, Format.TABLE) == ("NAME  SIZE\na     1 MB\n\nDone.\nPublished:\n  b\n")
    assert render(report, Format.MARKDOWN) == (
        "| name | size |\n| --- | ---: |\n| `a` | 1 MB |\n\n- Done.\n- Published:\n  - `b`\n"
    )


def test_markdown_may_have_parts_of_its_own() -> None:
    report = Report(Model(texts=[]), [Lines(["For terminals."])], [Lines(["For pages."])])
    assert render(report, "table") == "For terminals.\n"
    assert render(report, "markdown") == "- For pages.\n"


def test_a_format_is_its_name() -> None:
    assert [render(reported(Lines(["a"])), each) for each in Format] == [
        render(reported(Lines(["a"])), name) for name in ("table", "markdown", "json")
    ]


@pytest.mark.parametrize("text", NASTY)
def test_a_name_stays_in_its_cell_on_a_terminal(text: str) -> None:
    report = reported(Table(COLUMNS, [(text, text, "end"), ("-", "-", "end")]))
    written = render(report, "table")
    lines = written.removesuffix("\n").split("\n")
    assert all(line.isprintable() for line in lines)
    assert len(lines) == 3
    width = max(len(shown(text)), 5)
    gap = " " * (max(len(shown(text)), 4) - len(shown(text)))
    assert lines[1] == f"{shown(text)}{gap}  {shown(text).ljust(width)}  end"


@pytest.mark.parametrize("text", NASTY)
def test_a_name_stays_in_its_cell_in_markdown(text: str) -> None:
    lines = render(reported(Table(COLUMNS, [(text, text, text)])), "markdown").split("\n")
    assert len(lines) == 4
    heading, rule, row, _ = map(cells_of, [*lines[:3], "||"])
    assert heading == ["name", "words", "`one|two`"]
    assert rule == ["---", "---", "---:"]
    assert len(row) == 3
    assert row[0] == (f"`{shown(text).replace('`', chr(39))}`" if text else "")
    assert all(is_code(cell) or cell in set("-+~#") or means_nothing(cell) for cell in row)


@pytest.mark.parametrize("text", NASTY)
def test_a_name_stays_in_its_line(text: str) -> None:
    report = reported(Lines([text, f"So many of {text}:"], [text, text]))
    table = render(report, "table").removesuffix("\n").split("\n")
    assert table == [
        shown(text),
        f"So many of {shown(text)}:",
        f"  {shown(text)}",
        f"  {shown(text)}",
    ]
    markdown = render(report, "markdown").removesuffix("\n").split("\n")
    assert [line[: line.index("- ") + 2] for line in markdown] == ["- ", "- ", "  - ", "  - "]
    said = [line.split("- ", 1)[1] for line in markdown]
    assert all(is_code(each) or means_nothing(each) for each in said[:2])
    assert all(map(is_code, said[2:]))


@pytest.mark.parametrize("text", NASTY)
def test_json_is_the_model_and_steers_no_terminal(text: str) -> None:
    written = render(reported(texts=[text, "é"]), "json")
    assert json.loads(written) == {"texts": [text, "é"]}
    assert '"é"' in written
    assert all(line.isprintable() for line in written.split("\n"))


def test_json_of_many() -> None:
    models = [Model(texts=[]), Model(texts=["a"])]
    assert json.loads(render(Report(models, []), "json")) == [{"texts": []}, {"texts": ["a"]}]
    assert render(Report([], []), "json") == "[]\n"


def test_words_are_no_code() -> None:
    for words in ("Built 1 service, 2 images, version 1.2.0.", "0.50 MB", "linux/amd64", "é"):
        assert render(reported(Lines([words])), "markdown") == f"- {words}\n"
