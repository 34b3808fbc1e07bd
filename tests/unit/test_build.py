"""What a build decides without an engine: platforms, sizes, failures, the completed layout."""

import hashlib
import json

import pytest

from pipeline.build.failures import BuildFailedError
from pipeline.build.layout import Additions, complete
from pipeline.build.platforms import UnsupportedPlatformError, platforms_named
from pipeline.build.sizes import SizeLimitError, parse_listing
from pipeline.errors import CombinedError, PipelineError, raise_all, shortened
from pipeline.units import megabytes, parse_size

CONFIG = {
    "architecture": "arm64",
    "os": "linux",
    "config": {"User": "65532:65532"},
    "created": "2026-01-02T03:04:05.678Z",
    "history": [{"created": "2026-01-02T03:04:05.678Z", "created_by": "COPY"}],
    "rootfs": {"type": "layers", "diff_ids": ["sha256:1"]},
}
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "c", "size": 1},
    "layers": [{"digest": "sha256:1", "size": 5}],
}
ADDITIONS = Additions(["/healthcheck", "8080", "/live"], "SIGQUIT", 1_700_000_000, {"title": "x"})


def completed(config: dict[str, object] = CONFIG):
    return complete({"m": json.dumps(MANIFEST)}, {"c": json.dumps(config)}, ADDITIONS)


def test_an_index_does_not_depend_on_the_order_in_which_the_engine_lists_it() -> None:
    configs = {
        name: json.dumps({"architecture": name, "os": "linux", "config": {}})
        for name in ("amd64", "arm64")
    }
    manifests = {
        name: json.dumps({**MANIFEST, "config": {**MANIFEST["config"], "digest": name}})
        for name in configs
    }
    listed = complete(manifests, configs, ADDITIONS)
    reversed_ = complete(dict(reversed(manifests.items())), configs, ADDITIONS)
    assert listed.digest == reversed_.digest
    index = json.loads(listed.written[listed.digest])
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == list(configs)


def test_a_layout_is_whole_and_addressed_by_content() -> None:
    layout = completed()
    for digest, text in layout.written.items():
        assert digest == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    [root] = json.loads(layout.index_json)["manifests"]
    assert root["digest"] == layout.digest
    index = json.loads(layout.written[root["digest"]])
    assert index["annotations"] == {"title": "x"}
    [entry] = index["manifests"]
    assert entry["platform"] == {"architecture": "arm64", "os": "linux"}
    assert layout.platforms == {"linux/arm64": entry["digest"]}
    manifest = json.loads(layout.written[entry["digest"]])
    assert manifest["layers"] == MANIFEST["layers"]
    assert manifest["annotations"] == {"title": "x"}
    config = json.loads(layout.written[manifest["config"]["digest"]])
    assert manifest["config"]["size"] == len(layout.written[manifest["config"]["digest"]])
    assert config["config"]["User"] == "65532:65532"
    assert config["config"]["StopSignal"] == "SIGQUIT"
    assert config["config"]["Healthcheck"]["Test"] == ["CMD", "/healthcheck", "8080", "/live"]
    steps = [(step["created_by"], step.get("empty_layer", False)) for step in config["history"]]
    assert steps == [("COPY", False), ("HEALTHCHECK", True)]
    assert set(layout.replaced) == {"m", "c"}


def test_the_time_of_the_build_leaves_no_trace() -> None:
    later = {**CONFIG, "created": "2027-01-01T00:00:00Z", "history": [{"created": "z"}]}
    later["history"] = [{"created": "2027-01-01T00:00:00Z", "created_by": "COPY"}]
    assert completed(later).digest == completed().digest
    config = next(t for t in completed().written.values() if "rootfs" in t)
    assert json.loads(config)["created"] == "2023-11-14T22:13:20Z"


def test_the_engines_words_for_its_steps_leave_no_trace() -> None:
    """Versions before and after 0.21 say it differently, and mean the same layer."""

    def digest(*steps: dict[str, str]) -> str:
        return completed({**CONFIG, "history": list(steps)}).digest

    engines = {"comment": "buildkit.exporter.image.v0"}
    before = {"created_by": "Directory.withDirectory source", **engines}
    after = {"created_by": "Directory.withDirectory", **engines}
    assert digest(before) == digest(after)
    # What a Dockerfile's author has written stays.
    own = {"comment": "buildkit.dockerfile.v0"}
    assert digest({"created_by": "RUN a", **own}) != digest({"created_by": "RUN b", **own})


def test_platforms() -> None:
    assert [platform.debian for platform in platforms_named([])] == ["amd64", "arm64"]
    assert [p.rust_target for p in platforms_named(["linux/arm64"])] == [
        "aarch64-unknown-linux-gnu"
    ]
    with pytest.raises(UnsupportedPlatformError, match="linux/amd64, linux/arm64"):
        platforms_named(["linux/amd64", "linux/s390x"])


def test_an_image_over_its_limit_names_its_biggest_files() -> None:
    files = parse_listing("10\ta\n3000000\tusr/lib/big.so\n200\tb c\n")
    said = str(SizeLimitError("web", "linux/amd64", 1_000_000, files))
    assert "web for linux/amd64 is over its size limit: 3.00 MB" in said
    assert said.index("/usr/lib/big.so") < said.index("/b c\n") < said.index("/a\n")


def test_a_failed_build_shows_the_compilers_words_only() -> None:
    output = "   Compiling a v1\n\nerror[E0425]: cannot find value `x`\n --> src/main.rs:2:5\n"
    said = str(BuildFailedError("a", "linux/amd64", ["cargo", "build"], output, 101))
    assert said == (
        "a for linux/amd64 doesn't build: 'cargo build' ended with 101.\n\n"
        "error[E0425]: cannot find value `x`\n --> src/main.rs:2:5"
    )


def test_messages_fit_on_a_screen() -> None:
    text = shortened([str(number) for number in range(1000)], 10)
    assert "991 lines left out" in text
    assert len(text.splitlines()) == 10
    errors = [PipelineError("\n".join(map(str, range(100)))) for _ in range(4)]
    assert len(str(CombinedError(errors)).splitlines()) <= 48


def test_errors_are_raised_together() -> None:
    raise_all([])
    with pytest.raises(PipelineError, match=r"^a$"):
        raise_all([PipelineError("a")])
    with pytest.raises(CombinedError, match=r"(?s)a.*b"):
        raise_all([PipelineError("a"), PipelineError("b")])


@pytest.mark.parametrize(
    ("text", "size"), [("5 MB", 5_000_000), ("4.5MiB", 4_718_592), ("10kB", 10_000), (7, 7)]
)
def test_sizes(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["5", "MB", "-1 MB", "5 mb", "1e3 MB", "5 MB MB"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        parse_size(text)


def test_megabytes() -> None:
    assert megabytes(3_534_567) == "3.53 MB"
