"""Collections into a MetaGraphDef."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

from regraft import proto
from regraft.base import names
from regraft.base.errors import OpError
from regraft.ir.graph import Graph
from regraft.metagraph.collections import proto_functions

_log = logging.getLogger("regraft")

UNBOUND = "$unbound_inputs_"
"""Before the name of an input that lies outside the exported scope."""


def included(item: Any, export_scope: str, exclude: Collection[str]) -> bool:
    """Whether an item of a collection, or a node by its name, belongs into the export; what has no name does."""
    name = item if isinstance(item, str) else getattr(item, "name", None)
    if not isinstance(name, str):
        return True
    if name in exclude:
        return False
    # TensorFlow leaves control inputs out of the list of unbound ones, and then nobody can import the file.
    return name.removeprefix("^").startswith(UNBOUND) or names.in_scope(name, export_scope)


def add_collection_def(
    meta_graph_def: Any,
    key: Any,
    graph: Graph,
    export_scope: str | None = None,
    exclude_nodes: Collection[str] = (),
    override_contents: Sequence[Any] | None = None,
) -> None:
    """Write one collection, less what lies outside the scope or is excluded; nothing if nothing is left.

    The kind follows from the functions registered for the name, else from the first item. A collection that can't be
    written is left out, with a warning.
    """
    if not isinstance(key, (str, bytes)):
        _log.warning("Only collections with string type keys will be serialized. This key has %s", type(key))
        return
    scope = export_scope or ""
    items = graph.get_collection(key) if override_contents is None else override_contents
    items = [item for item in items if included(item, scope, exclude_nodes)]
    if not items:
        return
    message = proto.CollectionDef()
    try:
        _put(message, key, items, scope)
    except (TypeError, ValueError, AttributeError, KeyError, OpError) as e:
        _log.warning(
            "Issue encountered when serializing %s.\nType is unsupported, or the types of the items don't match field "
            "type in CollectionDef. Note this is a warning and probably safe to ignore.\n%s",
            key,
            e,
        )
        return
    meta_graph_def.collection_def[key].CopyFrom(message)


def _put(message: proto.CollectionDef, key: Any, items: Sequence[Any], scope: str) -> None:
    functions = proto_functions(key)
    if functions.to_proto is not None:
        message.bytes_list.SetInParent()
        for item in items:
            made = functions.to_proto(item, export_scope=scope or None)
            if made is None:
                continue
            if functions.proto_type is not None and not isinstance(made, functions.proto_type):
                raise TypeError(f"to_proto gave a {type(made).__name__}, not a {functions.proto_type.__name__}")
            message.bytes_list.value.append(made.SerializeToString())
        return
    first = items[0]
    if isinstance(first, (str, bytes)):
        message.bytes_list.value.extend([x if isinstance(x, bytes) else _encoded(x) for x in items])
    elif isinstance(first, int):
        message.int64_list.value.extend(items)
    elif isinstance(first, float):
        message.float_list.value.extend(items)
    elif type(first).__name__ == "Any" and hasattr(first, "type_url"):
        message.any_list.value.extend(items)
    else:
        message.node_list.value.extend([names.strip_scope(x.name, scope) for x in items])


def _encoded(item: Any) -> bytes:
    if not isinstance(item, str):
        raise TypeError(f"{item!r} stands among strings")
    return item.encode()
