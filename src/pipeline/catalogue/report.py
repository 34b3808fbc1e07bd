"""The list of services, for people."""

from collections.abc import Sequence

from pipeline.catalogue.catalogue import ServiceEntry
from pipeline.report.render import Column, Table, as_table
from pipeline.units import megabytes

COLUMNS = tuple(map(Column, ("service", "kind", "port", "limit", "title")))


def services_table(entries: Sequence[ServiceEntry]) -> str:
    """List what there is to build, with limits."""
    rows = [
        (each.name, each.kind, str(each.port), megabytes(each.size_limit), each.title)
        for each in (entry.service for entry in entries)
    ]
    return as_table([Table(COLUMNS, rows)])
