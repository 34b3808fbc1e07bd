"""What a build needs to know of a Cargo workspace: its stubs and what each crate stands on."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Any

STUB = "#![allow(warnings)]\nfn main() {}\n"
"""Compiles as a binary, a library, a build script and a test alike."""

FOUND_BY_CARGO = ("src/main.rs", "src/lib.rs", "build.rs")
TARGET_FOLDERS = {"bin": "src/bin", "test": "tests", "bench": "benches", "example": "examples"}


@dataclass(frozen=True)
class Workspace:
    """A workspace by its manifests (path of each Cargo.toml → text) and its Rust files' paths."""

    manifests: Mapping[str, str]
    sources: Sequence[str]

    @cached_property
    def _crates(self) -> dict[str, dict[str, Any]]:
        parsed = {path: tomllib.loads(text) for path, text in self.manifests.items()}
        return {str(PurePosixPath(path).parent): manifest for path, manifest in parsed.items()}

    def stubs(self) -> dict[str, str]:
        """Give the smallest sources with which Cargo builds all dependencies.

        Only the roots of targets are stubbed: another module in a crate changes nothing here,
        so that the dependencies stay built.
        """
        existing = set(self.sources)
        roots = (
            str(PurePosixPath(crate) / root)
            for crate, manifest in self._crates.items()
            if "package" in manifest
            for root in (
                *FOUND_BY_CARGO,
                *self._binaries_found(crate),
                *_declared_targets(manifest),
            )
        )
        return {root: STUB for root in sorted(roots) if root in existing}

    def crates_below(self, crate: str) -> list[str]:
        """List the folders that a crate is built from: its own and its path dependencies'."""
        inherited = self._crates.get(".", {}).get("workspace", {}).get("dependencies", {})
        found: list[str] = []
        queue = [crate]
        while queue:
            folder = queue.pop()
            if folder in found or folder not in self._crates:
                continue
            found.append(folder)
            for name, dependency in _dependencies(self._crates[folder]):
                shared = bool(dependency.get("workspace"))
                path = _path(inherited.get(name) if shared else dependency)
                if path is not None:
                    queue.append(normpath(str(PurePosixPath("." if shared else folder) / path)))
        return sorted(found)

    def _binaries_found(self, crate: str) -> Iterator[str]:
        folder = PurePosixPath(crate) / "src/bin"
        for path in map(PurePosixPath, self.sources):
            if path.parent == folder or (path.name == "main.rs" and path.parent.parent == folder):
                yield str(path.relative_to(crate))


@dataclass(frozen=True)
class RustSources:
    """What a service is compiled from: paths in its workspace, which is a folder of the repository.

    `manifests` are all files that Cargo reads beside sources, path → text, as are the `stubs`.
    """

    folder: str
    manifests: Mapping[str, str]
    stubs: Mapping[str, str]
    crates: Sequence[str]

    @classmethod
    def of(
        cls, directory: str, folder: str, workspace: Workspace, shared: Mapping[str, str]
    ) -> "RustSources":
        """Work it out for the service in a directory of the repository."""
        return cls(
            folder=folder,
            manifests={**workspace.manifests, **shared},
            stubs=workspace.stubs(),
            crates=workspace.crates_below(str(PurePosixPath(directory).relative_to(folder))),
        )


def _declared_targets(manifest: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(script := manifest["package"].get("build"), str):
        yield script
    if path := manifest.get("lib", {}).get("path"):
        yield path
    for kind, folder in TARGET_FOLDERS.items():
        for target in manifest.get(kind, []):
            name = target.get("name", "")
            yield from (target.get("path", f"{folder}/{name}.rs"), f"{folder}/{name}/main.rs")


def _path(dependency: object) -> str | None:
    return dependency.get("path") if isinstance(dependency, dict) else None


def _dependencies(manifest: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for table in (manifest, *manifest.get("target", {}).values()):
        for kind in ("dependencies", "build-dependencies"):
            for name, dependency in table.get(kind, {}).items():
                if isinstance(dependency, dict):
                    yield name, dependency
