"""Packages, named the same whichever scanner speaks of them."""

from urllib.parse import quote, unquote

from pipeline.catalogue.models import Strict

# The package URL specification has these in lower case; not every scanner does it.
LOWER_CASE = {"apk", "composer", "deb", "github", "golang", "npm", "pypi"}
# Here a name says nothing without its namespace.
NAMED_WITH_NAMESPACE = {"composer", "golang", "npm"}


class Package(Strict):
    """A package in an image; its package URL, where there is one, has no qualifiers."""

    name: str
    version: str
    purl: str = ""

    @property
    def purl_of_any_version(self) -> str:
        """Give the package URL without the version."""
        return self.purl.partition("@")[0]


def package_of(name: str, version: str, purl: str) -> Package:
    """Describe a package from what a scanner says.

    The version is the reported one: in package URLs some scanners leave out the epoch.
    """
    if not purl.startswith("pkg:"):
        return Package(name=name, version=version)
    kind, path, _ = _parts(purl)
    version = _plain_version(kind, version)
    names = path if kind in NAMED_WITH_NAMESPACE else path[-1:]
    return Package(name="/".join(names), version=version, purl=_written(kind, path, version))


def canonical_purl(purl: str) -> str:
    """Write a package URL as findings have it; it may lack the version."""
    kind, path, version = _parts(purl)
    return _written(kind, path, _plain_version(kind, version))


def oci_purl(image: str, digest: str) -> str:
    """Name an image by its package URL; the digest says enough, tools differ on the rest."""
    return f"pkg:oci/{image.rpartition('/')[2].lower()}@{quote(digest, safe='')}"


def version_in_purl(purl: str) -> str:
    """Give the version that a package URL names, decoded; empty without one."""
    return _parts(purl)[2]


def spellings(purl: str) -> list[str]:
    """Write a canonical package URL in all the ways that scanners write its version."""
    kind, path, version = _parts(purl)
    versions = [version]
    if kind == "golang" and version:
        versions += [f"v{version}", f"go{version}"]
    if kind in {"deb", "rpm"} and version:
        epoch, colon, rest = version.partition(":")
        versions.append(rest if colon else f"0:{epoch}")
    return [_written(kind, path, spelling) for spelling in versions]


def _parts(purl: str) -> tuple[str, list[str], str]:
    kind, _, rest = purl.removeprefix("pkg:").partition("/")
    kind = kind.lower()
    *namespace, last = rest.partition("#")[0].partition("?")[0].strip("/").split("/")
    # A scope such as @angular may be unencoded: a version is behind the name only.
    name, _, version = last.partition("@")
    path = [unquote(part) for part in [*namespace, name]]
    if kind in LOWER_CASE:
        path = [part.lower() for part in path]
    if kind == "pypi":
        path = [part.replace("_", "-") for part in path]
    return kind, path, unquote(version)


def _plain_version(kind: str, version: str) -> str:
    if kind == "golang":
        return version.removeprefix("go").removeprefix("v")
    return version.removeprefix("0:") if kind in {"deb", "rpm"} else version


def _written(kind: str, path: list[str], version: str) -> str:
    name = f"pkg:{kind}/{'/'.join(quote(part, safe='') for part in path)}"
    return f"{name}@{quote(version, safe=':')}" if version else name
