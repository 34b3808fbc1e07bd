"""Runs a command in a root file system as an OCI container, by Debian's runc.

The network is the host's; processes, mounts, host name and IPC are the container's own, so that
nothing that it does to its file system reaches the host, and its end is the end of all of it.
"""

from __future__ import annotations

import json
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap import oci
from bootstrap.settings import Settings
from bootstrap.steps import SetupError

ENVIRONMENT = {
    "PATH": oci.PATH,
    "HOME": "/root",
}
# By their numbers, as the kernel counts them.
CAPABILITIES = """
    CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
    SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
    SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
    WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
""".split()  # noqa: SIM905 - forty of them


@dataclass(frozen=True)
class Mount:
    """A file or folder of the host, at its place in the container."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True)
class Container:
    """One container of an installation, known by its name."""

    settings: Settings
    name: str
    root: Path

    def start(
        self,
        command: Sequence[str],
        mounts: Sequence[Mount],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the command and return; its output goes to the container's log."""
        self.stop()
        bundle = self.settings.run / "bundles" / self.name
        bundle.mkdir(parents=True, exist_ok=True)
        configuration = self._configuration(command, mounts, {**ENVIRONMENT, **(environment or {})})
        (bundle / "config.json").write_text(json.dumps(configuration, indent=2))
        log = self.settings.log(self.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            status = subprocess.run(
                [*self._runc, "run", "--detach", "--bundle", str(bundle), self.name],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            ).returncode
        if status != 0:
            raise SetupError(f"runc could not start the {self.name}.", log)

    def wait_until(self, answers: Callable[[], bool], seconds: float, message: str) -> None:
        """Return when the container does its work; a failure has the message."""
        deadline = time.monotonic() + seconds
        while not answers():
            if self.process() is None or time.monotonic() > deadline:
                raise SetupError(message, self.settings.log(self.name))
            time.sleep(0.05)

    def process(self) -> int | None:
        """Process id of the running container's first process, or none."""
        if not self._state.exists():
            return None
        result = subprocess.run(
            [*self._runc, "state", self.name], capture_output=True, text=True, check=False
        )
        if result.returncode != 0:
            return None
        state = json.loads(result.stdout)
        return int(state["pid"]) if state["status"] == "running" else None

    def stop(self, seconds: float = 20) -> None:
        """End the container, by force when it takes longer; fine when there is none."""
        if self.process() is not None:
            subprocess.run([*self._runc, "kill", self.name, "TERM"], check=False)
            deadline = time.monotonic() + seconds
            while self.process() is not None and time.monotonic() < deadline:
                time.sleep(0.05)
        if self._state.exists():
            subprocess.run([*self._runc, "delete", "--force", self.name], check=False)

    @property
    def _state(self) -> Path:
        return self.settings.run / "runc" / self.name

    @property
    def _runc(self) -> list[str]:
        runc = self.settings.cache / "host-tools/usr/sbin/runc"
        return [str(runc), "--root", str(self.settings.run / "runc")]

    def _configuration(
        self, command: Sequence[str], mounts: Sequence[Mount], environment: Mapping[str, str]
    ) -> dict[str, object]:
        capabilities = held_capabilities()
        open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        return {
            "ociVersion": "1.0.2",
            "process": {
                "args": list(command),
                "cwd": "/",
                "env": [f"{name}={value}" for name, value in environment.items()],
                "user": {"uid": 0, "gid": 0},
                "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), capabilities),
                "rlimits": [{"type": "RLIMIT_NOFILE", "soft": open_files, "hard": open_files}],
            },
            "root": {"path": str(self.root), "readonly": False},
            "hostname": self.settings.instance,
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/run", "type": "tmpfs", "source": "tmpfs"},
                {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},  # noqa: S108
                _bind(Path("/dev"), "/dev", "rbind", "rw"),
                _bind(Path("/sys"), "/sys", "rbind", "rw"),
                *(
                    _bind(mount.source, mount.target, "bind", "rw" if mount.writable else "ro")
                    for mount in mounts
                ),
            ],
            "linux": {
                "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
                "cgroupsPath": f"/{self.settings.instance}-{self.name}",
                "resources": {"devices": [{"allow": True, "access": "rwm"}]},
            },
        }


def held_capabilities() -> list[str]:
    """Names of this process's capabilities: runc refuses a container that asks for more."""
    mask = int(Path("/proc/self/status").read_text().split("CapEff:")[1].split()[0], 16)
    return [f"CAP_{name}" for bit, name in enumerate(CAPABILITIES) if mask >> bit & 1]


def _bind(source: Path, target: str, *options: str) -> dict[str, object]:
    return {
        "destination": target,
        "type": "none",
        "source": str(source),
        "options": [*options, "rprivate"],
    }
