"""Steps that are done once: shown as they run, kept whole or not at all, redone on a change."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

LAST_LINES = 15
NORMAL, LOW = 0, 10  # priorities, as nice has them


class SetupError(Exception):
    """Something that a person has to see to: what failed, what to do, the end of its log."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log

    def __str__(self) -> str:
        text = super().__str__()
        if self.log is None or not self.log.exists():
            return text
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join([text, f"The end of {self.log}:", *(f"    {line}" for line in lines)])


class Progress:
    """Numbered steps on standard error, with the seconds since the beginning."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._number = 0

    def step(self, text: str) -> None:
        """Say what is being done now."""
        self._number += 1
        self.say(f"{self._number}. {text}")

    def say(self, text: str) -> None:
        """Print a line."""
        elapsed = time.monotonic() - self._start
        print(f"[{elapsed:4.0f} s] {text}", file=sys.stderr, flush=True)


def _silently() -> None:
    """Wait without a word."""


def key_of(*inputs: str | Path) -> str:
    """Digest of texts, files, and folders with all that is below them."""
    digest = hashlib.sha256()
    for item in inputs:
        if isinstance(item, str):
            digest.update(item.encode())
        else:
            for path in sorted(item.rglob("*")) if item.is_dir() else [item]:
                if path.is_file() and "__pycache__" not in path.parts:
                    digest.update(str(path.relative_to(item.parent)).encode() + b"\0")
                    digest.update(hashlib.sha256(path.read_bytes()).digest())
        digest.update(b"\0")
    return digest.hexdigest()


def is_current(target: Path, key: str) -> bool:
    """Whether the target was made whole, from what the key stands for."""
    key_file = _key_file(target)
    return target.exists() and key_file.exists() and key_file.read_text() == key


def make_once(
    target: Path, key: str, make: Callable[[Path], None], waiting: Callable[[], None] = _silently
) -> None:
    """Make a folder unless it is current, or another run is making it: then wait for that one.

    `make` fills a temporary folder, which takes the target's place when it is whole: killed at
    any moment, the next run does the step again.
    """
    if is_current(target, key):
        return
    with alone(target, waiting):
        if is_current(target, key):
            return
        temporary = target.with_name(f"{target.name}.new")
        _key_file(target).unlink(missing_ok=True)
        for old in (target, temporary):
            if old.exists():
                shutil.rmtree(old)
        temporary.mkdir(parents=True)
        make(temporary)
        temporary.rename(target)
        write_key(target, key)


@contextlib.contextmanager
def alone(target: Path, waiting: Callable[[], None] = _silently) -> Iterator[None]:
    """Keep other runs that make the same target waiting; the lock ends with the process.

    The run that is waited for is no longer one in the background.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            lock.seek(0)
            with contextlib.suppress(ValueError, OSError):
                set_priority(int(lock.read()), NORMAL)
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def set_priority(process: int, nice: int) -> None:
    """Set how a session stands behind all else, when this is the process that leads one.

    A kernel may share the processor out among sessions first: then what nice says of a process
    means something inside its session alone, and the session has a number of its own.
    """
    if os.getsid(process) == process:
        os.setpriority(os.PRIO_PGRP, process, nice)
        with contextlib.suppress(FileNotFoundError):
            Path(f"/proc/{process}/autogroup").write_text(str(nice))


def write_key(target: Path, key: str) -> None:
    """Note what the target was made from."""
    temporary = target.with_name(f"{target.name}.key.new")
    temporary.write_text(key)
    temporary.rename(_key_file(target))


def run(
    command: Sequence[str | Path],
    log: Path,
    advice: str,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a program with its output in the log; its failure carries the advice."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        try:
            status = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            ).returncode
        except FileNotFoundError:
            raise SetupError(f"{command[0]} is not there. {advice}") from None
    if status != 0:
        raise SetupError(f"{Path(command[0]).name} failed with status {status}. {advice}", log)


def install(python: Path, requirements: Path, folder: Path, log: Path) -> None:
    """Unpack the wheels of a list with digests into a folder."""
    options = ["--quiet", "--require-hashes", "--no-deps"]
    run(
        [python, "-m", "pip", "install", *options, "--target", folder, "-r", requirements],
        log,
        "See that pip reaches a package index, then run this again.",
    )


def _key_file(target: Path) -> Path:
    return target.with_name(f"{target.name}.key")
