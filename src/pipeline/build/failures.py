"""What a person is shown of a build that failed: the tool's own words, not a stack trace."""

import re
from collections.abc import Sequence

from pipeline.errors import PipelineError, shortened

COMMAND_SHOWN = 100
NOISE = re.compile(
    r"^\s*(Compiling|Checking|Download(ing|ed)|Fresh|Updating|Locking|Adding|Blocking|Finished) "
    r"|^npm (warn|notice)|^\s*$"
)


class BuildFailedError(PipelineError):
    """A command of a build ended with an error."""

    def __init__(
        self, service: str, platform: str, command: Sequence[str], output: str, exit_code: int
    ) -> None:
        lines = [line for line in output.splitlines() if not NOISE.search(line)]
        said = shortened(lines, 32) or "(the command said nothing)"
        super().__init__(
            f"{service} for {platform} doesn't build: "
            f"{_first_words(command)} ended with {exit_code}.\n\n{said}"
        )


def _first_words(command: Sequence[str]) -> str:
    line = " ".join(" ".join(command).split())
    return f"'{line[:COMMAND_SHOWN]}…'" if len(line) > COMMAND_SHOWN else f"'{line}'"
