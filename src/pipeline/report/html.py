"""Reports as HTML pages that need nothing but themselves: no script, no font, no address."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.report.config import ConfigSummary, recipient_lines
from pipeline.report.findings import (
    RESULTS,
    SEVERITIES,
    FindingSummary,
    ScanSummary,
    conclusion,
    subject,
    where,
)
from pipeline.report.verdict import VerdictSummary, verdict_conclusion

HERE = Path(__file__).parent


def html_page(summary: ScanSummary, title: str) -> str:
    """Write a scan."""
    return _page(
        "findings.html",
        title=title,
        conclusion=conclusion(summary),
        stale_waivers=summary.stale_waivers,
        boxes={
            "Severity": _counts(SEVERITIES, [finding.severity for finding in summary.findings]),
            "Result": _counts(RESULTS, [finding.result for finding in summary.findings]),
        },
        rows=[_row(finding) for finding in summary.findings],
    )


def verdict_page(summary: VerdictSummary, title: str) -> str:
    """Write a verdict."""
    return _page(
        "verdict.html", title=title, conclusion=verdict_conclusion(summary), rules=summary.rules
    )


def config_page(summary: ConfigSummary, title: str) -> str:
    """Write environments side by side."""
    return _page("config.html", title=title, summary=summary, recipients=recipient_lines(summary))


def _page(template: str, **values: object) -> str:
    """Fill a template; all that comes from outside is escaped."""
    # Most commands make no page, and needn't wait for this.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)


def _counts(names: Sequence[str], found: Sequence[str]) -> dict[str, int]:
    return {name: found.count(name) for name in names}


def _row(finding: FindingSummary) -> dict[str, object]:
    scanners = [f"{scanner}: {severity}" for scanner, severity in finding.severities.items()]
    score = [f"CVSS {finding.score}"] if finding.score is not None else []
    published = [f"published {finding.published}"] if finding.published else []
    paths = dict.fromkeys(
        f"{place.path}:{place.line}" if place.line else place.path
        for place in finding.places
        if finding.package and place.path
    )
    return {
        "severity": finding.severity,
        "ratings": [*scanners, *score],
        "result": finding.result,
        "id": finding.ids[0],
        "link": finding.url if finding.url.startswith(("https://", "http://")) else "",
        "details": [*finding.ids[1:], finding.title, *published, finding.why],
        "subject": subject(finding),
        "paths": paths,
        "version": finding.version,
        "fixed": ", ".join(finding.fixed_versions),
        "images": where(finding),
    }
