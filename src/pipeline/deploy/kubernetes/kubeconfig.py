"""A kubeconfig as it is handed in: checked without being shown, and kept in memory alone."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import yaml

from pipeline.errors import PipelineError

# What people's own kubeconfig may name by path: here those files are not.
FILES = {
    "clusters": {"cluster": ["certificate-authority"]},
    "users": {"user": ["client-certificate", "client-key", "tokenFile"]},
}
ADVICE = "Give one that needs nothing else: `kubectl config view --raw --flatten --minify`"


class KubeconfigError(PipelineError):
    """A kubeconfig that can't be used."""


def checked_kubeconfig(text: str) -> str:
    """Check that a kubeconfig is one, and needs no other file. Raises KubeconfigError."""
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        # Its text would stand in the error.
        raise KubeconfigError(f"The kubeconfig (--kubeconfig) is not YAML.\n{ADVICE}.") from None
    if not isinstance(data, dict) or not data.get("clusters"):
        raise KubeconfigError(f"The kubeconfig (--kubeconfig) names no cluster.\n{ADVICE}.")
    if not isinstance(data.get("current-context"), str) or not data["current-context"]:
        raise KubeconfigError(
            "The kubeconfig (--kubeconfig) has no current-context, so no cluster is chosen.\n"
            f"{ADVICE}."
        )
    for field in _files(data):
        raise KubeconfigError(
            f"The kubeconfig (--kubeconfig) names a file, in {field}: no file of that machine is "
            f"here.\n{ADVICE}."
        )
    return text


def _files(data: dict[str, Any]) -> Iterator[str]:
    for kind, parts in FILES.items():
        entries = data.get(kind) or []
        for part, names in parts.items():
            if not isinstance(entries, list) or not all(_has(entry, part) for entry in entries):
                raise KubeconfigError(
                    f"The kubeconfig (--kubeconfig) is none: {kind} is no list of mappings, each "
                    f"with a {part}.\n{ADVICE}."
                )
            for index, entry in enumerate(entries):
                for name in names:
                    if (entry.get(part) or {}).get(name):
                        yield f"{kind}[{index}].{part}.{name}"


def _has(entry: object, part: str) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get(part) or {}, dict)


@contextmanager
def in_memory(text: str) -> Iterator[int]:
    """Keep a kubeconfig in a file that is on no disk: its descriptor, for programs to inherit."""
    descriptor = os.memfd_create("kubeconfig")
    try:
        os.write(descriptor, text.encode())
        yield descriptor
    finally:
        os.close(descriptor)


def path_of(descriptor: int) -> str:
    """Name the file for a program that inherited its descriptor."""
    return f"/proc/self/fd/{descriptor}"


async def call(
    program: Path, arguments: Sequence[str], given: str, kubeconfig: int | None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program that needs a kubeconfig and nothing else of this machine."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "PATH": os.environ.get("PATH", "")}
        inherited = []
        if kubeconfig is not None:
            environment["KUBECONFIG"] = path_of(kubeconfig)
            inherited = [kubeconfig]
        return await anyio.run_process(
            [str(program), *arguments],
            input=given.encode(),
            env=environment,
            check=False,
            pass_fds=inherited,
        )
