"""sops, which keeps secrets encrypted in files, and age-keygen, which makes keys for it."""

from __future__ import annotations

from bootstrap.programs import Programs

PROGRAMS = Programs(
    name="sops",
    title="sops, once (seconds after the scanners, else 2 minutes)",
    compiled={
        "sops": ("github.com/getsops/sops/v3/cmd/sops", ""),
        "age-keygen": ("filippo.io/age/cmd/age-keygen", ""),
    },
)
