"""The values of one environment: files, then variables, then flags, each with its origin."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from io import StringIO

from dotenv.parser import Binding, parse_stream

from pipeline.catalogue.settings import Setting, Value, from_text
from pipeline.config.environments import Environments, meant
from pipeline.config.sections import PERFORMANCE, Sections, variable_of
from pipeline.config.tree import EMPTY, Branch, Leaf, Node, leaves, merged
from pipeline.documents import check_encoding, shown
from pipeline.errors import InvalidFilesError, Mistake, Place, place_at

FLAG = "--set"
VARIABLES = "--variables"


@dataclass(frozen=True)
class Configured:
    """A setting with its value; none when nobody gave one, or nobody may see it."""

    setting: Setting
    value: Value | None
    origin: str


@dataclass(frozen=True)
class Configuration:
    """All settings of one environment, by section and name."""

    environment: str
    sections: Sections
    values: Mapping[str, Mapping[str, Configured]]

    def __iter__(self) -> Iterator[tuple[str, str, Configured]]:
        """List section, name and value of every setting."""
        for key, values in self.values.items():
            for name, configured in values.items():
                yield key, name, configured

    def limit(self, key: str, name: str) -> Configured:
        """Give a limit of a service: its own, or that of all services."""
        own = self.values[key][name]
        return own if own.value is not None else self.values[PERFORMANCE][name]

    def services(self, only: Sequence[str] = ()) -> list[tuple[str, str]]:
        """List key of section and name of each service, or of those named."""
        return [
            (key, section.service)
            for key, section in self.sections.items()
            if section.service and (not only or section.service in only)
        ]

    def plain(self) -> dict[str, dict[str, Value]]:
        """Give the values that have one and aren't sensitive, by section and name."""
        found: dict[str, dict[str, Value]] = {}
        for key, name, configured in self:
            if configured.value is not None:
                found.setdefault(key, {})[name] = configured.value
        return found


@dataclass(frozen=True)
class Overlays:
    """What is laid over an environment's files: text of variables, and flags."""

    variables: str = ""
    flags: Sequence[str] = ()


def resolved(
    environments: Environments, name: str, sections: Sections, overlays: Overlays
) -> Configuration:
    """Put together the values of an environment. Raises InvalidFilesError for wrong overlays."""
    file = environments.files[environments.checked(name)]
    mistakes: list[Mistake] = []
    layers = [
        _variables(overlays.variables, sections, mistakes),
        *(_flag(index, flag, sections, mistakes) for index, flag in enumerate(overlays.flags, 1)),
    ]
    if mistakes:
        raise InvalidFilesError(mistakes)
    said = dict(leaves(reduce(merged, layers, environments.layered(file.name))))
    values: dict[str, dict[str, Configured]] = {}
    for key, section in sections.items():
        values[key] = {}
        for field, setting in section.settings.items():
            leaf = said.get((key, field))
            if leaf is None and setting.default is not None:
                leaf = Leaf(setting.default, f"default of {section.origin}")
            leaf = leaf or Leaf(None, "")
            values[key][field] = Configured(setting, leaf.value, leaf.origin)
    return Configuration(name, sections, values)


def _variables(text: str, sections: Sections, mistakes: list[Mistake]) -> Node:
    """Read variables as of `env`; those that are of no section are somebody else's."""
    check_encoding(VARIABLES, text)
    carried: dict[str, list[tuple[str, str]]] = {}
    for key, section in sections.items():
        for name, setting in section.settings.items():
            carried.setdefault(variable_of(key, name, setting), []).append((key, name))
    layer: Node = EMPTY
    for binding in parse_stream(StringIO(text)):
        place = _place(binding)
        if binding.error:
            mistakes.append(Mistake(VARIABLES, place, "", "expected NAME=VALUE"))
        elif binding.key in carried:
            for key, name in carried[binding.key]:
                origin = f"{VARIABLES}:{place.line}"
                node = _given(
                    sections, key, name, binding.value or "", (VARIABLES, place), origin, mistakes
                )
                layer = merged(layer, node)
        elif binding.key and _is_near(binding.key, carried, sections):
            mistakes.append(
                Mistake(VARIABLES, place, binding.key, f"unknown{meant(binding.key, carried)}")
            )
    return layer


def _place(binding: Binding) -> Place:
    """Say where a variable begins: after the empty lines that the parser counts to it."""
    text = binding.original.string
    place = place_at(text, len(text) - len(text.lstrip()))
    return Place(binding.original.line + place.line - 1, place.column)


def _is_near(variable: str, known: Mapping[str, object], sections: Sections) -> bool:
    """Whether a variable looks like one of a section, mistyped."""
    starts = tuple(f"{key.upper()}_" for key in sections)
    return variable.startswith(starts) and bool(difflib.get_close_matches(variable, known, n=1))


def _flag(index: int, flag: str, sections: Sections, mistakes: list[Mistake]) -> Node:
    field, equals, text = flag.partition("=")
    place = Place(index, 1)
    key, _, name = field.partition(".")
    if not equals or not name:
        # The text may hold anything: it isn't shown.
        mistakes.append(Mistake(FLAG, place, "", "expected SECTION.SETTING=VALUE"))
    elif key not in sections:
        mistakes.append(Mistake(FLAG, place, field, f"unknown section{meant(key, sections)}"))
    elif name not in sections[key].settings:
        names = sections[key].settings
        mistakes.append(Mistake(FLAG, place, field, f"unknown setting{meant(name, names)}"))
    else:
        at_value = Place(index, len(field) + 2)
        return _given(sections, key, name, text, (FLAG, at_value), FLAG, mistakes)
    return EMPTY


def _given(
    sections: Sections,
    key: str,
    name: str,
    text: str,
    place: tuple[str, Place],
    origin: str,
    mistakes: list[Mistake],
) -> Node:
    """Read one value that was given as text."""
    setting = sections[key].settings[name]
    value = from_text(setting, text)
    if setting.sensitive:
        message = "is sensitive: give it with `environment --name … secrets set`"
        mistakes.append(Mistake(*place, f"{key}.{name}", message))
    elif not setting.accepts(value):
        message = f"expected {setting.expected}, got {shown(text)}"
        mistakes.append(Mistake(*place, f"{key}.{name}", message))
    else:
        return Branch({key: Branch({name: Leaf(value, origin)})})
    return EMPTY
