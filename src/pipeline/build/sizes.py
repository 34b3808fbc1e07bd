"""What an image weighs, unpacked, and what weighs most in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.units import megabytes


@dataclass(frozen=True)
class FileSize:
    """One file of an image and its bytes."""

    path: str
    size: int


class SizeLimitError(PipelineError):
    """An image is larger than its service.yml allows."""

    def __init__(self, service: str, platform: str, limit: int, files: Sequence[FileSize]) -> None:
        total = sum(file.size for file in files)
        biggest = sorted(files, key=lambda file: (-file.size, file.path))[:5]
        super().__init__(
            "\n".join(
                [
                    f"{service} for {platform} is over its size limit: {megabytes(total)} "
                    f"unpacked, allowed are {megabytes(limit)}. Its biggest files:",
                    *(f"  {megabytes(file.size):>10}  /{file.path}" for file in biggest),
                    "Make it smaller, or raise size_limit in its service.yml.",
                ]
            )
        )


def parse_listing(listing: str) -> list[FileSize]:
    r"""Read lines of `bytes<TAB>path`, as `find -printf '%s\t%P\n'` writes them."""
    files = []
    for line in listing.splitlines():
        size, _, path = line.partition("\t")
        files.append(FileSize(path, int(size)))
    return files


def files_below(folder: str, files: Iterable[FileSize]) -> list[FileSize]:
    """Give the files of one folder, by their paths in it."""
    prefix = f"{folder}/"
    return [
        FileSize(file.path.removeprefix(prefix), file.size)
        for file in files
        if file.path.startswith(prefix)
    ]
