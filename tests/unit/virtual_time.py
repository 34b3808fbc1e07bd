"""An event loop whose time passes only by what is slept: a minute takes a moment."""

import asyncio
import selectors
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass
class Clock:
    """How many seconds have passed."""

    seconds: float = 0.0


class _Selector(selectors.DefaultSelector):
    """Waits for nothing: what would be waited for has passed."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing will ever happen"
        ready = super().select(0)
        if not ready:
            self._clock.seconds += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: Clock) -> None:
        self._virtual = clock
        super().__init__(_Selector(clock))

    def time(self) -> float:
        return self._virtual.seconds


def run(clock: Clock, work: Coroutine[Any, Any, T]) -> T:
    """Do some work by a clock, which goes on from where it is."""
    with asyncio.Runner(loop_factory=lambda: _Loop(clock)) as runner:
        return runner.run(work)
