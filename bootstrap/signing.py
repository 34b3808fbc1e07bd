"""A key pair of this machine, and a .env file with which `dagger call` finds what is here."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from bootstrap.settings import REPOSITORY, Settings
from bootstrap.steps import Progress, make_once, run

ENVIRONMENT = REPOSITORY / ".env"
OURS = "# Defaults of `dagger call` in this folder: "
HEADING = f"{OURS}what `./pipeline` has set up on this machine.\n"


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
    """Name what is here as defaults, unless somebody has a .env file of their own."""
    defaults = {"REGISTRY": f"{settings.registry}/pipeline", "REGISTRYPLAINHTTP": "true"}
    if settings.keys.exists():
        defaults["SIGNINGKEY"] = f"file://{settings.keys}/cosign.key"
        defaults["SIGNINGPASSWORD"] = f"file://{settings.keys}/password"
    if settings.databases.exists():
        defaults["DATABASES"] = f"{settings.databases}/files"
    text = HEADING + "".join(f"PIPELINE_{name}={value}\n" for name, value in defaults.items())
    if not ENVIRONMENT.exists() or ENVIRONMENT.read_text().startswith(OURS):
        ENVIRONMENT.write_text(text)
    elif f"PIPELINE_REGISTRY={settings.registry}" not in ENVIRONMENT.read_text():
        progress.say(f"{ENVIRONMENT} is left as it is; what was made here: {settings.keys}")
