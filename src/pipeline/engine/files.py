"""Texts to the engine and back, as files: many in one question."""

import os
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import dagger
from dagger import dag

from pipeline.errors import START, InvalidFilesError, Mistake

HANDED = Path("handed")
"""Below the module's own folder, of which the engine takes files."""


async def read_texts(directory: dagger.Directory, patterns: Sequence[str]) -> dict[str, str]:
    """Read all the files that match patterns: path → text, sorted. Raises InvalidFilesError."""
    with tempfile.TemporaryDirectory() as folder:
        await directory.filter(include=list(patterns)).export(folder)
        texts, links = _texts_below(Path(folder))
    texts |= {link: await _linked(directory, link) for link in links}
    return dict(sorted(texts.items()))


async def _linked(directory: dagger.Directory, link: str) -> str:
    """Read what a link leads to; the engine sees to it that it is inside of the directory."""
    try:
        return await directory.file(link).contents()
    except dagger.QueryError as error:
        message = "is a link that leads to no file of the repository: write the file itself"
        raise InvalidFilesError([Mistake(link, START, "", message)]) from error


def _texts_below(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Read a folder: path → text, and the paths of links, which are not followed here."""
    texts, links = {}, []
    for place, folders, names in os.walk(folder):
        # The folder is a stranger's: what a link leads to isn't looked at on this machine.
        linked = [name for name in folders if Path(place, name).is_symlink()]
        for path in (Path(place, name) for name in [*names, *linked]):
            name = str(path.relative_to(folder))
            if path.is_symlink():
                links.append(name)
            else:
                # What isn't UTF-8 is told with its place, by whoever reads the file.
                texts[name] = path.read_bytes().decode(errors="replace")
    return texts, links


def directory_of(texts: Mapping[str, str]) -> dagger.Directory:
    """Give a directory with these files, path → text, by way of the module's own folder.

    Texts in a call's arguments are shown in the progress of every run, whole.
    """
    folder = HANDED / uuid.uuid4().hex
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return dag.current_module().workdir(str(folder))


def file_of(name: str, text: str) -> dagger.File:
    """Give a file of this name with this text."""
    return directory_of({name: text}).file(name)
