"""YAML files that people write, read strictly: every mistake with its file, line and field."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import InvalidFilesError, Mistake

T = TypeVar("T")
FieldPath = tuple[str | int, ...]


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
    """Parse one YAML file. Raises InvalidFilesError when it isn't YAML or repeats a key."""
    try:
        loader = yaml.SafeLoader(text)
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
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidFilesError([Mistake(path, 1, "", f"not YAML: {error}")]) from error


def _walk(
    path: str,
    loader: yaml.SafeLoader,
    node: yaml.Node,
    field: FieldPath,
    lines: dict[FieldPath, int],
) -> Iterator[Mistake]:
    """Note the line of every field, and name repeated keys and values that can't be."""
    lines.setdefault(field, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*field, str(key.value))
            if inner in lines:
                line = key.start_mark.line + 1
                yield Mistake(
                    path, line, dotted(inner), f"is there already, at line {lines[inner]}"
                )
                continue
            lines[inner] = key.start_mark.line + 1
            yield from _walk(path, loader, value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(path, loader, value, (*field, index), lines)
    else:
        try:
            loader.construct_object(node)
        except ValueError as error:  # of a date, say, that is in no calendar
            yield Mistake(path, lines[field], dotted(field), f"{error}, got {node.value!r}")


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
    return document.mistake(field, f"{message}, got {detail['input']!r}")


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
