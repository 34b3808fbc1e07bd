"""Lets the cluster check what is to be deployed, before anything is changed there."""

from pathlib import Path

from pipeline.deploy.kubernetes.cluster import Cluster
from pipeline.deploy.kubernetes.helm import Helm
from pipeline.deploy.kubernetes.kubeconfig import call
from pipeline.errors import PipelineError, shortened

# Kubernetes itself refuses pods that aren't hardened, and warns of what would make such pods.
RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}
TOO_FREE = "would violate PodSecurity"
APPLY = ["apply", "--dry-run=server", "--server-side", "--force-conflicts", "--filename=-"]


class RefusedError(PipelineError):
    """The cluster wouldn't take the objects."""


async def ensure_namespace(cluster: Cluster) -> None:
    """Make the namespace unless it is there, for hardened pods only."""
    path = "/api/v1/namespaces"
    if await cluster.get(f"{path}/{cluster.namespace}") is None:
        metadata = {"name": cluster.namespace, "labels": RESTRICTED}
        await cluster.create(path, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


async def check_admission(kubectl: Path, helm: Helm, manifest: str) -> None:
    """Let the cluster check a release's objects by a dry run. Raises RefusedError."""
    arguments = [*APPLY, f"--namespace={helm.namespace}"]
    ended = await call(kubectl, arguments, manifest, helm.kubeconfig)
    said = ended.stderr.decode(errors="replace")
    if ended.returncode != 0 or TOO_FREE in said:
        lines = [line for line in said.splitlines() if TOO_FREE in line or "rror" in line]
        raise RefusedError(
            "The cluster wouldn't take this; nothing was changed.\n"
            f"{shortened(lines or said.splitlines(), 12)}"
        )
