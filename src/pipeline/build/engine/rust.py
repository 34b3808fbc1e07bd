"""Kind `rust`: one static binary, its dependencies compiled in a layer of their own."""

from pathlib import PurePosixPath

import dagger
from dagger import dag

from pipeline.build.cargo import RustSources, Workspace
from pipeline.build.engine.layer import EPOCH, layer, settle
from pipeline.build.engine.run import shell
from pipeline.build.engine.toolchain import rust_toolchain
from pipeline.build.platforms import Platform
from pipeline.build.steps import CARGO_CACHE, CARGO_FETCH, binary_of, binary_script, cargo_build
from pipeline.catalogue.models import Images, RustService
from pipeline.engine.files import read_texts
from pipeline.errors import PipelineError

MANIFESTS = "**/Cargo.toml"
SHARED = ["Cargo.lock", "rust-toolchain*", ".cargo/*"]


class MissingLockFileError(PipelineError):
    """A Cargo workspace without Cargo.lock: its build wouldn't be the same tomorrow."""


async def sources_of(directory: str, source: dagger.Directory) -> RustSources:
    """Find what a service is compiled from. Raises MissingLockFileError without a Cargo.lock."""
    lock = await source.find_up("Cargo.lock", directory)
    if lock is None:
        raise MissingLockFileError(
            f"{directory}: found no Cargo.lock here or in a folder above. "
            "Run 'cargo generate-lockfile' there and commit it."
        )
    folder = str(PurePosixPath(lock).parent)
    root = source.directory(folder)
    texts = await read_texts(root, [MANIFESTS, *SHARED])
    manifests = {path: text for path, text in texts.items() if path.endswith("Cargo.toml")}
    shared = {path: text for path, text in texts.items() if path not in manifests}
    workspace = Workspace(manifests, await root.glob("**/*.rs"))
    return RustSources.of(directory, folder, workspace, shared)


class RustBuild:
    """The stages of a Rust service: workspace → dependencies → binary."""

    def __init__(
        self, service: RustService, images: Images, sources: RustSources, source: dagger.Directory
    ) -> None:
        self._service = service
        self._images = images
        self._sources = sources
        self._root = source.directory(sources.folder)

    def dependencies(self, platform: Platform) -> dagger.Container:
        """Compile everything that the lock file names, for the whole workspace at once."""
        return (
            rust_toolchain(self._images.rust, platform)
            .with_mounted_directory(CARGO_CACHE.path, self._downloads())
            .with_workdir("/src")
            .with_directory("/src", self._stubs())
            .with_exec(cargo_build(self._service))
        )

    def _downloads(self) -> dagger.Directory:
        """Download everything that the lock file names, once for all platforms.

        Into a layer and no cache volume, of which each module has its own: who builds first, builds
        for all.
        """
        return (
            dag.container()
            .from_(self._images.rust)
            .with_env_variable("CARGO_HOME", CARGO_CACHE.path)
            .with_workdir("/src")
            .with_directory("/src", self._stubs())
            .with_exec(CARGO_FETCH)
            .directory(CARGO_CACHE.path)
        )

    def _stubs(self) -> dagger.Directory:
        # Written from their texts, so that nothing else in the repository counts.
        stubs = dag.directory()
        for path, text in {**self._sources.manifests, **self._sources.stubs}.items():
            stubs = stubs.with_new_file(path, text)
        return stubs.with_timestamps(EPOCH)

    def files(self, platform: Platform) -> dagger.Directory:
        """Compile the service's own crates; the rest of the workspace stays a stub."""
        sources = self.dependencies(platform)
        for crate in self._sources.crates:
            files = settle(self._images.debian, self._root.directory(crate))
            sources = sources.with_mounted_directory(str(PurePosixPath("/crates") / crate), files)
        return sources.with_exec(shell(binary_script(self._service))).directory("/files")

    def layer(self, platform: Platform) -> dagger.Directory:
        """Give the files of the service in its image."""
        return layer(self._images.debian, self.files(platform))

    @property
    def command(self) -> list[str]:
        """The image's entrypoint."""
        return [f"/{binary_of(self._service)}"]
