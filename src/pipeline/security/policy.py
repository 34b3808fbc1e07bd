"""What Rego rules said of images, with the exemptions of config/waivers.yml: a verdict."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any

import yaml

from pipeline.catalogue.waivers import Exemption, WaiversFile
from pipeline.errors import Mistake, PipelineError
from pipeline.report.verdict import OUTCOMES, Outcome, RuleSummary, VerdictSummary
from pipeline.security.facts import Facts

PACKAGE = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)
METADATA = re.compile(r"^# METADATA\n((?:#.*\n)+)", re.MULTILINE)
WAIVERS_RULE = "waivers"


class PolicyError(PipelineError):
    """Rules that can't be evaluated."""


@dataclass(frozen=True)
class RuleMessage:
    """One thing that a rule says: about whom, and what becomes of it."""

    outcome: Outcome
    text: str
    subject: str


def is_rule(path: str) -> bool:
    """Tell rules from their tests and from what isn't Rego."""
    return path.endswith(".rego") and not path.endswith("_test.rego")


def titles(files: Mapping[str, str]) -> dict[str, str]:
    """Give each package of Rego files (path → text) the title of its METADATA.

    Raises PolicyError.
    """
    found: dict[str, str] = {}
    for path, text in files.items():
        if not is_rule(path):
            continue
        package = PACKAGE.search(text)
        if package is None:
            raise PolicyError(f"{path}: expected 'package <name>', which names the rule.")
        found[package[1]] = _title(path, text) or PurePosixPath(path).stem
    return found


def verdict(
    facts: Facts, said: str, rules: Mapping[str, str], file: WaiversFile, *, complete: bool
) -> VerdictSummary:
    """Read conftest's JSON; rules are all packages with their titles.

    `complete` says that all the repository's images were judged, by all that is known: only
    then an exemption that nothing needs is one too many.
    """
    exemptions = [each for each in file.exemptions if facts.today <= each.expires]
    by_rule: dict[str, list[RuleMessage]] = {package: [] for package in rules}
    for package, each in _statements(said):
        by_rule[package].append(_exempted(_name(package), each, exemptions))
    summaries = [
        _summary(package, title, by_rule[package]) for package, title in sorted(rules.items())
    ]
    waivers = [str(mistake) for mistake in _stale(file, by_rule, facts.today, complete=complete)]
    summaries.append(
        RuleSummary(
            rule=WAIVERS_RULE,
            title="Every exemption is in time and needed",
            outcome="fail" if waivers else "pass",
            why=waivers,
        )
    )
    return VerdictSummary(
        passed=all(rule.outcome != "fail" for rule in summaries),
        images=[
            f"{image.image} {platform.platform}"
            for image in facts.images
            for platform in image.platforms
        ],
        rules=sorted(summaries, key=lambda rule: (OUTCOMES.index(rule.outcome), rule.rule)),
    )


def _statements(text: str) -> Iterable[tuple[str, RuleMessage]]:
    """Read what conftest says of each package: `deny` fails; `warn` may say what it is instead."""
    for result in json.loads(text):
        package = result["namespace"]
        for failure in result.get("failures", []):
            yield package, _said("fail", failure)
        for warning in result.get("warnings", []):
            yield package, _said("warn", warning)


def _said(outcome: Outcome, entry: Mapping[str, Any]) -> RuleMessage:
    metadata = entry.get("metadata", {})
    if outcome == "warn" and metadata.get("outcome") in {"waived", "skipped"}:
        outcome = metadata["outcome"]
    return RuleMessage(outcome, entry["msg"], str(metadata.get("subject", "")))


def _exempted(rule: str, said: RuleMessage, exemptions: Sequence[Exemption]) -> RuleMessage:
    if said.outcome == "fail":
        for each in exemptions:
            if (each.rule, each.subject) == (rule, said.subject):
                until = f"until {each.expires} by {each.owner}: {each.reason}"
                return RuleMessage("waived", f"{said.text} ({until})", said.subject)
    return said


def _summary(package: str, title: str, said: Sequence[RuleMessage]) -> RuleSummary:
    outcomes = {each.outcome for each in said}
    outcome: Outcome = next((each for each in OUTCOMES if each in outcomes), "pass")
    ordered = sorted(said, key=lambda each: (OUTCOMES.index(each.outcome), each.text))
    return RuleSummary(
        rule=_name(package), title=title, outcome=outcome, why=[each.text for each in ordered]
    )


def _stale(
    file: WaiversFile, by_rule: Mapping[str, Sequence[RuleMessage]], today: date, *, complete: bool
) -> Iterable[Mistake]:
    needed = {
        (_name(package), each.subject)
        for package, said in by_rule.items()
        for each in said
        if each.outcome in {"fail", "waived"}
    }
    unknown = {
        _name(package)
        for package, said in by_rule.items()
        if any(each.outcome == "skipped" for each in said)
    }
    for index, each in enumerate(file.exemptions):
        what = f"the exemption of {each.subject} from {each.rule}"
        if today > each.expires:
            yield file.document.mistake(
                ("exemptions", index, "expires"),
                f"{what} expired after {each.expires}; ask {each.owner}: "
                "mend it, or give a new reason and day",
            )
        elif complete and each.rule not in unknown and (each.rule, each.subject) not in needed:
            yield file.document.mistake(
                ("exemptions", index), f"{what} is needed no more; take it out"
            )


def _name(package: str) -> str:
    return package.rpartition(".")[2]


def _title(path: str, text: str) -> str:
    match = METADATA.search(text)
    if match is None:
        return ""
    try:
        content = yaml.safe_load(re.sub(r"^# ?", "", match[1], flags=re.MULTILINE))
    except yaml.YAMLError as error:
        raise PolicyError(
            f"{path}: expected YAML behind # METADATA, e.g. '# title: \"No image is old\"': {error}"
        ) from error
    return str(content.get("title", "")) if isinstance(content, dict) else ""
