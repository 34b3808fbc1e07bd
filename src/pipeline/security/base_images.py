"""What images stand on: the base image's name, and when it was made."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import anyio
import dagger

from pipeline.registry.access import Access
from pipeline.registry.reference import full_name, host_of, repository_of
from pipeline.security.facts import BaseImageFacts, base_said
from pipeline.security.subject import Subject


async def base_images(
    subjects: Sequence[Subject],
    built_on: Mapping[str, str],
    own: Access | None,
    regctl: str,
    today: date,
) -> dict[str, BaseImageFacts]:
    """Find out on what images stand: of those built here it is known, others have to say it.

    `own` is access to the registry for which there is an account; others are asked as nobody in
    particular. A base image that can't be read has no age.
    """
    found: dict[str, BaseImageFacts] = {}

    async def look_up(subject: Subject, name: str, digest: str) -> None:
        created = await _created(name, digest, subject.platform, own, regctl)
        found[subject.image] = BaseImageFacts(
            name=name,
            digest=digest,
            created=created,
            age_days=(today - created).days if created else None,
        )

    async with anyio.create_task_group() as group:
        for subject in {subject.image: subject for subject in subjects}.values():
            name, digest = base_said(subject.annotations, built_on.get(subject.image))
            if name:
                group.start_soon(look_up, subject, name, digest)
    return found


async def _created(
    name: str, digest: str, platform: str, own: Access | None, regctl: str
) -> date | None:
    reference = full_name(f"{repository_of(name)}@{digest}" if digest else name)
    host = host_of(reference)
    access = own if own is not None and own.host == host else Access(host)
    tool = await access.regctl(regctl)
    ask = ["image", "config", f"--platform={platform}", reference]
    try:
        config = json.loads(await tool.with_exec(ask, use_entrypoint=True).stdout())
        return datetime.fromisoformat(config["created"]).date()
    except (dagger.ExecError, KeyError, ValueError):
        return None
