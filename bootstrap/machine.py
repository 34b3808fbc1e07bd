"""What engine, Docker daemon and cluster change on the machine, and its way back."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from bootstrap import debian
from bootstrap.settings import Settings

BINFMT = Path("/proc/sys/fs/binfmt_misc")
CGROUPS = Path("/sys/fs/cgroup")
KERNEL = Path("/proc/sys")
FORWARDING = KERNEL / "net/ipv4/ip_forward"
# What a kubelet sets for the whole machine.
KUBELET_SETS = (
    *("kernel/keys/root_maxbytes", "kernel/keys/root_maxkeys", "kernel/panic"),
    *("kernel/panic_on_oops", "vm/overcommit_memory", "vm/panic_on_oom"),
)
QUEUE = 99  # where the packets wait that network policies judge
NAME = "pipeline-aarch64"
# The first bytes of every arm64 program, and which of their bits count.
MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"


def remember(settings: Settings) -> None:
    """Note how the machine is, and add the registries' address to the loopback interface."""
    settings.run.mkdir(parents=True, exist_ok=True)
    (settings.run / "ip-forward").write_text(FORWARDING.read_text())
    if settings.address not in _in_root(settings, "ip", "addr", "show", "lo"):
        (settings.run / "address").touch()
        _in_root(settings, "ip", "addr", "add", f"{settings.address}/32", "dev", "lo")


def emulates() -> bool:
    """Whether the kernel runs arm64 programs."""
    return BINFMT.exists() and any("aarch64" in entry.name for entry in BINFMT.iterdir())


def emulate(settings: Settings) -> None:
    """Let the kernel run arm64 programs by the emulator, unless it can already."""
    if not (BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT], check=True)
        (settings.run / "binfmt-mounted").touch()
    if not emulates():
        emulator = settings.cache / "host-tools" / debian.EMULATOR
        # F: the kernel opens the emulator now, so that it need not be in any container.
        (BINFMT / "register").write_text(f":{NAME}:M::{MAGIC}:{MASK}:{emulator}:F")


def restore(settings: Settings) -> None:
    """Take back emulator, address, interfaces and firewall rules; fine when they are gone."""
    if (BINFMT / NAME).exists():
        (BINFMT / NAME).write_text("-1")
    if (settings.run / "binfmt-mounted").exists():
        subprocess.run(["umount", BINFMT], check=False)
    if (settings.run / "address").exists():
        _in_root(settings, "ip", "addr", "del", f"{settings.address}/32", "dev", "lo")
    if (settings.run / "ip-forward").exists():
        FORWARDING.write_text((settings.run / "ip-forward").read_text())
    bridge = f"{settings.network}0"
    for line in _in_root(settings, "ip", "-oneline", "link", "show", "master", bridge).splitlines():
        _in_root(settings, "ip", "link", "del", line.split(": ")[1].split("@")[0])
    _in_root(settings, "ip", "link", "del", bridge)
    saved = _in_root(settings, "iptables-save")
    kept = without_network(saved, settings.network, settings.network_range)
    if kept != saved:
        _in_root(settings, "iptables-restore", given=kept)


def remember_docker(settings: Settings) -> None:
    """Note the firewall, and let the kernel forward between bridges: `restore` knows how it was."""
    _firewall(settings).write_text(_in_root(settings, "iptables-save"))
    FORWARDING.write_text("1")


def restore_docker(settings: Settings) -> None:
    """Take back a Docker daemon's bridges, firewall rules and control groups."""
    if not _firewall(settings).exists():
        return
    bridges = _in_root(settings, "ip", "-oneline", "link", "show", "type", "bridge")
    for bridge in re.findall(r"^\d+: (docker0|br-[0-9a-f]{12}):", bridges, re.MULTILINE):
        _in_root(settings, "ip", "link", "del", bridge)
    before, now = _firewall(settings).read_text(), _in_root(settings, "iptables-save")
    # By themselves: the engine may be writing rules at this moment.
    removal = docker_removal(before, now, settings.docker_range)
    _in_root(settings, "iptables-restore", "--noflush", given=removal)
    _remove_cgroup(docker_cgroup(settings))
    _firewall(settings).unlink()


def docker_cgroup(settings: Settings) -> str:
    """Name the control group of all of Docker's containers."""
    return f"{settings.instance}-docker-containers"


