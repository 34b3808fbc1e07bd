"""Which findings are accepted for a time, and which waivers have had their time."""

from collections.abc import Iterator, Sequence
from datetime import date

from pipeline.catalogue.waivers import Waiver, WaiversFile
from pipeline.errors import Mistake
from pipeline.security.finding import Finding
from pipeline.security.package import canonical_purl


def in_force(waivers: Sequence[Waiver], today: date) -> list[Waiver]:
    """Leave out the waivers that have expired."""
    return [waiver for waiver in waivers if today <= waiver.expires]


def covers(waiver: Waiver, finding: Finding) -> bool:
    """Tell whether a waiver is for this finding, whatever the day."""
    if waiver.id.upper() not in {id_.upper() for id_ in finding.ids}:
        return False
    return waived_subject(waiver) in _subjects(finding)


def waived_subject(waiver: Waiver) -> str:
    """Write the package or path of a waiver as findings have it."""
    if waiver.package.startswith("pkg:"):
        return canonical_purl(waiver.package)
    return waiver.package.lstrip("/")


def stale_waivers(
    file: WaiversFile, findings: Sequence[Finding] | None, today: date
) -> list[Mistake]:
    """List the waivers that have expired, or that no finding needs any more, if all are given."""
    return list(_stale(file, findings, today))


def _stale(file: WaiversFile, findings: Sequence[Finding] | None, today: date) -> Iterator[Mistake]:
    for index, waiver in enumerate(file.waivers):
        what = f"the waiver of {waiver.id} in {waiver.package}"
        if today > waiver.expires:
            yield file.document.mistake(
                ("waivers", index, "expires"),
                f"{what} expired after {waiver.expires}; ask {waiver.owner}: "
                "fix it, or give a new reason and day",
            )
        elif findings is not None and not any(covers(waiver, finding) for finding in findings):
            yield file.document.mistake(
                ("waivers", index), f"{what} matches no finding any more; take it out"
            )


def _subjects(finding: Finding) -> set[str]:
    """Give all that a waiver may name a finding's package or place by."""
    package = finding.package
    if package is None:
        return {place.path for place in finding.places}
    if package.purl:
        return {package.purl, package.purl_of_any_version}
    return {package.name, f"{package.name}@{package.version}"}
