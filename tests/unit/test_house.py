"""Rules of the house that no linter knows."""

import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.mutants import MUTANTS
from tests.run import LANES

ROOT = Path(__file__).parents[2]


def test_the_module_knows_nothing_of_the_bootstrap() -> None:
    files = [path for path in (ROOT / "src").rglob("*") if path.is_file()]
    assert [path for path in files if b"bootstrap" in path.read_bytes().lower()] == []


def test_the_module_is_standard() -> None:
    assert json.loads((ROOT / "dagger.json").read_text()) == {
        "name": "pipeline",
        "engineVersion": "v0.19.10",
        "sdk": {"source": "python"},
        # What changes there doesn't install the module anew.
        "include": ["!services", "!tests", "!docs", "!bootstrap", "!bench", "!.github"],
    }


def test_every_module_can_be_imported() -> None:
    """By the oldest Python that pyproject.toml promises, too: nobody else imports all of them."""
    for module in pkgutil.walk_packages([str(ROOT / "src/pipeline")], "pipeline."):
        importlib.import_module(module.name)


def test_upstreams_runtime_verifies_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["uv"]["pip"]["generate-hashes"] is True


def test_registration_imports_little() -> None:
    """Newer engines register the module in every session, and import it for that."""
    script = "import sys, dagger.mod; before = set(sys.modules); import pipeline.main; "
    script += "print(*set(sys.modules) - before)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    imported = run.stdout.split()
    assert not {"jinja2", "markupsafe", "jsonschema"} & {*imported}
    assert len(imported) <= 310


# Kubernetes' own word for handing requests on.
KUBERNETES = {
    ("src/pipeline/deploy/kubernetes/cluster.py", "proxy"),
    ("src/pipeline/deploy/kubernetes/health.py", "proxy"),
    ("deploy/chart/templates/deployer.yaml", "proxy"),
}


def test_no_service_stands_in_the_sources() -> None:
    names = [path.parent.name for path in ROOT.glob("services/*/service.yml")]
    texts = {
        str(path.relative_to(ROOT)): path.read_text()
        for folder in ("src/pipeline", "deploy/chart")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    found = {(path, name) for path, text in texts.items() for name in names if name in text}
    assert found - KUBERNETES == set()


def test_the_worked_example_names_no_address_of_a_machine() -> None:
    for path in (ROOT / "config").rglob("*.yml"):
        assert not re.search(r"\b(10|192|172)(\.\d+){3}\b", path.read_text()), path


def test_the_locks_are_of_the_declared_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for lock, declared in (
        ("requirements.lock", project["project"]["dependencies"]),
        ("requirements-dev.lock", project["dependency-groups"]["dev"]),
    ):
        lines = (ROOT / lock).read_text().splitlines()
        locked = {line.split(" ")[0] for line in lines if "==" in line}
        missing = [name for name in declared if "==" in name and name not in locked]
        assert missing == []
    assert "dagger-io==0.19.10 \\" in (ROOT / "requirements.lock").read_text()


def test_lock_files_hold_no_addresses() -> None:
    locks = [*ROOT.glob("requirements*.lock"), *ROOT.glob("services/*/package-lock.json")]
    assert len(locks) == 3
    for lock in locks:
        text = lock.read_text()
        assert '"resolved"' not in text
        assert "--index-url" not in text


def test_each_test_is_in_one_lane() -> None:
    for file in ROOT.glob("tests/**/test_*.py"):
        path = file.relative_to(ROOT)
        ways = {str(parent) for parent in (path, *path.parents)}
        lanes = [lane.name for lane in LANES.values() if ways & set(lane.paths)]
        assert len(lanes) == 1, f"{path} is in {lanes or 'no lane'}"


def test_each_mistake_of_the_mutants_can_be_made() -> None:
    for mutant in MUTANTS:
        text = (ROOT / "src/pipeline/deploy/kubernetes" / mutant.file).read_text()
        assert text.count(mutant.old) == 1, f"{mutant.file}: {mutant.old}"
