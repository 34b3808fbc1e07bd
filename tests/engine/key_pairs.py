"""Key pairs to sign with, new in every run of the tests."""

import os
import secrets
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import dagger

from bootstrap.settings import Settings
from tests.module import secret

COSIGN = Settings.from_environment().scanners / "cosign"


@dataclass(frozen=True)
class KeyPair:
    """A key pair in a folder, and the password of its private key."""

    folder: Path
    password: str = field(repr=False)

    @property
    def public(self) -> Path:
        return self.folder / "cosign.pub"

    @property
    def flags(self) -> list[str]:
        """What signs with it; the password is in COSIGN_PASSWORD."""
        key = f"--signing-key=file://{self.folder}/cosign.key"
        return [key, "--signing-password=env://COSIGN_PASSWORD"]

    @property
    def environment(self) -> dict[str, str]:
        return {"COSIGN_PASSWORD": self.password}

    def signing(self, password: str = "") -> dict[str, dagger.Secret]:
        """What signs with it in this process, perhaps with another password."""
        key = secret((self.folder / "cosign.key").read_text())
        return {"signing_key": key, "signing_password": secret(password or self.password)}

    def trusted(self) -> dagger.Secret:
        """The public key, in this process."""
        return secret(self.public.read_text())


def key_pair(folder: Path) -> KeyPair:
    """Make a key pair as anybody does."""
    folder.mkdir(exist_ok=True)
    made = KeyPair(folder, secrets.token_urlsafe(16))
    subprocess.run(
        [COSIGN, "generate-key-pair"],
        cwd=folder,
        env={**os.environ, **made.environment},
        check=True,
        capture_output=True,
    )
    return made
