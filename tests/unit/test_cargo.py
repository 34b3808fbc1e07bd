"""Cargo workspaces: which files are stubs, and which crates a service stands on."""

import pytest

from pipeline.build.cargo import STUB, Workspace

MANIFESTS = {
    "Cargo.toml": """
        [workspace]
        members = ["gateway", "engine", "kit", "macros"]
        [workspace.dependencies]
        kit = { path = "kit" }
        serde = "1"
        """,
    "gateway/Cargo.toml": """
        [package]
        name = "gateway"
        [dependencies]
        kit.workspace = true
        serde.workspace = true
        """,
    "engine/Cargo.toml": """
        [package]
        name = "engine"
        build = "scripts/build.rs"
        [[bin]]
        name = "engine"
        path = "src/serve.rs"
        [[test]]
        name = "real"
        [target.'cfg(unix)'.dependencies]
        kit = { path = "../kit" }
        """,
    "kit/Cargo.toml": """
        [package]
        name = "kit"
        [build-dependencies]
        macros = { path = "../macros" }
        """,
    "macros/Cargo.toml": "[package]\nname = 'macros'\n[dependencies]\nkit = { path = '../kit' }",
}
SOURCES = [
    *("gateway/src/main.rs", "gateway/src/routes.rs", "gateway/src/bin/tool.rs"),
    *("gateway/src/bin/other/main.rs", "gateway/src/bin/other/part.rs"),
    *("engine/src/serve.rs", "engine/scripts/build.rs", "engine/tests/real.rs"),
    *("engine/tests/help.rs", "kit/src/lib.rs", "kit/src/log.rs", "macros/src/lib.rs"),
]
WORKSPACE = Workspace(MANIFESTS, SOURCES)


def test_only_roots_of_targets_are_stubs() -> None:
    assert WORKSPACE.stubs() == dict.fromkeys(
        [
            *("engine/scripts/build.rs", "engine/src/serve.rs", "engine/tests/real.rs"),
            *("gateway/src/bin/other/main.rs", "gateway/src/bin/tool.rs", "gateway/src/main.rs"),
            *("kit/src/lib.rs", "macros/src/lib.rs"),
        ],
        STUB,
    )


def test_another_module_changes_no_stub() -> None:
    more = Workspace(MANIFESTS, [*SOURCES, "gateway/src/new.rs"])
    assert more.stubs() == WORKSPACE.stubs()


@pytest.mark.parametrize(
    ("crate", "below"),
    [
        ("gateway", ["gateway", "kit", "macros"]),
        ("engine", ["engine", "kit", "macros"]),
        ("kit", ["kit", "macros"]),
        ("elsewhere", []),
    ],
)
def test_a_service_stands_on_its_path_dependencies(crate: str, below: list[str]) -> None:
    assert WORKSPACE.crates_below(crate) == below


def test_a_workspace_of_one_crate() -> None:
    single = Workspace({"Cargo.toml": "[package]\nname = 'one'"}, ["src/main.rs"])
    assert single.stubs() == {"src/main.rs": STUB}
    assert single.crates_below(".") == ["."]
