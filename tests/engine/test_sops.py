"""Secrets through the real sops program: nothing lost, nothing shown, clear words when it fails."""

import re
import subprocess
from pathlib import Path
from random import Random

import pytest

from pipeline import documents
from pipeline.config.convert import dumped
from pipeline.config.sops import Sops, SopsError, recipients_of
from tests.engine.people import PROGRAM, person
from tests.unit.hostile import hostile

ME, YOU = person("me"), person("you")
SOPS = Sops(PROGRAM, ME.key)
PLAIN = {"shop": {"token": "hunter2", "other": "swordfish"}}


def ciphers(encrypted: str) -> dict[str, str]:
    found: dict[str, str] = documents.parse("a", encrypted).data["shop"]
    return found


async def encrypted() -> str:
    return await SOPS.encrypted(dumped(PLAIN), [ME.recipient])


async def test_ten_thousand_values_come_back_and_keep_their_cipher_text() -> None:
    random = Random()
    values = {f"v{index}": f"{index}{hostile(random)}" for index in range(10_001)}
    before = await SOPS.encrypted(dumped({"shop": values}), [ME.recipient])
    assert await SOPS.decrypted(before) == {"shop": values}
    after = await SOPS.with_value(before, "shop", "v5000", "new")
    assert await SOPS.decrypted(after) == {"shop": values | {"v5000": "new"}}
    assert not set(values.values()) & set(ciphers(before).values())
    assert len(ciphers(before).items() & ciphers(after).items()) == 10_000


async def test_only_the_value_that_is_set_changes() -> None:
    before = await encrypted()
    after = await SOPS.with_value(before, "shop", "token", 'it\'s "$new"\n')
    assert (await SOPS.decrypted(after))["shop"] == {
        "token": 'it\'s "$new"\n',
        "other": "swordfish",
    }
    assert ciphers(after)["other"] == ciphers(before)["other"]
    assert ciphers(after)["token"] != ciphers(before)["token"]
    more = await SOPS.with_value(after, "till", "pin", "1234")
    assert (await SOPS.decrypted(more))["till"] == {"pin": "1234"}


async def test_rotating_changes_every_cipher_text_and_no_value() -> None:
    before = await encrypted()
    after = await SOPS.rotated(before)
    assert await SOPS.decrypted(after) == PLAIN
    assert not set(ciphers(after).values()) & set(ciphers(before).values())


async def test_who_is_added_can_read_and_who_is_removed_cannot() -> None:
    shared = await SOPS.rotated(await encrypted(), added=[YOU.recipient])
    assert recipients_of(shared) == [ME.recipient, YOU.recipient]
    assert await Sops(PROGRAM, YOU.key).decrypted(shared) == PLAIN
    alone = await SOPS.rotated(shared, removed=[YOU.recipient])
    with pytest.raises(SopsError, match="opens none of its keys"):
        await Sops(PROGRAM, YOU.key).decrypted(alone)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (None, "give it with --key"),
        (YOU.key, f"opens none of its keys.\nTheir recipients are {ME.recipient}"),
        ("AGE-SECRET-KEY-1HUNTER2", "the key isn't an age key"),
        ("hunter2", "the key isn't an age key"),
    ],
)
async def test_a_wrong_key_is_told_and_not_shown(key: str | None, expected: str) -> None:
    text = await encrypted()
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
        await SOPS.decrypted(text)


async def test_what_is_not_encrypted_may_change() -> None:
    note = {"shop": {"token": "hunter2", "note_unencrypted": "mine"}}
    text = await SOPS.encrypted(dumped(note), [ME.recipient])
    changed = await SOPS.decrypted(text.replace("mine", "ours"))
    assert changed["shop"]["note_unencrypted"] == "ours"


async def test_a_recipient_that_is_none_is_told() -> None:
    with pytest.raises(SopsError, match="unknown recipient type"):
        await SOPS.rotated(await encrypted(), added=["me@example.com"])


async def test_the_ordinary_command_reads_and_writes_the_same_files(tmp_path: Path) -> None:
    file = tmp_path / "one.yml"
    file.write_text(await encrypted())
    environment = {"SOPS_AGE_KEY": ME.key, "HOME": str(tmp_path)}

    def sops(*arguments: str) -> str:
        command = [PROGRAM, *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert documents.parse("a", sops("decrypt", str(file))).data == PLAIN
    sops("set", str(file), '["shop"]["token"]', '"changed"')
    assert (await SOPS.decrypted(file.read_text()))["shop"]["token"] == "changed"
