"""Dagger's decorators, as this module uses them and as type checkers can follow them."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast, dataclass_transform, overload

import dagger
from dagger import field

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
def object_type(cls: type[T]) -> type[T]:
    """Expose a class as an object of the module, as `dagger.object_type` does."""
    return dagger.object_type(cls)


class _Function(Protocol):
    """The SDK takes `cache`, but its published overloads leave it out."""

    @overload
    def __call__(self, function: F, /) -> F: ...

    @overload
    def __call__(self, /, *, cache: str) -> Callable[[F], F]: ...


# With cache="never" a function acts each time that it is called: it changes something outside,
# or what it gives depends on the outside.
function = cast(_Function, dagger.function)
