"""The graph of a function as a FunctionDef, as TensorFlow writes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from regraft import proto
from regraft.base.dtypes import resource
from regraft.ir.function import FunctionDef
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.serde.attr import attr_to_proto, shape_to_proto
from regraft.serde.function import output_length
from regraft.serde.node import node_to_proto


def function_def(
    name: str,
    graph: Graph,
    arguments: Sequence[Tensor],
    results: Sequence[Tensor],
    controls: Sequence[Operation] = (),
    attrs: Mapping[str, Any] | None = None,
) -> FunctionDef:
    """The function that `graph` is the body of.

    arguments  outputs of nodes without inputs; the nodes are left out
    results    what it returns
    controls   operations that must have run when it returns
    attrs      of the function, in the form of `ir.attr`
    """
    message = proto.FunctionDef()
    signature = message.signature
    signature.name = name
    names = _Names()
    values: dict[Tensor, str] = {}
    for i, tensor in enumerate(arguments):
        values[tensor] = names.unique(_normal(tensor.op.name))
        signature.input_arg.add(name=values[tensor], type=tensor.dtype.enum)
        said = tensor.op.attrs.get("_user_specified_name")
        if said:
            attr_to_proto(said, message.arg_attr[i].attr["_user_specified_name"])
        if tensor.dtype is not resource:
            shape_to_proto(tensor.shape, message.arg_attr[i].attr["_output_shapes"].list.shape.add())
    own = {tensor.op for tensor in arguments}
    nodes = [op for op in graph.get_operations() if op not in own]
    for op in nodes:
        node = node_to_proto(op, message.node_def.add())
        node.name = names.unique(op.name)
        values.update(_outputs(op, node.name))
        definition = op.graph.op_def(op.type)
        signature.is_stateful |= definition is not None and definition.is_stateful
    for op, node in zip(nodes, message.node_def, strict=True):
        del node.input[:]
        node.input.extend([values[t] for t in op.inputs])
        node.input.extend(sorted(f"^{_node_name(c, values)}" for c in op.control_inputs if c not in own))
    taken = _Names()
    for tensor in results:
        key = taken.unique(_normal(tensor.op.name))
        signature.output_arg.add(name=key, type=tensor.dtype.enum)
        message.ret[key] = values[tensor]
    for done in sorted(op.name for op in controls):
        signature.control_output.append(done)
        message.control_ret[done] = done
    for key, value in (attrs or {}).items():
        attr_to_proto(value, message.attr[key])
    return FunctionDef(name, message)


def _node_name(op: Operation, values: Mapping[Tensor, str]) -> str:
    return values[op.outputs[0]].partition(":")[0] if op.outputs else op.name


def _outputs(op: Operation, name: str) -> dict[Tensor, str]:
    """How nodes of the body call the outputs of one of them: node, output argument, position in it."""
    definition = op.graph.op_def(op.type)
    assert definition is not None, f"op {op.type!r} has no known signature"
    found = {}
    at = 0
    for arg in definition.outputs:
        for i in range(output_length(arg, op.attrs)):
            found[op.outputs[at]] = f"{name}:{arg.name}:{i}"
            at += 1
    return found


class _Names:
    """Names in use, in the order in which they are given out."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def unique(self, name: str) -> str:
        """`name`, with a number behind it where it is taken."""
        found, count = name, 0
        while found in self._used:
            found = f"{name}_{count}"
            count += 1
        self._used.add(found)
        return found


def _normal(name: str) -> str:
    """A node's name as the name of an argument: lower case, letters first, no slashes."""
    text = re.sub(r"[^a-z0-9]", "_", name.lower()).lstrip("_0123456789")
    return text or "unknown"
