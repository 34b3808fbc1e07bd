"""Files that people write: every mistake is named, with its place."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from pipeline import documents
from pipeline.errors import LINE_END, InvalidFilesError, Mistake, Place


class Inner(BaseModel, extra="forbid", strict=True):
    count: int
    names: list[str] = []


class Outer(BaseModel, extra="forbid", strict=True):
    title: str
    inner: Inner


OUTER = TypeAdapter(Outer)


def mistakes(text: str) -> list[str]:
    with pytest.raises(InvalidFilesError) as caught:
        documents.validate(documents.parse("a.yml", text), OUTER, ["title", "inner", "count"])
    return [str(mistake) for mistake in caught.value.mistakes]


def is_in(text: str, place: Place) -> bool:
    """Whether a place is a character's of a text, or right after a line's end or its own."""
    lines = [*re.split(LINE_END, text), ""]
    return 1 <= place.line <= len(lines) and 1 <= place.column <= len(lines[place.line - 1]) + 1


def test_a_right_file_gives_its_model() -> None:
    document = documents.parse("a.yml", "title: x\ninner:\n  count: 3\n")
    assert documents.validate(document, OUTER) == Outer(title="x", inner=Inner(count=3))


def test_every_mistake_is_named_at_its_line() -> None:
    assert mistakes("title: 3\ninner:\n  cuont: 1\n  names: [a, 2]\n") == [
        "a.yml:1:8: title: Input should be a valid string, got 3",
        "a.yml:2:1: inner.count: is missing",
        "a.yml:3:3: inner.cuont: unknown field; did you mean 'count'?",
        "a.yml:4:14: inner.names[1]: Input should be a valid string, got 2",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a.yml:1:1: the file is empty"),
        ("a: [1\nb: 2", "a.yml:2:2: not YAML"),
        ("a:\n\t- 1", "a.yml:2:1: not YAML"),
        ("a: 1\nb: 2\na: 3", "a.yml:3:1: a: is there already, at line 1"),
        ("a: 1\n---\nb: 1", "a.yml:2:1: not YAML"),
        ("a: \x00", "a.yml:1:4: not YAML"),
        ("a: é\nb: \x01", "a.yml:2:4: not YAML: control characters"),
        ("a: \ud800", "a.yml:1:4: isn't text in UTF-8"),
        ("a: b\nc: caf\ufffd", "a.yml:2:7: isn't text in UTF-8 from here on: save the file in"),
        ("\ufffd\ufffda\x00:\x00", "a.yml:1:1: isn't text in UTF-8"),
        ("a\x00:\x00", "a.yml:1:2: not YAML: control characters"),
        ("\ufeffa: [*x]", "a.yml:1:5: '*x' repeats another part"),
        ("a: &x 1\nb: *x", "a.yml:2:4: '*x' repeats another part: write it out"),
        ("a: [*x]", "a.yml:1:5: '*x' repeats another part"),
        ("a: " + "[" * 100, "a.yml:1:43: is nested more than 40 levels deep"),
        ("\n" + "- a\n" * 50_001, "a.yml:50000:3: the file has more than 50000 parts"),
        ("a: " + "x" * 2_000_000, "a.yml:1:1: the file has 2000003 characters, expected at most"),
        ("a: 1\nb: no", "a.yml:2:4: b: 'no' is a boolean in YAML: write true or false, or quote"),
        ("on: 1", "a.yml:1:1: has the key 'on': expected a text"),
        ("a: 1:30", "a.yml:1:4: a: '1:30' is a number in YAML: write it in decimal, or quote"),
        ("a: 0777", "a.yml:1:4: a: '0777' is a number in YAML"),
        ("a: 1_000", "a.yml:1:4: a: '1_000' is a number in YAML"),
        ("a: .inf", "a.yml:1:4: a: '.inf' is a number in YAML"),
        ("a: " + "9" * 101, f"a.yml:1:4: a: '{'9' * 79}… is longer than numbers are: quote it"),
        ("a: !!int ''", "a.yml:1:4: a: '' is a number in YAML"),
        ("a: !!timestamp x", "a.yml:1:4: a: is no date, got 'x'"),
        ("a: !!python/object:os.system x", "a.yml:1:4: a: has the tag tag:yaml.org,2002:python"),
        ("a:\n  <<: {b: 1}", "a.yml:2:3: a: has the key '<<': expected a text"),
        ("[a]: 1", "a.yml:1:1: has the key a collection: expected a text"),
    ],
)
def test_what_is_no_document_is_refused(text: str, expected: str) -> None:
    with pytest.raises(InvalidFilesError, match=r"nothing was built") as caught:
        documents.parse("a.yml", text)
    assert str(caught.value.mistakes[0]).startswith(expected)


def test_what_people_quote_stays_text() -> None:
    text = 'a: "no"\nb: "0777"\nc: true\nd: -1.5\ne: 12\nf: ~\n"on": x\n'
    parsed = documents.parse("a.yml", text).data
    assert parsed == {"a": "no", "b": "0777", "c": True, "d": -1.5, "e": 12, "f": None, "on": "x"}


def test_a_long_value_is_shown_in_part() -> None:
    [mistake] = mistakes(f"title: [{'a' * 1000}]\ninner: {{count: 1}}\n")
    assert mistake.endswith("aaa…")
    assert len(mistake) < 200


PIECES = [
    "a",
    "b: ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "  ",
    "\t",
    "'",
    '"',
    "&x",
    "*x",
    "!!int ",
    "<<: ",
]
PIECES += [
    "? ",
    "|",
    ">",
    "#",
    "%",
    "---\n",
    "...",
    "no",
    "~",
    "0x",
    "1:2",
    ".nan",
    "2026-13-01",
    "é",
]


@settings(deadline=None)
@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
    | st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
)
def test_any_text_is_a_document_or_a_mistake_with_its_place(text: str) -> None:
    mistakes: list[Mistake] = []
    try:
        documents.parse("a.yml", text)
    except InvalidFilesError as error:
        mistakes = error.mistakes
        assert mistakes
    assert all(is_in(text, mistake.place) for mistake in mistakes)


def test_dates_that_are_in_no_calendar() -> None:
    text = "title: 2026-06-31\ninner:\n  names: [2026-13-01]\n"
    assert mistakes(text) == [
        "a.yml:1:8: title: day is out of range for month, got '2026-06-31'",
        "a.yml:3:11: inner.names[0]: month must be in 1..12, got '2026-13-01'",
    ]
    assert mistakes("2026-06-31: x\n") == [
        "a.yml:1:1: has the key '2026-06-31': expected a text of at most 200 characters"
    ]
