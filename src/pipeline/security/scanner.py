"""Reads scanners' own reports: tolerant of what is new, strict about what is needed."""

from datetime import date
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError

from pipeline.documents import dotted
from pipeline.errors import PipelineError
from pipeline.models import Model
from pipeline.security.finding import Severity

# Distributions' advisories: each is about several vulnerabilities, so it is no alias of one.
ADVISORIES = (
    *("ALAS", "ALBA", "ALSA", "DLA", "DSA", "ELBA", "ELSA", "FEDORA", "GLSA", "OPENSUSE"),
    *("PHSA", "RHBA", "RHEA", "RHSA", "RLSA", "RXSA", "SUSE", "USN"),
)
UNRATED = {"", "unspecified", "none"}


class ScannerReportError(PipelineError):
    """A scanner's report isn't what was expected of it."""

    def __init__(self, scanner: str, unexpected: str) -> None:
        super().__init__(
            f"{scanner}'s report isn't what was expected: {unexpected}.\n"
            f"Nothing is concluded from it. Use the version of {scanner} that config/images.yml "
            "names, or one whose report has the same format."
        )


class Part(Model):
    """A part of a scanner's report; what isn't named here isn't read."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, hide_input_in_errors=True)


P = TypeVar("P", bound=Part)


def read(scanner: str, text: str, model: type[P]) -> P:
    """Read a report. Raises ScannerReportError, which quotes nothing: it may be a secret."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False, include_input=False)
    first = mistakes[0]
    where = dotted(first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    more = f", and {len(mistakes) - 1} more like it" if len(mistakes) > 1 else ""
    raise ScannerReportError(scanner, f"{where}: {said}{more}" if where else said)


def is_advisory(id_: str) -> bool:
    """Tell a distribution's advisory from the name of one vulnerability."""
    return id_.upper().startswith(tuple(f"{prefix}-" for prefix in ADVISORIES)) or (
        # Amazon's carry their repository: ALAS2023-2024-123.
        id_.upper().startswith("ALAS2")
    )


def _severity(text: object) -> Severity:
    word = str(text).lower()
    if word in UNRATED:
        return Severity.UNKNOWN
    known = {severity.value: severity for severity in Severity}
    if word not in known:
        raise ValueError(f"expected a severity ({', '.join(known)})")
    return known[word]


def _day(text: object) -> date | None:
    """Read the day of a time, whatever precision it has."""
    return date.fromisoformat(str(text)[:10]) if text else None


OwnSeverity = Annotated[Severity, BeforeValidator(_severity)]
Score = Annotated[float, Field(ge=0, le=10)]
Day = Annotated[date | None, BeforeValidator(_day)]
