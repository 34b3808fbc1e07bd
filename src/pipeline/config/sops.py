"""The sops program: what is plain goes in and out through pipes, never an argument or a file."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from pipeline import documents
from pipeline.catalogue.settings import Value
from pipeline.errors import InvalidFilesError, PipelineError

NO_DATA_KEY = 128
BROKEN_VALUE = 25
BROKEN_MAC = 51
FILE = "secrets.yml"
STDIN = "/dev/stdin"


class SopsError(PipelineError):
    """A file of secrets can't be read or written."""


@dataclass(frozen=True)
class Sops:
    """The program, and the private key of one of a file's recipients."""

    program: Path
    key: str | None = field(default=None, repr=False)

    async def encrypted(self, plain: str, recipients: Sequence[str]) -> str:
        """Encrypt a YAML file for age recipients."""
        # A signature over what is encrypted only: comments and order may change.
        rule = {"age": ",".join(recipients), "mac_only_encrypted": True}
        config = json.dumps({"creation_rules": [rule]})
        arguments = ["encrypt", f"--filename-override={FILE}", STDIN]
        return await self._run(["--config=config.json", *arguments], {"config.json": config}, plain)

    async def decrypted(self, encrypted: str) -> dict[str, Any]:
        """Read a file's data."""
        self._need_key()
        arguments = ["decrypt", "--output-type=json", FILE]
        data: dict[str, Any] = json.loads(await self._run(arguments, {FILE: encrypted}))
        return data

    async def with_value(self, encrypted: str, key: str, name: str, value: Value) -> str:
        """Set one value of a file; the others keep their cipher text."""
        self._need_key()
        arguments = ["set", "--value-stdin", FILE, json.dumps([key]) + json.dumps([name])]
        return await self._changed(arguments, encrypted, json.dumps(value))

    async def rotated(
        self, encrypted: str, added: Sequence[str] = (), removed: Sequence[str] = ()
    ) -> str:
        """Encrypt all values under a new data key, for recipients that may change."""
        self._need_key()
        arguments = ["rotate", "--in-place"]
        arguments += [f"--add-age={','.join(added)}"] if added else []
        arguments += [f"--rm-age={','.join(removed)}"] if removed else []
        return await self._changed([*arguments, FILE], encrypted)

    async def _changed(self, arguments: Sequence[str], encrypted: str, given: str = "") -> str:
        with tempfile.TemporaryDirectory() as folder:
            await self._called(Path(folder), arguments, {FILE: encrypted}, given)
            return (Path(folder) / FILE).read_text()

    async def _run(self, arguments: Sequence[str], files: dict[str, str], given: str = "") -> str:
        with tempfile.TemporaryDirectory() as folder:
            return await self._called(Path(folder), arguments, files, given)

    async def _called(
        self, folder: Path, arguments: Sequence[str], files: dict[str, str], given: str
    ) -> str:
        for name, text in files.items():
            (folder / name).write_text(text)
        # No key but the one that was given: none of a home, an agent or a cloud's machine.
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder)}
        if self.key is not None:
            environment["SOPS_AGE_KEY"] = self.key
        ended = await anyio.run_process(
            [str(self.program), *arguments],
            input=given.encode(),
            cwd=folder,
            env=environment,
            check=False,
        )
        if ended.returncode != 0:
            raise SopsError(_explained(ended, files.get(FILE, "")))
        return ended.stdout.decode()

    def _need_key(self) -> None:
        if self.key is None:
            raise SopsError(
                "Secrets are read with the private key of one of their recipients: give it with "
                "--secrets-key, e.g. env://SOPS_AGE_KEY or file://key.txt."
            )


def recipients_of(encrypted: str) -> list[str]:
    """List the age recipients of an encrypted file."""
    try:
        data = documents.parse(FILE, encrypted).data
    except InvalidFilesError:
        return []
    metadata = data.get("sops") if isinstance(data, dict) else None
    entries = metadata.get("age") if isinstance(metadata, dict) else None
    return [
        str(entry["recipient"])
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and "recipient" in entry
    ]


def _explained(ended: subprocess.CompletedProcess[bytes], encrypted: str) -> str:
    said = ended.stderr.decode(errors="replace").strip()
    if ended.returncode == NO_DATA_KEY:
        wrong = "isn't an age key" if "failed to parse" in said else "opens none of its keys"
        recipients = recipients_of(encrypted)
        whose = f"recipients are {', '.join(recipients)}" if recipients else "no recipient is age"
        return (
            f"The secrets can't be read: the key {wrong}.\nTheir {whose}. Give the private key of "
            "one with --secrets-key (AGE-SECRET-KEY-…), or let someone who has one add yours with "
            "`secrets recipients --add`."
        )
    if ended.returncode == BROKEN_VALUE:
        return (
            "The secrets were changed by something other than sops: a value doesn't decrypt.\n"
            "Take the file from before the change (git log), then set the values that are to "
            "change with `secrets set`."
        )
    if ended.returncode == BROKEN_MAC:
        return (
            "The secrets were changed by something other than sops: the signature over all values "
            "is of others. Two changes that git merged look like this, too.\nTake the file of one "
            "side whole (git checkout --ours or --theirs), then set the values that only the "
            "other one changed with `secrets set`."
        )
    last = said.splitlines()[-1][-300:] if said else "nothing"
    return f"sops ended with {ended.returncode}. It said: {last}"
