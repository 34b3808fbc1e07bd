"""The parts of a Sigstore that tests of keyless signing run: certificates and timestamps."""

from __future__ import annotations

from bootstrap.programs import Programs

PROGRAMS = Programs(
    name="sigstore",
    title="Fulcio and a timestamp authority, once (a minute)",
    compiled={
        "fulcio": ("github.com/sigstore/fulcio", ""),
        "timestamp-server": (
            "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server",
            "",
        ),
    },
    # Of its own, for it wants newer modules than what checks and runs the product's images.
    module="sigstore",
)
