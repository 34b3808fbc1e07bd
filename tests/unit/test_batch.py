"""Many commands in one exec: each word arrives as it is, and none of them hangs the others."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from pipeline.engine.batch import CommandResult, ended_of, files_of
from tests.unit.hostile import hostile

# A program that says its arguments, each ended by a byte that no argument has.
SAYS = ["printf", "%s\\0"]


def ran(
    folder: Path, commands: Sequence[Sequence[str]], *, output: bool = True, seconds: int = 30
) -> list[CommandResult]:
    """What containers do with commands, done here."""
    for name, text in files_of(commands, output=output, seconds=seconds).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    script = ["sh", folder / "all", folder / "ended"]
    ran = subprocess.run(script, cwd="/", capture_output=True, text=True, check=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("", "")
    return ended_of((folder / "ended").read_text(), seconds)


def test_each_is_told_how_it_ended_and_what_it_said(tmp_path: Path) -> None:
    commands = [
        ["sh", "-c", "sleep 0.3; echo a; echo b >&2; exit 3"],
        ["printf", "no end of a line \xe9"],
        ["no-such-program"],
        ["true"],
    ]
    first, second, third, fourth = ran(tmp_path, commands)
    assert first == CommandResult(succeeded=False, output="a\n", errors="b\n")
    assert second == CommandResult(succeeded=True, output="no end of a line \xe9", errors="")
    assert not third.succeeded
    assert "no-such-program" in third.errors
    assert fourth == CommandResult(succeeded=True, output="", errors="")


def test_more_than_run_at_a_time_come_back_in_order(tmp_path: Path) -> None:
    commands = [["echo", str(number)] for number in range(23)]
    assert [each.output for each in ran(tmp_path, commands)] == [f"{n}\n" for n in range(23)]


@pytest.mark.parametrize(
    "word",
    [
        "ghcr.io/acme/$(touch /tmp/injected):1",
        "https://github.com/acme/'; touch /tmp/injected; '/ci.yml@refs/heads/`id`",
        '--certificate-identity-regexp=^(?:a|"$HOME"\\)$',
        "a\nexit 0\n% {} && ls > /tmp/injected",
        "",
        " ",
    ],
)
def test_words_of_strangers_stay_words(tmp_path: Path, word: str) -> None:
    [ended] = ran(tmp_path, [[*SAYS, word, "end"]])
    assert ended == CommandResult(succeeded=True, output=f"{word}\0end\0", errors="")
    assert not Path("/tmp/injected").exists()


def test_any_word_stays_a_word(tmp_path: Path) -> None:
    random = Random(7)
    words = [[hostile(random) for _ in range(3)] for _ in range(60)]
    for command, ended in zip(
        words, ran(tmp_path, [[*SAYS, *each] for each in words]), strict=True
    ):
        assert ended.output == "".join(f"{word}\0" for word in command)


def test_what_hangs_is_ended_and_the_others_arent(tmp_path: Path) -> None:
    ignores = ["sh", "-c", "trap '' TERM; sleep 50 & wait; wait"]
    hangs, ignores_it, does_not = ran(
        tmp_path, [["sleep", "50"], ignores, ["echo", "here"]], seconds=1
    )
    assert (hangs.succeeded, ignores_it.succeeded) == (False, False)
    assert "took longer than 1 s" in hangs.errors
    assert "it was killed" in ignores_it.errors
    assert does_not == CommandResult(succeeded=True, output="here\n", errors="")


def test_output_that_is_of_no_use_isnt_kept(tmp_path: Path) -> None:
    [ended] = ran(tmp_path, [["sh", "-c", "seq 100000; echo why >&2; exit 1"]], output=False)
    assert ended == CommandResult(succeeded=False, output="", errors="why\n")


def test_no_command_reads_what_another_should(tmp_path: Path) -> None:
    assert [each.output for each in ran(tmp_path, [["cat"], ["cat"]])] == ["", ""]


def test_each_has_a_home_of_its_own(tmp_path: Path) -> None:
    one, two = ran(tmp_path, [["sh", "-c", "echo $HOME; touch $HOME/a"]] * 2)
    assert one.output != two.output


def test_what_is_no_text_is_told_without_failing(tmp_path: Path) -> None:
    [ended] = ran(tmp_path, [["printf", "\\377\\000"]])
    assert ended.output == "\ufffd\0"
