"""The summary of a run, from one model to a table, Markdown or JSON."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import BaseModel, Field

from pipeline.errors import PipelineError
from pipeline.report.table import aligned
from pipeline.units import megabytes

F = TypeVar("F")


class PlatformSummary(BaseModel):
    """One platform's image: bytes unpacked, and the manifest's digest."""

    platform: str
    size: int
    digest: str


class ImageSummary(BaseModel):
    """One service's image: its limit in bytes, the index's digest, where it was published."""

    service: str
    size_limit: int
    digest: str
    platforms: list[PlatformSummary]
    references: list[str]


class BuildSummary(BaseModel):
    """What a run built; `remarks` are lines for people about what else it did."""

    version: str
    revision: str
    images: list[ImageSummary]
    remarks: list[str] = Field(default=[], exclude=True)


class UnknownFormatError(PipelineError):
    """Somebody asked for a format that reports don't have."""


def format_named(name: str, formats: Mapping[str, F]) -> F:
    """Pick what writes a format. Raises UnknownFormatError."""
    if name not in formats:
        raise UnknownFormatError(f"Unknown format '{name}'. Expected one of: {', '.join(formats)}.")
    return formats[name]


def checked_format(name: str) -> None:
    """Check a format's name before the work begins. Raises UnknownFormatError."""
    format_named(name, FORMATS)


def render(summary: BuildSummary, name: str) -> str:
    """Render a summary as `table`, `markdown` or `json`. Raises UnknownFormatError."""
    return format_named(name, FORMATS)(summary)


def _json(summary: BuildSummary) -> str:
    return summary.model_dump_json(indent=2) + "\n"


def _table(summary: BuildSummary) -> str:
    rows = [("SERVICE", "PLATFORM", "SIZE", "LIMIT", "DIGEST"), *_rows(summary)]
    return "\n".join([*aligned(rows), "", *_closing(summary), ""])


def _markdown(summary: BuildSummary) -> str:
    lines = ["| service | platform | size | limit | digest |", "| --- | --- | ---: | ---: | --- |"]
    lines += ["| " + " | ".join(row[:4]) + f" | `{row[4]}` |" for row in _rows(summary)]
    lines += ["", *(f"- {line}" for line in _closing(summary)), ""]
    return "\n".join(lines)


FORMATS: dict[str, Callable[[BuildSummary], str]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}


def _rows(summary: BuildSummary) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for image in summary.images:
        limit = megabytes(image.size_limit)
        for platform in image.platforms:
            size = megabytes(platform.size)
            rows.append((image.service, platform.platform, size, limit, platform.digest))
        rows.append((image.service, "index", "", "", image.digest))
    return rows


def _closing(summary: BuildSummary) -> list[str]:
    platforms = sum(len(image.platforms) for image in summary.images)
    built = f"Built {counted(len(summary.images), 'service')}, {counted(platforms, 'image')}"
    built += f", version {summary.version}."
    published = [reference for image in summary.images for reference in image.references]
    if not published:
        return [built, *summary.remarks, "Nothing was published; --push publishes to a registry."]
    return [built, *summary.remarks, "Published:", *(f"  {reference}" for reference in published)]


def counted(number: int, noun: str) -> str:
    """Write a number of things: 1 service, 4 services."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
