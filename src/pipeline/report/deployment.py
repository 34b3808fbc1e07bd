"""What a deployment came to, and how a release is."""

from pipeline.models import Model
from pipeline.report.render import Column, Format, Lines, Report, Table, render

COLUMNS = (Column("workload"), Column("ready", plain=True), Column("image"), Column(""))


class WorkloadSummary(Model):
    """One workload: replicas that are ready and wanted, its image, or what it waits for."""

    name: str
    ready: int
    wanted: int
    image: str
    waiting: str = ""


class DeploymentSummary(Model):
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


def render_deployment(summary: DeploymentSummary, name: Format) -> str:
    """Render as `table`, `markdown` or `json`."""
    rows = [
        (row.name, f"{row.ready}/{row.wanted}", row.image, row.waiting) for row in summary.workloads
    ]
    table = [Table(COLUMNS, rows)] if rows else []
    return render(Report(summary, [*table, Lines([_closing(summary), *summary.said])]), name)


def _closing(summary: DeploymentSummary) -> str:
    state = "healthy" if summary.healthy else "not healthy"
    there = f"{summary.environment}: version {summary.version}, {state}"
    if summary.project:
        return f"{there} (Compose project {summary.project})."
    if not summary.revision:
        return f"{summary.environment}: nothing is deployed in {summary.namespace}."
    return f"{there} (namespace {summary.namespace}, revision {summary.revision})."
