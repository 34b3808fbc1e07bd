"""Reads a repository's own files out of its folder, in one question to the engine."""

import dagger

from pipeline.catalogue.repository import FILES, Repository, load_repository
from pipeline.engine.files import read_texts


async def read_repository(source: dagger.Directory) -> Repository:
    """Read and check what a repository says of itself. Raises InvalidFilesError and its kin."""
    return load_repository(await read_texts(source, FILES))