def remember_cluster(settings: Settings) -> None:
    """Note how the kernel is set, make the pods' control group, and let policies judge packets."""
    noted = {name: (KERNEL / name).read_text() for name in KUBELET_SETS}
    _kernel(settings).write_text(json.dumps(noted))
    FORWARDING.write_text("1")
    # Version 2 has one tree, version 1 one for each controller.
    one_tree = (CGROUPS / "cgroup.controllers").exists()
    for tree in [CGROUPS] if one_tree else CGROUPS.iterdir():
        (tree / cluster_cgroup(settings)).mkdir(exist_ok=True)
    chain = _cluster_chain(settings)
    _in_root(settings, "iptables", "-N", chain)
    known = ["-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "ACCEPT"]
    _in_root(settings, "iptables", "-A", chain, *known)
    _in_root(settings, "iptables", "-A", chain, "-j", "NFQUEUE", "--queue-num", str(QUEUE))
    for match in ("-s", "-d"):
        _in_root(settings, "iptables", "-I", "FORWARD", match, settings.pod_range, "-j", chain)


def restore_cluster(settings: Settings) -> None:
    """Take back a cluster's interfaces, firewall rules, control groups and kernel settings."""
    if not _kernel(settings).exists():
        return
    links = _in_root(settings, "ip", "-oneline", "address", "show", "to", settings.pod_range)
    for line in links.splitlines():
        _in_root(settings, "ip", "link", "del", line.split()[1])
    chain = _cluster_chain(settings)
    for match in ("-s", "-d"):
        _in_root(settings, "iptables", "-D", "FORWARD", match, settings.pod_range, "-j", chain)
    for verb in ("-F", "-X"):
        _in_root(settings, "iptables", verb, chain)
    for table in ("ip kube-proxy", "ip6 kube-proxy", "inet kube-network-policies"):
        _run_in(settings.cluster, "nft", "delete", "table", *table.split())
    _remove_cgroup(cluster_cgroup(settings))
    for name, value in json.loads(_kernel(settings).read_text()).items():
        (KERNEL / name).write_text(value)
    _kernel(settings).unlink()


def cluster_cgroup(settings: Settings) -> str:
    """Name the control group of all pods."""
    return f"{settings.instance}-cluster-pods"


def docker_removal(before: str, now: str, cidr: str) -> str:
    """Give the commands that take back from the firewall what a Docker daemon wrote since."""
    own = re.compile(rf"DOCKER|docker0|br-[0-9a-f]{{12}}| {re.escape(_first_bytes(cidr))}")
    commands: list[str] = []
    chains: list[str] = []  # can go when the rules of their table are gone
    for line in now.splitlines():
        if line.startswith("*"):
            commands.append(line)
        elif line == "COMMIT":
            commands += [*chains, line]
            chains = []
        elif own.search(line) and line not in before.splitlines():
            if line.startswith(":"):
                chains.append(f"-X {line.split()[0].removeprefix(':')}")
            else:
                commands.append(line.replace("-A", "-D", 1))
    return "\n".join(commands) + "\n"


def without_network(saved: str, network: str, cidr: str) -> str:
    """Drop what container networking wrote for one network from saved firewall rules.

    A chain goes when no rule is left in it and none leads to it.
    """
    own = (f" {_first_bytes(cidr)}", f'name: \\"{network}\\"')
    lines = [line for line in saved.splitlines() if not any(mark in line for mark in own)]
    while True:
        rules = [line for line in lines if line.startswith("-A")]
        filled = {rule.split()[1] for rule in rules}
        empty = {
            line.split()[0].removeprefix(":")
            for line in lines
            if line.startswith(":CNI-") and line.split()[0].removeprefix(":") not in filled
        }
        kept = [
            line
            for line in lines
            if not any(line.startswith(f":{chain} ") or f"-j {chain}" in line for chain in empty)
        ]
        if kept == lines:
            return "\n".join(kept) + "\n"
        lines = kept


def _first_bytes(cidr: str) -> str:
    return ".".join(cidr.split(".")[:2]) + "."


def _firewall(settings: Settings) -> Path:
    return settings.run / "firewall"


def _kernel(settings: Settings) -> Path:
    return settings.run / "cluster-kernel.json"


def _cluster_chain(settings: Settings) -> str:
    return f"{settings.instance}-cluster"


def _remove_cgroup(name: str) -> None:
    for place in ("", "*/"):  # version 2 has one tree, version 1 one for each controller
        for folder in CGROUPS.glob(place + name):
            for path, _, _ in os.walk(folder, topdown=False):
                Path(path).rmdir()


def _in_root(settings: Settings, *command: str, given: str | None = None) -> str:
    """Run one of the engine's own network programs; its complaints don't matter here."""
    return _run_in(settings.root, *command, given=given)


def _run_in(root: Path, *command: str, given: str | None = None) -> str:
    result = subprocess.run(
        ["chroot", root, *command], input=given, capture_output=True, text=True, check=False
    )
    return result.stdout
