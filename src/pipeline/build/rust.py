"""Kind `rust`: one static binary, its dependencies compiled in a layer of their own."""

from pathlib import PurePosixPath

import dagger
from dagger import dag

from pipeline.build.cargo import Workspace
from pipeline.build.engine import contents
from pipeline.build.layer import EPOCH, layer, settled
from pipeline.build.platforms import Platform
from pipeline.build.toolchain import rust_toolchain
from pipeline.catalogue.models import Images, RustService
from pipeline.errors import PipelineError

# Cargo compares times: copies are newer than what was compiled from the stubs.
COMPILE = 'cp -r /crates/. /src && exec cargo build --locked --workspace "$@"'
SHARED = ["Cargo.lock", "rust-toolchain*", ".cargo/*"]


class MissingLockFileError(PipelineError):
    """A Cargo workspace without Cargo.lock: its build wouldn't be the same tomorrow."""


class RustBuild:
    """The stages of a Rust service: workspace → dependencies → binary."""

    def __init__(self, service: RustService, images: Images, root: dagger.Directory) -> None:
        self._binary = service.build.binary or service.name
        self._profile = service.build.profile
        self._images = images
        self._root = root
        self._crates: list[str] = []
        self._stubs: dict[str, str] = {}

    @classmethod
    async def load(
        cls, directory: str, service: RustService, images: Images, source: dagger.Directory
    ) -> "RustBuild":
        """Find the service's workspace. Raises MissingLockFileError when it has no Cargo.lock."""
        lock = await source.find_up("Cargo.lock", directory)
        if lock is None:
            raise MissingLockFileError(
                f"{directory}: found no Cargo.lock here or in a folder above. "
                "Run 'cargo generate-lockfile' there and commit it."
            )
        folder = PurePosixPath(lock).parent
        root = source.directory(str(folder))
        manifests = await contents(root, "**/Cargo.toml")
        workspace = Workspace(manifests, await root.glob("**/*.rs"))
        build = cls(service, images, root)
        build._crates = workspace.crates_below(str(PurePosixPath(directory).relative_to(folder)))
        build._stubs = {**manifests, **workspace.stubs()}
        for pattern in SHARED:
            build._stubs |= await contents(root, pattern)
        return build

    def dependencies(self, platform: Platform) -> dagger.Container:
        """Compile everything that the lock file names, for the whole workspace at once."""
        # Written from their texts, so that nothing else in the repository counts.
        stubs = dag.directory()
        for path, text in self._stubs.items():
            stubs = stubs.with_new_file(path, text)
        return (
            rust_toolchain(self._images.rust, platform)
            .with_workdir("/src")
            .with_directory("/src", stubs.with_timestamps(EPOCH))
            .with_exec(["cargo", "build", "--locked", "--workspace", f"--profile={self._profile}"])
        )

    def binary(self, platform: Platform) -> dagger.File:
        """Compile the service's own crates; the rest of the workspace stays a stub."""
        folder = "debug" if self._profile == "dev" else self._profile
        sources = self.dependencies(platform)
        for crate in self._crates:
            files = settled(self._images.debian, self._root.directory(crate))
            sources = sources.with_mounted_directory(str(PurePosixPath("/crates") / crate), files)
        return sources.with_exec(
            [
                *("sh", "-euc", COMPILE, "build"),
                *(f"--profile={self._profile}", f"--bin={self._binary}"),
            ]
        ).file(f"/src/target/{platform.rust_target}/{folder}/{self._binary}")

    def layer(self, platform: Platform) -> dagger.Directory:
        """Give the files of the service in its image."""
        files = dag.directory().with_file(self._binary, self.binary(platform), permissions=0o555)
        return layer(self._images.debian, files)

    @property
    def command(self) -> list[str]:
        """The image's entrypoint."""
        return [f"/{self._binary}"]
