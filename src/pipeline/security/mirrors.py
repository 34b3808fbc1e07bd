"""Which failures of a mirror are worth another try, and what is said when all have failed."""

import re
from collections.abc import Mapping

from pipeline.errors import PipelineError

TEMPORARY = re.compile(
    r"TOOMANYREQUESTS|too many requests|\b(429|500|502|503|504)\b|timeout|timed out|"
    r"deadline exceeded|connection reset|unexpected EOF",
    re.IGNORECASE,
)
MOST_CHARACTERS = 300


class DatabaseError(PipelineError):
    """A scanner's database can't be had."""


def is_temporary(said: str) -> bool:
    """Tell from a scanner's words whether the same mirror may answer a little later."""
    return TEMPORARY.search(said) is not None


def no_mirror_answers(scanner: str, failures: Mapping[str, str]) -> DatabaseError:
    """Say what each mirror (address → a scanner's words) answered, and what to do."""
    lines = [f"  {mirror}: {_essence(said)}" for mirror, said in failures.items()]
    return DatabaseError(
        "\n".join(
            [
                f"{scanner.capitalize()}'s database can't be had:",
                *lines,
                f"Name another place in config/scan.yml ({scanner}_databases), or give the "
                "databases themselves with --databases.",
            ]
        )
    )


def _essence(said: str) -> str:
    """Take the end of the last line: tools say the cause there."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1] if lines else "no word of why"
    return last if len(last) <= MOST_CHARACTERS else f"… {last[-MOST_CHARACTERS:]}"
