"""Values of a stack's generated variables, as the secrets of its services have them."""

import re
from collections.abc import Iterator, Mapping
from string import Template

from pipeline.catalogue.stack import STACK_FILE, Stack
from pipeline.config.resolve import Configuration
from pipeline.config.sections import section_name
from pipeline.errors import PipelineError

# What means the same in an address, a shell and a file of variables.
VALUE = r"[A-Za-z0-9._~-]+"


class GeneratedValueError(PipelineError):
    """Secrets don't tell the value of what stands behind the services."""


def managed(stack: Stack, configuration: Configuration) -> Stack:
    """Give the stack with only what a deployment brings along behind the services."""
    brought = {
        name: backing
        for name, backing in stack.backing.items()
        if configuration.values[section_name(name)]["managed"].value
    }
    return stack.model_copy(update={"backing": brought})


def generated_values(stack: Stack, secrets: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Find the value of each generated variable in the secrets: service → variable → text.

    A service's setting in stack.yml is the form of its secret: the text in place of ${NAME} is
    what NAME has. Raises GeneratedValueError with everything that doesn't fit, and no value.
    """
    found: dict[str, str] = {}
    of: dict[str, str] = {}
    mistakes: list[str] = []
    for service, variable, form in _forms(stack):
        place = f"{variable} of {service}"
        text = secrets.get(service, {}).get(variable)
        match = None if text is None else _pattern(form).fullmatch(text)
        if match is None:
            wrong = "is missing" if text is None else "has another form"
            mistakes.append(f"{place} {wrong}: expected {form}")
            continue
        for name, value in match.groupdict().items():
            if name in stack.generated and found.setdefault(name, value) != value:
                mistakes.append(f"{place} has another {name} than {of[name]}")
            of.setdefault(name, place)
    told = {name for _, _, form in _forms(stack) for name in Template(form).get_identifiers()}
    mistakes += [
        f"{name} is in no service's environment: no secret tells its value"
        for name in stack.generated
        if name not in told
    ]
    if mistakes:
        raise GeneratedValueError(_explained(mistakes))
    return found


def _forms(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """List service, variable and form of the settings that hold a generated variable."""
    for service, member in stack.services.items():
        for variable, form in member.environment.items():
            if set(Template(form).get_identifiers()) & set(stack.generated):
                yield service, variable, form


def _pattern(form: str) -> re.Pattern[str]:
    pattern = ""
    seen: set[str] = set()
    end = 0
    for match in Template.pattern.finditer(form):
        pattern += re.escape(form[end : match.start()])
        name = match["named"] or match["braced"]
        if name is None:
            pattern += re.escape("$")
        else:
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>{VALUE})"
            seen.add(name)
        end = match.end()
    return re.compile(pattern + re.escape(form[end:]))


def _explained(mistakes: list[str]) -> str:
    return "\n".join(
        [
            f"The secrets don't fit to {STACK_FILE}:",
            *(f"  {mistake}" for mistake in mistakes),
            "In place of ${NAME} stand letters, digits and . _ ~ - only, as of `openssl rand -hex "
            "24`. Set such a secret with `environment --name … secrets set`; or say `managed: "
            "false` in config/environments, of what isn't deployed with the services.",
        ]
    )
