"""The JSON Schemas of files that people write, for editors: `python -m pipeline.catalogue.schema`.

Writes them into the folder schemas/.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipeline.catalogue.models import SERVICE_FILE
from pipeline.catalogue.policy import POLICY
from pipeline.catalogue.scan import SCAN
from pipeline.catalogue.signing import SIGNING
from pipeline.catalogue.stack import STACK
from pipeline.catalogue.waivers import WAIVERS

PUBLISHED: dict[str, TypeAdapter[Any]] = {
    "policy": POLICY,
    "scan": SCAN,
    "service": SERVICE_FILE,
    "signing": SIGNING,
    "stack": STACK,
    "waivers": WAIVERS,
}


def schema(name: str) -> str:
    """Give the schema as it is published in schemas/<name>.schema.json."""
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{name}.yml",
        **PUBLISHED[name].json_schema(),
    }
    return json.dumps(content, indent=2) + "\n"


if __name__ == "__main__":
    for published in PUBLISHED:
        Path(f"schemas/{published}.schema.json").write_text(schema(published))
