"""Tells on standard error what a deployment does, as it does it."""

import sys
import time
from collections.abc import Sequence


class ProgressLog:
    """Lines with the seconds since the beginning; what was said last isn't said again."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._said: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        """Time since the beginning."""
        return time.monotonic() - self._start

    def say(self, text: str) -> None:
        """Tell one thing."""
        sys.stderr.write(f"[{self.seconds:5.1f} s] {text}\n")
        sys.stderr.flush()

    def waiting(self, lines: Sequence[str]) -> None:
        """Tell what is waited for, as far as it changed."""
        for line in lines:
            if line not in self._said:
                self.say(line)
        self._said = lines
