"""The commands of the bootstrap: `python -m bootstrap VERB`.

The verbs: start [PROGRAMS…], stop, status, clean; programs [PROGRAMS…]; scanners; kubernetes;
docker, docker stop; cluster, cluster stop; python LOCK.

PROGRAMS are those that tests and closed networks need: trivy, scanners, sops, kubernetes-tools,
kubernetes, local-path, sigstore, or all. `programs` makes them and nothing else, all of them at low
priority unless it is told which; `start` lets them be made in the background while it goes on.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap import (
    cluster,
    debian,
    docker,
    engine,
    go,
    images,
    kubernetes,
    machine,
    oci,
    registry,
    scanners,
    signing,
    sigstore,
    sops,
)
from bootstrap.programs import Programs
from bootstrap.settings import REPOSITORY, Settings
from bootstrap.steps import (
    LOW,
    Progress,
    SetupError,
    alone,
    is_current,
    key_of,
    run,
    set_priority,
    write_key,
)

NOT_RUNNING = 3  # status of a stopped service, as service managers have it
# In the order in which tests want them.
PROGRAMS = (
    *(scanners.TRIVY, scanners.PROGRAMS, sops.PROGRAMS),
    *cluster.PROGRAMS,
    sigstore.PROGRAMS,
)
ALL = "all"


def main() -> int:
    """Run the command on the command line; gives the exit status."""
    commands = {
        ("stop",): stop,
        ("clean",): clean,
        ("scanners",): make_scanners,
        ("kubernetes",): make_kubernetes,
        ("docker",): start_docker,
        ("docker", "stop"): stop_docker,
        ("cluster",): start_cluster,
        ("cluster", "stop"): stop_cluster,
    }
    # As by a person's key: what it has started, ends with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        settings = Settings.from_environment()
        match sys.argv[1:]:
            case ["start", *names]:
                start(settings, named(names))
            case ["programs", *names]:
                make_named(settings, names)
            case ["status"]:
                return status(settings)
            case ["python", lock]:
                print(make_python(settings, Path(lock), Progress()))
            case words if tuple(words) in commands:
                commands[tuple(words)](settings)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except SetupError as failure:
        print(f"pipeline: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("pipeline: interrupted; run it again to go on from here", file=sys.stderr)
        return 130
    return 0


def named(names: Sequence[str]) -> list[Programs]:
    """Give the programs of these names."""
    known = {programs.name: programs for programs in PROGRAMS}
    if list(names) == [ALL]:
        return list(PROGRAMS)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SetupError(f"No programs are named {unknown[0]}: there are {', '.join(known)}.")
    return [known[name] for name in names]


def start(settings: Settings, meanwhile: Sequence[Programs] = ()) -> None:
    """Set up what is missing, start what does not run, and print how to reach it.

    The programs are made in the background meanwhile, and later if they are not ready by then.
    """
    progress = Progress()
    with locked(settings, progress):
        running = is_running(settings)
        if not running:
            if os.geteuid() != 0:
                raise SetupError("Run this as root: an engine needs its own mounts and networks.")
            if shutil.which("apt-get") is None:
                raise SetupError("This machine is not Debian: start a Dagger engine yourself.")
            prepare(settings, progress, missing_of(settings, meanwhile))
        make_meanwhile(settings, progress, meanwhile)
        if not running:
            run_all(settings, progress)
        publish_images(settings, progress, [None])
        signing.write_environment(settings, progress)
    go.clean(settings)
    export({"PATH": f"{settings.dagger.parent}:{os.environ['PATH']}", **settings.exports()})


def make_named(settings: Settings, names: Sequence[str]) -> None:
    """Make programs and nothing else, one after the other: each can be used once it is there."""
    if not names:
        os.nice(LOW)
        set_priority(os.getpid(), LOW)
    make_programs(settings, Progress(), named(names or [ALL]))


def make_scanners(settings: Settings) -> None:
    """Make the images of scanners and sops, and small databases, and put them into the registry."""
    progress = Progress()
    if not is_running(settings):
        raise SetupError("The engine here makes the scanners' images: run ./pipeline start first.")
    made = [scanners.TRIVY, scanners.PROGRAMS, sops.PROGRAMS]
    make_programs(settings, progress, made)
    with locked(settings, progress):
        if not is_current(settings.databases, scanners.databases_key()):
            progress.step("the scanners' databases: small, see bootstrap/vulnerabilities/README.md")
            scanners.make_databases(settings)
        scanners.push_databases(settings)
        publish_images(settings, progress, made)
        signing.make_keys(settings)
        signing.write_environment(settings, progress)


def make_kubernetes(settings: Settings) -> None:
    """Make the images of helm, kubectl and their kin, and put them into the registry."""
    progress = Progress()
    if not is_running(settings):
        raise SetupError("The engine here makes the tools' images: run ./pipeline start first.")
    make_programs(settings, progress, [kubernetes.TOOLS])
    with locked(settings, progress):
        publish_images(settings, progress, [kubernetes.TOOLS])


def start_docker(settings: Settings) -> None:
    """Print how to reach Docker: the machine's own where it works, else one that is set up here."""
    exports, progress = docker.exports(settings), Progress()
    ours = os.environ.get("DOCKER_HOST") == exports["DOCKER_HOST"]
    if not ours and docker.answers(os.environ):
        return
    if not is_running(settings):
        raise SetupError("Docker's images come from the registry here: run ./pipeline start first.")
    with locked(settings, progress):
        if not docker.is_running(settings):
            progress.step("a Docker daemon of Debian's packages (half a minute, once)")
            docker.make(settings)
            docker.start(settings)
    export(exports)


