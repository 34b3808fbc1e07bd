"""One record of the audit trail, and how it follows from the one before."""

import hashlib
import json
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, field_serializer

from pipeline.models import Model

NOTHING = ""
"""What the first record follows from."""


def _encodable(text: str) -> str:
    # What a program said may hold bytes that were no text; recording must not fail for them.
    return text.encode(errors="replace").decode()


def _in_seconds(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


Text = Annotated[str, AfterValidator(_encodable)]
Word = Annotated[Text, Field(min_length=1)]


class AuditEntry(Model):
    """What there is to record: who did what to what, when, from where, why, and what came of it.

    `action` is what was done, such as deploy or rollback; `target` an environment and namespace,
    or a repository of a registry; `what` the version or anything else that it was about; `digests`
    those of the images, by service; `origin` a host or a run of CI. Secrets don't belong here.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: Annotated[AwareDatetime, AfterValidator(_in_seconds)]
    who: Word
    action: Word
    target: Word
    outcome: Word
    origin: Word
    what: Text = ""
    why: Text = ""
    digests: dict[Text, Text] = {}
    detail: Text = ""

    @field_serializer("when")
    def _iso(self, when: datetime) -> str:
        return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class Record(AuditEntry):
    """An entry in its place: counted from 1, with the digest of the record before it."""

    sequence: int = Field(ge=1)
    previous: str = Field(pattern=r"^(sha256:[0-9a-f]{64})?$")

    @cached_property
    def line(self) -> str:
        """The record as canonical JSON: keys sorted, no spaces, nothing escaped needlessly."""
        return json.dumps(
            self.model_dump(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of its line in UTF-8."""
        return f"sha256:{hashlib.sha256(self.line.encode()).hexdigest()}"


def chained(previous: Record | None, entry: AuditEntry) -> Record:
    """Put an entry behind the record before it; None before the first."""
    return Record(
        **entry.model_dump(),
        sequence=previous.sequence + 1 if previous else 1,
        previous=previous.digest if previous else NOTHING,
    )
