"""Commands of the documentation: what stands after `dagger call`, done in this process.

The SDK tells the engine of functions, parameters and types, and the command line makes words and
flags of those. This reads words by the same types, and lets nothing else through; a test
compares them with what the engine serves.
"""

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args

import dagger
from dagger.mod._resolver import Field, Function

from pipeline.main import Pipeline
from tests.module import pipeline, secret

REGISTERED = dagger.mod.default_module()._objects


Served = dict[str, dict[str, set[str]]]
"""Object → function or field → flags."""


def word(name: str) -> str:
    """Write a name as the command line does: the API's setSecret and Python's set_secret."""
    return re.sub(r"_|(?=[A-Z])", "-", name).lower()


def registered() -> Served:
    """Give what this process runs."""
    return {
        _object_name(name): {
            **{word(each): set() for each in found.fields},
            **{
                word(each): {word(parameter.name) for parameter in function.parameters.values()}
                for each, function in found.functions.items()
            },
        }
        for name, found in REGISTERED.items()
    }


def served(definitions: Iterable[dict[str, Any]]) -> Served:
    """Give what an engine says that a module has, in its own words."""
    return {
        each["name"]: {
            **{word(one["name"]): set() for one in each["fields"]},
            **{
                word(function["name"]): {word(argument["name"]) for argument in function["args"]}
                for function in each["functions"]
            },
        }
        for each in definitions
    }


def _object_name(name: str) -> str:
    """Write the name of an object as the engine does, to which all modules tell theirs."""
    return name if name.startswith(Pipeline.__name__) else f"{Pipeline.__name__}{name}"


def _members(value: object) -> dict[str, Field | Function]:
    """Give what an object has, of the module or of the engine, as it is written."""
    if (found := REGISTERED.get(type(value).__name__)) is not None:
        bound = {name: found.get_bound_function(value, name) for name in found.functions}
        return {word(name): member for name, member in {**found.fields, **bound}.items()}
    methods = inspect.getmembers(value, inspect.ismethod)
    functions = [Function(method) for name, method in methods if not name.startswith("_")]
    return {word(function.name): function for function in functions}


@dataclass
class Reader:
    """Who types commands, in a folder."""

    folder: Path

    async def types(self, words: list[str]) -> str:
        """Run a command, and give what it prints."""
        left = list(words)
        value: object = pipeline(
            **self._flags(REGISTERED[Pipeline.__name__].get_constructor(), left)
        )
        while left:
            member = _members(value)[left.pop(0)]
            if isinstance(member, Field):
                value = getattr(value, member.original_name)
            else:
                result = member.wrapped(**self._arguments(member, left))
                value = await result if inspect.isawaitable(result) else result
        assert isinstance(value, str | int | list), f"{words}: prints no {type(value)}"
        return str(value)

    def _arguments(self, function: Function, left: list[str]) -> dict[str, Any]:
        """Take a function's flags off the words that are left; gives what it is called with."""
        given = self._flags(function, left)
        if function.original_name == "export":
            given["path"] = str(self.folder / given["path"])
        parameters = function.parameters.items()
        absent = {
            name: each for name, each in parameters if not each.has_default and name not in given
        }
        needed = [name for name, each in absent.items() if not each.is_nullable]
        assert not needed, f"needed: {needed}"
        return {**dict.fromkeys(absent), **given}

    def _flags(self, function: Function, left: list[str]) -> dict[str, Any]:
        """Take a function's flags off the words that are left."""
        parameters = function.parameters
        flags = {f"--{word(each.name)}": name for name, each in parameters.items()}
        given: dict[str, Any] = {}
        while left and left[0].startswith("--"):
            flag, equals, text = left.pop(0).partition("=")
            kind = _kind(parameters[flags[flag]].resolved_type)
            if not equals:
                text = "true" if kind is bool else left.pop(0)
            given[flags[flag]] = self._value(kind, text)
        return given

    def _value(self, kind: object, text: str) -> object:
        """Make of a word what a parameter takes."""
        if kind is bool:
            return {"true": True, "false": False}[text]
        if inspect.isclass(kind) and issubclass(kind, Enum):
            return kind[text.upper()]
        if kind is dagger.Secret:
            assert text.startswith("file://")
            return secret((self.folder / text.removeprefix("file://")).read_text())
        return {str: str, int: int, list[str]: lambda text: text.split(",")}[kind](text)


def _kind(annotation: object) -> object:
    """Give the type of a parameter that may be left out, too."""
    if isinstance(annotation, UnionType):
        [annotation] = {*get_args(annotation)} - {NoneType}
    return annotation
