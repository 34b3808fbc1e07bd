"""Versions, tags, origins, registry addresses, and what is said of a failed push."""

from dataclasses import replace

import pytest

from pipeline.registry.reference import (
    CredentialsError,
    RegistryAddressError,
    checked_credentials,
    checked_registry,
)
from pipeline.release.failures import (
    NotPublishedError,
    PublishError,
    UnreadableRegistryError,
    is_missing,
)
from pipeline.version.release import (
    Commit,
    ShallowHistoryError,
    as_tag,
    public_address,
    release_of,
)

SHA = "0123456789abcdef0123456789abcdef01234567"
COMMIT = Commit(
    revision=SHA,
    timestamp=1_700_000_000,
    count=12,
    tags=[],
    dirty=False,
    shallow=False,
    origin="https://github.com/acme/shop.git",
)


def test_without_a_tag_a_commit_has_a_development_version() -> None:
    release = release_of(COMMIT)
    assert release.version == "0.0.0-dev.12+0123456"
    assert release.tags == [SHA, "0.0.0-dev.12-0123456"]


def test_the_highest_version_among_the_tags_counts() -> None:
    tags = ["v1.2.0-rc.1", "v1.2.0", "nightly", "v1.1.9", "1.10"]
    release = release_of(replace(COMMIT, tags=tags))
    assert release.version == "1.2.0"
    assert release.tags == [SHA, "1.2.0"]


def test_changed_sources_never_take_the_name_of_a_commit_or_version() -> None:
    release = release_of(replace(COMMIT, tags=["v1.2.0"], dirty=True))
    assert release.version == "0.0.0-dev.12+0123456.dirty"
    assert release.tags == [f"{SHA}-dirty", "0.0.0-dev.12-0123456-dirty"]


def test_a_shallow_clone_is_fine_with_a_tag_only() -> None:
    shallow = replace(COMMIT, shallow=True)
    assert release_of(replace(shallow, tags=["v2.0.0"])).version == "2.0.0"
    with pytest.raises(ShallowHistoryError, match="--unshallow"):
        release_of(shallow)


def test_a_folder_without_history_has_a_version_too() -> None:
    release = release_of(None)
    assert release.tags == ["0.0.0-dev"]
    assert release.annotations("A service") == {
        "org.opencontainers.image.title": "A service",
        "org.opencontainers.image.version": "0.0.0-dev",
        "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
    }


def test_annotations_say_where_an_image_comes_from() -> None:
    assert release_of(COMMIT).annotations("A service") == {
        "org.opencontainers.image.title": "A service",
        "org.opencontainers.image.version": "0.0.0-dev.12+0123456",
        "org.opencontainers.image.revision": SHA,
        "org.opencontainers.image.source": "https://github.com/acme/shop",
        "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
    }


def test_tags_have_no_plus_and_an_end() -> None:
    assert as_tag("1.0.0+build/7") == "1.0.0-build-7"
    assert len(as_tag("1" * 200)) == 128


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ("git@github.com:acme/shop.git", "https://github.com/acme/shop"),
        ("ssh://git@host.example/acme/shop", "https://host.example/acme/shop"),
        ("https://user:secret@github.com/acme/shop.git", "https://github.com/acme/shop"),
        ("https://token@host.example:8443/shop/", "https://host.example:8443/shop"),
        ("/srv/git/shop", ""),
        ("", ""),
    ],
)
def test_an_origin_is_shown_without_credentials(origin: str, address: str) -> None:
    assert public_address(origin) == address


@pytest.mark.parametrize("good", ["ghcr.io/acme", "localhost:5000", "10.0.0.1:5000/a/b_c"])
def test_registry_addresses(good: str) -> None:
    checked_registry(good)


@pytest.mark.parametrize("bad", ["https://ghcr.io", "ghcr.io/Acme", "ghcr.io/", "a b", "-"])
def test_what_is_no_registry_address(bad: str) -> None:
    with pytest.raises(RegistryAddressError, match=r"ghcr\.io/acme"):
        checked_registry(bad)


def test_no_registry_says_how_to_name_one() -> None:
    with pytest.raises(RegistryAddressError, match=r"--registry .* config/registry\.yml"):
        checked_registry("")


def test_credentials_come_together() -> None:
    checked_credentials("", has_password=False)
    checked_credentials("me", has_password=True)
    with pytest.raises(CredentialsError, match="--registry-username is missing"):
        checked_credentials("", has_password=True)
    with pytest.raises(CredentialsError, match="--registry-password"):
        checked_credentials("me", has_password=False)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("request failed: unauthorized [http 401]", "access denied"),
        ("dial tcp 10.0.0.1:5000: connect: connection refused", "can't be reached"),
        ("manifest invalid", "refused it"),
    ],
)
def test_a_failed_push_says_why_and_what_went_before(cause: str, reason: str) -> None:
    said = str(PublishError("ghcr.io/acme/a:1", cause, ["ghcr.io/acme/b:1"]))
    assert reason in said
    assert cause in said
    assert "Published before that, in this run: ghcr.io/acme/b:1" in said


@pytest.mark.parametrize(
    ("cause", "missing", "said"),
    [
        ("request failed: not found [http 404]: \n", True, ""),
        ("request failed: unauthorized [http 401]\n", False, "access denied"),
        ("dial tcp 10.0.0.1:1: connect: connection refused\n", False, "can't be reached"),
        ("", False, "The registry said: nothing"),
    ],
)
def test_what_is_missing_is_told_from_what_is_unknown(cause: str, missing: bool, said: str) -> None:
    assert is_missing(cause) is missing
    assert said in str(UnreadableRegistryError("ghcr.io/acme/a:1", cause))


def test_everything_that_is_missing_is_named_with_what_to_do() -> None:
    said = str(NotPublishedError(["ghcr.io/acme/a:1", "ghcr.io/acme/b:1"]))
    assert "acme/a:1\n  ghcr.io/acme/b:1" in said
    assert "build-all --push" in said
