"""Variables into constants: a GraphDef that stands for itself, with no checkpoint beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from regraft.base.dtypes import as_dtype
from regraft.base.errors import UnimplementedError
from regraft.ir.attr import TensorValue
from regraft.metagraph.sub_graph import node_name
from regraft.serde.tensor import tensor_to_proto

VARIABLE_OPS = ("Variable", "VariableV2", "VarHandleOp")

# What hands a variable on: a reference or a handle before, the value itself after.
_PASSES = ("Enter", "Exit", "Identity", "Merge", "NextIteration", "Switch", "_SwitchN")
_REFERENCES = {f"Ref{op}": op for op in _PASSES}
_CALLS = frozenset(
    {"If", "StatelessIf", "Case", "StatelessCase", "While", "StatelessWhile", "PartitionedCall"}
    | {"StatefulPartitionedCall"}
)


def freeze(graph_def: Any, values: Mapping[str, Any]) -> Any:
    """The GraphDef with constants in place of variables, and with reads of values in place of reads of variables.

    values  arrays by the name of the variable's node; other variables stay

    raises  UnimplementedError where a variable is handed to a function of the library
    """
    out = type(graph_def)()
    out.CopyFrom(graph_def)
    nodes = {node.name: node for node in out.node}
    consumers: dict[str, list[Any]] = {}
    for node in out.node:
        for name in node.input:
            if not name.startswith("^"):
                consumers.setdefault(node_name(name), []).append(node)
    for name, array in values.items():
        node = nodes[name]
        dtype = node.attr["dtype"].type
        for consumer in list(_reached(node, consumers)):
            _take_value(out, consumer, dtype)
        _make_constant(node, dtype, array)
    return out


def _make_constant(node: Any, dtype: int, array: Any) -> None:
    name = node.name
    node.Clear()
    node.name, node.op = name, "Const"
    node.attr["dtype"].type = dtype
    tensor_to_proto(TensorValue(as_dtype(dtype), array), node.attr["value"].tensor)


def _reached(variable: Any, consumers: Mapping[str, list[Any]]) -> Iterator[Any]:
    """What takes the variable, itself or through nodes that hand it on; each node once."""
    seen = set()
    waiting = [variable]
    while waiting:
        for node in consumers.get(waiting.pop().name, ()):
            if node.name in seen:
                continue
            seen.add(node.name)
            if node.op in _PASSES or node.op in _REFERENCES:
                waiting.append(node)
            yield node


def _take_value(graph_def: Any, node: Any, dtype: int) -> None:
    """Make a consumer of a variable one of its value."""
    if node.op in _REFERENCES:
        node.op = _REFERENCES[node.op]
    if node.op in _PASSES:
        node.attr["T"].type = dtype
        node.attr.pop("_output_shapes", None)
    elif node.op == "ReadVariableOp":
        _rewrite(node, "Identity", T="dtype")
    elif node.op == "ResourceGatherNd":
        _rewrite(node, "GatherNd", Tparams="dtype", Tindices="Tindices")
    elif node.op == "ResourceGather":
        _make_gather(graph_def, node)
    elif node.op in _CALLS:
        raise UnimplementedError(
            f"node {node.name!r} ({node.op}) hands a variable to a function: such graphs are not frozen",
            hint="build it with control flow of TensorFlow 1 (tf.disable_control_flow_v2)",
        )


def _rewrite(node: Any, op: str, **attrs: str) -> None:
    """Another op of the same inputs; its attributes by those of the old one that they come from.

    What the read waited for is of no account any more: a constant is the same at all times.
    """
    old = type(node)()
    old.CopyFrom(node)
    node.Clear()
    node.name, node.op = old.name, op
    node.input.extend(name for name in old.input if not name.startswith("^"))
    for name, source in attrs.items():
        node.attr[name].CopyFrom(old.attr[source])
    if "_class" in old.attr:
        node.attr["_class"].CopyFrom(old.attr["_class"])


def _make_gather(graph_def: Any, node: Any) -> None:
    if node.attr["batch_dims"].i:
        raise ValueError(f"batch_dims must be 0 to freeze, but node {node.name!r} has {node.attr['batch_dims'].i}.")
    axis = graph_def.node.add(name=f"{node.name}/axis", op="Const")
    index_type = node.attr["Tindices"].type
    axis.attr["dtype"].type = index_type
    dtype = as_dtype(index_type)
    tensor_to_proto(TensorValue(dtype, dtype.numpy.type(0)), axis.attr["value"].tensor)
    _rewrite(node, "GatherV2", Tparams="dtype", Tindices="Tindices", Taxis="Tindices")
    node.input.append(axis.name)
