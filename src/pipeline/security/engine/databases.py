"""The scanners' databases: of a file, or of the first mirror that answers.

Each is a folder that is mounted into every scan: scans share no cache and wait for no lock.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import anyio
import dagger
from dagger import dag

from pipeline.catalogue.models import Registry
from pipeline.catalogue.repository import Repository
from pipeline.registry.engine.access import Access
from pipeline.registry.reference import host_of
from pipeline.report.findings import DatabaseSummary
from pipeline.security.age import aged, built_grype, built_trivy
from pipeline.security.mirrors import DatabaseError, is_temporary, no_mirror_answers

TRIVY_CACHE = "/trivy-cache"
GRYPE_CACHE = "/grype-cache"
A_FILE = "a file"
TRIVY_ARCHIVE = "db.tar.gz"
GRYPE_ARCHIVE = "vulnerability-db"
GRYPE_KINDS = (".tar.gz", ".tar.xz", ".tar.zst")
ROUNDS = 2
SECONDS_BETWEEN_ROUNDS = 15
HOURS_FRESH = 6
"""As often as Trivy's database is made anew; Grype's is once a day."""


@dataclass(frozen=True)
class DatabaseFiles:
    """Databases as files, for closed networks: they go before all mirrors."""

    trivy: dagger.File | None = None
    grype: dagger.File | None = None

    @classmethod
    async def of(cls, folder: dagger.Directory | None) -> Self:
        """Find them in a folder, by the names that they are published under.

        Raises DatabaseError when none is there.
        """
        if folder is None:
            return cls()
        names = await folder.entries()
        grype = [
            name for name in names if name.startswith(GRYPE_ARCHIVE) and name.endswith(GRYPE_KINDS)
        ]
        if len(grype) > 1:
            raise DatabaseError(
                f"--databases has more than one database of Grype: {', '.join(sorted(grype))}. "
                "Leave one."
            )
        if TRIVY_ARCHIVE not in names and not grype:
            raise DatabaseError(
                f"--databases has no database: expected {TRIVY_ARCHIVE}, as in the one layer of "
                f"ghcr.io/aquasecurity/trivy-db:2, or {GRYPE_ARCHIVE}_….tar.zst, as Grype's "
                f"listing names it; found {', '.join(sorted(names)) or 'nothing'}."
            )
        return cls(
            trivy=folder.file(TRIVY_ARCHIVE) if TRIVY_ARCHIVE in names else None,
            grype=folder.file(grype[0]) if grype else None,
        )


@dataclass(frozen=True)
class Database:
    """A scanner's database: the folder that is its cache, and what is known of it."""

    folder: dagger.Directory
    known: DatabaseSummary


async def trivy_database(file: dagger.File | None, repository: Repository) -> Database:
    """Give Trivy's database: of a file, or of a mirror. Raises DatabaseError."""
    images, known = repository.images, repository.registry
    if file is not None:
        origin, folder = A_FILE, await _unpacked(file, images.debian)
    else:

        async def fetch(mirror: str) -> dagger.Directory:
            plain = _has_no_tls(mirror, known)
            command = ["image", "--download-db-only", "--quiet", f"--db-repository={mirror}"]
            return await (
                _fresh(images.trivy)
                .with_env_variable("TRIVY_SKIP_VERSION_CHECK", "true")
                .with_env_variable("TRIVY_CACHE_DIR", TRIVY_CACHE)
                .with_exec([*command, *(["--insecure"] if plain else [])], use_entrypoint=True)
                .directory(TRIVY_CACHE)
                .sync()
            )

        origin, folder = await _first("trivy", repository.scan.trivy_databases, fetch)
    built = built_trivy(await folder.file("db/metadata.json").contents())
    return Database(folder, aged("trivy", built, origin, datetime.now(UTC)))


async def grype_database(file: dagger.File | None, repository: Repository) -> Database:
    """Give Grype's database: of a file, or of a mirror. Raises DatabaseError."""
    images, known = repository.images, repository.registry
    if file is not None:
        origin, folder = A_FILE, await _given(file, images.grype)
    else:

        async def fetch(mirror: str) -> dagger.Directory:
            if "://" in mirror:
                tool = _grype(_fresh(images.grype)).with_env_variable("GRYPE_DB_UPDATE_URL", mirror)
                updated = tool.with_exec(["db", "update"], use_entrypoint=True)
                return await updated.directory(GRYPE_CACHE).sync()
            archive = await _artifact(mirror, known, images.regctl)
            return await _imported(archive, images.grype)

        origin, folder = await _first("grype", repository.scan.grype_databases, fetch)
    tool = mounted_for_grype(images.grype, folder)
    status = tool.with_exec(["db", "status", "--output=json"], use_entrypoint=True)
    built = built_grype(await status.stdout())
    return Database(folder, aged("grype", built, origin, datetime.now(UTC)))


