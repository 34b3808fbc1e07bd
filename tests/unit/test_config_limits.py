"""Files made to take long: told within 2 s and 200 MB, by a process of their own."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import MOST_MISTAKES, InvalidFilesError
from tests.unit.configs import ROOT, SECRETS, loaded

MOST_SECONDS = 2
MOST_MEGABYTES = 200
MANY = 24_000  # of two parts each
LONG = 1_900_000  # characters

ALIASES = "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 30)
)
FILES: dict[str, Callable[[], str]] = {
    "aliases that multiply": lambda: f"a0: &a0 [x]\n{ALIASES}",
    "brackets in brackets": lambda: "[" * LONG,
    "mappings in mappings": lambda: "{a: " * (LONG // 4),
    "items without an end": lambda: "- a\n" * (LONG // 4),
    "sections that are unknown": lambda: "".join(f"sho{number}: 1\n" for number in range(MANY)),
    "settings that are unknown": lambda: (
        "shop:\n" + "".join(f"  timeou_{number}_ms: 1\n" for number in range(MANY))
    ),
    "one key again and again": lambda: "shop: {}\n" * MANY,
    "booleans that are words": lambda: "shop: [" + "no, " * MANY + "]",
    "keys that are words": lambda: "on: off\n" * MANY,
    "files that are extended": lambda: "extends: [" + "1, " * MANY * 2 + "]",
    "texts in place of texts": lambda: "extends: [" + "'A', " * MANY * 2 + "]",
    "a number in many digits": lambda: "a: " + "1" * LONG + "._",
    "a number that is tagged": lambda: "a: !!float " + "1" * LONG + "x",
    "a number of hours and minutes": lambda: "a: " + "1:" * (LONG // 2) + "x",
    "a date": lambda: "a: !!timestamp " + "2026-01-01" * (LONG // 10),
    "a key without an end": lambda: "? " + "k" * LONG,
    "a text without an end": lambda: 'a: "' + "\\x41" * (LONG // 4),
    "a text in many lines": lambda: "a: |\n" + " x\n" * (LONG // 3),
    "quotes": lambda: "'" * LONG,
    "tabs": lambda: "\t" * LONG,
    "anchors": lambda: "a: [" + "&a x, " * MANY + "]",
    "tags": lambda: "a: [" + "!x y, " * MANY + "]",
    "merge keys": lambda: "a: {" + "<<: {}, " * MANY + "}",
    "comments": lambda: "# x\n" * (LONG // 4),
    "documents": lambda: "---\n" * (LONG // 4),
    "directives": lambda: "%YAML 1.1\n" * (LONG // 10),
    "control characters": lambda: "\n" * LONG + "\x01",
    "bytes that are no UTF-8": lambda: "\n" * LONG + "\ufffd",
}
SECRETS_FILES: dict[str, Callable[[], str]] = {
    "a cipher text without an end": lambda: SECRETS.replace("eA==", ",type:a" * (LONG // 40)),
    "a conflict": lambda: "x\n" * (LONG // 2) + "<<<<<<< HEAD\n",
    "names that are unknown": lambda: (
        "".join(f"sho{number}: {{}}\n" for number in range(MANY // 2)) + SECRETS
    ),
}


def told(name: str) -> str:
    """What is said of one of these files."""
    files = {"one": FILES[name]() if name in FILES else "extends: base"}
    secrets = {"one": SECRETS_FILES[name]() if name in SECRETS_FILES else SECRETS}
    try:
        loaded(files, secrets=secrets)
    except InvalidFilesError as error:
        return str(error)
    raise AssertionError(f"nothing is wrong with {name}")


def measured() -> Iterator[dict[str, object]]:
    """What is said of each file, and the seconds of computing that it took."""
    loaded({"one": "extends: base"})
    for name in [*FILES, *SECRETS_FILES]:
        before = time.process_time()
        said = told(name)
        yield {"name": name, "seconds": time.process_time() - before, "said": said}


def main() -> None:
    """Print what was measured, for the test."""
    files = list(measured())
    # Not ru_maxrss: that begins with what the test run had when it started this process.
    [most] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    json.dump({"megabytes": int(most) // 1024, "files": files}, sys.stdout)


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.unit.test_config_limits"],
        cwd=ROOT,
        env={"PYTHONPATH": "src:."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_nothing_takes_long_or_much(result: dict[str, Any]) -> None:
    assert len(result["files"]) == len(FILES) + len(SECRETS_FILES)
    slow = {
        each["name"]: each["seconds"] for each in result["files"] if each["seconds"] > MOST_SECONDS
    }
    assert slow == {}
    assert result["megabytes"] <= MOST_MEGABYTES


def test_all_is_told_with_its_place(result: dict[str, Any]) -> None:
    for each in result["files"]:
        lines = each["said"].splitlines()[1:]
        assert lines
        assert all(re.match(r"  config/\w+/one\.yml:\d+:\d+: ", line) for line in lines)
        assert len(lines) <= MOST_MISTAKES + 2
        assert all(len(line) < 500 for line in lines)


if __name__ == "__main__":
    main()
