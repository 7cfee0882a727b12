"""The nodes of an export: all of them, those of a scope, those without the parts of other Savers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from regraft import proto
from regraft.base import names
from regraft.ir.graph import Graph
from regraft.metagraph.export_collections import UNBOUND, included
from regraft.serde.graph import put_functions, put_versions
from regraft.serde.node import node_to_proto

_MOST_BYTES = 1 << 31

_SAVER_OPS = frozenset(
    {
        "SaveV2", "Save", "SaveSlices", "SaveSlice", "LegacySave", "LegacySaveSlice",
        "RestoreV2", "Restore", "RestoreSlice", "LegacyRestore", "LegacyRestoreSlice",
    }
)  # fmt: skip


def scoped_graph_def(
    graph: Graph,
    graph_def: proto.GraphDef | None,
    export_scope: str,
    clear_devices: bool,
    exclude_nodes: Collection[str],
) -> tuple[proto.GraphDef, list[str]]:
    """The nodes below a scope under their names there, and the names given to inputs from outside of it.

    graph_def  the nodes to choose from; None for those of the graph, with their shapes
    raises     ValueError if the nodes take 2 GB or more
    """
    message = proto.GraphDef()
    unbound: list[str] = []
    if graph_def is not None:
        message.versions.CopyFrom(graph_def.versions)
        message.library.CopyFrom(graph_def.library)
        for node in graph_def.node:
            if included(node.name, export_scope, exclude_nodes):
                copy = message.node.add()
                copy.CopyFrom(node)
                _into_scope(copy, export_scope, clear_devices, unbound)
    else:
        put_versions(graph, message.versions)
        for op in graph.get_operations():
            if included(op.name, export_scope, exclude_nodes):
                copy = node_to_proto(op, message.node.add(), add_shapes=True)
                _into_scope(copy, export_scope, clear_devices, unbound)
        put_functions(graph, message)
        size = message.ByteSize()
        if size >= _MOST_BYTES:
            raise ValueError(f"GraphDef cannot be larger than 2GB. Received size: {size}.")
    return message, list(dict.fromkeys(unbound))


def _into_scope(node: Any, scope: str, clear_devices: bool, unbound: list[str]) -> None:
    node.name = names.strip_scope(node.name, scope)
    if clear_devices:
        node.device = ""
    if not scope:
        return
    for i, text in enumerate(list(node.input)):
        if names.in_scope(text.lstrip("^"), scope):
            node.input[i] = names.strip_scope(text, scope)
        else:
            mark = "^" if text.startswith("^") else ""
            node.input[i] = f"{mark}{UNBOUND}{text[len(mark) :]}"
            unbound.append(node.input[i])
    if "_class" in node.attr:
        groups = [g.decode() for g in node.attr["_class"].list.s]
        kept = [names.strip_scope(g, scope) for g in groups if names.in_scope(g.partition("@")[2], scope)]
        node.attr["_class"].Clear()
        node.attr["_class"].list.s.extend([g.encode() for g in kept])
    if node.op in ("Enter", "RefEnter") and "frame_name" in node.attr:
        frame = node.attr["frame_name"].s.decode()
        node.attr["frame_name"].s = names.strip_scope(frame, scope).encode()


def extraneous_saver_nodes(nodes: Iterable[tuple[str, str]], saver_def: proto.SaverDef | None) -> set[str]:
    """The nodes of all Savers but that of `saver_def`: everything in a name scope where an op saves or restores.

    nodes  (name, op type) of each
    """
    every = list(nodes)
    own = {name for name, op in every if op in _SAVER_OPS}
    scopes = {_scope(name) for name in own} - own
    if saver_def is not None:
        scopes -= {_scope(saver_def.save_tensor_name.partition(":")[0]), _scope(saver_def.restore_op_name)}
    heads = tuple(f"{scope}/" for scope in scopes)
    return {name for name, _ in every if name.startswith(heads)}


def _scope(name: str) -> str:
    return name.removeprefix("^").rpartition("/")[0]
