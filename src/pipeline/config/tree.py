"""Layers of values that know where they come from, and how one is laid over another.

Mappings merge, everything else replaces, null removes. A null is kept until all is merged, and a
mapping that stands on something removed or replaced is `fresh`: so layers can be put together in
any grouping with the same result.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.documents import Document, FieldPath


@dataclass(frozen=True)
class Leaf:
    """A value, or null that removes one."""

    value: Any
    origin: str


@dataclass(frozen=True)
class Branch:
    """A mapping; a fresh one takes nothing over from what it is laid on."""

    children: Mapping[str, "Node"] = field(default_factory=dict)
    fresh: bool = False


Node = Leaf | Branch
EMPTY = Branch()


def tree_of(document: Document, path: FieldPath = ()) -> Node:
    """Make a layer of a file, whose every value knows its line."""
    data = document.data
    for part in path:
        data = data[part]
    if isinstance(data, dict):
        return Branch({str(key): tree_of(document, (*path, key)) for key in data})
    return Leaf(data, f"{document.path}:{document.names[path].line}")


def merged(lower: Node, upper: Node) -> Node:
    """Lay one layer over another."""
    if isinstance(upper, Leaf) or upper.fresh:
        return upper
    if isinstance(lower, Leaf):
        return Branch(upper.children, fresh=True)
    children = dict(lower.children)
    for name, child in upper.children.items():
        children[name] = merged(children[name], child) if name in children else child
    return Branch(children, lower.fresh)


def leaves(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    """List the values of a merged layer, without those that were removed."""
    if isinstance(node, Branch):
        for name, child in node.children.items():
            yield from leaves(child, (*path, name))
    elif node.value is not None:
        yield path, node
