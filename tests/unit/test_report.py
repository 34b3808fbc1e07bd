"""Summaries: one model, three renderings."""

import json

from pipeline.report.summary import (
    BuildSummary,
    ImageSummary,
    PlatformSummary,
    render_build,
)

SUMMARY = BuildSummary(
    version="1.2.0",
    revision="abc",
    images=[
        ImageSummary(
            service="web",
            size_limit=5_000_000,
            digest="sha256:i",
            platforms=[PlatformSummary(platform="linux/amd64", size=3_500_000, digest="sha256:p")],
            references=["ghcr.io/acme/web:1.2.0@sha256:i"],
        )
    ],
)


def test_table() -> None:
    assert render_build(SUMMARY, "table") == (
        "SERVICE  PLATFORM     SIZE     LIMIT    DIGEST\n"
        "web      linux/amd64  3.50 MB  5.00 MB  sha256:p\n"
        "web      index                          sha256:i\n"
        "\n"
        "Built 1 service, 1 image, version 1.2.0.\n"
        "Published:\n"
        "  ghcr.io/acme/web:1.2.0@sha256:i\n"
    )


def test_markdown() -> None:
    text = render_build(SUMMARY, "markdown")
    assert "| web | linux/amd64 | 3.50 MB | 5.00 MB | `sha256:p` |" in text
    assert text.endswith("- Published:\n  - `ghcr.io/acme/web:1.2.0@sha256:i`\n")


def test_json_is_the_model() -> None:
    assert BuildSummary.model_validate(json.loads(render_build(SUMMARY, "json"))) == SUMMARY


def test_nothing_published_is_said() -> None:
    quiet = SUMMARY.model_copy(
        update={"images": [SUMMARY.images[0].model_copy(update={"references": []})]}
    )
    assert "Nothing was published" in render_build(quiet, "table")
