"""One layer of an image: files of one purpose, the same bytes each time that they are the same."""

import dagger
from dagger import dag

EPOCH = 0

COPY = """
mkdir /layer
cp -a /files/. /layer/
find /layer -exec touch --no-dereference --date="@$1" {} +
"""


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
