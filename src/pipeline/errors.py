"""The one family of errors: what happened, where, and what to do next."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

MOST_LINES = 40
"""A message fits on one screen."""
MOST_MISTAKES = 100
"""Of one file: whoever has more wrote it for something else."""
LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""As YAML has it."""


class PipelineError(Exception):
    """A failure that a person can act on; its text is all that they are shown."""


class InapplicableFlagError(PipelineError):
    """A flag that means nothing where it stands: whoever gives it expects something of it."""

    def __init__(self, flag: str, about: str) -> None:
        super().__init__(f"{flag} doesn't apply here: it is about {about}.")


class Place(NamedTuple):
    """Where something begins in a file: line and column, in characters, counted from one."""

    line: int
    column: int


START = Place(1, 1)
"""Of a file as a whole."""


def place_at(text: str, index: int) -> Place:
    """Say where a character of a text is."""
    line, start = 1, 0
    for end in LINE_END.finditer(text, 0, index):
        line, start = line + 1, end.end()
    return Place(line, index - start + 1)


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing wrong in a file that a person wrote."""

    path: str
    place: Place
    field: str
    message: str

    def __str__(self) -> str:
        """Render as compilers do, so that editors can jump to it."""
        field = f"{self.field}: " if self.field else ""
        return f"{self.path}:{self.place.line}:{self.place.column}: {field}{self.message}"


def bounded(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """Gather the mistakes of one file, as many as a person would mend in one go."""
    found = list(islice(mistakes, MOST_MISTAKES + 1))
    if len(found) > MOST_MISTAKES:
        more = f"has more mistakes from here on: mend these {MOST_MISTAKES} first"
        found[-1] = replace(found[-1], field="", message=more)
    return found


class InvalidFilesError(PipelineError):
    """Files that people write have mistakes; all of them are listed, sorted by place."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(set(mistakes))
        noun = "mistake" if len(self.mistakes) == 1 else "mistakes"
        lines = [f"{len(self.mistakes)} {noun} in the repository's files; nothing was built:"]
        lines += [f"  {mistake}" for mistake in self.mistakes]
        super().__init__("\n".join(lines))


class CombinedError(PipelineError):
    """Several independent failures of one run."""

    def __init__(self, errors: Sequence[PipelineError]) -> None:
        self.errors = list(errors)
        share = max(MOST_LINES // len(self.errors), 8)
        super().__init__(
            "\n\n".join(shortened(str(error).splitlines(), share) for error in self.errors)
        )


def raise_all(errors: Sequence[PipelineError]) -> None:
    """Raise what went wrong: nothing, the one error, or all of them together."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise CombinedError(errors)


def first_of(group: ExceptionGroup[PipelineError]) -> PipelineError:
    """Pick the error that a task group ended with first: one is enough to tell of."""
    error = group.exceptions[0]
    return first_of(error) if isinstance(error, ExceptionGroup) else error


def shortened(lines: Sequence[str], most: int = MOST_LINES) -> str:
    """Join lines, leaving out the middle when they are more than a person would read."""
    if len(lines) <= most:
        return "\n".join(lines)
    head, tail = most * 2 // 3, most // 3
    left_out = len(lines) - head - tail
    return "\n".join([*lines[:head], f"  … {left_out} lines left out …", *lines[-tail:]])
