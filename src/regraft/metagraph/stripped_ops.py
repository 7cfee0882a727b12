"""The ops that a GraphDef uses, and attributes that say no more than their defaults."""

from __future__ import annotations

from functools import cache
from typing import Any

from regraft import proto
from regraft.base.errors import OpError
from regraft.ir.graph import Graph
from regraft.ir.op_def import OpDef, lookup
from regraft.serde.attr import attr_from_proto
from regraft.serde.node import default_attrs
from regraft.serde.op_def import op_def_to_proto


def ops_used_by(graph_def: proto.GraphDef) -> set[str]:
    """The op types of the nodes, and of the bodies of functions that they call; functions themselves do not count."""
    functions = {f.signature.name: f for f in graph_def.library.function}
    used: set[str] = set()
    bodies: list[Any] = [graph_def.node]
    while bodies:
        for node in bodies.pop():
            found = [node.op]
            if node.op in ("PartitionedCall", "StatefulPartitionedCall"):
                found.append(node.attr["f"].func.name)
            for name in found:
                if name not in used:
                    used.add(name)
                    if name in functions:
                        bodies.append(functions[name].node_def)
    return used - functions.keys()


def put_op_list(graph: Graph, graph_def: proto.GraphDef, message: proto.OpList) -> None:
    """Write the OpDefs of the ops that the GraphDef uses, sorted by name; ops that nobody knows are left out."""
    for name in sorted(ops_used_by(graph_def)):
        definition = graph.op_def(name)
        if definition is not None:
            message.op.add().CopyFrom(_as_message(definition))


@cache
def _as_message(definition: OpDef) -> proto.OpDef:
    return op_def_to_proto(definition)


def strip_default_attrs(graph_def: proto.GraphDef) -> None:
    """Remove attributes with their op's default value from nodes and function bodies."""
    functions = {f.signature.name for f in graph_def.library.function}
    for nodes in (graph_def.node, *(f.node_def for f in graph_def.library.function)):
        for node in nodes:
            definition = None if node.op in functions else lookup(node.op)
            if definition is None:
                continue
            defaults = default_attrs(definition)
            for name in [n for n in node.attr if n in defaults and _same(node.attr[n], defaults[n])]:
                del node.attr[name]


def _same(one: Any, other: Any) -> bool:
    if one == other:
        return True
    if one.WhichOneof("value") != "tensor" or other.WhichOneof("value") != "tensor":
        return False
    try:
        a, b = attr_from_proto(one), attr_from_proto(other)
    except OpError:
        return False
    return bool(a.dtype is b.dtype and a.array.shape == b.array.shape and (a.array == b.array).all())
