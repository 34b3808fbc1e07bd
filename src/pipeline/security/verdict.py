"""Judges images by the policy: conftest evaluates the rules on what is known of the images."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Self

import dagger
from dagger import Doc, dag, field, function

from pipeline.catalogue.models import Images
from pipeline.catalogue.repository import Rules
from pipeline.catalogue.waivers import WaiversFile
from pipeline.errors import shortened
from pipeline.objects import object_type
from pipeline.report.html import verdict_page
from pipeline.report.verdict import VerdictSummary, render_verdict
from pipeline.security.facts import Facts, ImageFacts, PlatformFacts, SbomFacts
from pipeline.security.policy import PolicyError, is_rule, titles, verdict
from pipeline.security.subject import Subject

TEST = [
    *("test", "/input.json", "--policy=/policy", "--data=/data", "--all-namespaces"),
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
    def table(self) -> str:
        """List the rules for a terminal, those that failed first."""
        return render_verdict(self._summary(), "table")

    @function
    def markdown(self) -> str:
        """List the rules for a job summary."""
        return render_verdict(self._summary(), "markdown")

    @function
    def json(self) -> str:
        """List the rules for programs."""
        return render_verdict(self._summary(), "json")

    @function
    def html(self) -> dagger.File:
        """List the rules as one page that needs nothing else."""
        return dag.file("verdict.html", verdict_page(self._summary(), "Verdict"))

    @function
    def check(self) -> str:
        """Give the table when every rule is content, else fail with it."""
        if not self.passed:
            raise PolicyError(self.table())
        return self.table()

    def _summary(self) -> VerdictSummary:
        return VerdictSummary.model_validate_json(self.summary)


async def judged(
    facts: Facts, rules: Rules, images: Images, waivers: WaiversFile, *, complete: bool
) -> VerdictReport:
    """Judge by all rules. Raises PolicyError with conftest's own words when rules are broken.

    `complete` says that all the repository's images are judged, by all that is known of them.
    """
    packages = titles(rules.files)
    policy = {"policy": rules.policy.model_dump(mode="json")}
    conftest = (
        dag.container()
        .from_(images.conftest)
        .with_new_file("/input.json", facts.model_dump_json())
        .with_new_file("/data/policy.json", json.dumps(policy))
    )
    for path, text in rules.files.items():
        if is_rule(path):
            conftest = conftest.with_new_file(f"/policy/{path}", text)
    try:
        said = await conftest.with_exec(TEST, use_entrypoint=True).stdout()
    except dagger.ExecError as error:
        words = shortened((error.stderr or error.stdout).splitlines(), 20)
        raise PolicyError(f"The rules in config/policy can't be evaluated.\n\n{words}") from error
    return VerdictReport.of(verdict(facts, said, packages, waivers, complete=complete))


def image_facts(
    subjects: Sequence[Subject],
    sizes: Mapping[str, int],
    limits: Mapping[str, int],
    sboms: Mapping[str, SbomFacts],
) -> list[ImageFacts]:
    """Gather what is known of images; sizes (bytes) and SBOMs by digest, limits by image."""
    found: dict[str, ImageFacts] = {}
    for subject in subjects:
        image = found.setdefault(
            subject.image,
            ImageFacts(
                image=subject.image,
                size_limit=limits.get(subject.image),
                base=None,
                platforms=[],
            ),
        )
        run = subject.config.get("config", {})
        image.platforms.append(
            PlatformFacts(
                platform=subject.platform,
                digest=subject.digest,
                size=sizes.get(subject.digest),
                user=run.get("User", ""),
                labels=run.get("Labels") or {},
                created=datetime.fromisoformat(subject.created).date(),
                sbom=sboms.get(subject.digest),
            )
        )
    return list(found.values())
