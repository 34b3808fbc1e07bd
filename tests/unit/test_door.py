"""The door: what people type is declared once, means one thing, and is what the pages show."""

import re
import shlex
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.main import Pipeline
from tests.engine.documented import REGISTERED, word

ROOT = Path(__file__).parents[2]
MOST_OF_A_VERB = 8
MOST_FUNCTIONS, MOST_ARGUMENTS = 85, 94
"""Newer engines register all of them anew in every session."""
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


class Flag(NamedTuple):
    """One flag: its help, and its type without whether it may be left out."""

    name: str
    help: str
    kind: str


class Member(NamedTuple):
    """A function or field: its flags, and the object of this module that it gives, if any."""

    flags: list[Flag]
    gives: str


def members_of(name: str) -> dict[str, Member]:
    """Give what an object has; the constructor of the main one is `""`."""
    found = REGISTERED[name]
    functions = {verb: each for verb, each in found.functions.items() if verb}
    if name == Pipeline.__name__:
        functions[""] = found.get_constructor()
    fields = {word(field): Member([], _object(each)) for field, each in found.fields.items()}
    return fields | {
        word(verb): Member(
            [
                Flag(word(each.name), each.doc or "", _kind(each.resolved_type))
                for each in function.parameters.values()
            ],
            _object(function),
        )
        for verb, function in functions.items()
    }


def _object(member: Any) -> str:
    return getattr(member.return_type, "__name__", "")


def _kind(annotation: object) -> str:
    return re.sub(r"<class '(.*)'>", r"\1", str(annotation).replace(" | None", ""))


DOOR = {name: members_of(name) for name in REGISTERED}


def test_the_main_object_only_hands_on() -> None:
    assert len((ROOT / "src/pipeline/main.py").read_text().splitlines()) <= 250


def every() -> list[tuple[str, str, Member]]:
    return [(name, verb, each) for name, found in DOOR.items() for verb, each in found.items()]


def test_a_flag_means_one_thing() -> None:
    meanings = defaultdict(set)
    for _, _, member in every():
        for flag in member.flags:
            meanings[flag.name].add(flag)
    # A service has a name, and so has an environment.
    del meanings["name"]
    assert {name: found for name, found in meanings.items() if len(found) > 1} == {}


def test_each_flag_says_what_it_is_for() -> None:
    assert [flag for _, _, member in every() for flag in member.flags if not flag.help] == []


def test_a_verb_has_few_flags() -> None:
    many = [
        f"{name} {verb}"
        for name, verb, each in every()
        if verb and len(each.flags) > MOST_OF_A_VERB
    ]
    assert many == []


def test_what_an_engine_registers_stays_little() -> None:
    assert len([verb for _, verb, _ in every() if verb]) <= MOST_FUNCTIONS
    assert sum(len(member.flags) for _, _, member in every()) <= MOST_ARGUMENTS


def shown() -> list[tuple[str, str]]:
    """Give each `dagger call` that a page or a workflow shows, with where it stands."""
    found = []
    for path in [*PAGES, *WORKFLOWS]:
        text = re.sub(r"\\\n\s+", "", path.read_text())
        if path in WORKFLOWS:
            text = re.sub(r">-\n((?: {10,}.*\n)+)", lambda m: re.sub(r"\n *", " ", m[1]), text)
        calls = re.findall(r"(?:^|run: | {4,})(dagger call .*)$", text, re.MULTILINE)
        found += [(path.name, call) for call in calls]
    return found


def test_there_are_calls() -> None:
    assert len(shown()) > 40


@pytest.mark.parametrize(("page", "call"), shown())
def test_a_call_that_is_shown_exists(page: str, call: str) -> None:
    words = shlex.split(call.partition(">>")[0], comments=True)[2:]
    while words and words[0] in {"--progress", "-m", "--mod"}:
        del words[:2]
    name, member = Pipeline.__name__, DOOR[Pipeline.__name__][""]
    while True:
        kinds = {flag.name: flag.kind for flag in member.flags}
        while words and words[0].startswith("--"):
            flag, equals, _ = words.pop(0)[2:].partition("=")
            assert flag in kinds, f"{page}: {call}: no flag --{flag}"
            if not equals and kinds[flag] != "bool":
                del words[:1]
        if not words:
            return
        verb = words.pop(0)
        assert verb in DOOR[name], f"{page}: {call}: {name} has no {verb}"
        member = DOOR[name][verb]
        if member.gives not in DOOR:
            return  # what follows is the engine's own
        name = member.gives
