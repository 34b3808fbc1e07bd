"""How services make one stack: config/stack.yml, the worked example's diagram as data."""

from collections.abc import Collection, Iterator
from string import Template
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from pipeline import documents
from pipeline.catalogue.models import Name, Strict
from pipeline.documents import Document
from pipeline.errors import InvalidFilesError, Mistake, PipelineError

STACK_FILE = "config/stack.yml"

Variable = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]

Folder = Annotated[str, Field(pattern=r"^/[!-~]+$")]


class MissingStackError(PipelineError):
    """The repository doesn't say how its services make one stack."""


class Backing(Strict):
    """What services stand on and nobody here builds: a database, a cache."""

    image: str
    port: int = Field(ge=1, le=65535, description="TCP port that it listens on.")
    environment: dict[Variable, str] = Field(default_factory=dict)
    generated: list[Variable] = Field(
        default_factory=list,
        description="Variables with a secret value, made anew for each stack that is started.",
    )
    ready: list[str] = Field(
        default_factory=list,
        description="Command in its container that ends with 0 once it takes connections.",
    )
    data: Folder | None = Field(default=None, description="Folder of what it keeps.")
    writable: list[Folder] = Field(
        default_factory=list,
        description="Other folders that it writes to, /tmp apart; what is there isn't kept.",
    )
    user: int | None = Field(
        default=None,
        ge=1,
        description="Numeric user and group that it runs as, and that owns its data.",
    )


class Check(Strict):
    """A request to the entry that shows that the stack does what it is for."""

    method: Literal["GET", "POST"] = "GET"
    path: str = Field(pattern=r"^/[!-~]*$")
    body: dict[str, Any] | None = Field(default=None, description="JSON that is sent.")
    status: list[int] = Field(default=[200], min_length=1, description="Status codes that fit.")


class Member(Strict):
    """A service's place in the stack."""

    needs: list[Name] = Field(
        default_factory=list, description="What it calls: services, or what stands behind them."
    )
    environment: dict[Variable, str] = Field(
        default_factory=dict,
        description="Settings of the service; ${NAME} is a generated variable's value.",
    )


class Stack(Strict):
    """All services as they run together, and where people come in."""

    entry: Name = Field(description="Service that people reach.")
    ready: str = Field(
        pattern=r"^/[!-~]*$",
        description="HTTP path of the entry that answers 2xx once the whole stack is ready.",
    )
    checks: list[Check] = Field(
        default_factory=list,
        description="What is asked of the entry after each deployment; harmless when repeated.",
    )
    services: dict[Name, Member]
    backing: dict[Name, Backing] = Field(default_factory=dict)

    @property
    def generated(self) -> list[str]:
        """List the variables whose values are made when the stack is started."""
        return sorted({name for backing in self.backing.values() for name in backing.generated})


STACK: TypeAdapter[Stack] = TypeAdapter(Stack)


def load_stack(text: str | None, services: Collection[str]) -> Stack:
    """Read the stack of a repository with these services.

    Raises MissingStackError without a file, InvalidFilesError with all mistakes of a wrong one.
    """
    if text is None:
        raise MissingStackError(
            f"The repository has no {STACK_FILE}.\nWrite one that says which service is the "
            "entry, what each service needs, and what stands behind them."
        )
    document = documents.parse(STACK_FILE, text)
    known = {
        *Stack.model_fields,
        *Check.model_fields,
        *Member.model_fields,
        *Backing.model_fields,
    }
    stack = documents.validate(document, STACK, sorted(known))
    mistakes = list(_mistakes(document, stack, services))
    if mistakes:
        raise InvalidFilesError(mistakes)
    return stack


def _mistakes(document: Document, stack: Stack, services: Collection[str]) -> Iterator[Mistake]:
    if stack.entry not in stack.services:
        yield document.mistake(("entry",), f"'{stack.entry}' is not among services")
    for name in stack.backing:
        if name in stack.services:
            yield document.misnamed(("backing", name), "is the name of a service too")
    for name in stack.services:
        if name not in services:
            yield document.misnamed(
                ("services", name),
                f"the repository has no such service; it has {_listed(services)}",
            )
        yield from _mistakes_of(name, document, stack)


def _mistakes_of(name: str, document: Document, stack: Stack) -> Iterator[Mistake]:
    member = stack.services[name]
    for index, needed in enumerate(member.needs):
        if needed not in {*stack.services, *stack.backing}:
            yield document.mistake(
                ("services", name, "needs", index),
                f"'{needed}' is neither a service here nor in backing",
            )
    for variable, value in member.environment.items():
        if not _is_right(value, stack.generated):
            yield document.mistake(
                ("services", name, "environment", variable),
                f"'{value}' may hold ${{NAME}} of generated variables only, "
                f"which are {_listed(stack.generated)}; write $$ for a dollar sign",
            )
    if name in _reached(stack, name):
        yield document.mistake(("services", name, "needs"), "leads back to the service itself")


def _is_right(value: str, generated: Collection[str]) -> bool:
    template = Template(value)
    return template.is_valid() and set(template.get_identifiers()) <= set(generated)


def _reached(stack: Stack, name: str) -> set[str]:
    """Names of all that a service needs, and what those need in turn."""
    reached: set[str] = set()
    queue = list(stack.services[name].needs)
    while queue:
        needed = queue.pop()
        if needed not in reached:
            reached.add(needed)
            if needed in stack.services:
                queue += stack.services[needed].needs
    return reached


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"
