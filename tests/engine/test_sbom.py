"""SBOMs: complete, true to the files, the same each time, and true of the worked example."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagger import dag

from pipeline.report.render import Format
from pipeline.security.engine.sbom import Sboms
from tests.conftest import ROOT
from tests.engine.test_failures import repository
from tests.module import made, pipeline, refusal
from tests.scanners import databases

pytestmark = pytest.mark.usefixtures("engine", "scanners")

IMAGES = yaml.safe_load((ROOT / "config/images.yml").read_text())
BASE = "debian:trixie-slim"
TAMPERED = """\
FROM debian:trixie-slim
RUN printf x >>/usr/lib/x86_64-linux-gnu/libz.so.1
RUN cp /usr/bin/true /usr/bin/stray
RUN rm -r $(dpkg --listfiles mawk | grep -v '^/[.]$' | while read -r path; \\
    do [ -f "$path" ] && echo "$path"; done)
"""


def debian(folder: Path, dockerfile: str) -> Path:
    """Make a repository with one image on Debian, of which no rule but `sbom` may find fault."""
    source = repository(folder, "shop", limit="1 GB")
    (source / "services/shop/Dockerfile").write_text(dockerfile)
    return source


async def sbom(source: Path, **arguments: Any) -> Sboms:
    return await made(pipeline(source).images, **arguments).sbom()


async def test_every_package_of_a_debian_is_there(tmp_path: Path) -> None:
    source = debian(tmp_path, f"FROM {BASE}\n")
    sboms = await sbom(source, platforms=["linux/amd64"])
    [told] = json.loads(sboms.report(Format.JSON))
    listed = await (
        dag.container()
        .from_(BASE)
        .with_exec(["dpkg-query", "--show", "--showformat=${Package} ${Version}\n"])
        .stdout()
    )
    packages = {f"{package['name']} {package['version']}" for package in told["packages"]}
    assert packages == set(listed.splitlines())
    assert (told["unexplained"], told["changed"], told["unbacked"]) == ([], [], [])


async def test_what_does_not_fit_is_told_and_fails(tmp_path: Path) -> None:
    main = pipeline(debian(tmp_path, TAMPERED), **databases())
    images = made(main.images, platforms=["linux/amd64"])
    message = await refusal(images.verdict())
    for expected in [
        r"^fail +sbom ",
        r"libz\.so\.1\S* isn't as its package has it$",
        r"/usr/bin/stray is of no package$",
        r"mawk \S+ is in the SBOM, but nothing of it in the image$",
    ]:
        assert re.search(expected, message, re.MULTILINE), expected


async def test_documents_are_the_same_each_time(tmp_path: Path) -> None:
    source = repository(tmp_path, "small")
    folders = [(await sbom(source)).files() for _ in range(2)]
    names = await folders[0].entries()
    assert names == [
        f"small-linux-{architecture}.{kind}.json"
        for architecture in ("amd64", "arm64")
        for kind in ("cdx", "spdx")
    ]
    first, second = [[await each.file(name).contents() for name in names] for each in folders]
    assert first == second
    cyclone_dx, spdx, *_ = map(json.loads, first)
    assert (cyclone_dx["bomFormat"], cyclone_dx["specVersion"]) == ("CycloneDX", "1.6")
    assert spdx["spdxVersion"] == "SPDX-2.3"


@pytest.fixture(scope="module")
async def example() -> dict[tuple[str, str], dict[str, Any]]:
    """What the worked example's images are made of, by service and platform."""
    told = json.loads((await sbom(ROOT)).report(Format.JSON))
    return {(each["image"], each["platform"]): each for each in told}


def named(told: dict[str, Any], kind: str) -> set[str]:
    """List packages of a kind, as name and version."""
    return {
        f"{package['name']} {package['version']}"
        for package in told["packages"]
        if package["purl"].startswith(f"pkg:{kind}/")
    }


def test_the_worked_example_has_nothing_unexplained(example) -> None:
    assert len(example) == 8
    for told in example.values():
        assert (told["unexplained"], told["changed"], told["unbacked"]) == ([], [], [])


@pytest.mark.parametrize("service", ["api-gateway", "consciousness-engine"])
@pytest.mark.parametrize(
    ("platform", "target"),
    [
        ("linux/amd64", "x86_64-unknown-linux-gnu"),
        ("linux/arm64", "aarch64-unknown-linux-gnu"),
    ],
)
async def test_crates_are_those_that_cargo_puts_into_the_binary(
    example, service: str, platform: str, target: str
) -> None:
    services = dag.host().directory(
        str(ROOT / "services"), include=["**/Cargo.*", "**/*.rs", "**/.cargo"]
    )
    trees = await (
        dag.container()
        .from_(IMAGES["rust"])
        .with_mounted_directory("/services", services)
        .with_workdir("/services")
        .with_exec(
            [
                *("cargo", "tree", "--locked", "--prefix=none", "--format={p}", "--no-dedupe"),
                # As it is built: with the features that any crate of the workspace asks for.
                *("--edges=normal", f"--target={target}", "--workspace"),
            ]
        )
        .stdout()
    )
    [tree] = [tree for tree in trees.split("\n\n") if tree.startswith(f"{service} ")]
    crates = set(re.findall(r"^(\S+) v(\S+)", tree, re.MULTILINE))
    assert len(crates) > 50
    assert named(example[service, platform], "cargo") == {" ".join(crate) for crate in crates}


def test_npm_packages_are_those_that_the_page_is_made_of(example) -> None:
    lock = json.loads((ROOT / "services/web-ui/package-lock.json").read_text())
    production = {
        f"{path.removeprefix('node_modules/')} {package['version']}"
        for path, package in lock["packages"].items()
        if path and not package.keys() & {"dev", "devOptional", "optional"}
    }
    for platform in ("linux/amd64", "linux/arm64"):
        assert named(example["web-ui", platform], "npm") == production
        assert named(example["proxy", platform], "npm") == set()


def test_debian_packages_are_those_that_nginx_is_laid_out_of(example) -> None:
    script = (ROOT / "src/pipeline/build/nginx.sh").read_text()
    listed = re.search(r"^packages=(\S+)\nfor package in ([^;]+);", script, re.MULTILINE)
    assert listed
    expected = {listed[1], *listed[2].replace("\\", " ").split()}
    for (service, _), told in example.items():
        names = {package.split(" ")[0] for package in named(told, "deb")}
        assert names == expected if service in {"proxy", "web-ui"} else not names & expected
