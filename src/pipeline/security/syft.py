"""Syft's own JSON as facts: the packages, and how they compare with the files of the image."""

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from pydantic import Field

from pipeline.security.facts import PackageFacts, SbomFacts
from pipeline.security.package import package_of
from pipeline.security.scanner import Part, read

NAME = "syft"
LINKED = re.compile(r"/(bin|sbin|lib|lib32|lib64|libx32)/")


class _Digest(Part):
    algorithm: str
    value: str


class _Location(Part):
    path: str


class _OwnFile(Part):
    path: str
    digest: _Digest | None = None
    config: bool = Field(default=False, alias="isConfigFile")


class _Metadata(Part):
    files: list[_OwnFile] | None = None
    root: str = Field(default="", alias="sitePackagesRootPath")


class _Licence(Part):
    value: str
    expression: str = Field(default="", alias="spdxExpression")


class _Package(Part):
    name: str
    version: str
    kind: str = Field(alias="type")
    purl: str = ""
    licences: list[_Licence] = Field(default=[], alias="licenses")
    locations: list[_Location] = Field(default=[])
    metadata: _Metadata = _Metadata()


class _File(Part):
    location: _Location
    digests: list[_Digest] = Field(default=[])
    executable: object = None


class _Document(Part):
    artifacts: list[_Package]
    files: list[_File] = Field(default=[])


def parse_syft(text: str, own: Iterable[str]) -> SbomFacts:
    """Read Syft's JSON with all files and their MD5 sums; `own` are programs of the pipeline.

    Raises ScannerReportError.
    """
    document = read(NAME, text, _Document)
    files = {file.location.path: file for file in document.files}
    owned = {path for package in document.artifacts for path in _paths(package, files)}
    folders = {
        str(PurePosixPath(at.path).parent)
        for package in document.artifacts
        for at in package.locations
        if at.path.endswith("/package.json")
    }
    return SbomFacts(
        packages=sorted(
            (_package(package) for package in document.artifacts),
            key=lambda package: (package.purl, package.name, package.version),
        ),
        unexplained=sorted(
            path
            for path, file in files.items()
            if file.executable
            and path not in owned | set(own)
            and not any(str(folder) in folders for folder in PurePosixPath(path).parents)
        ),
        changed=sorted(path for package in document.artifacts for path in _changed(package, files)),
        unbacked=sorted(
            f"{package.name} {package.version}"
            for package in document.artifacts
            if package.metadata.files and not _paths(package, files) & files.keys()
        ),
    )


def _package(package: _Package) -> PackageFacts:
    named = package_of(package.name, package.version, package.purl)
    return PackageFacts(
        name=named.name,
        version=named.version,
        purl=named.purl,
        licences=sorted({licence.expression or licence.value for licence in package.licences}),
    )


def _paths(package: _Package, files: Mapping[str, _File]) -> set[str]:
    """Give what a package says is its own; where it was found counts when it lists nothing."""
    root = package.metadata.root
    listed = [f"{root}/{file.path}" if root else file.path for file in package.metadata.files or []]
    return {_place(path, files) for path in listed or [at.path for at in package.locations]}


def _place(path: str, files: Mapping[str, _File]) -> str:
    """Find a file where it is: packages before Debian 13 list /lib, a link there to /usr/lib."""
    return f"/usr{path}" if path not in files and LINKED.match(path) else path


def _changed(package: _Package, files: Mapping[str, _File]) -> Iterable[str]:
    for own in package.metadata.files or []:
        path = _place(own.path, files)
        file = files.get(path)
        if own.digest is None or own.config or file is None:
            continue
        sums = {each.value for each in file.digests if each.algorithm == own.digest.algorithm}
        if sums and own.digest.value not in sums:
            yield path
