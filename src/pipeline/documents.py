"""YAML files that people write, read strictly: every mistake with its file, place and field."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from yaml.reader import ReaderError

from pipeline.errors import START, InvalidFilesError, Mistake, Place, bounded, place_at

T = TypeVar("T")
FieldPath = tuple[str | int, ...]

MOST_CHARACTERS = 2_000_000
MOST_PARTS = 50_000
MOST_LEVELS = 40
LONGEST_NUMBER = 100
LONGEST_NAME = 200
LONGEST_SHOWN = 80
# What decoders put for bytes that aren't UTF-8, and halves of characters in other encodings.
NO_TEXT = re.compile("[\ufffd\ud800-\udfff]")
BYTE_ORDER_MARK = "\ufeff"
BOOLEANS = re.compile(r"true|false")
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
NUMBER = re.compile(r"[-+]?([0-9]*\.)?[0-9]+([eE][-+]?[0-9]+)?")
TAG = "tag:yaml.org,2002:"
# What YAML 1.1 reads as something else than most people who write it.
PLAIN = {
    f"{TAG}bool": (BOOLEANS, "is a boolean in YAML: write true or false, or quote the text"),
    f"{TAG}int": (INTEGER, "is a number in YAML: write it in decimal, or quote the text"),
    f"{TAG}float": (NUMBER, "is a number in YAML: write it in decimal, or quote the text"),
}
TAGS = {f"{TAG}{name}" for name in ("map", "seq", "str", "null", "timestamp")} | PLAIN.keys()


@dataclass(frozen=True)
class Document:
    """A parsed YAML file that still knows the place of every field: of its name and its value.

    A wrong value is told where it begins, a name that is unknown or repeated where that stands,
    and what is missing at the name of the field that misses it: as an editor would underline it.
    """

    path: str
    data: Any
    names: dict[FieldPath, Place]
    values: dict[FieldPath, Place]

    def mistake(self, field: FieldPath, message: str) -> Mistake:
        """Name a mistake at the value of a field, or at the name of the nearest one around it."""
        place = self.values.get(field) or self._name_of(field)
        return Mistake(self.path, place, dotted(field), message)

    def misnamed(self, field: FieldPath, message: str) -> Mistake:
        """Name a mistake at the name of a field."""
        return Mistake(self.path, self._name_of(field), dotted(field), message)

    def _name_of(self, field: FieldPath) -> Place:
        while field and field not in self.names:
            field = field[:-1]
        return self.names.get(field, START)


def unplaced(path: str, data: object) -> Document:
    """Give data that is of a file, but in no place there that a person could look at."""
    return Document(path, data, {}, {})


def dotted(field: FieldPath) -> str:
    """Write a field's path as people do: build.args[0]."""
    return "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in field
    ).removeprefix(".")


def parse(path: str, text: str) -> Document:
    """Parse one YAML file. Raises InvalidFilesError when it isn't plain YAML or repeats a key."""
    check_encoding(path, text)
    text = text.removeprefix(BYTE_ORDER_MARK)
    try:
        _check_extent(path, text)
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise InvalidFilesError([Mistake(path, START, "", "the file is empty")])
        document = Document(path, None, {}, {})
        mistakes = bounded(_walk(document, loader, node, (), _place(node.start_mark)))
        if mistakes:
            raise InvalidFilesError(mistakes)
        return replace(document, data=loader.construct_document(node))
    except yaml.MarkedYAMLError as error:
        message = f"not YAML: {error.problem or error.context}"
        place = _place(error.problem_mark or error.context_mark)
        raise InvalidFilesError([Mistake(path, place, "", message)]) from error
    except ReaderError as error:
        before = text.encode()[: error.position].decode()
        place = place_at(text, len(before))
        raise InvalidFilesError([Mistake(path, place, "", f"not YAML: {error.reason}")]) from error


def check_encoding(path: str, text: str) -> None:
    """Raise InvalidFilesError when a file was read whose bytes aren't text in UTF-8."""
    strange = NO_TEXT.search(text)
    if strange:
        message = "isn't text in UTF-8 from here on: save the file in that encoding"
        raise InvalidFilesError([Mistake(path, place_at(text, strange.start()), "", message)])


class _Mark(Protocol):
    line: int
    column: int


