"""Helm as a program: one release of one chart, its revisions, and the way back to one of them."""

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.deploy.kubernetes.kubeconfig import call
from pipeline.deploy.kubernetes.values import Values
from pipeline.errors import PipelineError, shortened
from pipeline.models import Model

NAMED_BY_CONTENT = "pipeline/content"
"""The chart's label of ConfigMaps and Secrets that are never changed, only followed by others."""
NOT_FOUND = re.compile(r'no \w+ with the name "[^"]+" found')
KEPT = 50
"""Revisions in the history: one to go back to is among them even after many failures."""


class HelmError(PipelineError):
    """Helm didn't do what it was asked to."""


class HelmRevision(Model):
    """One revision of a release, as `helm history` has it."""

    revision: int
    status: str
    description: str = ""


@dataclass(frozen=True)
class Helm:
    """The program, for one release in its namespace; without a kubeconfig it only renders."""

    program: Path
    release: str
    namespace: str
    kubeconfig: int | None = None

    async def template(self, chart: Path, values: Values) -> str:
        """Render the chart's objects. Raises HelmError."""
        return await self._run(["template", self.release, str(chart), "--values=-"], _text(values))

    async def history(self) -> list[HelmRevision]:
        """List the release's revisions, the oldest first; none when it was never installed."""
        command = ["history", self.release, "--output=json", f"--max={KEPT}"]
        ended = await self._called(command, "")
        if ended.returncode != 0 and b"release: not found" in ended.stderr:
            return []
        return [HelmRevision.model_validate(entry) for entry in json.loads(_checked(ended))]

    async def upgrade(self, chart: Path, values: Values, description: str) -> int:
        """Install or upgrade; gives the new revision without waiting for it. Raises HelmError."""
        options = ["--install", "--values=-", f"--history-max={KEPT}", "--output=json"]
        command = ["upgrade", self.release, str(chart), *options, f"--description={description}"]
        return int(json.loads(await self._run(command, _text(values)))["version"])

    async def rollback(self, revision: int) -> None:
        """Make a new revision of an earlier one, whole, without waiting for it."""
        command = ["rollback", self.release, str(revision), f"--history-max={KEPT}"]
        try:
            await self._run(command)
        except HelmError as error:
            if not NOT_FOUND.search(str(error)):
                raise
            # It compares with the last revision, which was to remove what is still there. Now that
            # is this attempt, which knows it.
            await self._run(command)

    async def uninstall(self) -> None:
        """Remove all of the release; what databases keep on volumes stays."""
        await self._run(["uninstall", self.release, "--ignore-not-found", "--wait"])

    async def manifest(self, revision: int) -> str:
        """Give all objects of a revision as they were applied, those that are hooks too."""
        of = [self.release, f"--revision={revision}"]
        manifest = await self._run(["get", "manifest", *of])
        return f"{manifest}\n{await self._run(['get', 'hooks', *of])}"

    async def _run(self, arguments: Sequence[str], given: str = "") -> str:
        return _checked(await self._called(arguments, given))

    async def _called(
        self, arguments: Sequence[str], given: str
    ) -> subprocess.CompletedProcess[bytes]:
        arguments = [*arguments, f"--namespace={self.namespace}"]
        return await call(self.program, arguments, given, self.kubeconfig)


def _text(values: Values) -> str:
    # JSON is YAML, and no text in it can be taken for something else.
    return json.dumps(values)


def _checked(ended: subprocess.CompletedProcess[bytes]) -> str:
    if ended.returncode == 0:
        return ended.stdout.decode()
    said = (ended.stderr or ended.stdout).decode(errors="replace").strip()
    lines = [line for line in said.splitlines() if not re.match(r"WARNING:|walk\.go", line)]
    raise HelmError(f"Helm said: {shortened(lines, 12).removeprefix('Error: ')}")
