"""What images are made of, as a table, Markdown or JSON."""

from collections.abc import Callable, Sequence

from pydantic import BaseModel

from pipeline.report.summary import counted, format_named
from pipeline.report.table import aligned, code, printable


class PackageSummary(BaseModel):
    """A package; without licences, none is known."""

    name: str
    version: str
    purl: str
    licences: list[str]


class SbomSummary(BaseModel):
    """What an image on one platform is made of, and what doesn't fit its files."""

    image: str
    platform: str
    digest: str
    packages: list[PackageSummary]
    unexplained: list[str]
    changed: list[str]
    unbacked: list[str]


def render_sboms(summaries: Sequence[SbomSummary], name: str) -> str:
    """Render SBOMs as `table`, `markdown` or `json`. Raises UnknownFormatError."""
    return format_named(name, FORMATS)(summaries)


HEADINGS = ("IMAGE", "PLATFORM", "PACKAGE", "VERSION", "LICENCES")


def _table(summaries: Sequence[SbomSummary]) -> str:
    rows = [[printable(cell) for cell in row] for row in _rows(summaries)]
    return "\n".join([*aligned([HEADINGS, *rows]), "", *_closing(summaries), ""])


def _markdown(summaries: Sequence[SbomSummary]) -> str:
    lines = ["| " + " | ".join(heading.lower() for heading in HEADINGS) + " |"]
    lines += ["| --- | --- | --- | --- | --- |"]
    lines += ["| " + " | ".join(map(code, row)) + " |" for row in _rows(summaries)]
    return "\n".join([*lines, "", *(f"- {code(line)}" for line in _closing(summaries)), ""])


def _json(summaries: Sequence[SbomSummary]) -> str:
    return "[" + ",\n".join(each.model_dump_json(indent=2) for each in summaries) + "]\n"


FORMATS: dict[str, Callable[[Sequence[SbomSummary]], str]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}


def _rows(summaries: Sequence[SbomSummary]) -> list[tuple[str, ...]]:
    return [
        (each.image, each.platform, found.name, found.version, ", ".join(found.licences) or "?")
        for each in summaries
        for found in each.packages
    ]


def _closing(summaries: Sequence[SbomSummary]) -> list[str]:
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
        return [f"{head}: every program and library is of one of them, unchanged."]
    return [f"{head}; what doesn't fit:", *(f"  {printable(line)}" for line in wrong)]
