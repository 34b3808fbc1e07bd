"""What a call costs, beside a call of a module that does nothing: medians of five, in one run.

Run it with the worked example published: `./pipeline build-all --push`, then
`python -m bench.calls`.
"""

import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
TIMES = 5
CALLS = {
    "services": ["services"],
    "environment validate": ["environment", "--name=staging", "validate"],
    "build-all, nothing changed": ["build-all"],
    "build-all --push --scan=false, published already": ["build-all", "--push", "--scan=false"],
}
WANTED = dict(zip(CALLS, (1.15, 1.15, 1.5, 5.0), strict=True))
EMPTY = """\
from dagger import function, object_type


@object_type
class Empty:
    @function(cache="never")
    def nothing(self) -> str:
        return "nothing"
"""


def empty_module(folder: Path) -> Path:
    """Write a module with the same dependencies, and one function that does nothing."""
    for name in ("pyproject.toml", "requirements.lock"):
        text = (ROOT / name).read_text().replace("pipeline.main:Pipeline", "pipeline:Empty")
        (folder / name).write_text(text)
    (folder / "dagger.json").write_text(
        json.dumps({"name": "empty", "engineVersion": "v0.19.10", "sdk": {"source": "python"}})
    )
    (folder / "src/pipeline").mkdir(parents=True)
    (folder / "src/pipeline/__init__.py").write_text(EMPTY)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def seconds(folder: Path, *words: str) -> float:
    """Call once, and say how long it took."""
    start = time.monotonic()
    subprocess.run(["dagger", "call", *words], cwd=folder, capture_output=True, check=True)
    return time.monotonic() - start


def main() -> None:
    """Call each in turn, and print medians and ratios."""
    folder = empty_module(Path(tempfile.mkdtemp()))
    places = {"nothing": (folder, ["nothing"])}
    places |= {name: (ROOT, words) for name, words in CALLS.items()}
    try:
        for where, words in places.values():
            seconds(where, *words)  # warm
        taken: dict[str, list[float]] = {name: [] for name in places}
        for _ in range(TIMES):
            for name, (where, words) in places.items():
                taken[name].append(seconds(where, *words))
    finally:
        shutil.rmtree(folder)
    medians = {name: statistics.median(each) for name, each in taken.items()}
    for name, median in medians.items():
        ratio = median / medians["nothing"]
        wanted = f", wanted {WANTED[name]} x" if name in WANTED else ""
        print(f"{median:6.2f} s  {ratio:5.2f} x  {name}{wanted}")


if __name__ == "__main__":
    main()
