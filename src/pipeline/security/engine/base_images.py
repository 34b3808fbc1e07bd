"""What images stand on: the base image's name, and when it was made."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from pipeline.catalogue.models import Images
from pipeline.engine.batch import CommandResult, run_all
from pipeline.registry.engine.access import Access
from pipeline.registry.reference import full_name, repository_of
from pipeline.security.engine.subject import Subject
from pipeline.security.facts import BaseImageFacts, base_said

DOCKER_HUB = "docker.io"


async def base_images(
    subjects: Sequence[Subject],
    built_on: Mapping[str, str],
    own: Access | None,
    images: Images,
    today: date,
) -> dict[str, BaseImageFacts]:
    """Find out on what images stand: of those built here it is known, others have to say it.

    `own` is access to the registry for which there is an account; others are asked as nobody in
    particular. A base image that can't be read has no age.
    """
    said = {
        subject.image: (
            subject.platform,
            *base_said(subject.annotations, built_on.get(subject.image)),
        )
        for subject in subjects
    }
    named = {image: each for image, each in said.items() if each[1]}
    if not named:
        return {}
    regctl = await (own or Access(DOCKER_HUB)).regctl_in_shell(images)
    asked = await run_all(regctl, [_config(*each) for each in named.values()])
    return {
        image: _facts(name, digest, _created(each), today)
        for (image, (_, name, digest)), each in zip(named.items(), asked, strict=True)
    }


def _config(platform: str, name: str, digest: str) -> list[str]:
    reference = full_name(f"{repository_of(name)}@{digest}" if digest else name)
    return ["regctl", "image", "config", f"--platform={platform}", reference]


def _facts(name: str, digest: str, created: date | None, today: date) -> BaseImageFacts:
    age = (today - created).days if created else None
    return BaseImageFacts(name=name, digest=digest, created=created, age_days=age)


def _created(asked: CommandResult) -> date | None:
    try:
        return datetime.fromisoformat(json.loads(asked.output)["created"]).date()
    except (KeyError, ValueError):
        return None
