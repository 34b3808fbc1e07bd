"""The schemas that are published are those of the models."""

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from pipeline.schemas import schemas
from pipeline.security.facts import (
    BaseImageFacts,
    Facts,
    ImageFacts,
    PackageFacts,
    PlatformFacts,
    SbomFacts,
)

FOLDER = Path(__file__).parents[2] / "schemas"
DAY = date(2026, 6, 30)


def test_the_published_schemas_are_the_models() -> None:
    published = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert published == {f"{name}.schema.json": text for name, text in schemas().items()}


def facts() -> Facts:
    """Facts with nothing left out but what is known of published images only."""
    package = PackageFacts(name="a", version="1", purl="pkg:npm/a@1", licences=["MIT"])
    platform = PlatformFacts(
        platform="linux/amd64",
        digest="sha256:1",
        size=1,
        user="65532:65532",
        labels={"title": "A"},
        created=DAY,
        sbom=SbomFacts(packages=[package], unexplained=[], changed=[], unbacked=[]),
    )
    base = BaseImageFacts(name="debian", digest="", created=None, age_days=None)
    image = ImageFacts(
        image="a", digest="sha256:1", size_limit=None, base=base, platforms=[platform]
    )
    return Facts(today=DAY, version="1.0.0", revision="", images=[image], findings=None)


def test_what_rules_are_told_is_as_its_schema_says() -> None:
    schema = json.loads(schemas()["facts"])
    told = json.loads(facts().model_dump_json())
    jsonschema.validate(told, schema)
    del told["images"][0]["platforms"][0]["signature"]
    with pytest.raises(jsonschema.ValidationError, match="'signature' is a required property"):
        jsonschema.validate(told, schema)


def test_its_schema_says_what_each_object_is() -> None:
    schema = json.loads(schemas()["facts"])
    assert [name for name, part in schema["$defs"].items() if not part.get("description")] == []
