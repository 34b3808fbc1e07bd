"""Hands texts to the engine as files, by way of the module's own folder.

Texts in a call's arguments are shown in the progress of every run, whole.
"""

import uuid
from collections.abc import Mapping
from pathlib import Path

import dagger
from dagger import dag


def files(texts: Mapping[str, str]) -> dagger.Directory:
    """Give a directory with these files: path → text."""
    folder = Path("handed", uuid.uuid4().hex)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return dag.current_module().workdir(str(folder))


def file(name: str, text: str) -> dagger.File:
    """Give a file of this name with this text."""
    return files({name: text}).file(name)
