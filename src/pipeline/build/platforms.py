"""The platforms that images are built for, and what each toolchain calls them."""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.errors import PipelineError


class UnsupportedPlatformError(PipelineError):
    """Somebody asked for a platform that the toolchains can't build for."""


@dataclass(frozen=True)
class Platform:
    """One platform in the words of OCI, Rust, GNU and Debian."""

    name: str
    rust_target: str
    gnu_triplet: str
    debian: str

    @property
    def architecture(self) -> str:
        """Its second half, which a Dockerfile knows as TARGETARCH."""
        return self.name.partition("/")[2]

    @property
    def linker(self) -> str:
        """The C compiler that links for it."""
        return f"{self.gnu_triplet}-gcc"


SUPPORTED = {
    platform.name: platform
    for platform in (
        Platform("linux/amd64", "x86_64-unknown-linux-gnu", "x86_64-linux-gnu", "amd64"),
        Platform("linux/arm64", "aarch64-unknown-linux-gnu", "aarch64-linux-gnu", "arm64"),
    )
}


def platforms_named(names: Iterable[str]) -> list[Platform]:
    """Look platforms up by OCI name, all of them when none is given.

    Raises UnsupportedPlatformError.
    """
    wanted = list(dict.fromkeys(names)) or list(SUPPORTED)
    unknown = [name for name in wanted if name not in SUPPORTED]
    if unknown:
        raise UnsupportedPlatformError(
            f"Unsupported platform {', '.join(map(repr, unknown))}.\n"
            f"Images can be built for: {', '.join(SUPPORTED)}."
        )
    return [SUPPORTED[name] for name in wanted]
