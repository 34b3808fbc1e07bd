"""Root file systems of the packages that bootstrap/vulnerabilities/facts.json has as examples."""

import json
from pathlib import Path
from typing import Any

from bootstrap.vulnerabilities import FACTS

RECORDS: list[dict[str, Any]] = json.loads(FACTS.read_text())["vulnerabilities"]
LIBRARY = "registry+https://github.com/rust-lang/crates.io-index"
APPLICATION = {"name": "app", "version": "1.0.0"}


def make(root: Path, which: str) -> None:
    """Write a Debian 13 with each example `affected` or, where there is such a version, `fixed`."""
    files = {
        "etc/os-release": 'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n',
        "etc/debian_version": "13.1\n",
        "var/lib/dpkg/status": "\n".join(_status(*chosen) for chosen in _chosen("deb", which)),
        "app/Cargo.lock": "version = 4\n"
        + "".join(_crate(*chosen) for chosen in _chosen("cargo", which)),
        "app/package.json": json.dumps(APPLICATION),
    }
    packages: dict[str, Any] = {"": APPLICATION}
    for _, name, version in _chosen("npm", which):
        package = {"name": name, "version": version, "license": "MIT"}
        files[f"app/node_modules/{name}/package.json"] = json.dumps(package)
        packages[f"node_modules/{name}"] = {"version": version, "resolved": "", "license": "MIT"}
    lock = APPLICATION | {"lockfileVersion": 3, "packages": packages}
    files["app/package-lock.json"] = json.dumps(lock)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _chosen(ecosystem: str, which: str) -> list[tuple[str, str, str]]:
    """Source package, installed package and version of an ecosystem's examples."""
    found = []
    for record in RECORDS:
        kind, source = record["package"].split("/")
        example = record["example"]
        if kind == ecosystem and which in example:
            found.append((source, example["installed"], example[which]))
    return found


def _status(source: str, name: str, version: str) -> str:
    return (
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n"
        f"Maintainer: nobody <nobody@example.org>\nSource: {source}\nVersion: {version}\n"
        "Description: an example\n"
    )


def _crate(_: str, name: str, version: str) -> str:
    return f'\n[[package]]\nname = "{name}"\nversion = "{version}"\nsource = "{LIBRARY}"\n'
