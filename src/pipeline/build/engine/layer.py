"""Files on their way into an image: the same bytes each time that they are the same."""

import dagger
from dagger import dag

EPOCH = 0
SAME_BYTES = ("--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner")

COPY = """
mkdir /layer
cp -a /files/. /layer/
find /layer -exec touch --no-dereference --date="@$1" {} +
"""


def settle(image: str, files: dagger.Directory) -> dagger.Directory:
    """Give a folder of the repository so that the engine knows it by what it holds.

    As it is, it counts as changed whenever anything in the repository is; only a file of a
    directory is known by its content, so the folder goes through one.
    """
    tools = dag.container().from_(image)
    archive = (
        tools.with_mounted_directory("/files", files)
        .with_directory("/packed", dag.directory())
        .with_exec(["tar", *SAME_BYTES, "-cf", "/packed/files.tar", "--directory=/files", "."])
        .directory("/packed")
        .file("files.tar")
    )
    return (
        tools.with_mounted_file("/files.tar", archive)
        .with_workdir("/files")
        .with_exec(["tar", "--extract", "--file=/files.tar"])
        .directory("/files")
    )


def layer(image: str, files: dagger.Directory, timestamp: int = EPOCH) -> dagger.Directory:
    """Give files as a layer of their own, all with one time, in seconds.

    Put into an image as it is, a directory brings along each step that made it as a layer, with
    the times of its making, and a file that two steps touched twice.
    """
    return (
        dag.container()
        .from_(image)
        .with_mounted_directory("/files", files)
        .with_exec(["sh", "-euc", COPY, "layer", str(timestamp)])
        .directory("/layer")
    )
