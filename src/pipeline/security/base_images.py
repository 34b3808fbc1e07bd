"""What images stand on: the base image's name, and when it was made."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial

import dagger

from pipeline.concurrency import gathered
from pipeline.registry.access import Access
from pipeline.registry.reference import full_name, host_of, repository_of
from pipeline.security.facts import BaseImageFacts, base_said
from pipeline.security.subject import Subject

LOOKED_UP_AT_A_TIME = 4


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

    async def look_up(platform: str, name: str, digest: str) -> BaseImageFacts:
        created = await _created(name, digest, platform, own, regctl)
        return BaseImageFacts(
            name=name,
            digest=digest,
            created=created,
            age_days=(today - created).days if created else None,
        )

    jobs = {}
    for subject in {subject.image: subject for subject in subjects}.values():
        name, digest = base_said(subject.annotations, built_on.get(subject.image))
        if name:
            jobs[subject.image] = partial(look_up, subject.platform, name, digest)
    found = await gathered(list(jobs.values()), LOOKED_UP_AT_A_TIME)
    return dict(zip(jobs, found, strict=True))


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
