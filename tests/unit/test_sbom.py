"""SBOMs: what Syft says, compared with the files; documents that stay the same; the report."""

import json
from collections.abc import Sequence

import pytest

from pipeline.report.sbom import PackageSummary, SbomSummary, render_sboms
from pipeline.security.facts import SbomFacts
from pipeline.security.sbom_documents import settled_cyclone_dx, settled_spdx
from pipeline.security.scanner import ScannerReportError
from pipeline.security.syft import parse_syft

LIBRARY = "/usr/lib/x86_64-linux-gnu/libz.so.1"
SUM = "a" * 32
OTHER_SUM = "b" * 32
CREATED = "2026-06-30T12:00:00Z"
DIGEST = "sha256:" + "1" * 64


def package(name: str = "zlib1g", kind: str = "deb", **more: object) -> dict[str, object]:
    purl = f"pkg:deb/debian/{name}@1.3?arch=amd64" if kind == "deb" else f"pkg:{kind}/{name}@1.3"
    return {"name": name, "version": "1.3", "type": kind, "purl": purl, **more}


def owning(*files: dict[str, object]) -> dict[str, object]:
    return {"metadata": {"files": list(files)}}


def own_file(path: str = LIBRARY, **more: object) -> dict[str, object]:
    return {"path": path, "digest": {"algorithm": "md5", "value": SUM}, **more}


def file(path: str = LIBRARY, value: str = SUM, program: bool = True) -> dict[str, object]:
    executable = {"executable": {"format": "elf"}} if program else {}
    digests = [{"algorithm": "md5", "value": value}]
    return {"location": {"path": path}, "digests": digests, **executable}


NPM = package("a", "npm", locations=[{"path": "/app/node_modules/a/package.json"}])
LINKED = LIBRARY.removeprefix("/usr")


def facts(
    packages: Sequence[dict[str, object]],
    files: Sequence[dict[str, object]] = (),
    own: Sequence[str] = (),
) -> SbomFacts:
    text = json.dumps({"artifacts": packages, "files": files, "descriptor": {"name": "syft"}})
    return parse_syft(text, own)


def test_packages_are_sorted_and_named_as_findings_name_them() -> None:
    licences = [
        {"value": "Zlib", "spdxExpression": "Zlib", "type": "declared"},
        {"value": "zlib/png", "spdxExpression": ""},
        {"value": "Zlib", "spdxExpression": "Zlib", "type": "concluded"},
    ]
    found = facts([package(licenses=licences), package("left-pad", "npm")]).packages
    assert [each.purl for each in found] == ["pkg:deb/debian/zlib1g@1.3", "pkg:npm/left-pad@1.3"]
    assert found[0].licences == ["Zlib", "zlib/png"]
    assert found[1].licences == []


def test_files_as_their_packages_have_them_are_fine() -> None:
    found = facts([package(**owning(own_file()))], [file()])
    assert (found.unexplained, found.changed, found.unbacked) == ([], [], [])


@pytest.mark.parametrize(
    ("packages", "path", "own", "unexplained"),
    [
        ([], "/usr/bin/stray", [], True),
        ([], "/healthcheck", ["/healthcheck"], False),
        ([package("shop", "rust", locations=[{"path": "/shop"}])], "/shop", [], False),
        # What a package lists counts, not where its entry was found.
        ([package(locations=[{"path": "/stray"}], **owning(own_file()))], "/stray", [], True),
        ([NPM], "/app/node_modules/a/build/native.node", [], False),
        ([NPM], "/app/native.node", [], True),
        ([package(**owning(own_file(LINKED)))], LIBRARY, [], False),
        ([package(**owning(own_file(LINKED)))], LINKED, [], False),
        ([package(**owning(own_file()))], LINKED, [], True),
    ],
)
def test_programs_of_no_package(
    packages: list[dict[str, object]], path: str, own: list[str], unexplained: bool
) -> None:
    assert facts(packages, [file(path)], own).unexplained == ([path] if unexplained else [])


def test_only_programs_and_libraries_need_a_package() -> None:
    assert facts([], [file("/etc/shop.conf", program=False)]).unexplained == []


@pytest.mark.parametrize(
    ("listed", "present", "changed"),
    [
        (own_file(), file(value=OTHER_SUM), True),
        (own_file(), file(value=SUM), False),
        (own_file(isConfigFile=True), file(value=OTHER_SUM), False),
        ({"path": LIBRARY}, file(value=OTHER_SUM), False),
        (own_file(LINKED), file(value=OTHER_SUM), True),
        # A sum of another kind says nothing.
        (own_file(digest={"algorithm": "sha256", "value": SUM}), file(value=OTHER_SUM), False),
    ],
)
def test_files_that_are_not_as_their_package_has_them(
    listed: dict[str, object], present: dict[str, object], changed: bool
) -> None:
    assert facts([package(**owning(listed))], [present]).changed == ([LIBRARY] if changed else [])


