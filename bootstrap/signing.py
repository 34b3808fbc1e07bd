"""A key pair of this machine, and a .env file with which `dagger call` finds it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from bootstrap.settings import REPOSITORY, Settings
from bootstrap.steps import Progress, make_once, run

ENVIRONMENT = REPOSITORY / ".env"
HEADING = (
    "# Defaults of `dagger call` in this folder: the key pair that was made on this machine.\n"
)


def make_keys(settings: Settings) -> None:
    """Make the key pair, once: with a password, readable by its owner alone."""

    def fill(folder: Path) -> None:
        folder.chmod(0o700)
        password = secrets.token_urlsafe(32)
        kept = folder / "password"
        kept.touch(mode=0o600)
        kept.write_text(password)
        run(
            [settings.scanners / "cosign", "generate-key-pair"],
            settings.log("keys"),
            "Run this again.",
            folder=folder,
            environment={**os.environ, "COSIGN_PASSWORD": password},
        )

    make_once(settings.keys, "cosign's key pair", fill)


def write_environment(settings: Settings, progress: Progress) -> None:
    """Name the keys as defaults, unless somebody has a .env file of their own."""
    lines = []
    for function in ("BUILD_ALL", "PUBLISH"):
        lines.append(f"PIPELINE_{function}_SIGNINGKEY=file://{settings.keys}/cosign.key")
        lines.append(f"PIPELINE_{function}_SIGNINGPASSWORD=file://{settings.keys}/password")
    lines += [
        f"PIPELINE_{function}_KEY=file://{settings.keys}/cosign.pub"
        for function in ("VERIFY", "VERIFICATION", "DEPLOY")
    ]
    text = HEADING + "\n".join(lines) + "\n"
    if not ENVIRONMENT.exists() or ENVIRONMENT.read_text().startswith(HEADING):
        ENVIRONMENT.write_text(text)
    else:
        progress.say(f"{ENVIRONMENT} is left as it is; the keys made here are in {settings.keys}")
