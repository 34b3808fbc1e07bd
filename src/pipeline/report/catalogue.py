"""The list of services, for people."""

from collections.abc import Sequence

from pipeline.catalogue.catalogue import Entry
from pipeline.report.table import aligned
from pipeline.units import megabytes


def services_table(entries: Sequence[Entry]) -> str:
    """List what there is to build, with limits."""
    rows = [("SERVICE", "KIND", "PORT", "LIMIT", "TITLE")]
    for entry in entries:
        service = entry.service
        limit = megabytes(service.size_limit)
        rows.append((service.name, service.kind, str(service.port), limit, service.title))
    return "\n".join([*aligned(rows), ""])
