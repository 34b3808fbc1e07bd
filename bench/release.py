"""How long scanning and signing everything take, beside plain loops over the same tools.

Run with the engine and the scanners up:
`./pipeline scanners && eval "$(python3 -m bootstrap start)" && python3 -m bench.release`.
Works on a new commit in a copy, so that nothing has been scanned or signed before. The loops run
the same programs without containers, one after the other, on what was published.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bootstrap.settings import Settings

ROOT = Path(__file__).parents[1]
SETTINGS = Settings.from_environment()
PROGRAMS, KEYS = SETTINGS.scanners, SETTINGS.keys
# As many as the pipeline attests; what they say makes no difference.
KINDS = [f"https://example.com/{number}" for number in range(4)]


def timed(command: Sequence[str | Path], **environment: str) -> tuple[float, str]:
    """Run a command; gives the seconds that it took, and its output."""
    start = time.monotonic()
    result = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        sys.exit(result.stderr[-3000:])
    return time.monotonic() - start, result.stdout


def call(source: Path, *arguments: str) -> tuple[float, str]:
    """Run `dagger call` on the copy."""
    return timed(["dagger", "call", "--progress=plain", f"--source={source}", *arguments])


def scan_loop(published: dict[str, Any], folder: Path) -> float:
    """Scan each platform of each image with Trivy and Grype; their databases are there."""
    database = folder / "trivy/db"
    database.mkdir(parents=True)
    archive = SETTINGS.databases / "files/db.tar.gz"
    subprocess.run(["tar", "-xzf", archive, "-C", database], check=True)
    grype = {"GRYPE_DB_CACHE_DIR": str(folder / "grype"), "GRYPE_DB_AUTO_UPDATE": "false"}
    timed(
        [PROGRAMS / "grype", "db", "import", SETTINGS.databases / "files/vulnerability-db.tar.gz"],
        **grype,
    )
    trivy = [SETTINGS.trivy, "image", f"--cache-dir={folder / 'trivy'}", "--image-src=remote"]
    trivy += ["--skip-db-update", "--offline-scan", "--insecure", "--quiet"]
    seconds = 0.0
    for reference, platform in images(published):
        seconds += timed([*trivy, f"--platform={platform}", reference])[0]
        source = f"registry:{reference}"
        environment = {**grype, "GRYPE_REGISTRY_INSECURE_USE_HTTP": "true"}
        seconds += timed([PROGRAMS / "grype", source, f"--platform={platform}"], **environment)[0]
    return seconds


def sign_loop(published: dict[str, Any], folder: Path) -> float:
    """Sign each index with its platforms, and attest as much to each platform, in both formats."""
    said = folder / "said.json"
    said.write_text("{}")
    cosign: list[str | Path] = [PROGRAMS / "cosign"]
    flags = [f"--key={KEYS / 'cosign.key'}", "--yes", "--tlog-upload=false"]
    flags.append("--use-signing-config=false")
    password = {"COSIGN_PASSWORD": (KEYS / "password").read_text()}
    seconds = 0.0
    for new in ("true", "false"):
        format_ = f"--new-bundle-format={new}"
        for image in published["images"]:
            repository = image["references"][0].partition("@")[0].rpartition(":")[0]
            sign = [*cosign, "sign", "--recursive", *flags, format_]
            seconds += timed([*sign, f"{repository}@{image['digest']}"], **password)[0]
            for platform in image["platforms"]:
                for kind in KINDS:
                    attest = [*cosign, "attest", f"--type={kind}", f"--predicate={said}", *flags]
                    reference = f"{repository}@{platform['digest']}"
                    seconds += timed([*attest, format_, reference], **password)[0]
    return seconds


def images(published: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Give each platform of each image."""
    for image in published["images"]:
        for platform in image["platforms"]:
            yield image["references"][0], platform["platform"]


def main() -> None:
    """Print a line for each piece of work: the pipeline, the loop, and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source"
        subprocess.run(["git", "clone", "--quiet", ROOT, source], check=True)
        commit = ["git", "-C", source, "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        subprocess.run([*commit, "commit", "--quiet", "--allow-empty", "-m", "bench"], check=True)
        call(source, "build-all")
        without, _ = call(source, "build-all")
        scanned, _ = call(source, "images", "scan", "check")
        pushing = ["build-all", "--push", "--scan=false", "--format=json"]
        published = json.loads(call(source, *pushing, "--sign=false")[1])
        pushed, _ = call(source, *pushing, "--sign=false")
        signed, _ = call(source, *pushing)
        for what, seconds, loop in (
            ("scan 8 images", scanned - without, scan_loop(published, folder)),
            ("sign and attest all", signed - pushed, sign_loop(published, folder)),
        ):
            ratio = loop / seconds
            print(f"{what:20} {seconds:6.1f} s, loop {loop:6.1f} s: {ratio:.1f} times as fast")


if __name__ == "__main__":
    main()
