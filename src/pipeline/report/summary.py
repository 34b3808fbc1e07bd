"""The summary of a run."""

from pydantic import Field

from pipeline.models import Model
from pipeline.report.render import Column, Format, Lines, Report, Table, render
from pipeline.units import megabytes

COLUMNS = (
    Column("service", plain=True),
    Column("platform", plain=True),
    Column("size", plain=True, right=True),
    Column("limit", plain=True, right=True),
    Column("digest"),
)


class PlatformSummary(Model):
    """One platform's image: bytes unpacked, and the manifest's digest."""

    platform: str
    size: int
    digest: str


class ImageSummary(Model):
    """One service's image: its limit in bytes, the index's digest, where it was published."""

    service: str
    size_limit: int
    digest: str
    platforms: list[PlatformSummary]
    references: list[str]


class BuildSummary(Model):
    """What a run built; `remarks` are lines for people about what else it did."""

    version: str
    revision: str
    images: list[ImageSummary]
    remarks: list[str] = Field(default=[], exclude=True)


def render_build(summary: BuildSummary, name: Format) -> str:
    """Render a summary as `table`, `markdown` or `json`."""
    return render(Report(summary, [Table(COLUMNS, _rows(summary)), _closing(summary)]), name)


def _rows(summary: BuildSummary) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for image in summary.images:
        limit = megabytes(image.size_limit)
        for platform in image.platforms:
            size = megabytes(platform.size)
            rows.append((image.service, platform.platform, size, limit, platform.digest))
        rows.append((image.service, "index", "", "", image.digest))
    return rows


def _closing(summary: BuildSummary) -> Lines:
    platforms = sum(len(image.platforms) for image in summary.images)
    built = f"Built {counted(len(summary.images), 'service')}, {counted(platforms, 'image')}"
    built += f", version {summary.version}."
    published = [reference for image in summary.images for reference in image.references]
    said = "Published:" if published else "Nothing was published; --push publishes to a registry."
    return Lines([built, *summary.remarks, said], published)


def counted(number: int, noun: str) -> str:
    """Write a number of things: 1 service, 4 services."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