def start_cluster(settings: Settings) -> None:
    """Print how to reach the cluster that is set up here, and start it unless it runs."""
    progress = Progress()
    if not is_running(settings):
        raise SetupError("The cluster's images come from the registry here: run ./pipeline start.")
    make_programs(settings, progress, cluster.PROGRAMS)
    with locked(settings, progress):
        if not cluster.is_running(settings):
            publish_images(settings, progress, cluster.PROGRAMS)
            progress.step("a Kubernetes cluster of one node (half a minute)")
            cluster.make(settings)
            cluster.start(settings)
    export(cluster.exports(settings))


def export(variables: Mapping[str, str]) -> None:
    """Print variables for a shell to take over."""
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")


def prepare(settings: Settings, progress: Progress, meanwhile: Sequence[Programs]) -> None:
    """Make every part that is missing or whose recipe changed.

    What is compiled in the background next is downloaded while the processor has enough to do.
    """
    parts = {
        "base": debian.base_key(),
        "root": debian.root_key(),
        "commands": engine.commands_key(),
        "content": engine.content_key(),
    }
    missing = {name for name, key in parts.items() if not is_current(settings.cache / name, key)}
    if not missing:
        return
    stop_all(settings)
    progress.say(f"setting up a Dagger engine in {settings.cache}, once; logs are in its logs/")
    python = make_python(settings, REPOSITORY / "requirements.lock", progress)
    progress.step("Go toolchain")
    go.make_toolchain(settings, python)
    nothing = contextlib.nullcontext()
    with go.cached(settings):
        with engine.fetching(settings) if "commands" in missing else nothing:
            progress.step("tools of this machine: mmdebstrap, runc")
            debian.make_host_tools(settings, progress)
            if "base" in missing:
                progress.step("base image of Debian packages (half a minute)")
            debian.make_base(settings)
            if "root" in missing:
                progress.step("the engine's root file system (a quarter of a minute)")
            debian.make_root(settings)
        if "commands" in missing:
            progress.step("compiling the engine and the dagger command (3 to 6 minutes)")
        following = next((programs for programs in meanwhile if programs.compiled), None)
        with following.fetching(settings) if following else nothing:
            engine.make_commands(settings)
    progress.step("packing the SDKs")
    engine.make_content(settings)


def missing_of(settings: Settings, wanted: Sequence[Programs]) -> list[Programs]:
    """Give the programs that are not made, or whose recipe changed."""
    return [programs for programs in wanted if not programs.are_current(settings)]


def make_programs(settings: Settings, progress: Progress, wanted: Sequence[Programs]) -> None:
    """Make the programs that are missing or whose recipe changed."""
    missing = missing_of(settings, wanted)
    if not missing:
        return
    with go.cached(settings):
        python = make_python(settings, REPOSITORY / "requirements.lock", progress)
        if any(programs.compiled for programs in missing):
            go.make_toolchain(settings, python)
        for programs, following in itertools.zip_longest(missing, missing[1:]):
            progress.step(programs.title)
            with following.fetching(settings) if following else contextlib.nullcontext():
                programs.make(settings, python, progress)
    go.clean(settings)


def make_meanwhile(settings: Settings, progress: Progress, wanted: Sequence[Programs]) -> None:
    """Let the programs that are missing be made in the background."""
    missing = [programs.name for programs in missing_of(settings, wanted)]
    if not missing:
        return
    log = settings.log("programs")
    progress.step(f"in the background: {', '.join(missing)}; see {log}")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bootstrap", "programs", *missing],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    set_priority(process.pid, LOW)
    with _meanwhile(settings).open("a") as started:
        started.write(f"{process.pid}\n")


def stop_meanwhile(settings: Settings) -> None:
    """End what is made in the background; the next run goes on from there."""
    started = _meanwhile(settings)
    for process in started.read_text().split() if started.exists() else []:
        command = Path(f"/proc/{process}/cmdline")
        # The number may be another process's by now.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if b"\0bootstrap\0programs\0" in command.read_bytes():
                os.killpg(int(process), signal.SIGTERM)
    started.unlink(missing_ok=True)


def _meanwhile(settings: Settings) -> Path:
    return settings.cache / "meanwhile"


