"""The JSON Schemas in schemas/, for editors: `python -m pipeline.schemas` writes them there.

They describe files that people write, and what their policy rules are told.
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
from pipeline.security.facts import Facts

FILES: dict[str, TypeAdapter[Any]] = {
    "policy": POLICY,
    "scan": SCAN,
    "service": SERVICE_FILE,
    "signing": SIGNING,
    "stack": STACK,
    "waivers": WAIVERS,
}


def schemas() -> dict[str, str]:
    """Give all schemas, as they are published in schemas/<name>.schema.json."""
    files = {
        name: _written(f"{name}.yml", adapter.json_schema()) for name, adapter in FILES.items()
    }
    return {**files, "facts": _written("Facts", Facts.model_json_schema(mode="serialization"))}


def _written(title: str, content: dict[str, Any]) -> str:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return json.dumps({**head, **content}, indent=2) + "\n"


if __name__ == "__main__":
    for name, text in schemas().items():
        Path(f"schemas/{name}.schema.json").write_text(text)
