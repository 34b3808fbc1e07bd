"""What a service can be set to: the `settings` of its service.yml, and values for them."""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from pipeline.documents import NO_TEXT
from pipeline.models import Model
from pipeline.units import cores, memory

Value = bool | int | float | str | list[str]
Variable = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]
SettingName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$",
        description="In snake case; a quantity ends with its unit: timeout_ms.",
    ),
]
Kind = Literal["string", "integer", "number", "boolean", "list", "cpu", "memory"]

SEPARATOR = ","
LARGEST = 2**63 - 1
MEASURED: set[Kind] = {"integer", "number", "cpu", "memory"}
WORDS: dict[Kind, str] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "list": "a list of texts, none of them empty or with a comma or a space at an end",
    "cpu": 'processors such as "0.5" or 500m, in quotes',
    "memory": "memory such as 512Mi or 1Gi",
}


class Setting(Model):
    """One setting: what it may be, and the environment variable that carries it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    type: Kind
    description: str = Field(min_length=1, description="One line for people and reports.")
    unit: str = Field(default="", description="Unit of a number, e.g. ms.")
    default: Value | None = Field(default=None, description="What it is when nobody sets it.")
    optional: bool = Field(default=False, description="May be missing without a default.")
    minimum: int | float | None = Field(default=None, description="Of a number; cores or bytes.")
    maximum: int | float | None = Field(default=None, description="Of a number; cores or bytes.")
    choices: list[str] = Field(default_factory=list, description="The only texts that it may be.")
    sensitive: bool = Field(default=False, description="Kept encrypted, never shown.")
    owner: str = Field(default="", description="Who answers for a sensitive value.")
    stricter: Literal["lower", "higher"] | None = Field(
        default=None,
        description="Which way is stricter: an environment may not be laxer than the one that "
        "it is `stricter_than`.",
    )
    variable: Variable | None = Field(
        default=None, description="Environment variable that carries it; SERVICE_SETTING."
    )

    @property
    def expected(self) -> str:
        """Say in words what a value may be."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        words = WORDS[self.type]
        if self.minimum is not None and self.maximum is not None:
            words += f" from {self.minimum} to {self.maximum}"
        elif self.minimum is not None:
            words += f" of at least {self.minimum}"
        elif self.maximum is not None:
            words += f" of at most {self.maximum}"
        return f"{words} ({self.unit})" if self.unit else words

    def accepts(self, value: object) -> bool:
        """Whether it may have this value."""
        if not ACCEPTED[self.type](value) or (self.choices and value not in self.choices):
            return False
        if self.type not in MEASURED:
            return True
        size = measure(self, value)
        return (self.minimum is None or size >= Decimal(str(self.minimum))) and (
            self.maximum is None or size <= Decimal(str(self.maximum))
        )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for mistake, made in (
            ("minimum and maximum are for numbers", self._has_bounds and not self._is_measured),
            ("choices are for type string", bool(self.choices) and self.type != "string"),
            ("stricter is for numbers", self.stricter is not None and not self._is_measured),
            ("a sensitive setting has no default", self.sensitive and self.default is not None),
            ("owner is for sensitive settings", bool(self.owner) and not self.sensitive),
            (
                f"default: expected {self.expected}",
                self.default is not None and not self.accepts(self.default),
            ),
        ):
            if made:
                raise ValueError(mistake)
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is more than maximum")
        return self

    @property
    def _has_bounds(self) -> bool:
        return self.minimum is not None or self.maximum is not None

    @property
    def _is_measured(self) -> bool:
        return self.type in MEASURED


def measure(setting: Setting, value: object) -> Decimal:
    """Make values of one setting comparable: numbers, cores, bytes."""
    if setting.type == "cpu":
        return cores(str(value)) or Decimal(0)
    if setting.type == "memory":
        return Decimal(memory(str(value)) or 0)
    return Decimal(str(value))


def to_text(value: Value) -> str:
    """Write a value as an environment variable carries it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return SEPARATOR.join(value) if isinstance(value, list) else str(value)


def from_text(setting: Setting, text: str) -> object:
    """Read a value as an environment variable carries it; the text itself when it can't be."""
    try:
        return READ[setting.type](text)
    except (ValueError, KeyError):
        return text


def _is_text(value: object) -> bool:
    # No variable can hold a NUL, and no text in UTF-8 what stands for bytes that aren't.
    return isinstance(value, str) and "\0" not in value and not NO_TEXT.search(value)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST


def _is_number(value: object) -> bool:
    return _is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(
        _is_text(item) and item and item == item.strip() and SEPARATOR not in item for item in value
    )


ACCEPTED: dict[Kind, Callable[[object], bool]] = {
    "string": _is_text,
    "integer": _is_integer,
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "list": _is_list,
    "cpu": lambda value: isinstance(value, str) and bool(cores(value)),
    "memory": lambda value: isinstance(value, str) and bool(memory(value)),
}


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


READ: dict[Kind, Callable[[str], object]] = {
    "string": str,
    "integer": int,
    "number": _number,
    "boolean": {"true": True, "false": False}.__getitem__,
    "list": lambda text: text.split(SEPARATOR) if text else [],
    "cpu": str,
    "memory": str,
}