def mounted_for_grype(image: str, folder: dagger.Directory) -> dagger.Container:
    """Give Grype with its database, which it is not to replace."""
    tool = _grype(dag.container().from_(image)).with_mounted_directory(GRYPE_CACHE, folder)
    return tool.with_env_variable("GRYPE_DB_AUTO_UPDATE", "false")


def _grype(container: dagger.Container) -> dagger.Container:
    """Let Grype look for its database where it is put; how old it is, reports say."""
    return (
        container.with_env_variable("GRYPE_DB_CACHE_DIR", GRYPE_CACHE)
        .with_env_variable("GRYPE_DB_VALIDATE_AGE", "false")
        .with_env_variable("GRYPE_CHECK_FOR_APP_UPDATE", "false")
    )


async def _first(
    scanner: str,
    mirrors: Sequence[str],
    fetch: Callable[[str], Awaitable[dagger.Directory]],
) -> tuple[str, dagger.Directory]:
    """Ask one mirror after the other, and all again when one was only busy."""
    failures: dict[str, str] = {}
    for round_ in range(ROUNDS):
        if round_:
            await anyio.sleep(SECONDS_BETWEEN_ROUNDS)
        for mirror in mirrors:
            try:
                return mirror, await fetch(mirror)
            except dagger.ExecError as error:
                failures[mirror] = error.stderr or error.stdout
        if not any(map(is_temporary, failures.values())):
            break
    raise no_mirror_answers(scanner, failures)


async def _artifact(reference: str, registry: Registry | None, image: str) -> dagger.File:
    access = Access(host_of(reference), _has_no_tls(reference, registry))
    regctl = await access.regctl(image)
    folder = await (
        regctl.with_directory("/artifact", dag.directory(), owner=await regctl.user() or "0")
        .with_exec(
            ["artifact", "get", "--output=/artifact", "--strip-dirs", reference],
            use_entrypoint=True,
        )
        .directory("/artifact")
        .sync()
    )
    names = await folder.entries()
    if len(names) != 1:
        raise DatabaseError(
            f"{reference} is no archive of Grype's database: expected an artifact with one file, "
            f"found {len(names)}. `oras push {reference} vulnerability-db_….tar.zst` makes one."
        )
    return folder.file(names[0])


async def _unpacked(archive: dagger.File, tools: str) -> dagger.Directory:
    try:
        return await (
            dag.container()
            .from_(tools)
            .with_mounted_file("/db.tar.gz", archive)
            .with_workdir(f"{TRIVY_CACHE}/db")
            .with_exec(["tar", "-xzf", "/db.tar.gz", "metadata.json", "trivy.db"])
            .directory(TRIVY_CACHE)
            .sync()
        )
    except dagger.ExecError as error:
        raise DatabaseError(
            "db.tar.gz of --databases is no database of Trivy: expected one, with trivy.db and "
            "metadata.json, as in the one layer of ghcr.io/aquasecurity/trivy-db:2.\n"
            f"tar said: {error.stderr.strip()[-400:]}"
        ) from error


async def _given(archive: dagger.File, image: str) -> dagger.Directory:
    try:
        return await _imported(archive, image)
    except dagger.ExecError as error:
        raise DatabaseError(
            "vulnerability-db… of --databases is no database of Grype: expected an archive as its "
            "listing names it, vulnerability-db_….tar.zst, under a name that ends in .tar.gz, "
            f".tar.xz or .tar.zst.\nGrype said: {error.stderr.strip()[-400:]}"
        ) from error


async def _imported(archive: dagger.File, image: str) -> dagger.Directory:
    # Grype tells the kind of an archive by its name.
    path = f"/{await archive.name()}"
    tool = _grype(dag.container().from_(image)).with_mounted_file(path, archive)
    imported = tool.with_exec(["db", "import", path], use_entrypoint=True)
    return await imported.directory(GRYPE_CACHE).sync()


def _fresh(image: str) -> dagger.Container:
    """Start what fetches: once in each quarter of a day, then the engine has it in its cache."""
    now = datetime.now(UTC)
    since = f"{now.date()} {now.hour // HOURS_FRESH}"
    return dag.container().from_(image).with_env_variable("SINCE", since)


def _has_no_tls(reference: str, known: Registry | None) -> bool:
    """Whether a mirror is in the registry that is known to have none."""
    return known is not None and known.plain_http and host_of(known.address) == host_of(reference)
