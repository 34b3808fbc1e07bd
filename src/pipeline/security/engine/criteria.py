"""What images are held to, and what they are examined with."""

from dataclasses import dataclass
from typing import Self

import dagger

from pipeline.catalogue.repository import Repository
from pipeline.registry.engine.access import Access
from pipeline.security.engine.databases import DatabaseFiles
from pipeline.security.engine.tools import ScoutAccount
from pipeline.security.finding import Severity
from pipeline.security.gate import Threshold
from pipeline.security.policy import titles


@dataclass(frozen=True)
class Criteria:
    """The repository's rules, and what the command line has instead of some of them.

    `sources` is the folder whose Dockerfiles are looked at, too; `complete` says that all the
    repository's images are examined: only then is a waiver that matches none of them stale.
    `registry` is where base images may be that not everybody can read.
    """

    repository: Repository
    threshold: Threshold
    databases: DatabaseFiles
    scout: ScoutAccount | None
    sources: dagger.Directory | None
    registry: Access | None
    complete: bool
    scans: bool = True

    @classmethod
    async def of(
        cls,
        repository: Repository,
        registry: Access | None,
        *,
        sources: dagger.Directory | None = None,
        complete: bool = False,
        scans: bool = True,
        severity: Severity | None = None,
        without_fix: bool = False,
        databases: dagger.Directory | None = None,
        scout: dagger.Secret | None = None,
    ) -> Self:
        """Check all of it before any work. Raises InvalidFilesError and its kin."""
        titles(repository.rules.files)
        return cls(
            repository=repository,
            threshold=Threshold.of(repository.rules.policy).changed(severity, without_fix),
            databases=await DatabaseFiles.of(databases),
            scout=await ScoutAccount.of(scout),
            sources=sources,
            registry=registry,
            complete=complete,
            scans=scans,
        )
