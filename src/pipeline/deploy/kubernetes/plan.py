"""What a deployment would change: objects and their fields; of secrets only that they change."""

from collections.abc import Iterator, Mapping

import yaml

from pipeline.deploy.kubernetes.cluster import Object
from pipeline.deploy.kubernetes.helm import NAMED_BY_CONTENT
from pipeline.report.plan import FieldChange, ObjectChange, PlanSummary

HIDDEN = "(secret)"
SECRET_FIELDS = ("data", "stringData")

Key = tuple[str, str]


def planned(before: str, after: str, release: str) -> PlanSummary:
    """Compare the objects of two manifests, in YAML; nothing before the first deployment."""
    old, new = _objects(before), _objects(after)
    changes = [
        change
        for key in sorted({*old, *new})
        if (change := _change(key, old.get(key), new.get(key))) is not None
    ]
    return PlanSummary(release=release, changes=changes)


def _objects(manifest: str) -> dict[Key, Object]:
    found = {}
    for content in yaml.load_all(manifest, yaml.CSafeLoader):
        if content:
            found[_key(content)] = content
    return found


def _key(content: Object) -> Key:
    """Know an object again: one whose name tells its content by what it is for."""
    metadata = content["metadata"]
    labels = metadata.get("labels") or {}
    if NAMED_BY_CONTENT in labels:
        return content["kind"], f"{labels['app.kubernetes.io/name']} (named by content)"
    return content["kind"], str(metadata["name"])


def _change(key: Key, old: Object | None, new: Object | None) -> ObjectChange | None:
    kind, name = key
    if old is None or new is None:
        action = "create" if old is None else "delete"
        return ObjectChange(action=action, kind=kind, name=name, fields=[])
    before, after = dict(_fields(old)), dict(_fields(new))
    fields = [
        FieldChange(
            field=field, before=_shown(kind, field, before), after=_shown(kind, field, after)
        )
        for field in sorted({*before, *after})
        if before.get(field) != after.get(field)
    ]
    return ObjectChange(action="change", kind=kind, name=name, fields=fields) if fields else None


def _fields(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """List all values below with their paths; entries of lists by their names, where they have."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _fields(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            named = isinstance(inner, Mapping) and "name" in inner
            yield from _fields(inner, f"{path}[{inner['name'] if named else index}]")
    else:
        yield path, str(value)


def _shown(kind: str, field: str, values: Mapping[str, str]) -> str | None:
    if field not in values:
        return None
    secret = kind == "Secret" and field.partition(".")[0] in SECRET_FIELDS
    return HIDDEN if secret else values[field]