def make_python(settings: Settings, lock: Path, progress: Progress) -> Path:
    """Make the virtual environment of a lock file; gives its Python."""
    key = key_of(lock, sys.version)
    environment = settings.cache / "venv" / lock.stem
    # Made at its final place, for it cannot be moved: the key comes last.
    python = environment / "bin/python"
    if is_current(environment, key):
        return python
    with alone(environment):
        if is_current(environment, key):
            return python
        progress.step(f"Python packages of {lock.name}")
        check = [sys.executable, "-c", "import ensurepip"]
        debian.need(settings, progress, check, ["python3-venv"])
        log = settings.log("python")
        run([sys.executable, "-m", "venv", "--clear", environment], log, "Run this again.")
        run(
            [python, "-m", "pip", "install", "--require-hashes", "--requirement", lock],
            log,
            "See that pip reaches a package index, then run this again.",
        )
        write_key(environment, key)
    return python


def run_all(settings: Settings, progress: Progress) -> None:
    """Start the registry and the engine."""
    progress.step("starting the registry and the engine")
    stop_all(settings)
    machine.remember(settings)
    registry.start(settings)
    digest = (settings.cache / "base/digest").read_text()
    repository, tag = images.BASE.split(":")
    oci.push(settings.cache / "base", digest, settings.registry, f"library/{repository}", tag)
    engine.start(settings)
    try:
        machine.emulate(settings)
    except (OSError, subprocess.CalledProcessError) as error:
        progress.say(f"   programs for arm64 cannot run here ({error}): only some tests need it")


def publish_images(
    settings: Settings, progress: Progress, wanted: Sequence[Programs | None]
) -> None:
    """Make the images of these programs whose recipe changed, and push them to the mirror."""
    base = (settings.cache / "base/digest").read_text()
    folder = settings.cache / "images"
    folder.mkdir(exist_ok=True)
    keys = {
        name: images.key(recipe, base)
        for name, recipe in images.IMAGES.items()
        if recipe.programs in wanted
    }
    notes = {name: folder / name.replace("/", "_") for name in keys}
    changed = [name for name, key in keys.items() if not is_current(notes[name], key)]
    if not changed:
        return
    progress.step(f"base images from packages: {', '.join(changed)} (a minute)")
    command = [settings.cache / "venv/requirements/bin/python", "-m", "bootstrap.publish"]
    environment = {**os.environ, **settings.exports()}
    published = subprocess.run(
        [*map(str, command), *changed], cwd=REPOSITORY, env=environment, check=False
    )
    if published.returncode != 0:
        raise SetupError(
            "The base images are not complete; run this again.", settings.log("images")
        )
    if any(notes[name].exists() for name in changed):
        engine.forget_resolved_images(settings)
    for name in changed:
        notes[name].touch()
        write_key(notes[name], keys[name])


def is_running(settings: Settings) -> bool:
    """Whether engine and registry answer, made from the recipes as they are now."""
    return (
        engine.answers(settings)
        and registry.answers(settings.registry)
        and is_current(settings.cache / "content", engine.content_key())
    )


def stop(settings: Settings) -> None:
    """Stop everything and leave the machine as it was; what was made stays in the cache."""
    if settings.cache.exists():
        stop_meanwhile(settings)
        with locked(settings, Progress()):
            stop_all(settings)


def stop_docker(settings: Settings) -> None:
    """Stop the Docker daemon alone."""
    if settings.run.exists():
        with locked(settings, Progress()):
            docker.stop(settings)


def stop_cluster(settings: Settings) -> None:
    """Stop the cluster alone."""
    if settings.run.exists():
        with locked(settings, Progress()):
            cluster.stop(settings)


def stop_all(settings: Settings) -> None:
    """Stop the containers and take back what they changed."""
    if settings.run.exists():
        cluster.stop(settings)
        docker.stop(settings)
        engine.stop(settings)
        registry.stop(settings)
        machine.restore(settings)
        shutil.rmtree(settings.run)


def status(settings: Settings) -> int:
    """Say what runs; the exit status is 0 when all of it does."""
    parts = {
        f"engine    {settings.socket}": engine.answers(settings),
        f"registry  {settings.registry}": registry.answers(settings.registry),
        "arm64     emulation, for tests": machine.emulates(),
    }
    if settings.docker_socket.exists():
        parts[f"docker    {settings.docker_socket}"] = docker.is_running(settings)
    if settings.kubeconfig.exists():
        parts[f"cluster   {settings.kubeconfig}"] = cluster.is_running(settings)
    for text, works in parts.items():
        print(f"{'running' if works else 'stopped':8} {text}")
    print(f"cache    {settings.cache}")
    return 0 if is_running(settings) else NOT_RUNNING


def clean(settings: Settings) -> None:
    """Stop everything and remove the cache."""
    stop(settings)
    with Path("/proc/self/mounts").open() as mounts:
        inside = [line.split()[1] for line in mounts if f" {settings.cache}/" in line]
    if inside:
        raise SetupError(f"Still mounted, so nothing was removed: {', '.join(inside)}.")
    # Not by Python, which stumbles where something else removes files too.
    subprocess.run(["rm", "-rf", settings.cache], check=True)


def locked(settings: Settings, progress: Progress) -> contextlib.AbstractContextManager[None]:
    """Keep other runs that start or stop something of the installation waiting."""
    return alone(
        settings.cache / "installation",
        lambda: progress.say("another run is setting up or stopping the engine: waiting for it"),
    )


if __name__ == "__main__":
    sys.exit(main())
