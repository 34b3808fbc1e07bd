"""YAML files that people write, read strictly: every mistake with its file, line and field."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from yaml.reader import ReaderError

from pipeline.errors import InvalidFilesError, Mistake

T = TypeVar("T")
FieldPath = tuple[str | int, ...]

MOST_CHARACTERS = 2_000_000
MOST_PARTS = 100_000
MOST_LEVELS = 40
LONGEST_SHOWN = 80
BOOLEANS = re.compile(r"true|false")
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?")
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
    """A parsed YAML file that still knows the line of every field."""

    path: str
    data: Any
    lines: dict[FieldPath, int]

    def mistake(self, field: FieldPath, message: str) -> Mistake:
        """Name a mistake at the line of the field, or of the nearest one around it."""
        around = field
        while around and around not in self.lines:
            around = around[:-1]
        return Mistake(self.path, self.lines.get(around, 1), dotted(field), message)


def dotted(field: FieldPath) -> str:
    """Write a field's path as people do: build.args[0]."""
    return "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in field
    ).removeprefix(".")


def parse(path: str, text: str) -> Document:
    """Parse one YAML file. Raises InvalidFilesError when it isn't plain YAML or repeats a key."""
    try:
        _check_extent(path, text)
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise InvalidFilesError([Mistake(path, 1, "", "the file is empty")])
        lines: dict[FieldPath, int] = {}
        mistakes = list(_walk(path, loader, node, (), lines))
        if mistakes:
            raise InvalidFilesError(mistakes)
        return Document(path, loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        message = f"not YAML: {error.problem or error.context}"
        raise InvalidFilesError([Mistake(path, line, "", message)]) from error
    except ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise InvalidFilesError([Mistake(path, line, "", f"not YAML: {error.reason}")]) from error
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidFilesError([Mistake(path, 1, "", f"not YAML: {error}")]) from error


def _check_extent(path: str, text: str) -> None:
    """Refuse what would take long to read, before anything of it is kept."""
    if len(text) > MOST_CHARACTERS:
        message = f"the file has {len(text)} characters, expected at most {MOST_CHARACTERS}"
        raise InvalidFilesError([Mistake(path, 1, "", message)])
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
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise InvalidFilesError([Mistake(path, line, "", message)])


def _walk(
    path: str,
    loader: yaml.CSafeLoader,
    node: yaml.Node,
    field: FieldPath,
    lines: dict[FieldPath, int],
) -> Iterator[Mistake]:
    """Note the line of every field, and name repeated keys and values that can't be."""
    lines.setdefault(field, node.start_mark.line + 1)
    if node.tag not in TAGS:
        yield Mistake(
            path, lines[field], dotted(field), f"has the tag {node.tag}: write plain YAML"
        )
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag != f"{TAG}str":
                said = shown(key.value) if isinstance(key, yaml.ScalarNode) else "a collection"
                yield Mistake(path, line, dotted(field), f"has the key {said}: expected a text")
                continue
            inner = (*field, str(key.value))
            if inner in lines:
                yield Mistake(
                    path, line, dotted(inner), f"is there already, at line {lines[inner]}"
                )
                continue
            lines[inner] = line
            yield from _walk(path, loader, value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(path, loader, value, (*field, index), lines)
    else:
        yield from _ambiguous(path, node, field, lines[field])
        if node.tag == f"{TAG}timestamp":
            yield from _impossible(path, loader, node, field, lines[field])


def _ambiguous(path: str, node: yaml.Node, field: FieldPath, line: int) -> Iterator[Mistake]:
    pattern, message = PLAIN.get(node.tag, (None, ""))
    if pattern and not pattern.fullmatch(str(node.value).lower()):
        yield Mistake(path, line, dotted(field), f"{shown(node.value)} {message}")


def _impossible(
    path: str, loader: yaml.CSafeLoader, node: yaml.Node, field: FieldPath, line: int
) -> Iterator[Mistake]:
    try:
        loader.construct_object(node)
    except (ValueError, AttributeError) as error:  # a date that is in no calendar, or no date
        said = str(error) if isinstance(error, ValueError) else "is no date"
        yield Mistake(path, line, dotted(field), f"{said}, got {shown(node.value)}")


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
        mistakes = [_mistake(document, detail, known) for detail in error.errors()]
        raise InvalidFilesError(mistakes) from error


def _mistake(document: Document, detail: ErrorDetails, known: Sequence[str]) -> Mistake:
    field = _field_in(document.data, detail["loc"])
    if detail["type"] == "missing":
        return document.mistake(field, "is missing")
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(field[-1]), known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return document.mistake(field, f"unknown field{hint}")
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