def test_packages_of_which_nothing_is_there() -> None:
    listed = package(**owning(own_file("/usr/bin/gone")))
    assert facts([listed], [file()]).unbacked == ["zlib1g 1.3"]
    assert facts([listed], [file("/usr/bin/gone")]).unbacked == []
    assert facts([package()], []).unbacked == []


def test_python_packages_list_their_files_below_their_folder() -> None:
    metadata = {"sitePackagesRootPath": "/site", "files": [{"path": "a/native.so"}]}
    python = package("a", "pypi", metadata=metadata)
    found = facts([python], [file("/site/a/native.so")])
    assert (found.unexplained, found.unbacked) == ([], [])


@pytest.mark.parametrize("text", ["", "{}", '{"artifacts": [{"name": "a"}]}'])
def test_what_is_not_a_report_is_refused(text: str) -> None:
    with pytest.raises(ScannerReportError, match="syft's report isn't what was expected"):
        parse_syft(text, [])


def cyclone_dx(time: str = "2026-11-24T10:00:00Z") -> dict[str, object]:
    metadata = {"timestamp": time, "component": {"name": "shop"}}
    return {"bomFormat": "CycloneDX", "serialNumber": f"urn:uuid:{time}", "metadata": metadata}


def spdx(time: str = "2026-11-24T10:00:00Z") -> dict[str, object]:
    information = {"created": time, "creators": ["Tool: syft"]}
    return {"documentNamespace": f"https://example.org/{time}", "creationInfo": information}


@pytest.mark.parametrize(
    ("settled", "made"), [(settled_cyclone_dx, cyclone_dx), (settled_spdx, spdx)]
)
def test_documents_stay_the_same_as_long_as_the_image_does(settled, made) -> None:
    first = settled(made("2026-11-24T10:00:00Z"), DIGEST, CREATED)
    assert first == settled(made("2026-11-25T10:00:00Z"), DIGEST, CREATED)
    assert first != settled(made(), DIGEST.replace("1", "2"), CREATED)
    assert "2026-11-24" not in first


def test_documents_say_when_their_image_was_made_and_keep_the_rest() -> None:
    document = json.loads(settled_cyclone_dx(cyclone_dx(), DIGEST, CREATED))
    assert document["metadata"] == {"timestamp": CREATED, "component": {"name": "shop"}}
    assert document["serialNumber"].startswith("urn:uuid:")
    document = json.loads(settled_spdx(spdx(), DIGEST, CREATED))
    assert document["creationInfo"] == {"created": CREATED, "creators": ["Tool: syft"]}
    assert document["documentNamespace"].startswith("https://spdx.org/spdxdocs/")


def summary(**changed: object) -> SbomSummary:
    values: dict[str, object] = {
        "image": "shop",
        "platform": "linux/amd64",
        "digest": DIGEST,
        "packages": [
            PackageSummary(name="zlib1g", version="1.3", purl="pkg:deb/zlib1g", licences=["Zlib"]),
            PackageSummary(name="left-pad", version="1", purl="pkg:npm/left-pad", licences=[]),
        ],
        "unexplained": [],
        "changed": [],
        "unbacked": [],
    }
    return SbomSummary.model_validate(values | changed)


def test_table() -> None:
    assert render_sboms([summary()], "table") == (
        "IMAGE  PLATFORM     PACKAGE   VERSION  LICENCES\n"
        "shop   linux/amd64  zlib1g    1.3      Zlib\n"
        "shop   linux/amd64  left-pad  1        ?\n"
        "\n"
        "1 image, 2 packages: every program and library is of one of them, unchanged.\n"
    )


def test_what_does_not_fit_is_said() -> None:
    odd = summary(unexplained=["/stray"], changed=[LIBRARY], unbacked=["gone 1"])
    for name in ("table", "markdown"):
        text = render_sboms([odd], name)
        assert "1 image, 2 packages; what doesn't fit:" in text
        assert "shop linux/amd64: /stray is of no package" in text
        assert f"shop linux/amd64: {LIBRARY} isn't as its package has it" in text
        assert "shop linux/amd64: gone 1 is named, but nothing of it is in the image" in text
        assert "unchanged" not in text


def test_markdown_and_json() -> None:
    line = "| `shop` | `linux/amd64` | `zlib1g` | `1.3` | `Zlib` |"
    assert line in render_sboms([summary()], "markdown")
    read = json.loads(render_sboms([summary(), summary(platform="linux/arm64")], "json"))
    assert [each["platform"] for each in read] == ["linux/amd64", "linux/arm64"]


def test_names_from_an_image_steer_nothing() -> None:
    name = "\x1b[2J|`<img src=x>`\nno"
    packages = [PackageSummary(name=name, version="1", purl="", licences=[name])]
    hostile = summary(packages=packages, unexplained=[name])
    table = render_sboms([hostile], "table")
    assert "\x1b" not in table
    assert len(table.splitlines()) == 5
    markdown = render_sboms([hostile], "markdown")
    assert "`�[2J\\|'<img src=x>'�no`" in markdown
    assert "\x1b" not in markdown
