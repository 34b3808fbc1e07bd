"""Merges what several scanners found, so that each thing is there once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from pydantic import BaseModel

from pipeline.security.finding import Finding, Kind, Severity, ordered_ids
from pipeline.security.package import Package

T = TypeVar("T", bound=BaseModel)
Key = tuple[Kind, str, Package | tuple[str, int | None]]


def merge(findings: Sequence[Finding]) -> list[Finding]:
    """Join findings that share an alias at the same package and version, the worst first.

    Aliases chain: what CVE-1 and GHSA-1 share, and GHSA-1 and GO-1, is one finding.
    """
    leader = list(range(len(findings)))

    def group_of(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    first_with: dict[Key, int] = {}
    for index, finding in enumerate(findings):
        for key in _keys(finding):
            leader[group_of(index)] = group_of(first_with.setdefault(key, index))
    groups: defaultdict[int, list[Finding]] = defaultdict(list)
    for index, finding in enumerate(findings):
        groups[group_of(index)].append(finding)
    return sorted((_joined(group) for group in groups.values()), key=_worst_first)


def _keys(finding: Finding) -> list[Key]:
    """Give what two reports of the same thing share: a name, and what it is said of."""
    ids = [id_.upper() for id_ in finding.ids]
    if finding.package:
        return [(finding.kind, id_, finding.package) for id_ in ids]
    return [(finding.kind, id_, (at.path, at.line)) for id_ in ids for at in finding.places]


def _joined(group: Sequence[Finding]) -> Finding:
    return Finding(
        kind=group[0].kind,
        ids=ordered_ids(id_ for finding in group for id_ in finding.ids),
        package=group[0].package,
        assessments=_distinct(said for finding in group for said in finding.assessments),
        places=_distinct(place for finding in group for place in finding.places),
    )


def _distinct(models: Iterable[T]) -> tuple[T, ...]:
    by_text = {model.model_dump_json(): model for model in models}
    return tuple(by_text[text] for text in sorted(by_text))


def _worst_first(finding: Finding) -> tuple[int, tuple[str, ...], str]:
    rank = list(Severity).index(finding.severity)
    return -rank, finding.ids, finding.model_dump_json()
