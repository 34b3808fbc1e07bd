"""Secrets through the real sops program: nothing lost, nothing shown, clear words when it fails."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from pipeline import documents
from pipeline.config.convert import dumped
from pipeline.config.secrets import load_secrets
from pipeline.config.sops import Sops, SopsError, recipients_of
from pipeline.errors import InvalidFilesError
from tests.conftest import ROOT
from tests.engine.people import PROGRAM, person
from tests.unit.hostile import hostile

pytestmark = pytest.mark.usefixtures("scanners")
PLAIN = {"shop": {"token": "hunter2", "other": "swordfish"}}


def sops(name: str = "me") -> Sops:
    """The program, as somebody has it who has a key."""
    return Sops(PROGRAM, person(name).key)


def ciphers(encrypted: str) -> dict[str, str]:
    found: dict[str, str] = documents.parse("a", encrypted).data["shop"]
    return found


async def encrypted() -> str:
    return await sops().encrypted(dumped(PLAIN), [person("me").recipient])


async def test_ten_thousand_values_come_back_and_keep_their_cipher_text() -> None:
    random = Random()
    values = {f"v{index}": f"{index}{hostile(random)}" for index in range(10_001)}
    before = await sops().encrypted(dumped({"shop": values}), [person("me").recipient])
    assert await sops().decrypted(before) == {"shop": values}
    after = await sops().with_value(before, "shop", "v5000", "new")
    assert await sops().decrypted(after) == {"shop": values | {"v5000": "new"}}
    assert not set(values.values()) & set(ciphers(before).values())
    assert len(ciphers(before).items() & ciphers(after).items()) == 10_000


async def test_only_the_value_that_is_set_changes() -> None:
    before = await encrypted()
    after = await sops().with_value(before, "shop", "token", 'it\'s "$new"\n')
    assert (await sops().decrypted(after))["shop"] == {
        "token": 'it\'s "$new"\n',
        "other": "swordfish",
    }
    assert ciphers(after)["other"] == ciphers(before)["other"]
    assert ciphers(after)["token"] != ciphers(before)["token"]
    more = await sops().with_value(after, "till", "pin", "1234")
    assert (await sops().decrypted(more))["till"] == {"pin": "1234"}


async def test_rotating_changes_every_cipher_text_and_no_value() -> None:
    before = await encrypted()
    after = await sops().rotated(before)
    assert await sops().decrypted(after) == PLAIN
    assert not set(ciphers(after).values()) & set(ciphers(before).values())


async def test_who_is_added_can_read_and_who_is_removed_cannot() -> None:
    shared = await sops().rotated(await encrypted(), added=[person("you").recipient])
    assert recipients_of(shared) == [person("me").recipient, person("you").recipient]
    assert await sops("you").decrypted(shared) == PLAIN
    alone = await sops().rotated(shared, removed=[person("you").recipient])
    with pytest.raises(SopsError, match="opens none of its keys"):
        await sops("you").decrypted(alone)


async def test_a_wrong_key_is_told_and_not_shown() -> None:
    text = await encrypted()
    recipients = f"Their recipients are {person('me').recipient}"
    for key, expected in [
        (None, "give it with --secrets-key"),
        (person("you").key, f"opens none of its keys.\n{recipients}"),
        ("AGE-SECRET-KEY-1HUNTER2", "the key isn't an age key"),
        ("hunter2", "the key isn't an age key"),
    ]:
        with pytest.raises(SopsError) as caught:
            await Sops(PROGRAM, key).decrypted(text)
        assert expected in str(caught.value)
        assert "hunter2" not in str(caught.value).lower()
        assert key is None or key not in repr(Sops(PROGRAM, key))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"(token: ENC\[AES256_GCM,data:)(..)", "a value doesn't decrypt"),
        (r"(mac: ENC\[AES256_GCM,data:)(..)", "the signature over all values"),
        (r"( +other: .*\n)()", "the signature over all values"),
    ],
)
async def test_what_was_tampered_with_is_told(pattern: str, expected: str) -> None:
    def change(found: re.Match[str]) -> str:
        return found[1] + found[2].swapcase()[::-1] if found[2] else ""

    text = re.sub(pattern, change, await encrypted())
    with pytest.raises(SopsError, match=expected):
        await sops().decrypted(text)


async def test_what_is_not_encrypted_may_change() -> None:
    note = {"shop": {"token": "hunter2", "note_unencrypted": "mine"}}
    text = await sops().encrypted(dumped(note), [person("me").recipient])
    changed = await sops().decrypted(text.replace("mine", "ours"))
    assert changed["shop"]["note_unencrypted"] == "ours"


async def test_a_recipient_that_is_none_is_told() -> None:
    with pytest.raises(SopsError, match="unknown recipient type"):
        await sops().rotated(await encrypted(), added=["me@example.com"])


@dataclass(frozen=True)
class Repository:
    """A repository with a file of secrets, of somebody who has a key."""

    folder: Path
    name = "config/secrets/one.yml"

    def git(self, *arguments: str) -> str:
        """Run git; a merge that stops is no failure."""
        environment = {
            "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "SOPS_AGE_KEY": person("me").key,
        }
        me = ["-c", "user.name=me", "-c", "user.email=me@example.com"]
        return subprocess.run(
            ["git", *me, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    @property
    def text(self) -> str:
        return (self.folder / self.name).read_text()

    def write(self, text: str) -> None:
        (self.folder / self.name).write_text(text)

    def differing(self) -> list[str]:
        """Lines that a diff shows as removed or added."""
        return [line for line in self.git("diff").splitlines() if re.match("[-+] ", line)]


@pytest.fixture
async def repository(tmp_path: Path) -> Repository:
    """A repository whose secrets are committed."""
    found = Repository(tmp_path)
    (tmp_path / found.name).parent.mkdir(parents=True)
    found.write(await encrypted())
    shutil.copy(ROOT / ".gitattributes", tmp_path)
    found.git("init", "--initial-branch=main")
    found.git("add", ".")
    found.git("commit", "--message=first")
    return found


async def test_a_diff_can_be_read_with_a_key_and_without(repository: Repository) -> None:
    repository.write(await sops().with_value(repository.text, "shop", "token", "changed"))
    names = {line[1:].split(":")[0].strip() for line in repository.differing()}
    assert {"token", "mac"} <= names <= {"token", "mac", "lastmodified"}
    repository.git("config", "diff.sops.textconv", "sops decrypt")
    assert repository.differing() == ["-    token: hunter2", "+    token: changed"]


async def test_two_peoples_edits_are_told_and_nothing_is_lost(repository: Repository) -> None:
    repository.git("switch", "--create=theirs")
    theirs = await sops().with_value(repository.text, "shop", "other", "theirs")
    repository.write(theirs)
    repository.git("commit", "--all", "--message=theirs")
    repository.git("switch", "main")
    mine = await sops().with_value(repository.text, "shop", "token", "mine")
    repository.write(mine)
    repository.git("commit", "--all", "--message=mine")
    repository.git("merge", "theirs")
    with pytest.raises(InvalidFilesError, match="git left a conflict: take one side whole"):
        load_secrets({repository.name: repository.text}, {}, ["one"])
    # Both values under the signature of one side, as somebody may mend it by hand.
    by_hand = theirs.replace(ciphers(theirs)["token"], ciphers(mine)["token"])
    with pytest.raises(SopsError, match="the signature over all values") as caught:
        await sops().decrypted(by_hand)
    assert "git checkout --ours or --theirs" in str(caught.value)
    repository.git("checkout", "--theirs", repository.name)
    both = await sops().with_value(repository.text, "shop", "token", "mine")
    assert await sops().decrypted(both) == {"shop": {"token": "mine", "other": "theirs"}}


async def test_the_ordinary_command_reads_and_writes_the_same_files(tmp_path: Path) -> None:
    file = tmp_path / "one.yml"
    file.write_text(await encrypted())
    environment = {"SOPS_AGE_KEY": person("me").key, "HOME": str(tmp_path)}

    def ordinary(*arguments: str) -> str:
        command = [PROGRAM, *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert documents.parse("a", ordinary("decrypt", str(file))).data == PLAIN
    ordinary("set", str(file), '["shop"]["token"]', '"changed"')
    assert (await sops().decrypted(file.read_text()))["shop"]["token"] == "changed"
