"""A stand-in for Helm 3.19: its commands, what it keeps of a release, and how it answers.

It does one thing after the other, as Helm does: the revision is written down before anything is
applied, hooks are made anew, then objects in turn, then what is no longer wanted is deleted. It
compares with the last revision only, for an upgrade with the one that is deployed.
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import anyio

from tests.unit.cluster_stand_in import ClusterStandIn
from tests.unit.small_chart import objects_of, rendered

Json = dict[str, Any]
KNOWN = {
    "template": {"values", "namespace"},
    "history": {"output", "max", "namespace"},
    "upgrade": {"install", "values", "history-max", "output", "description", "namespace"},
    "rollback": {"history-max", "namespace"},
    "uninstall": {"ignore-not-found", "wait", "namespace"},
    "get": {"revision", "namespace"},
}
PENDING = "another operation (install/upgrade/rollback) is in progress"


class SaidError(Exception):
    """Helm's own words on standard error."""


@dataclass(frozen=True)
class Revision:
    """A revision as Helm keeps it."""

    revision: int
    status: str
    description: str
    manifest: str
    hooks: str


@dataclass
class HelmStandIn:
    """Helm's records of one release, in one cluster.

    `refuses` says of which verb what fails, and how; each thing `takes` some seconds.
    """

    cluster: ClusterStandIn
    history: list[Revision] = field(default_factory=list)
    refuses: dict[str, tuple[str, str]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    takes: float = 0.01

    async def called(
        self, arguments: Sequence[str], given: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command."""
        verb, options, words = _read(arguments)
        self.commands.append(verb)
        try:
            if set(options) - KNOWN[verb]:
                raise SaidError(f"unknown flag: {options}")
            assert options["namespace"] == "shop"
            if self.cluster.away and verb != "template":
                raise SaidError("Kubernetes cluster unreachable: connection refused")
            said = await getattr(self, f"_{verb}")(words, options, given)
        except SaidError as error:
            # What it warns of comes first, whatever happens.
            warning = "WARNING: Kubernetes configuration file is group-readable.\n"
            return _ended(arguments, 1, "", f"{warning}Error: {error}\n")
        return _ended(arguments, 0, said, "")

    async def _template(self, _: list[str], options: Json, given: str) -> str:
        assert options["values"] == "-"
        return "".join(rendered(given))

    async def _history(self, words: list[str], options: Json, _: str) -> str:
        assert (words, options["output"]) == (["shop"], "json")
        await anyio.sleep(self.takes)
        if "history" in self.refuses:
            raise SaidError(self.refuses["history"][1])
        if not self.history:
            raise SaidError("release: not found")
        return json.dumps(
            [
                {
                    "revision": one.revision,
                    "updated": "2026-11-26T12:00:00.123456789Z",
                    "status": one.status,
                    "chart": "stack-0.1.0",
                    "app_version": "",
                    "description": one.description,
                }
                for one in self.history[-int(options.get("max", 256)) :]
            ]
        )

    async def _get(self, words: list[str], options: Json, _: str) -> str:
        await anyio.sleep(self.takes)
        found = [one for one in self.history if one.revision == int(options["revision"])]
        if not found:
            raise SaidError("release: not found")
        part, name = words
        assert name == "shop"
        return {"manifest": f"{found[0].manifest}\n", "hooks": found[0].hooks}[part]

    async def _upgrade(self, words: list[str], options: Json, given: str) -> str:
        assert (words[0], options["values"], options["output"]) == ("shop", "-", "json")
        manifest, hooks = rendered(given)
        new = Revision(1, "pending-install", "Initial install underway", manifest, hooks)
        # Objects of this release that are there already are taken for its own.
        before = {path for path in objects_of(manifest) if path in self.cluster.objects}
        if not self.history or self.history[-1].status == "uninstalled":
            assert "install" in options, "release: not found"
            new = replace(new, revision=len(self.history) + 1)
            prefix = ""
        else:
            prefix = "UPGRADE FAILED: "
            last = self.history[-1]
            if last.status.startswith("pending"):
                raise SaidError(f"{prefix}{PENDING}")
            deployed = [one for one in self.history if one.status == "deployed"]
            if not deployed and last.status not in {"failed", "superseded"}:
                raise SaidError(f'{prefix}"shop" has no deployed releases')
            current = deployed[-1] if deployed else last
            before |= objects_of(current.manifest).keys()
            new = replace(
                new,
                revision=last.revision + 1,
                status="pending-upgrade",
                description="Preparing upgrade",
            )
        await self._created(new, int(options.get("history-max", 10)))
        try:
            await self._hooks(new)
            await self._applied("upgrade", before, new)
        except SaidError as error:
            said = f'Upgrade "shop" failed: {error}'
            await self._recorded(replace(new, status="failed", description=said))
            raise SaidError(f"{prefix}{error}") from error
        await self._superseded()
        done = replace(new, status="deployed", description=options["description"])
        await self._recorded(done)
        info = {"status": "deployed", "description": done.description}
        return json.dumps({"name": "shop", "info": info, "version": done.revision})

    async def _rollback(self, words: list[str], options: Json, _: str) -> str:
        name, wanted = words
        assert name == "shop"
        if not self.history:
            raise SaidError("release: not found")
        found = [one for one in self.history if one.revision == int(wanted)]
        if not found:
            raise SaidError(f"release has no {wanted} version")
        last = self.history[-1]
        said = f"Rollback to {wanted}"
        new = replace(
            found[0], revision=last.revision + 1, status="pending-rollback", description=said
        )
        await self._created(new, int(options.get("history-max", 10)))
        await self._hooks(new)
        try:
            await self._applied("rollback", set(objects_of(last.manifest)), new)
        except SaidError as error:
            said = f'Rollback "shop" failed: {error}'
            await self._recorded(replace(last, status="superseded"))
            await self._recorded(replace(new, status="failed", description=said))
            raise
        await self._superseded()
        await self._recorded(replace(new, status="deployed"))
        return "Rollback was a success! Happy Helming!\n"

    async def _uninstall(self, words: list[str], options: Json, _: str) -> str:
        assert (words, "wait" in options) == (["shop"], True)
        if not self.history:
            if "ignore-not-found" not in options:
                raise SaidError("uninstall: Release not loaded: shop: release: not found")
            return 'release "shop" uninstalled\n'
        last = self.history[-1]
        if last.status != "uninstalled":
            said = "Deletion in progress (or silently failed)"
            await self._recorded(replace(last, status="uninstalling", description=said))
            if "uninstall" in self.refuses:
                raise SaidError("failed to delete release: shop")
            for path in objects_of(last.manifest):
                await self._deleted(path)
        while self.history:
            await anyio.sleep(self.takes)
            self.history.pop(0)
            self.cluster.changed()
        return 'release "shop" uninstalled\n'

    async def _created(self, new: Revision, most: int) -> None:
        deployed = [one for one in self.history if one.status == "deployed"][-1:]
        old = [one for one in self.history if one not in deployed]
        excess = max(len(self.history) - (most - 1), 0)
        dropped = old[:excess]
        self.history = [one for one in self.history if one not in dropped]
        self.history.append(new)
        self.cluster.changed()

    async def _recorded(self, revision: Revision) -> None:
        await anyio.sleep(self.takes)
        self.history = [
            revision if one.revision == revision.revision else one for one in self.history
        ]
        self.cluster.changed()

    async def _superseded(self) -> None:
        for one in self.history:
            if one.status == "deployed":
                await self._recorded(replace(one, status="superseded"))

    async def _hooks(self, new: Revision) -> None:
        for path, content in objects_of(new.hooks).items():
            await self._deleted(path)
            await anyio.sleep(self.takes)
            self.cluster.keep(path, content)

    async def _applied(self, verb: str, before: set[str], new: Revision) -> None:
        text, said = self.refuses.get(verb, ("", ""))
        target = objects_of(new.manifest)
        for path, content in target.items():
            if text and text in json.dumps(content):
                raise SaidError(said)
            live = self.cluster.objects.get(path)
            if live is not None and path not in before:
                kind, name = content["kind"], content["metadata"]["name"]
                raise SaidError(f'no {kind} with the name "{name}" found')
            # What others have set, and nobody asks for, stays.
            wanted = {**content, "spec": {**(live or {}).get("spec", {}), **content["spec"]}}
            if live is None or not _has(live, wanted):
                await anyio.sleep(self.takes)
                self.cluster.keep(path, wanted)
        for path in before - target.keys():
            await self._deleted(path)

    async def _deleted(self, path: str) -> None:
        if path in self.cluster.objects:
            await anyio.sleep(self.takes)
            self.cluster.drop(path)


def _has(live: Json, wanted: Json) -> bool:
    same = live["spec"] == wanted["spec"]
    return same and live["metadata"]["labels"] == wanted["metadata"]["labels"]


def _read(arguments: Sequence[str]) -> tuple[str, Json, list[str]]:
    given = [one.removeprefix("--").partition("=") for one in arguments if one.startswith("--")]
    options = {name: value for name, _, value in given}
    verb, *words = [one for one in arguments if not one.startswith("--")]
    return verb, options, words


def _ended(
    arguments: Sequence[str], status: int, output: str, errors: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.CompletedProcess([*arguments], status, output.encode(), errors.encode())
