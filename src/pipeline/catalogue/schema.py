"""The JSON Schema of service.yml, for editors: `python -m pipeline.catalogue.schema`."""

import json
import sys

from pipeline.catalogue.models import SERVICE_FILE


def service_schema() -> str:
    """Give the schema as it is published in schemas/service.schema.json."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "service.yml",
        **SERVICE_FILE.json_schema(),
    }
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(service_schema())
