"""sops, which keeps secrets encrypted in files, and age-keygen, which makes keys for it."""

from __future__ import annotations

from pathlib import Path

from bootstrap import go
from bootstrap.settings import HERE, Settings
from bootstrap.steps import key_of, make_once

# Compiled from sops/go.mod.
COMPILED = {
    "sops": "github.com/getsops/sops/v3/cmd/sops",
    "age-keygen": "filippo.io/age/cmd/age-keygen",
}


def key() -> str:
    """Say what the programs are made from."""
    return key_of(HERE / "sops", repr(COMPILED))


def make_programs(settings: Settings) -> None:
    """Compile the programs."""

    def make(folder: Path) -> None:
        go.build(settings, HERE / "sops", list(COMPILED.values()), folder, settings.log("sops"))
        go.clean(settings)

    make_once(settings.sops, key(), make)
