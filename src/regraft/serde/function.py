"""The body of a library function as a graph of its own, for one set of attributes.

A FunctionDef names values in its own way: `x` is an argument, `node:y:1` the second tensor of the node's output `y`,
`node:y` all of them. Here they become the plain tensors of a graph: each argument an `_Arg` node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regraft import proto
from regraft.base.dtypes import as_dtype
from regraft.base.errors import InvalidArgumentError
from regraft.ir.function import FunctionDef
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.ir.op_def import ArgDef
from regraft.serde.attr import attr_from_proto, attr_to_proto
from regraft.serde.graph import OpFinder, read_nodes
from regraft.serde.op_def import op_def_from_proto


@dataclass(frozen=True)
class FunctionBody:
    """A function, instantiated.

    graph     its nodes; shares the library of the graph that it was made for
    inputs    the tensors that stand for its arguments, lists laid out flat
    outputs   what it returns, lists laid out flat
    controls  operations that must have run when it returns
    """

    graph: Graph
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    controls: tuple[Operation, ...]


def function_body(library: Graph, function: FunctionDef, attrs: Mapping[str, Any]) -> FunctionBody:
    """Instantiate a function of the library with the attributes of a call.

    attrs   values as `ir.attr` lists them; those that the body does not ask for are ignored

    raises  InvalidArgumentError where the body names values that it does not have, ValueError as `read_nodes`
    """
    return _Body(library, function, attrs).made()


class _Body:
    def __init__(self, library: Graph, function: FunctionDef, attrs: Mapping[str, Any]) -> None:
        self.function = function
        self.message = proto.as_ours(function.proto, proto.FunctionDef)
        self.attrs = attrs
        self.graph = Graph()
        self.graph.producer = library.producer
        self.graph.local_op_defs = library.local_op_defs
        for known in library.functions.values():
            self.graph.add_function(known)
        self.finder = OpFinder(self.graph)
        # What each text that a node may name stands for: names of tensors in the graph's own form.
        self.values: dict[str, list[str]] = {}
        self.nodes: list[Any] = []

    def made(self) -> FunctionBody:
        arguments = self._add_arguments()
        bodies = []
        for source in self.message.node_def:
            node = proto.NodeDef()
            node.CopyFrom(source)
            self._substitute(node)
            self._name_outputs(node)
            bodies.append(node)
        for node in bodies:
            texts = list(node.input)
            del node.input[:]
            node.input.extend([name for text in texts for name in self._resolve(text, f"node {node.name!r}")])
        nodes, _ = read_nodes(self.graph, self.nodes + bodies, internal=True)
        self.graph.adopt(nodes)
        outputs = []
        for arg in self.message.signature.output_arg:
            names = self._resolve(self.message.ret.get(arg.name, arg.name), f"result {arg.name!r}")
            outputs.extend([self._tensor(name) for name in names])
        return FunctionBody(
            self.graph,
            tuple(self._tensor(name) for name in arguments),
            tuple(outputs),
            tuple(self.graph.get_operation_by_name(name) for name in self.message.control_ret.values()),
        )

    def _add_arguments(self) -> list[str]:
        taken = {node.name for node in self.message.node_def}
        names: list[str] = []
        for position, arg in enumerate(op_def_from_proto(self.message.signature).inputs):
            own = []
            for i, dtype in enumerate(self._types(arg)):
                name = f"{arg.name}_{i}" if arg.is_list else arg.name
                while name in taken:
                    name += "_"
                taken.add(name)
                node = proto.NodeDef(name=name, op="_Arg")
                node.attr["T"].type = dtype.enum
                node.attr["index"].i = len(names)
                shapes = self.message.arg_attr[position].attr if position in self.message.arg_attr else {}
                if "_output_shapes" in shapes and not arg.is_list:
                    node.attr["_output_shapes"].CopyFrom(shapes["_output_shapes"])
                self.nodes.append(node)
                names.append(name)
                own.append(name)
                self.values[f"{arg.name}:{i}"] = [name]
            self.values[arg.name] = own
        return names

    def _types(self, arg: ArgDef) -> list[Any]:
        if arg.type_list_attr:
            return list(self._attr(arg.type_list_attr))
        one = as_dtype(arg.type) if arg.type else self._attr(arg.type_attr)
        one = one.ref if arg.is_ref else one
        return [one] * (int(self._attr(arg.number_attr)) if arg.number_attr else 1)

    def _attr(self, name: str) -> Any:
        if name not in self.attrs:
            raise InvalidArgumentError(
                f"function {self.function.name!r} is called without its attribute {name!r}",
                where=(f"attributes {sorted(self.attrs)}",),
            )
        return self.attrs[name]

    def _substitute(self, node: Any) -> None:
        """Put the call's attributes in the place of placeholders, in functions named by attributes too."""
        for value in node.attr.values():
            kind = value.WhichOneof("value")
            if kind == "placeholder":
                given = self._attr(value.placeholder)
                value.Clear()
                attr_to_proto(given, value)
            elif kind in ("func", "list"):
                for function in [value.func] if kind == "func" else value.list.func:
                    self._substitute(function)

    def _name_outputs(self, node: Any) -> None:
        definition = self.finder(node.op)
        if definition is None:
            return
        values = {name: attr_from_proto(node.attr[name]) for name in node.attr}
        values = {a.name: a.default for a in definition.attrs.values() if a.has_default} | values
        at = 0
        for arg in definition.outputs:
            names = []
            for i in range(output_length(arg, values)):
                names.append(f"{node.name}:{at}")
                self.values[f"{node.name}:{arg.name}:{i}"] = [names[-1]]
                at += 1
            self.values[f"{node.name}:{arg.name}"] = names

    def _resolve(self, text: str, where: str) -> list[str]:
        if text.startswith("^"):
            name = text[1:]
            return [f"^{self.values[name][0]}" if name in self.values else text]
        found = self.values.get(text)
        if found is None:
            raise InvalidArgumentError(
                f"function {self.function.name!r} has no value {text!r}", where=(where,), hint="the body is damaged"
            )
        return found

    def _tensor(self, name: str) -> Tensor:
        return self.graph.get_tensor_by_name(name if ":" in name else f"{name}:0")


def output_length(arg: ArgDef, attrs: Mapping[str, Any]) -> int:
    """How many tensors an output argument of an op stands for in a node with these attributes."""
    if arg.number_attr:
        return int(attrs[arg.number_attr])
    return len(attrs[arg.type_list_attr]) if arg.type_list_attr else 1
