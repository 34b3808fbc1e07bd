"""Dagger's decorators, as this module uses them and as type checkers can follow them."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar, dataclass_transform

import dagger
from dagger import Doc, Name, field

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

Format = Annotated[str, Name("format"), Doc("table, markdown or json")]


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
def object_type(cls: type[T]) -> type[T]:
    """Expose a class as an object of the module, as `dagger.object_type` does."""
    return dagger.object_type(cls)


def side_effect(function: F) -> F:
    """Expose a function that changes something outside: called twice, it acts twice.

    Its result never comes out of the engine's cache.
    """
    # The SDK takes `cache` but its published overloads leave it out.
    expose: Any = dagger.function
    decorated: F = expose(cache="never")(function)
    return decorated
