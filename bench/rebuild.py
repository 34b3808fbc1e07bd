"""How long a build takes after nothing, one line of Rust, or one line of TypeScript changed.

Run with the engine up: `eval "$(python3 -m bootstrap start)" && python3 bench/rebuild.py`.
Works on a copy of the committed services; each figure is one whole `dagger call build-all`.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(source: Path) -> float:
    """Build everything and give the seconds that it took."""
    start = time.monotonic()
    command = ["dagger", "call", "--progress=plain", f"--source={source}", "build-all"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(result.stderr[-3000:])
    return time.monotonic() - start


def main() -> None:
    """Print a line for each kind of change."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        subprocess.run(["git", "clone", "--quiet", ROOT, source], check=True)
        print(f"first build of this commit  {build(source):6.1f} s", flush=True)
        print(f"nothing changed             {build(source):6.1f} s", flush=True)
        line = f"\n// changed at {time.time()}\n"
        for name, file in (
            ("one line of Rust", "services/consciousness-engine/src/main.rs"),
            ("one line of TypeScript", "services/web-ui/src/parts.ts"),
        ):
            path = source / file
            path.write_text(path.read_text() + line)
            print(f"{name:27} {build(source):6.1f} s", flush=True)


if __name__ == "__main__":
    main()
