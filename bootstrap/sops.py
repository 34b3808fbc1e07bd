"""sops, which keeps secrets encrypted in files, and age-keygen, which makes keys for it."""

from __future__ import annotations

from bootstrap.programs import Programs

PROGRAMS = Programs(
    name="sops",
    title="sops, once (a minute)",
    compiled={
        "sops": ("github.com/getsops/sops/v3/cmd/sops", ""),
        "age-keygen": ("filippo.io/age/cmd/age-keygen", ""),
    },
)
