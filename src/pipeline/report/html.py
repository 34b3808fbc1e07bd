"""Reports as HTML pages that need nothing but themselves: no script, no font, no address."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

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
STYLE = (HERE / "style.css").read_text()
VERDICT = Template((HERE / "verdict.html").read_text())
RULE = Template(
    '<tr class="$outcome"><td class="outcome"><span class="badge">$outcome</span></td>'
    '<td class="id">$rule</td><td>$title$why</td></tr>'
)
PAGE = Template((HERE / "page.html").read_text())
FINDINGS = Template((HERE / "findings.html").read_text())
# Boxes that are not ticked hide their rows, without a script.
FILTER = Template("body:has(#show-$name:not(:checked)) tr.$name { display: none; }")
BOX = Template('<label><input type="checkbox" id="show-$name" checked> $name ($count)</label>')
ROW = Template(
    '<tr class="$severity $result">'
    '<td class="severity"><span class="badge">$severity</span>$more_severity</td>'
    '<td class="result">$result</td>'
    '<td><span class="id">$id</span>$more_id</td>'
    "<td>$subject$more_subject</td><td>$version</td><td>$fixed</td><td>$images</td></tr>"
)


def html_page(summary: ScanSummary, title: str) -> str:
    """Write a scan; all that comes from outside is escaped."""
    severities = [finding.severity for finding in summary.findings]
    results: list[str] = [finding.result for finding in summary.findings]
    filters = [FILTER.substitute(name=name) for name in [*SEVERITIES, *RESULTS]]
    body = FINDINGS.substitute(
        conclusion=_items(conclusion(summary)),
        stale=_stale(summary.stale_waivers),
        severities=_boxes(SEVERITIES, severities),
        results=_boxes(RESULTS, results),
        rows="\n".join(_row(finding) for finding in summary.findings),
    )
    return page(title, body, filters)


def verdict_page(summary: VerdictSummary, title: str) -> str:
    """Write a verdict; all that comes from outside is escaped."""
    body = VERDICT.substitute(
        conclusion=_items(verdict_conclusion(summary)),
        rows="\n".join(
            RULE.substitute(
                outcome=rule.outcome,
                rule=escape(rule.rule),
                title=escape(rule.title),
                why=_more(rule.why),
            )
            for rule in summary.rules
        ),
    )
    return page(title, body)


def page(title: str, body: str, more_style: Sequence[str] = ()) -> str:
    """Put the body of a page, escaped already, into the frame that all pages have."""
    return PAGE.substitute(
        title=escape(title), style="\n".join([STYLE, *more_style]), body=body.rstrip("\n")
    )


def _boxes(names: Sequence[str], found: Sequence[str]) -> str:
    return "\n".join(BOX.substitute(name=name, count=found.count(name)) for name in names)


def _stale(waivers: Sequence[str]) -> str:
    if not waivers:
        return ""
    return f"<h2>Waivers that are no longer right</h2>\n<ul>\n{_items(waivers)}\n</ul>"


def _items(lines: Sequence[str]) -> str:
    return "\n".join(f"<li>{escape(line)}</li>" for line in lines)


def _row(finding: FindingSummary) -> str:
    scanners = [f"{scanner}: {severity}" for scanner, severity in finding.severities.items()]
    score = [f"CVSS {finding.score}"] if finding.score is not None else []
    published = [f"published {finding.published}"] if finding.published else []
    paths = dict.fromkeys(
        f"{place.path}:{place.line}" if place.line else place.path
        for place in finding.places
        if finding.package and place.path
    )
    return ROW.substitute(
        severity=escape(finding.severity),
        more_severity=_more([*scanners, *score]),
        result=finding.result,
        id=_link(finding),
        more_id=_more([*finding.ids[1:], finding.title, *published, finding.why]),
        subject=escape(subject(finding)),
        more_subject=_more(list(paths)),
        version=escape(finding.version),
        fixed=escape(", ".join(finding.fixed_versions)),
        images=escape(where(finding)),
    )


def _link(finding: FindingSummary) -> str:
    name = escape(finding.ids[0])
    if not finding.url.startswith(("https://", "http://")):
        return name
    return f'<a href="{escape(finding.url)}" rel="noreferrer">{name}</a>'


def _more(lines: Sequence[str]) -> str:
    return "".join(f'<span class="more">{escape(line)}</span>' for line in lines if line)
