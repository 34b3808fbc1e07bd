"""Files of NAME=VALUE lines that a shell, Compose and `--variables` read alike.

`docker run --env-file` takes quotes for a part of the value: it reads the lines without alike.
"""

import re
from collections.abc import Mapping

from pipeline.errors import PipelineError

PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
# Each reader has its own idea of these, in one kind of quotes or the other.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
IN_SINGLE_QUOTES = re.compile(r"'|\\\\|\\\Z")
IN_DOUBLE_QUOTES = re.compile(r"[$`\\]|^\"|\"\Z")


class InexpressibleError(PipelineError):
    """A format can't carry a value."""


def environment_file(variables: Mapping[str, str]) -> str:
    """Write variables. Raises InexpressibleError for values that aren't read alike everywhere."""
    wrong = [name for name, text in variables.items() if quoted(text) is None]
    if wrong:
        raise InexpressibleError(
            f"{', '.join(wrong)} can't be written so that a shell and Compose read the same: there "
            "is a control character, a ' beside one of $ ` \\, or backslashes that each takes its "
            "own way.\nChange the value, or use --to json, compose or configmap."
        )
    return "".join(f"{name}={quoted(text)}\n" for name, text in variables.items())


def quoted(text: str) -> str | None:
    """Quote a value as far as it needs it; none when it can't be."""
    if PLAIN.fullmatch(text):
        return text
    if CONTROL.search(text):
        return None
    if not IN_SINGLE_QUOTES.search(text):
        return f"'{text}'"
    if not IN_DOUBLE_QUOTES.search(text):
        return '"' + text.replace('"', '\\"') + '"'
    return None
