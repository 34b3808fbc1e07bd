"""What a deployment came to, and how a release is, as a table, Markdown or JSON."""

from collections.abc import Callable

from pydantic import BaseModel

from pipeline.report.summary import format_named
from pipeline.report.table import aligned, code, printable


class WorkloadSummary(BaseModel):
    """One workload: replicas that are ready and wanted, its image, or what it waits for."""

    name: str
    ready: int
    wanted: int
    image: str
    waiting: str = ""


class DeploymentSummary(BaseModel):
    """What is deployed; `said` are lines about what was done, and what there is to do.

    It is a Helm release's revision in a namespace, or a Compose project.
    """

    environment: str
    namespace: str = ""
    project: str = ""
    version: str
    revision: int = 0
    healthy: bool
    workloads: list[WorkloadSummary]
    said: list[str] = []


def render_deployment(summary: DeploymentSummary, name: str) -> str:
    """Render as `table`, `markdown` or `json`. Raises UnknownFormatError."""
    return format_named(name, FORMATS)(summary)


def _closing(summary: DeploymentSummary) -> list[str]:
    state = "healthy" if summary.healthy else "not healthy"
    there = f"{summary.environment}: version {summary.version}, {state}"
    if summary.project:
        return [f"{there} (Compose project {summary.project})."]
    if not summary.revision:
        return [f"{summary.environment}: nothing is deployed in {summary.namespace}."]
    return [f"{there} (namespace {summary.namespace}, revision {summary.revision})."]


def _table(summary: DeploymentSummary) -> str:
    rows = [("WORKLOAD", "READY", "IMAGE", "")]
    rows += [
        (row.name, f"{row.ready}/{row.wanted}", row.image, printable(row.waiting))
        for row in summary.workloads
    ]
    table = [*aligned(rows), ""] if summary.workloads else []
    return "\n".join([*table, *_closing(summary), *map(printable, summary.said), ""])


def _markdown(summary: DeploymentSummary) -> str:
    lines = ["| workload | ready | image | |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {code(row.name)} | {row.ready}/{row.wanted} | {code(row.image)} | {code(row.waiting)} |"
        for row in summary.workloads
    ]
    said = [*_closing(summary), *map(printable, summary.said)]
    return "\n".join(
        [*(lines if summary.workloads else []), "", *(f"- {line}" for line in said), ""]
    )


def _json(summary: DeploymentSummary) -> str:
    return summary.model_dump_json(indent=2) + "\n"


FORMATS: dict[str, Callable[[DeploymentSummary], str]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}
