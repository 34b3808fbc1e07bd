"""Values that config/stack.yml calls generated, read back out of an environment's own secrets."""

import re
from collections.abc import Mapping
from string import Template

from pipeline.catalogue.stack import STACK_FILE, Stack
from pipeline.errors import PipelineError

Variables = Mapping[str, Mapping[str, str]]


class SecretFormError(PipelineError):
    """A secret isn't written in the form that config/stack.yml gives it."""


def generated_values(stack: Stack, secrets: Variables) -> dict[str, str]:
    """Give the generated variables' values, by secrets (service → variable → text).

    A service's `postgres://me:${PASSWORD}@postgres` says where the password stands in its secret.
    Raises SecretFormError.
    """
    found: dict[str, str] = {}
    for service, member in stack.services.items():
        for variable, template in member.environment.items():
            if not Template(template).get_identifiers():
                continue
            text = secrets.get(service, {}).get(variable)
            values = None if text is None else _matched(template, text)
            if values is None:
                is_missing = "is missing" if text is None else "has another form"
                raise SecretFormError(
                    f"The secret {variable} of {service} {is_missing}: {STACK_FILE} says "
                    f"services.{service}.environment.{variable}: {template}\n"
                    f"Set the secret in that form, or change {STACK_FILE}."
                )
            for name, value in values.items():
                if found.setdefault(name, value) != value:
                    raise SecretFormError(
                        f"The secret {variable} of {service} has another {name} than the secrets "
                        "before it: set them to the same."
                    )
    missing = [name for name in stack.generated if name not in found]
    if missing:
        raise SecretFormError(
            f"No secret holds {', '.join(missing)}, which backing in {STACK_FILE} calls generated: "
            f"write ${{{missing[0]}}} where a service's environment has it."
        )
    return found


def _matched(template: str, text: str) -> dict[str, str] | None:
    """Read the values of ${NAME} out of a text; none when it has another form."""
    pattern, seen = "", set()
    end = 0
    for match in Template.pattern.finditer(template):
        pattern += re.escape(template[end : match.start()])
        name = match["named"] or match["braced"]
        if name is None:
            pattern += re.escape("$")
        elif name in seen:
            pattern += f"(?P={name})"
        else:
            seen.add(name)
            pattern += f"(?P<{name}>.+?)"
        end = match.end()
    found = re.fullmatch(pattern + re.escape(template[end:]), text)
    return found.groupdict() if found else None
