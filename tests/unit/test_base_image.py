"""Which image another one stands on: by its Dockerfile, or by what it says."""

import pytest

from pipeline.build.base_image import base_image
from pipeline.registry.reference import full_name
from pipeline.security.facts import BASE_DIGEST, BASE_NAME, base_said

PLATFORM = {"TARGETOS": "linux", "TARGETARCH": "arm64"}


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("FROM debian:trixie-slim\n", "debian:trixie-slim"),
        ("FROM scratch\nCOPY file /\n", ""),
        ("# FROM a\n\n  from b\n", "b"),
        ("FROM rust AS build\nFROM debian\nCOPY --from=build /a /a\n", "debian"),
        ("FROM debian AS Base\nRUN true\nFROM base\n", "debian"),
        ("FROM scratch AS base\nFROM base AS last\n", ""),
        ("FROM --platform=$BUILDPLATFORM debian\n", "debian"),
        ("FROM debian@sha256:12 AS a\n", "debian@sha256:12"),
        ("ARG TAG=trixie NAME='debian'\nFROM $NAME:${TAG}\n", "debian:trixie"),
        ("ARG A=debian\nARG B=$A:13\nFROM $B\n", "debian:13"),
        ("ARG TAG\nFROM debian:${TAG:-13}\n", "debian:13"),
        ("FROM debian:${TAG}\n", "debian:${TAG}"),
        ("ARG VERSION=1\nFROM debian:$VERSION\n", "debian:2"),
        # Without ARG it isn't the Dockerfile's, and behind FROM it is the stage's.
        ("FROM debian:$VERSION\nARG VERSION\n", "debian:$VERSION"),
        ("FROM a AS amd64-base\nFROM b AS arm64-base\nFROM ${TARGETARCH}-base\n", "b"),
        ("FROM a\nRUN true && \\\n# no end\n  FROM b\n", "a"),
        ("FROM \\\n  a\n", "a"),
        ("FROM a\nRUN <<EOF\nFROM b\nEOF\n", "a"),
        ("FROM a\nCOPY <<-'ONE' <<TWO /\nFROM b\n\tONE\nFROM c\nTWO\nFROM d\n", "d"),
        ("FROM a\nRUN cat <<< word && echo $((1<<2))\nFROM b\n", "b"),
        ("FROM a\nRUN <<EOF\nFROM b\n", "a"),
        ("", ""),
    ],
)
def test_the_last_stage(text: str, base: str) -> None:
    assert base_image(text, None, {**PLATFORM, "VERSION": "2"}) == base


def test_the_stage_that_is_built() -> None:
    text = "FROM a AS one\nFROM b AS Two\nFROM c\n"
    assert base_image(text, "two", {}) == "b"
    assert base_image(text, None, {}) == "c"


@pytest.mark.parametrize(
    ("annotations", "built_on", "said"),
    [
        ({}, None, ("", "")),
        ({BASE_NAME: "debian:13", BASE_DIGEST: "sha256:1"}, None, ("debian:13", "sha256:1")),
        ({BASE_NAME: "debian:13"}, None, ("debian:13", "")),
        # These labels are the base image's own: it says what it stands on itself.
        ({BASE_NAME: "debian:13"}, "node@sha256:2", ("node@sha256:2", "sha256:2")),
        ({BASE_NAME: "debian:13"}, "", ("", "")),
    ],
)
def test_who_says_it(
    annotations: dict[str, str], built_on: str | None, said: tuple[str, str]
) -> None:
    assert base_said(annotations, built_on) == said


@pytest.mark.parametrize(
    ("reference", "full"),
    [
        ("debian:13", "docker.io/library/debian:13"),
        ("acme/shop", "docker.io/acme/shop"),
        ("ghcr.io/acme/shop", "ghcr.io/acme/shop"),
        ("localhost/shop", "localhost/shop"),
        ("registry:5000/shop", "registry:5000/shop"),
    ],
)
def test_a_name_without_a_registry_is_docker_hubs(reference: str, full: str) -> None:
    assert full_name(reference) == full
