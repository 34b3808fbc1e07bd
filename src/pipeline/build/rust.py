"""Kind `rust`: one static binary, its dependencies compiled in a layer of their own."""

from pathlib import PurePosixPath

import dagger
from dagger import dag

from pipeline.build.cargo import Workspace
from pipeline.build.engine import contents
from pipeline.build.layer import EPOCH, layer
from pipeline.build.platforms import Platform
from pipeline.build.toolchain import rust_toolchain
from pipeline.catalogue.models import Images, RustService
from pipeline.errors import PipelineError

SHARED = ["Cargo.toml", "Cargo.lock", "rust-toolchain*", ".cargo"]


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
        self._stubs = dag.directory()

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
        workspace = Workspace(await contents(root, "**/Cargo.toml"), await root.glob("**/*.rs"))
        build = cls(service, images, root)
        build._crates = workspace.crates_below(str(PurePosixPath(directory).relative_to(folder)))
        stubs = root.filter(include=["**/Cargo.toml", *SHARED])
        for path, text in workspace.stubs().items():
            stubs = stubs.with_new_file(path, text)
        build._stubs = stubs.with_timestamps(EPOCH)
        return build

    def dependencies(self, platform: Platform) -> dagger.Container:
        """Compile everything that the lock file names, for the whole workspace at once."""
        return (
            rust_toolchain(self._images.rust, platform)
            .with_workdir("/src")
            .with_directory("/src", self._stubs)
            .with_exec(["cargo", "build", "--locked", "--workspace", f"--profile={self._profile}"])
        )

    def binary(self, platform: Platform) -> dagger.File:
        """Compile the service's own crates; the rest of the workspace stays a stub."""
        sources = self._root.filter(
            include=[*SHARED, *(f"{crate}/**" for crate in self._crates)], exclude=["target"]
        )
        # Cargo compares times: sources checked out before the stubs were compiled look old.
        compile_sources = (
            "find . -path ./target -prune -o -name '*.rs' -exec touch {} + && "
            'exec cargo build --locked --workspace "$@"'
        )
        folder = "debug" if self._profile == "dev" else self._profile
        return (
            self.dependencies(platform)
            .with_directory("/src", sources)
            .with_exec(
                [
                    *("sh", "-euc", compile_sources, "build"),
                    *(f"--profile={self._profile}", f"--bin={self._binary}"),
                ]
            )
            .file(f"/src/target/{platform.rust_target}/{folder}/{self._binary}")
        )

    def layer(self, platform: Platform) -> dagger.Directory:
        """Give the files of the service in its image."""
        files = dag.directory().with_file(self._binary, self.binary(platform), permissions=0o555)
        return layer(self._images.debian, files)

    @property
    def command(self) -> list[str]:
        """The image's entrypoint."""
        return [f"/{self._binary}"]