def _place(mark: _Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else START


def _check_extent(path: str, text: str) -> None:
    """Refuse what would take long to read, before anything of it is kept."""
    if len(text) > MOST_CHARACTERS:
        message = f"the file has {len(text)} characters, expected at most {MOST_CHARACTERS}"
        raise InvalidFilesError([Mistake(path, START, "", message)])
    level = 0
    for parts, event in enumerate(yaml.parse(text, yaml.CSafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1
        message = ""
        if isinstance(event, yaml.AliasEvent):
            message = f"'*{event.anchor}' repeats another part: write it out"
        elif level > MOST_LEVELS:
            message = f"is nested more than {MOST_LEVELS} levels deep"
        elif parts > MOST_PARTS:
            message = f"the file has more than {MOST_PARTS} parts: split it"
        if message:
            raise InvalidFilesError([Mistake(path, _place(event.start_mark), "", message)])


def _walk(
    document: Document, loader: yaml.CSafeLoader, node: yaml.Node, field: FieldPath, name: Place
) -> Iterator[Mistake]:
    """Note the places of every field, and name repeated keys and values that can't be."""
    document.names[field] = name
    document.values[field] = _place(node.start_mark)
    if node.tag not in TAGS:
        yield document.mistake(field, f"has the tag {node.tag}: write plain YAML")
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = _place(key.start_mark)
            if not _is_name(key):
                said = shown(key.value) if isinstance(key, yaml.ScalarNode) else "a collection"
                message = (
                    f"has the key {said}: expected a text of at most {LONGEST_NAME} characters"
                )
                yield Mistake(document.path, place, dotted(field), message)
                continue
            inner = (*field, str(key.value))
            if inner in document.names:
                message = f"is there already, at line {document.names[inner].line}"
                yield Mistake(document.path, place, dotted(inner), message)
                continue
            yield from _walk(document, loader, value, inner, place)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(document, loader, value, (*field, index), _place(value.start_mark))
    elif node.tag in PLAIN:
        yield from _ambiguous(document, node, field)
    elif node.tag == f"{TAG}timestamp":
        yield from _impossible(document, loader, node, field)


def _is_name(node: yaml.Node) -> bool:
    is_text = isinstance(node, yaml.ScalarNode) and node.tag == f"{TAG}str"
    return is_text and len(node.value) <= LONGEST_NAME


def _ambiguous(document: Document, node: yaml.Node, field: FieldPath) -> Iterator[Mistake]:
    pattern, message = PLAIN[node.tag]
    if len(node.value) > LONGEST_NUMBER:
        yield document.mistake(
            field, f"{shown(node.value)} is longer than numbers are: quote it if it is a text"
        )
    elif not pattern.fullmatch(str(node.value).lower()):
        yield document.mistake(field, f"{shown(node.value)} {message}")


def _impossible(
    document: Document, loader: yaml.CSafeLoader, node: yaml.Node, field: FieldPath
) -> Iterator[Mistake]:
    try:
        loader.construct_object(node)
    except (ValueError, AttributeError) as error:  # a date that is in no calendar, or no date
        said = str(error) if isinstance(error, ValueError) else "is no date"
        yield document.mistake(field, f"{said}, got {shown(node.value)}")


def shown(value: object) -> str:
    """Write a value for a message, the beginning of a long one."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def validate(document: Document, model: TypeAdapter[T], known: Sequence[str] = ()) -> T:
    """Check a document against a model. Raises InvalidFilesError with every mistake.

    `known` are the names a mistyped field may have meant.
    """
    try:
        return model.validate_python(document.data)
    except ValidationError as error:
        mistakes = (_mistake(document, detail, known) for detail in error.errors(include_url=False))
        raise InvalidFilesError(bounded(mistakes)) from error


def _mistake(document: Document, detail: ErrorDetails, known: Sequence[str]) -> Mistake:
    field = _field_in(document.data, detail["loc"])
    if detail["type"] == "missing":
        return document.mistake(field, "is missing")
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(field[-1]), known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return document.misnamed(field, f"unknown field{hint}")
    if detail["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        field = (*field, str(detail["ctx"]["discriminator"]).strip("'"))
        expected = detail["ctx"].get("expected_tags")
        if expected is None:
            return document.mistake(field, "is missing")
        return document.mistake(
            field, f"expected one of {expected}, got '{detail['ctx'].get('tag')}'"
        )
    message = detail["msg"].removeprefix("Value error, ")
    return document.mistake(field, f"{message}, got {shown(detail['input'])}")


def _field_in(data: object, location: FieldPath) -> FieldPath:
    """Drop what pydantic adds to a location that isn't in the file: the tags of unions."""
    field: list[str | int] = []
    for index, part in enumerate(location):
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        elif index < len(location) - 1:
            continue
        field.append(part)
    return tuple(field)
