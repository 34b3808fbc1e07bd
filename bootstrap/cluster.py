"""A Kubernetes cluster of one node, for tests and for trying a deployment out.

All of it runs in one container that shares the host's network, as engine and Docker do: its end is
the end of every pod, process and mount. What it changes outside, machine.py takes back. It keeps
nothing: each start makes a new one.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
from pathlib import Path
from string import Template

from bootstrap import debian, kubernetes, machine, oci, registry
from bootstrap.containers import Container, Mount
from bootstrap.settings import HERE, Settings
from bootstrap.steps import is_current, key_of, make_once

PACKAGES = (
    "containerd,containernetworking-plugins,iproute2,iptables,mount,nftables,openssl,runc,tini"
)
PROGRAMS = (kubernetes.TOOLS, kubernetes.CLUSTER, kubernetes.STORAGE)
NODE = "node"
DNS_SERVICE = 10  # of the addresses for services, as it is the custom
SECONDS_TO_START = 180
SECONDS_TO_ANSWER = 10


def key() -> str:
    """Say what a cluster is made from."""
    made_from = (programs.key for programs in PROGRAMS)
    return key_of(_root_key(), HERE / "cluster", HERE / "cluster.py", *made_from)


def make(settings: Settings) -> None:
    """Make the root file system of the node."""
    if not is_current(settings.cluster, _root_key()):
        stop(settings)
    make_once(
        settings.cluster, _root_key(), lambda folder: debian.unpack(settings, PACKAGES, folder)
    )


def exports(settings: Settings) -> dict[str, str]:
    """Environment variables with which clients, kubectl and helm among them, find the cluster."""
    return {
        "KUBECONFIG": str(settings.kubeconfig),
        "PATH": f"{settings.kubernetes_tools}:{os.environ['PATH']}",
    }


def is_running(settings: Settings) -> bool:
    """Whether the cluster answers, made from the recipes as they are now."""
    folder = settings.kubeconfig.parent
    if not (folder / "ready").exists() or (folder / "key").read_text() != key():
        return False
    kubectl = settings.kubernetes_tools / "kubectl"
    try:
        result = subprocess.run(
            [kubectl, f"--kubeconfig={settings.kubeconfig}", "get", "--raw=/readyz"],
            capture_output=True,
            check=False,
            timeout=SECONDS_TO_ANSWER,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


def start(settings: Settings) -> None:
    """Start a new cluster, and wait until pods can run, find each other and have volumes."""
    stop(settings)
    folder, state, logs = settings.kubeconfig.parent, _state(settings), _logs(settings)
    shutil.rmtree(logs, ignore_errors=True)
    for new in (folder, state, logs):
        new.mkdir(parents=True)
    services = ipaddress.ip_network(settings.service_range)
    _configure(settings, folder, str(services[DNS_SERVICE]))
    machine.remember_cluster(settings)
    tools, cluster = (
        programs.folder(settings) for programs in (kubernetes.TOOLS, kubernetes.CLUSTER)
    )
    container = _container(settings)
    container.start(
        ["/usr/bin/tini", "--", "/opt/cluster/run.sh"],
        [
            Mount(folder, "/etc/kubernetes", writable=True),
            Mount(state, "/var/lib", writable=True),
            Mount(logs, "/var/log", writable=True),
            Mount(HERE / "cluster", "/opt/cluster"),
            Mount(cluster, "/opt/kubernetes"),
            Mount(tools, "/opt/tools"),
            Mount(Path("/etc/resolv.conf").resolve(), "/etc/resolv.conf"),
        ],
        {
            "PATH": f"/opt/kubernetes:/opt/tools:{oci.PATH}",
            "ADDRESS": settings.address,
            "NODE": NODE,
            "SERVICE_RANGE": settings.service_range,
            "FIRST_SERVICE": str(services[1]),
        },
    )
    container.wait_until(
        (folder / "ready").exists,
        SECONDS_TO_START,
        f"The cluster is not ready; what its parts say is in {logs}.",
    )


def stop(settings: Settings) -> None:
    """Stop the cluster, and throw away all that it held but its logs."""
    _container(settings).stop()
    machine.restore_cluster(settings)
    for folder in (settings.kubeconfig.parent, _state(settings)):
        shutil.rmtree(folder, ignore_errors=True)


def _configure(settings: Settings, folder: Path, dns: str) -> None:
    kubelet = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": settings.address,  # on 127.0.0.1 the API server could not ask for logs
        "authentication": {"x509": {"clientCAFile": "pki/cluster.crt"}},
        "tlsCertFile": "pki/kubelet.crt",
        "tlsPrivateKeyFile": "pki/kubelet.key",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "clusterDNS": [dns],
        "clusterDomain": "cluster.local",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{machine.cluster_cgroup(settings)}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "healthzPort": 0,
        # The engine's firewall is no business of a node's.
        "makeIPTablesUtilChains": False,
        "serializeImagePulls": False,
        # What else fills the disk is no reason to turn pods away.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
    }
    network = {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                # Routed by the host, not bridged: so that network policies see every packet.
                "type": "ptp",
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": settings.pod_range}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }
    addons = Template((HERE / "cluster/addons.yaml").read_text()).substitute(
        ADDRESS=settings.address, DNS_ADDRESS=dns, QUEUE=machine.QUEUE
    )
    hosts = {
        **dict.fromkeys(registry.MIRRORED, settings.registry),
        settings.registry: settings.registry,
        settings.private_registry: settings.private_registry,
    }
    files = {
        "key": key(),
        "kubelet.json": json.dumps(kubelet),
        "cni/pods.conflist": json.dumps(network),
        "addons.yaml": addons,
        **{
            f"registries/{host}/hosts.toml": f'[host."http://{source}"]\n'
            for host, source in hosts.items()
        },
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _root_key() -> str:
    return key_of(debian.SUITE, PACKAGES)


def _state(settings: Settings) -> Path:
    return settings.run / "cluster-state"


def _logs(settings: Settings) -> Path:
    return settings.cache / "logs" / "cluster"


def _container(settings: Settings) -> Container:
    return Container(settings, "cluster", settings.cluster)
