"""Which image a Dockerfile's last stage, or the one that is built, stands on."""

import re
import shlex
from collections.abc import Iterator, Mapping

NOTHING = "scratch"
FROM = re.compile(r"FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<name>\S+))?", re.IGNORECASE)
ARG = re.compile(r"ARG\s+(?P<values>.+)", re.IGNORECASE)
HEREDOC = re.compile(r"(?:^|\s)[0-9]*<<-?(['\"]?)(?P<end>\w+)\1(?=\s|$)")
VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::?-(?P<default>[^}]*))?\}|(?P<plain>\w+))")


def base_image(text: str, target: str | None, arguments: Mapping[str, str]) -> str:
    """Give the image's name, as the Dockerfile has it; empty when it stands on nothing.

    `arguments` are those of the build, the platform's among them (TARGETARCH …).
    """
    values = {name: value for name, value in arguments.items() if name.startswith("TARGET")}
    stages: dict[str, str] = {}
    last = ""
    for instruction in _instructions(text):
        if not last and (match := ARG.fullmatch(instruction)):
            for word in shlex.split(match["values"]):
                name, _, default = word.partition("=")
                values[name] = arguments.get(name, _filled(default, values))
        if match := FROM.fullmatch(instruction):
            image = _filled(match["image"], values)
            last = (match["name"] or str(len(stages))).lower()
            stages[last] = stages.get(image.lower(), image)
    base = stages.get((target or last).lower(), "")
    return "" if base == NOTHING else base


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Put in variables; what has no value stays as it is written."""

    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        return values.get(name) or (match[0] if match["default"] is None else match["default"])

    return VARIABLE.sub(value, text)


def _instructions(text: str) -> Iterator[str]:
    """Give each instruction on one line, without comments and what heredocs hold."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in lines:
        instruction = line.strip()
        while instruction.endswith("\\"):
            instruction = instruction[:-1] + next(lines, "").strip()
        yield instruction
        for match in HEREDOC.finditer(instruction):
            while (inner := next(lines, None)) is not None:
                if inner.strip() == match["end"]:
                    break
