"""What Debian's packages give: root file systems, and the few programs that the host needs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bootstrap import oci
from bootstrap.settings import Settings
from bootstrap.steps import Progress, key_of, make_once, run

SUITE = "trixie"
BASE_PACKAGES = "ca-certificates"
ROOT_PACKAGES = (
    "ca-certificates,containernetworking-plugins,dnsmasq-base,docker-registry,git,iproute2,"
    "iptables,pigz,runc,tini"
)
HOST_TOOLS = ("mmdebstrap", "qemu-user-static", "runc")
EMULATOR = "usr/bin/qemu-aarch64-static"
# What this machine trusts beyond Debian's own list.
AUTHORITIES = Path("/usr/local/share/ca-certificates")
ADVICE = "See that apt-get reaches Debian's packages, then run this again."


def need(
    settings: Settings, progress: Progress, check: Sequence[str], packages: Sequence[str]
) -> None:
    """Install packages on the host when a command that shows that they are there fails."""
    try:
        missing = subprocess.run(check, capture_output=True, check=False).returncode != 0
    except FileNotFoundError:
        missing = True
    if not missing:
        return
    progress.say(f"   installing Debian's {', '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    log = settings.log("apt")
    run(["apt-get", "update"], log, ADVICE, environment=environment)
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    run(command, log, ADVICE, environment=environment)


def make_host_tools(settings: Settings, progress: Progress) -> None:
    """Extract mmdebstrap, runc and the arm64 emulator into the cache; nothing is installed."""
    log = settings.log("host-tools")
    need(settings, progress, ["perl", "-MPOSIX", "-MEnglish", "-e", "1"], ["perl"])
    # A machine without package lists, as images of Debian come, gets them with its first package.
    need(settings, progress, ["apt-cache", "show", "mmdebstrap"], ["apt"])

    def make(folder: Path) -> None:
        packages = folder / "packages"
        packages.mkdir()
        run(["apt-get", "download", *HOST_TOOLS], log, ADVICE, folder=packages)
        for package in sorted(packages.glob("*.deb")):
            run(["dpkg-deb", "--extract", package, folder], log, "Is the disk full?")
        shutil.rmtree(packages)
        for emulator in folder.glob("usr/bin/qemu-*"):
            if emulator != folder / EMULATOR:
                emulator.unlink()

    make_once(settings.cache / "host-tools", key_of(*HOST_TOOLS), make)


def base_key() -> str:
    """Say what the base image is made from."""
    return key_of(SUITE, BASE_PACKAGES, *_authorities())


def make_base(settings: Settings) -> None:
    """Make the base image's blobs, and the file `digest` beside them."""

    def make(folder: Path) -> None:
        tar = folder / "base.tar"
        _bootstrap(settings, tar, BASE_PACKAGES)
        layer = oci.add_layer(folder, tar)
        tar.unlink()
        config = {"Env": [f"PATH={oci.PATH}"], "Cmd": ["bash"]}
        (folder / "digest").write_text(oci.add_image(folder, [layer], config))

    make_once(settings.cache / "base", base_key(), make)


def root_key() -> str:
    """Say what the root file system is made from."""
    return key_of(SUITE, ROOT_PACKAGES, *_authorities())


def make_root(settings: Settings) -> None:
    """Make the root file system of engine, registry and Go SDK."""

    def make(folder: Path) -> None:
        unpack(settings, ROOT_PACKAGES, folder)
        # Where the engine looks for it.
        (folder / "usr/local/bin/runc").symlink_to("/usr/sbin/runc")

    make_once(settings.cache / "root", root_key(), make)


def unpack(settings: Settings, packages: str, folder: Path) -> None:
    """Make a root file system of packages in a folder, which is empty or not yet there."""
    folder.mkdir(exist_ok=True)
    tar = folder.with_name(f"{folder.name}.tar")
    _bootstrap(settings, tar, packages)
    command: list[str | Path] = ["tar", "--extract", "--file", tar, "--directory", folder]
    run([*command, "--exclude=./dev/*"], settings.log("root"), "Is the disk full?")
    tar.unlink()


def _bootstrap(settings: Settings, tar: Path, packages: str) -> None:
    tool = settings.cache / "host-tools/usr/bin/mmdebstrap"
    options = ["--variant=minbase", "--mode=root", f"--include={packages}"]
    options += ["--keyring=/usr/share/keyrings", "--aptopt=APT::Install-Recommends false"]
    if "ca-certificates" in packages.split(",") and _authorities():
        options += [f"--customize-hook=copy-in {file} {AUTHORITIES}" for file in _authorities()]
        options.append('--customize-hook=chroot "$1" update-ca-certificates')
    run([tool, *options, SUITE, tar], settings.log("debian"), ADVICE)


def _authorities() -> list[Path]:
    return sorted(AUTHORITIES.glob("*.crt"))
