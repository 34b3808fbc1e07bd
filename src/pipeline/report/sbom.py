"""What images are made of."""

from collections.abc import Sequence

from pipeline.models import Model
from pipeline.report.render import Column, Format, Lines, Report, Table, render
from pipeline.report.summary import counted

COLUMNS = tuple(map(Column, ("image", "platform", "package", "version", "licences")))


class PackageSummary(Model):
    """A package; without licences, none is known."""

    name: str
    version: str
    purl: str
    licences: list[str]


class SbomSummary(Model):
    """What an image on one platform is made of, and what doesn't fit its files."""

    image: str
    platform: str
    digest: str
    packages: list[PackageSummary]
    unexplained: list[str]
    changed: list[str]
    unbacked: list[str]


def render_sboms(summaries: Sequence[SbomSummary], name: Format) -> str:
    """Render SBOMs as `table`, `markdown` or `json`."""
    return render(Report(summaries, [Table(COLUMNS, _rows(summaries)), _closing(summaries)]), name)


def _rows(summaries: Sequence[SbomSummary]) -> list[tuple[str, ...]]:
    return [
        (each.image, each.platform, found.name, found.version, ", ".join(found.licences) or "?")
        for each in summaries
        for found in each.packages
    ]


def _closing(summaries: Sequence[SbomSummary]) -> Lines:
    packages = sum(len(each.packages) for each in summaries)
    wrong = [
        f"{each.image} {each.platform}: {what} {said}"
        for each in summaries
        for said, names in (
            ("is of no package", each.unexplained),
            ("isn't as its package has it", each.changed),
            ("is named, but nothing of it is in the image", each.unbacked),
        )
        for what in names
    ]
    head = f"{counted(len(summaries), 'image')}, {counted(packages, 'package')}"
    if not wrong:
        return Lines([f"{head}: every program and library is of one of them, unchanged."])
    return Lines([f"{head}; what doesn't fit:"], wrong)
