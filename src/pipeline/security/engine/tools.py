"""The scanners as containers: what each finds in an image or in the repository's Dockerfiles."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

import dagger
from dagger import dag

from pipeline.catalogue.models import Images
from pipeline.errors import PipelineError, shortened
from pipeline.security.engine.databases import TRIVY_CACHE, Database, mounted_for_grype
from pipeline.security.engine.subject import Subject
from pipeline.security.finding import Finding
from pipeline.security.grype import parse_grype
from pipeline.security.scout import parse_scout
from pipeline.security.trivy import LAYOUT, parse_trivy

Job = Callable[[], Awaitable[list[Finding]]]

OFFLINE = ["--format=json", "--quiet", "--skip-check-update"]
# Nothing is kept from scan to scan, so that none waits for another's lock.
TRIVY_IMAGE = [
    *("image", f"--input={LAYOUT}", *OFFLINE, "--offline-scan", "--cache-backend=memory"),
    *("--scanners=vuln,secret", "--image-config-scanners=misconfig,secret"),
    *("--skip-db-update", "--skip-java-db-update"),
]
# Images run as the user of their service.yml, whatever the Dockerfile says: its image is checked.
NO_USER = ("DS-0002",)
TRIVY_DOCKERFILES = ["config", *OFFLINE, "--misconfig-scanners=dockerfile", "/repository"]
GRYPE_FILES = ["dir:/files", "--output=json"]
# What goes to the standard output is shown in the progress of every run, whole.
REPORT = "/report.json"
# Beside the report Scout writes to its output how far it is.
SCOUT_REPORT = "/tmp/scout.sarif.json"  # noqa: S108 - in a container of its own
SCOUT_IMAGE = ["cves", "--format=sarif", f"--output={SCOUT_REPORT}", f"oci-dir://{LAYOUT}"]


class ScanError(PipelineError):
    """A scanner didn't get as far as a report."""


class ScoutAccountError(PipelineError):
    """No account of Docker Scout, or half of one."""


@dataclass(frozen=True)
class ScoutAccount:
    """An account of Docker Scout, which scans for nobody without one."""

    username: str
    password: dagger.Secret

    @classmethod
    async def of(cls, secret: dagger.Secret | None) -> Self | None:
        """Take a secret USER:PASSWORD apart. Raises ScoutAccountError."""
        if secret is None:
            return None
        username, colon, password = (await secret.plaintext()).strip().partition(":")
        if not (username and password):
            raise ScoutAccountError(
                "--scout-account is no account of Docker Scout: expected USER:PASSWORD, where the "
                f"password may be a token; {'one of both' if colon else 'the colon'} is missing."
            )
        return cls(username, dag.set_secret(f"scout-{uuid.uuid4()}", password))


@dataclass(frozen=True)
class Scanners:
    """Each scanner, ready: given the same image and database, the engine need not run it again."""

    trivy: dagger.Container
    grype: dagger.Container
    scout: dagger.Container | None

    @classmethod
    def of(
        cls, images: Images, trivy: Database, grype: Database, account: ScoutAccount | None
    ) -> Self:
        """Put databases and account where the scanners look for them."""
        trivy_tool = (
            dag.container()
            .from_(images.trivy)
            .with_mounted_directory(TRIVY_CACHE, trivy.folder)
            .with_env_variable("TRIVY_CACHE_DIR", TRIVY_CACHE)
            .with_env_variable("TRIVY_SKIP_VERSION_CHECK", "true")
        )
        grype_tool = mounted_for_grype(images.grype, grype.folder)
        return cls(trivy_tool, grype_tool, _scout(images.scout, account) if account else None)

    def jobs(self, subject: Subject) -> list[Job]:
        """List what there is to do for an image on one platform."""
        jobs: list[Job] = [partial(self._trivy, subject), partial(self._grype, subject)]
        return [*jobs, partial(_by_scout, self.scout, subject)] if self.scout else jobs

    async def dockerfiles(self, files: dagger.Directory) -> list[Finding]:
        """Look for misconfigurations in Dockerfiles; their paths are the repository's."""
        tool = self.trivy.with_mounted_directory("/repository", files)
        found = parse_trivy(await _said(tool, TRIVY_DOCKERFILES), "", "")
        return [finding for finding in found if finding.ids != NO_USER]

    async def _trivy(self, subject: Subject) -> list[Finding]:
        tool = self.trivy.with_mounted_directory(LAYOUT, subject.layout)
        return parse_trivy(await _said(tool, TRIVY_IMAGE), subject.image, subject.platform)

    async def _grype(self, subject: Subject) -> list[Finding]:
        # In an image Grype leaves out what it reads in a folder, such as Cargo.lock.
        tool = self.grype.with_mounted_directory("/files", subject.files)
        return parse_grype(await _said(tool, GRYPE_FILES), subject.image, subject.platform)


def _scout(image: str, account: ScoutAccount) -> dagger.Container:
    """Give Docker Scout; it asks its service, so that it is never answered by the engine."""
    return (
        dag.container()
        .from_(image)
        .with_env_variable("DOCKER_SCOUT_HUB_USER", account.username)
        .with_secret_variable("DOCKER_SCOUT_HUB_PASSWORD", account.password)
        .with_env_variable("RUN", str(uuid.uuid4()))
    )


async def _by_scout(scout: dagger.Container, subject: Subject) -> list[Finding]:
    tool = scout.with_mounted_directory(LAYOUT, subject.layout)
    report = await _contents(tool.with_exec(SCOUT_IMAGE, use_entrypoint=True), SCOUT_REPORT)
    return parse_scout(report, subject.image, subject.platform)


async def _said(tool: dagger.Container, command: list[str]) -> str:
    ended = tool.with_exec(command, use_entrypoint=True, redirect_stdout=REPORT)
    return await _contents(ended, REPORT)


async def _contents(ended: dagger.Container, report: str) -> str:
    try:
        return await ended.file(report).contents()
    except dagger.ExecError as error:
        said = shortened((error.stderr or error.stdout).splitlines(), 20)
        raise ScanError(
            f"'{' '.join(error.command)}' ended with {error.exit_code}.\n\n{said}"
        ) from error
