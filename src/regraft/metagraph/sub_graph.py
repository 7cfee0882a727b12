"""Parts of GraphDefs: what given nodes need, and a graph without what only training needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from regraft import proto
from regraft.base.names import COLOCATION_PREFIX

_CHECKS = ("CheckNumerics",)
_PASSES = ("Identity", "StopGradient")


def node_name(text: str) -> str:
    """The node that an input (`a`, `a:1`, `^a`) comes from."""
    return text.removeprefix("^").partition(":")[0]


def _colocated(node: Any) -> list[str]:
    """The nodes that a node is to stand beside."""
    if "_class" not in node.attr:
        return []
    return [group.removeprefix(COLOCATION_PREFIX).decode() for group in node.attr["_class"].list.s]


def extract_sub_graph(graph_def: Any, dest_nodes: Iterable[str]) -> Any:
    """The GraphDef of all that the named nodes need, colocation groups included; nodes keep their order.

    raises  AssertionError, ValueError for a node or an input that the graph does not have
    """
    nodes = {node.name: node for node in graph_def.node}
    waiting = list(dest_nodes)
    for name in waiting:
        assert name in nodes, f"{name} is not in graph"
    keep: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in keep:
            continue
        if name not in nodes:
            raise ValueError(f"the graph has no node {name!r}, which others take as an input or stand beside")
        keep.add(name)
        waiting += [*map(node_name, nodes[name].input), *_colocated(nodes[name])]
    out = type(graph_def)()
    out.node.extend(node for node in graph_def.node if node.name in keep)
    out.library.CopyFrom(graph_def.library)
    out.versions.CopyFrom(graph_def.versions)
    return out


def remove_training_nodes(graph_def: Any, protected_nodes: Collection[str] = ()) -> Any:
    """The graph without its CheckNumerics nodes, and with Identity and StopGradient nodes bridged.

    Those that take or give control inputs stay, those that others stand beside, and those that are protected.
    """
    out = type(graph_def)()
    checks = {node.name for node in graph_def.node if node.op in _CHECKS and node.name not in protected_nodes}
    for node in graph_def.node:
        if node.name not in checks:
            _with_inputs(out.node.add(), node, [i for i in node.input if i.removeprefix("^") not in checks])
    bridged = _bridges(out, protected_nodes)
    result = type(graph_def)()
    for node in out.node:
        if node.name not in bridged:
            _with_inputs(result.node.add(), node, [_behind(i, bridged) for i in node.input])
    return result


def _bridges(graph_def: Any, protected: Collection[str]) -> dict[str, str]:
    """The nodes that only pass a value on, with the input that they pass on."""
    stay = set(protected)
    for node in graph_def.node:
        stay.update(_colocated(node))
        controls = [name[1:] for name in node.input if name.startswith("^")]
        if controls:
            stay.update([*controls, node.name])
    return {node.name: node.input[0] for node in graph_def.node if node.op in _PASSES and node.name not in stay}


def _behind(name: str, bridged: Mapping[str, str]) -> str:
    while name.removeprefix("^") in bridged:
        name = bridged[name.removeprefix("^")]
    return name


def _with_inputs(out: Any, node: Any, inputs: Iterable[str]) -> None:
    out.CopyFrom(node)
    out.ClearField("input")
    out.input.extend(inputs)


def as_graph_def(message: Any) -> Any:
    """A GraphDef as ours. TypeError for anything else."""
    try:
        return proto.as_ours(message, proto.GraphDef)
    except TypeError as e:
        raise TypeError(f"graph_def must be a graph_pb2.GraphDef proto, but got type {type(message)}.") from e
