"""Judges images by the policy: conftest evaluates the rules on what is known of the images."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Self

import dagger
from dagger import Doc, dag, field, function

from pipeline.catalogue.repository import Repository
from pipeline.engine import flags
from pipeline.engine.files import directory_of, file_of
from pipeline.engine.objects import object_type
from pipeline.errors import shortened
from pipeline.report.html import verdict_page
from pipeline.report.render import Format
from pipeline.report.verdict import VerdictSummary, render_verdict
from pipeline.security.engine.subject import Subject
from pipeline.security.facts import (
    BaseImageFacts,
    Facts,
    ImageFacts,
    PlatformFacts,
    SbomFacts,
    Trust,
)
from pipeline.security.policy import PolicyError, is_rule, titles, verdict

SAID = "/said.json"
TEST = [
    *("test", "/given/input.json", "--policy=/given/policy", "--data=/given/data"),
    *("--all-namespaces",),
    *("--output=json", "--no-fail", "--no-color"),
]


@object_type
class VerdictReport:
    """What each rule of the policy says of images."""

    passed: Annotated[bool, Doc("Whether no rule failed")] = field()
    summary: str

    @classmethod
    def of(cls, summary: VerdictSummary) -> Self:
        """Make the object of a summary."""
        return cls(passed=summary.passed, summary=summary.model_dump_json())

    @function
    def report(self, format_: flags.Format = Format.TABLE) -> str:
        """Render the rules, those that failed first."""
        return render_verdict(self.known(), format_)

    @function
    def html(self) -> dagger.File:
        """List the rules as one page that needs nothing else."""
        return file_of("verdict.html", verdict_page(self.known(), "Verdict"))

    @function
    def check(self) -> str:
        """Give the table when every rule is content, else fail with it."""
        return self.checked(Format.TABLE)

    def checked(self, format_: Format) -> str:
        """Render it when every rule is content. Raises PolicyError with the table."""
        if not self.passed:
            raise PolicyError(f"The images are not as the policy asks.\n\n{self.report()}")
        return self.report(format_)

    def known(self) -> VerdictSummary:
        """Give what came of each rule."""
        return VerdictSummary.model_validate_json(self.summary)


async def judge_images(facts: Facts, repository: Repository, *, complete: bool) -> VerdictReport:
    """Judge by all rules. Raises PolicyError with conftest's own words when rules are broken.

    `complete` says that all the repository's images are judged, by all that is known of them.
    """
    rules = repository.rules
    packages = titles(rules.files)
    policy = {"policy": rules.policy.model_dump(mode="json")}
    given = directory_of(
        {
            "input.json": facts.model_dump_json(),
            "data/policy.json": json.dumps(policy),
            **{f"policy/{path}": text for path, text in rules.files.items() if is_rule(path)},
        }
    )
    conftest = (
        dag.container()
        .from_(repository.images.conftest)
        .with_mounted_directory("/given", given)
        .with_exec(TEST, use_entrypoint=True, redirect_stdout=SAID)
    )
    try:
        said = await conftest.file(SAID).contents()
    except dagger.ExecError as error:
        words = shortened((error.stderr or error.stdout).splitlines(), 20)
        raise PolicyError(f"The rules in config/policy can't be evaluated.\n\n{words}") from error
    return VerdictReport.of(verdict(facts, said, packages, repository.waivers, complete=complete))


def image_facts(
    subjects: Sequence[Subject],
    sizes: Mapping[str, int],
    limits: Mapping[str, int],
    sboms: Mapping[str, SbomFacts],
    trust: Mapping[str, Trust],
    bases: Mapping[str, BaseImageFacts],
) -> list[ImageFacts]:
    """Gather what is known: sizes (bytes), SBOMs and trust by digest, the rest by image."""
    found: dict[str, ImageFacts] = {}
    for subject in subjects:
        image = found.setdefault(
            subject.image,
            ImageFacts(
                image=subject.image,
                digest=subject.index,
                size_limit=limits.get(subject.image),
                signature=trust[subject.index].signature if subject.index in trust else None,
                base=bases.get(subject.image),
                platforms=[],
            ),
        )
        run = subject.config.get("config", {})
        trusted = trust.get(subject.digest)
        image.platforms.append(
            PlatformFacts(
                platform=subject.platform,
                digest=subject.digest,
                size=sizes.get(subject.digest),
                user=run.get("User", ""),
                labels=run.get("Labels") or {},
                created=datetime.fromisoformat(subject.created).date(),
                sbom=sboms.get(subject.digest),
                signature=trusted.signature if trusted else None,
                attestations=trusted.attestations if trusted else None,
            )
        )
    return list(found.values())
