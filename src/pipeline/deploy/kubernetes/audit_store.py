"""The audit trail of a release, in its namespace: an immutable ConfigMap for each record."""

from dataclasses import dataclass

from pipeline.deploy.kubernetes.cluster import Cluster

CONFIG_MAPS = "v1/configmaps"
LABEL = "pipeline/audit"
RECORD = "record"


@dataclass(frozen=True)
class ClusterStore:
    """Records by their number: of two writers of one number, the cluster lets one win."""

    cluster: Cluster
    release: str

    async def read(self) -> list[str]:
        """Give all records, the oldest first."""
        found = await self.cluster.listed(CONFIG_MAPS, f"{LABEL}={self.release}")
        ordered = sorted(found, key=lambda content: str(content["metadata"]["name"]))
        return [str(content["data"][RECORD]) for content in ordered]

    async def append(self, sequence: int, line: str) -> bool:
        """Add a record; false when there is one of its number."""
        content = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"{self.release}-audit-{sequence:08}",
                "labels": {LABEL: self.release, "app.kubernetes.io/managed-by": "pipeline"},
            },
            "immutable": True,
            "data": {RECORD: line},
        }
        return await self.cluster.create(self.cluster.path(CONFIG_MAPS), content) is not None
