"""Whether the tests of deployments would notice: each small mistake here must turn them red.

Run by hand, `python -m tests.mutants`, or with words of the mistakes that are of interest; CI has
no minutes for it. Every mistake is made in a copy of the repository, of which the tests then run.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = [
    f"tests/unit/test_deploy_{name}.py"
    for name in (
        *("health", "lease", "problems", "progress"),
        *("whole", "broken", "interfered", "killed"),
    )
]
# Most of a run is the start of plugins that these tests don't need.
PLAIN = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
COMMAND = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "pytest_asyncio.plugin", *TESTS]
PATIENCE = 900
"""Seconds after which tests wait for ever, which is noticed; they take a tenth of it at most."""
LEFT_OUT = shutil.ignore_patterns(".git", "__pycache__", "node_modules", "target", ".*_cache")


@dataclass(frozen=True)
class Mutant:
    """A mistake: in which file of pipeline.deploy.kubernetes what text becomes which."""

    file: str
    old: str
    new: str


RELEASED = "    await lease.release()\n    return results[0]"
MUTANTS = [
    # What is remembered, and when.
    Mutant("rollout.py", "await self.lease.begin(trial)", "pass"),
    Mutant("rollout.py", 'await self.lease.reached("applied", revision)', "pass"),
    Mutant("rollout.py", 'await self.lease.reached("going back", tried)', "pass"),
    Mutant("rollout.py", '"going back", tried)', '"going back")'),
    Mutant("rollout.py", "        await self.lease.end(good)\n", ""),
    Mutant("deployer.py", "memory.current.revision if memory.current else 0", "0"),
    Mutant("deployer.py", "seen is not None and seen != lease.memory", "False"),
    Mutant("lease.py", "if each.content != good.content", ""),
    Mutant("lease.py", "good.content != now.content", "good.revision != now.revision"),
    # The trail.
    Mutant("deployer.py", 'await self._write(session, trial, reason, images, "started")', "pass"),
    Mutant("deployer.py", 'await self._write(session, trial, reason, images, "succeeded")', "pass"),
    Mutant("deployer.py", "images, ended, str(error))", 'images, "succeeded", str(error))'),
    Mutant("audit_store.py", "content) is not None", "content) is not False"),
    # Back, and on.
    Mutant("deployer.py", "if recover and lease.memory.trial else []", "if False else []"),
    Mutant("deployer.py", "return_to(before.revision, trial)", "return_to(trial.back, trial)"),
    Mutant("deployer.py", "trial.to or max(there, default=0)", "max(there, default=0)"),
    Mutant("deployer.py", " or revision not in there", ""),
    Mutant("rollout.py", "trial.back == 0 or good is None", "True"),
    Mutant("rollout.py", "await self.helm.uninstall()", "pass"),
    Mutant("rollout.py", "history[-1].revision != good.revision", "False"),
    Mutant("rollout.py", "self._again(good.revision, ", "self._again(trial.to, "),
    Mutant("rollout.py", "good.model_copy(update={", "good.model_copy(update={} and {"),
    Mutant("rollout.py", "await self.cluster.delete(path)\n        return", "pass\n        return"),
    Mutant("rollout.py", "other.revision >= since and ", "other.revision > since and "),
    Mutant("rollout.py", "judgement.done, expected, longest, longest)", "True, expected, 9, 9)"),
    Mutant(
        "rollout.py",
        "await healthy(self.entry, self.checks)\n        await self.lease",
        "await self.lease",
    ),
    Mutant("helm.py", "if not NOT_FOUND.search(str(error)):", "if True:"),
    Mutant("helm.py", ' and b"release: not found" in ended.stderr', ""),
    Mutant(
        "helm.py",
        "return f\"{manifest}\\n{await self._run(['get', 'hooks', *of])}\"",
        "return manifest",
    ),
    Mutant("helm.py", 'f"--history-max={KEPT}", "--output=json"]', '"--output=json"]'),
    # Up, and healthy.
    Mutant("rollout.py", "if enough(judgement) and not scaling:", "if enough(judgement):"),
    Mutant("rollout.py", "            if judgement.certain:", "            if False:"),
    Mutant("rollout.py", "if late or now - better > patience:", "if late:"),
    Mutant("rollout.py", "limits.bake + limits.health_timeout", "limits.health_timeout"),
    Mutant("rollout.py", "return observation.conclude()", "return str(observation)"),
    Mutant(
        "rollout.py",
        "(expected)\n            health = await healthy(self.entry, self.checks)",
        "(expected)",
    ),
    Mutant("rollout.py", 'if f"name: {name}\\n" not in wanted:', "if True:"),
    Mutant("rollout.py", "        await self._tidied(manifest)\n        return", "        return"),
    Mutant("rollout.py", "if problem.logs:", "if False:"),
    Mutant("health.py", "answer.status == 0 or ", ""),
    Mutant("health.py", "return self.status in check.status", "return self.status < 500"),
    Mutant("health.py", "> self.max_latency_ms", "< 0"),
    Mutant("health.py", "len(self.seconds) >= FEWEST and", "False and"),
    Mutant("deployer.py", "                is_healthy = False\n", ""),
    # One at a time.
    Mutant("lease.py", RELEASED, RELEASED.partition("\n")[2]),
    Mutant("lease.py", "if not isinstance(error, LostLeaseError | ClusterAwayError)", "if False"),
    Mutant("lease.py", "await anyio.sleep(RENEWED_EVERY)", "await anyio.sleep(1e9)"),
    Mutant("lease.py", "return end if end > now else None", "return end if end < now else None"),
    Mutant("lease.py", "if seen and renewed != seen:", "if seen:"),
    Mutant("lease.py", "- renewed > SECONDS:", "- renewed > 10 * SECONDS:"),
    Mutant("lease.py", '.get("holderIdentity") != self.holder:', '.get("holderIdentity") == "":'),
    Mutant("deployer.py", "is None:\n            said = [", "is not None:\n            said = ["),
    # What the cluster says.
    Mutant("cluster.py", "response.is_server_error or ", "False and "),
    Mutant("admission.py", "ended.returncode != 0 or TOO_FREE in said", "ended.returncode != 0"),
    Mutant("admission.py", "ended.returncode != 0 or TOO_FREE in said", "TOO_FREE in said"),
    Mutant("admission.py", '"labels": RESTRICTED', '"labels": {}'),
    Mutant("watch/workloads.py", "not self.lag and ", ""),
    Mutant("watch/workloads.py", "            and all(pod.is_over for pod in self.old)\n", ""),
    Mutant(
        "watch/workloads.py", "observed_generation < workload", "observed_generation > workload"
    ),
    Mutant("watch/progress.py", "if problem.certain or not rollout.done", "if problem.certain"),
    Mutant("watch/progress.py", "done=all(", "done=any("),
    Mutant("watch/container_problems.py", "TRIES = 2", "TRIES = 1"),
    Mutant("watch/container_problems.py", 'end.reason == "OOMKilled"', "False"),
    Mutant("watch/pod_problems.py", "late and not room_comes", "late"),
    Mutant("watch/creation_problems.py", "not rollout.new and not scene.ending", "True"),
    Mutant("watch/problem.py", ">= self.grace", "> self.grace"),
    Mutant("watch/kubernetes.py", "if self.state.running else self.restart_count + 1", ""),
]


def survives(mutant: Mutant, copy: Path) -> bool:
    """Make the mistake in a copy, and tell whether its tests are green all the same."""
    file = copy / "src/pipeline/deploy/kubernetes" / mutant.file
    text = file.read_text()
    count = text.count(mutant.old)
    assert count == 1, f"{mutant.file} has {mutant.old!r} {count} times"
    file.write_text(text.replace(mutant.old, mutant.new))
    try:
        ended = subprocess.run(
            COMMAND, cwd=copy, env=PLAIN, capture_output=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return False
    finally:
        file.write_text(text)
    assert ended.returncode in {0, 1}, ended.stdout.decode()[-2000:]
    return ended.returncode == 0


def main(words: list[str]) -> int:
    """Make every mistake after the other; tells how each fared, and how many went unnoticed."""
    chosen = [each for each in MUTANTS if all(word in f"{each.file} {each.old}" for word in words)]
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "repository"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        for mutant in chosen:
            began = time.monotonic()
            survived = survives(mutant, copy)
            unnoticed += survived
            outcome = "SURVIVED" if survived else "noticed"
            seconds = time.monotonic() - began
            change = f"{mutant.old.strip()} → {mutant.new.strip()}".replace("\n", "⏎")
            sys.stdout.write(f"{outcome:8} {seconds:5.1f} s  {mutant.file:28} {change}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen)} mistakes, {unnoticed} unnoticed\n")
    return min(unnoticed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
