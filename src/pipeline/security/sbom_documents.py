"""SBOM documents that stay the same as long as the image does.

Their formats ask for a number and a time of their own: both come from the image.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


def settled_cyclone_dx(document: Document, digest: str, created: str) -> str:
    """Write CycloneDX about an image; `created` is a time as ISO 8601 has it."""
    metadata = {**document["metadata"], "timestamp": created}
    number = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}"
    return _written({**document, "serialNumber": number, "metadata": metadata})


def settled_spdx(document: Document, digest: str, created: str) -> str:
    """Write SPDX about an image; `created` is a time as ISO 8601 has it."""
    information = {**document["creationInfo"], "created": created}
    namespace = f"https://spdx.org/spdxdocs/{uuid.uuid5(uuid.NAMESPACE_URL, digest)}"
    return _written({**document, "documentNamespace": namespace, "creationInfo": information})


def _written(document: Document) -> str:
    return json.dumps(document, indent=1) + "\n"
