"""The JSON Schema of config/environments/*.yml, for editors: of one repository's own settings."""

import json
from typing import Any

from pipeline.catalogue.settings import Kind, Setting
from pipeline.config.environments import HEAD
from pipeline.config.sections import Sections

NAMES: dict[Kind, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "list": {"type": "array", "items": {"type": "string", "pattern": r"^[^\s,]([^,]*[^\s,])?$"}},
    "cpu": {"type": "string", "pattern": r"^([0-9]{1,9}(\.[0-9]{1,3})?|[0-9]{1,12}m)$"},
    "memory": {"type": "string", "pattern": r"^[0-9]{1,18}(\.[0-9]{1,3})?([KMGT]i|[kMGT])?$"},
}


def schema(sections: Sections) -> str:
    """Give the schema of the files of a repository with these sections."""
    head = HEAD.json_schema()
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "environment.yml",
        "type": "object",
        "properties": {
            **head["properties"],
            **{
                key: {
                    "description": f"Settings of {section.origin}.",
                    "type": ["object", "null"],
                    "properties": {
                        name: _property(setting)
                        for name, setting in section.settings.items()
                        if not setting.sensitive
                    },
                    "additionalProperties": False,
                }
                for key, section in sections.items()
            },
        },
        "additionalProperties": False,
    }
    return json.dumps(content, indent=2) + "\n"


def _property(setting: Setting) -> dict[str, Any]:
    """Describe a value, or null that removes one."""
    found = dict(NAMES[setting.type])
    if setting.choices:
        found["enum"] = setting.choices
    if setting.type in {"integer", "number"}:
        found |= {
            name: bound
            for name, bound in (("minimum", setting.minimum), ("maximum", setting.maximum))
            if bound is not None
        }
    default = {} if setting.default is None else {"default": setting.default}
    return {"description": setting.description, **default, "anyOf": [found, {"type": "null"}]}
