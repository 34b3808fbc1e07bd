"""A stranger's folders and flags: told before any work, each in one message."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.build.engine.build import Selection
from pipeline.catalogue.repository import load_repository
from pipeline.deploy.contents import MissingTargetError
from pipeline.deploy.engine.deploy import destination_of
from pipeline.deploy.kubernetes.deployer import ChangeReason
from pipeline.deploy.kubernetes.kubeconfig import KubeconfigError, checked_kubeconfig
from pipeline.engine.files import _texts_below
from pipeline.errors import InapplicableFlagError, InvalidFilesError, PipelineError
from pipeline.security.engine.databases import DatabaseFiles
from pipeline.security.mirrors import DatabaseError
from tests.unit.configs import example

THERE: Any = object()
SERVICE = "name: shop\ntitle: A\nkind: dockerfile\nport: 80\nsize_limit: 1 MB\n"
REASON = ChangeReason("", "here")


def test_links_are_not_followed_here(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/a.yml").write_bytes(b"a\r\n\xff")
    for name, target in {
        "folder.yml": "/etc",
        "file.yml": "/etc/passwd",
        "loop.yml": "loop.yml",
        "gone.yml": "nowhere",
    }.items():
        (tmp_path / "config" / name).symlink_to(target)
    texts, links = _texts_below(tmp_path)
    assert texts == {"config/a.yml": "a\r\n�"}
    assert sorted(links) == [f"config/{name}.yml" for name in ("file", "folder", "gone", "loop")]


def test_a_folder_in_place_of_a_file_is_told() -> None:
    files = {"services/shop/service.yml": SERVICE, "config/registry.yml/other.yml": ""}
    with pytest.raises(InvalidFilesError, match=r"config/registry\.yml:1:1: is a folder"):
        load_repository(files)


@pytest.mark.parametrize("jobs", [0, -1])
def test_builds_at_a_time(jobs: int) -> None:
    with pytest.raises(PipelineError, match=f"--jobs is {jobs}: expected how many at a time"):
        Selection(jobs=jobs)


@dataclass
class Folder:
    """A directory of the engine, by the names in it."""

    names: list[str]
    asked: list[str] = field(default_factory=list)

    async def entries(self) -> list[str]:
        return self.names

    def file(self, name: str) -> str:
        return name


async def databases(*names: str) -> DatabaseFiles:
    folder: Any = Folder(list(names))
    return await DatabaseFiles.of(folder)


async def test_databases_are_found_by_their_names() -> None:
    files = ("db.tar.gz", "vulnerability-db_v6.tar.zst", "vulnerability-db_v6.tar.zst.sha256")
    found = await databases(*files, "vulnerability-db_v6/")
    assert (found.trivy, found.grype) == files[:2]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "found nothing"),
        (["vulnerability-db/", "db.tar.gz.sha256"], "--databases has no database"),
        (["vulnerability-db_1.tar.gz", "vulnerability-db_2.tar.gz"], "more than one database"),
    ],
)
async def test_a_folder_without_databases_is_told(names: list[str], said: str) -> None:
    with pytest.raises(DatabaseError, match=said):
        await databases(*names)


@pytest.mark.parametrize(
    ("environment", "kubeconfig", "socket", "said"),
    [
        (
            "staging",
            None,
            None,
            "staging is deployed by kubernetes: give the cluster",
        ),
        ("staging", THERE, THERE, "--docker-socket doesn't apply here: it is about Compose, and"),
        ("staging", None, THERE, "--docker-socket doesn't apply here"),
        (
            "development",
            None,
            None,
            "development is deployed by compose: give the daemon",
        ),
        ("development", THERE, None, "--kubeconfig doesn't apply here: it is about Kubernetes"),
        ("development", THERE, THERE, "--kubeconfig doesn't apply here: it is about Kubernetes"),
    ],
)
def test_what_does_not_lead_there_is_refused(
    environment: str, kubeconfig: Any, socket: Any, said: str
) -> None:
    configuration = example().one(environment)
    with pytest.raises((InapplicableFlagError, MissingTargetError)) as error:
        destination_of(configuration, kubeconfig, socket, REASON)
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["staging", "development"])
def test_what_leads_there_is_taken(name: str) -> None:
    given = (THERE, None) if name == "staging" else (None, THERE)
    assert destination_of(example().one(name), *given, REASON) is THERE


@pytest.mark.parametrize(
    "text",
    [
        "clusters: 5\ncurrent-context: a",
        "clusters: [x]\ncurrent-context: a",
        "clusters: [{cluster: hunter2}]\ncurrent-context: a",
        "clusters: [2020-99-99]\ncurrent-context: a",
        "clusters: [{cluster: {}}]\ncurrent-context: [1]",
        "clusters: [{cluster: {}}]\nusers: {a: hunter2}\ncurrent-context: a",
    ],
)
def test_a_kubeconfig_of_another_shape_is_told_without_its_text(text: str) -> None:
    with pytest.raises(KubeconfigError) as error:
        checked_kubeconfig(text)
    assert "hunter2" not in str(error.value)
